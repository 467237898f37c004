"""What every lab has in common: controls, a picture, its verdict said aloud, and the same without a kernel."""

from __future__ import annotations

import html
import re
from typing import Any

import anywidget
import ipywidgets
import traitlets

from certkit._html import Html, escape, tag

LAYOUT = ipywidgets.Layout(width="auto", max_width="330px")
STYLE = {"description_width": "110px"}
SAID = "ck-said"
"""The class of the paragraph of a picture that is the verdict; a screen reader is told it at each change."""
# Without it the widest table makes the whole picture wider than the page, and its right side is cut off.
FIT = Html("<style>.ck-lab .widget-html-content{min-width:0;overflow-x:auto}</style>")

# A live region is heard only if it was there before its text: so it stays, while pictures come and go.
# JupyterLab reads keys before the page does: an arrow would go to the next cell, "d d" would delete one. In a
# lab's field, keys without Ctrl are the field's. Escape and Shift+Enter stay JupyterLab's, as the way out.
_VOICE = """
function render({ model, el }) {
  const said = document.createElement("p");
  said.className = "ck-voice";
  said.setAttribute("role", "status");
  const say = () => { said.textContent = model.get("text"); };
  const keys = (event) => {
    const lab = el.closest(".ck-lab");
    if (!lab || !lab.contains(event.target)) return;
    const chord = event.ctrlKey || event.metaKey || event.altKey;
    const away = event.key === "Escape" || (event.key === "Enter" && event.shiftKey);
    if (!chord && !away && event.target.matches("select, input, textarea")) event.stopPropagation();
  };
  model.on("change:text", say);
  window.addEventListener("keydown", keys, true);
  el.append(said);
  say();
  return () => { model.off("change:text", say); window.removeEventListener("keydown", keys, true); };
}
export default { render };
"""
_UNSEEN = """
.ck-voice{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.ck-lab .ck-choose select{font-family:var(--jp-code-font-family,monospace)}
.ck-lab :focus-visible{outline:3px solid #2b7de9;outline-offset:1px}
"""


class Voice(anywidget.AnyWidget):
    """The verdict for those who do not see the picture, and the keys for those who use no mouse."""

    _esm = _VOICE
    _css = _UNSEEN
    text = traitlets.Unicode("").tag(sync=True)


def spoken(picture: str) -> str:
    """Return the verdict of a picture in plain words: the text of its `SAID` paragraph.

    Examples
    --------
    >>> spoken('<div><p class="ck-said"><b>refused</b>: a &lt; b</p><p>more</p></div>')
    'refused: a < b'
    """
    found = re.search(rf'<p class="{SAID}">(.*?)</p>', picture, re.DOTALL)
    words = "" if found is None else re.sub(r"<[^>]*>", "", found.group(1))
    return " ".join(html.unescape(words).split())


class Lab(ipywidgets.VBox):  # type: ignore[misc]
    """A box of controls over a picture. Its static twin is the picture and the settings, as HTML.

    A page without a kernel (HTML, PDF, a viewer) shows the twin; JupyterLab shows the controls.
    """

    def static_html(self) -> Html:
        """Return what the lab shows now, without controls."""
        return tag("div", self._settings_html(), Html(self._picture.value))

    def _settings_html(self) -> Html:
        settings = "; ".join(f"{control.description}: {_chosen(control)}" for control in self._controls)
        # A lab with many controls needs more than the usual 300 characters.
        words = escape(f"An interactive lab, here as it was last set. {settings}.", 2_000)
        return tag("p", tag("em", words))

    def __init__(self, controls: list[Any], picture: ipywidgets.HTML, name: str) -> None:
        self._controls = controls
        self._picture = picture
        self._voice = Voice(text=spoken(picture.value))
        picture.observe(lambda change: setattr(self._voice, "text", spoken(change["new"])), "value")
        row = ipywidgets.HBox(controls, layout=ipywidgets.Layout(flex_flow="row wrap"))
        super().__init__([row, self._voice, picture])
        self.add_class("ck-lab")
        self.add_class(name)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return {**(data or {}), "text/html": self.static_html(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def _chosen(control: Any) -> str:
    options = getattr(control, "options", None)
    if options:
        pairs = (item if isinstance(item, tuple) else (item, item) for item in options)
        labels = {value: label for label, value in pairs}
        return str(labels.get(control.value, control.value))
    return {True: "yes", False: "no"}.get(control.value, str(control.value))
