"""What every lab has in common: a box with a picture, and the same picture without a kernel."""

from __future__ import annotations

from typing import Any

import ipywidgets

from certkit._html import Html, tag

LAYOUT = ipywidgets.Layout(width="auto", max_width="330px")
STYLE = {"description_width": "110px"}
# Without it the widest table makes the whole picture wider than the page, and its right side is cut off.
FIT = Html("<style>.ck-lab .widget-html-content{min-width:0;overflow-x:auto}</style>")


class Lab(ipywidgets.VBox):  # type: ignore[misc]
    """A box of controls over a picture. Its static twin is the picture and the settings, as HTML.

    A page without a kernel (HTML, PDF, a viewer) shows the twin; JupyterLab shows the controls.
    """

    def static_html(self) -> Html:
        """Return what the lab shows now, without controls."""
        return tag("div", self._settings_html(), Html(self._picture.value))

    def _settings_html(self) -> Html:
        settings = "; ".join(f"{control.description}: {_chosen(control)}" for control in self._controls)
        return tag("p", tag("em", f"An interactive lab, here as it was last set. {settings}."))

    def __init__(self, controls: list[Any], picture: ipywidgets.HTML, name: str) -> None:
        self._controls = controls
        self._picture = picture
        super().__init__([ipywidgets.HBox(controls, layout=ipywidgets.Layout(flex_flow="row wrap")), picture])
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
