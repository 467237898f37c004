"""Drop a file: what is in it, what is wrong with it, and how each side's software would read it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import anywidget
import ipywidgets
import traitlets

from certkit._html import Html, badge, details, preformatted, tag
from certkit._text import hexdump
from certkit.errors import CertkitError
from certkit.formats.damage import find_damage
from certkit.keystores import Keystore, load_keystore
from certkit.widgets._view import FIT, SAID, STYLE, Lab

__all__ = ["DropZone", "FileLab", "FileState"]

LARGEST = 8_000_000


@dataclass(frozen=True)
class FileState:
    """A file that was handed in, and the password to try.

    Examples
    --------
    >>> FileState("x.p12", b"hello").problem.what
    'this is no certificate, key or keystore that certkit knows'
    """

    name: str = ""
    data: bytes = field(default=b"", repr=False)
    password: str = field(default="", repr=False)

    @cached_property
    def found(self) -> Keystore | CertkitError:
        """What is in the file, or why it cannot be read."""
        try:
            return load_keystore(self.data, self.password or None)
        except CertkitError as error:
            return error

    @property
    def problem(self) -> CertkitError | None:
        """Why it cannot be read; None if it can."""
        return self.found if isinstance(self.found, CertkitError) else None

    def picture(self, run: int = 0) -> Html:
        """Return the entries, or what is wrong, and the first bytes."""
        if not self.name:
            parts: list[object] = [
                tag("p", "Nothing is handed in yet. The file stays on this machine.", class_=SAID)
            ]
        else:
            parts = [tag("p", *self._verdict(), class_=SAID), *self._told()]
        return tag("div", FIT, *parts, class_="ck-picture", data_run=run)

    def _verdict(self) -> tuple[object, ...]:
        size = f" {self.name}, {len(self.data):,} bytes"
        return (badge("good", "read") if self.problem is None else badge("bad", "not read"), size)

    def _told(self) -> list[object]:
        parts: list[object] = []
        if isinstance(self.found, Keystore):
            parts.append(self.found._repr_html_())
        else:
            parts.append(tag("p", str(self.found)))
            damage = find_damage(self.data)
            parts += [] if damage is None else [damage._repr_html_()]
        parts.append(details("Its first bytes", preformatted(hexdump(self.data, length=96))))
        return parts


_DROP = """
function render({ model, el }) {
  const label = document.createElement("label");
  label.className = "ck-drop";
  const words = document.createElement("span");
  const input = document.createElement("input");
  input.type = "file";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  words.textContent = "Drop a file here, or choose one: ";
  label.append(words, input, said);
  el.append(label);
  async function take(file) {
    if (!file) return;
    if (file.size > model.get("largest")) { said.textContent = " too large for the lab; use certkit inspect"; return; }
    said.textContent = " reading " + file.name;
    const bytes = new DataView(await file.arrayBuffer());
    model.set("name", file.name); model.set("data", bytes); model.set("count", model.get("count") + 1);
    model.save_changes();
    said.textContent = " " + file.name;
  }
  input.addEventListener("change", () => take(input.files[0]));
  label.addEventListener("dragover", (event) => { event.preventDefault(); label.classList.add("over"); });
  label.addEventListener("dragleave", () => label.classList.remove("over"));
  label.addEventListener("drop", (event) => {
    event.preventDefault(); event.stopPropagation(); label.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
}
export default { render };
"""
_LOOK = """
.ck-drop{display:block;padding:1rem;border:2px dashed currentColor;border-radius:8px;margin:4px 0;max-width:640px}
.ck-drop.over,.ck-drop:focus-within{outline:3px solid #2b7de9}
"""


class DropZone(anywidget.AnyWidget):
    """A place to drop a file onto, or to choose one from; `count` changes when one has come.

    The bytes go to the kernel on this machine and nowhere else.
    """

    _esm = _DROP
    _css = _LOOK
    name = traitlets.Unicode("").tag(sync=True)
    # What comes from the browser is a memoryview, which the trait would refuse.
    data = traitlets.Bytes(b"").tag(sync=True, from_json=lambda value, _: bytes(value))
    count = traitlets.Int(0).tag(sync=True)
    largest = traitlets.Int(LARGEST).tag(sync=True)


class FileLab(Lab):
    """A keystore, certificate or key of your own, dropped and looked at: entries, findings, what is broken.

    The password is kept in this session's memory only, and shown nowhere.
    """

    def __init__(self) -> None:
        self.state = FileState()
        self._run = 1
        self._drop = DropZone()
        self._drop.description = "File"
        self._password = ipywidgets.Password(description="Its password", continuous_update=False, style=STYLE)
        self._password.add_class("ck-password")
        self._drop.observe(self._came, "count")
        self._password.observe(self._tried, "value")
        super().__init__(
            [self._drop, self._password], ipywidgets.HTML(self.state.picture(self._run)), "ck-file-lab"
        )

    def _settings_html(self) -> Html:
        return tag(
            "p", tag("em", f"An interactive lab, here as it was last set. File: {self.state.name or 'none'}.")
        )

    def _came(self, _: dict[str, Any]) -> None:
        self._set(replace(self.state, name=self._drop.name, data=bytes(self._drop.data)))

    def _tried(self, change: dict[str, Any]) -> None:
        self._set(replace(self.state, password=change["new"]))

    def _set(self, state: FileState) -> None:
        self.state = state
        self._run += 1
        self._picture.value = state.picture(self._run)
