"""The bytes lab: step through the fields of a file, and see each one's bytes light up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ipywidgets

from certkit._files import Source
from certkit._html import Html, tag
from certkit.formats.der_picture import field_html
from certkit.formats.der_tree import DerNode, DerTree, der_tree
from certkit.widgets._view import STYLE, Lab

__all__ = ["DerLab", "DerLabState"]


@dataclass(frozen=True)
class DerLabState:
    """What is looked at: a tree, and one of its nodes by number.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> tree = der_tree(CertificateAuthority("Lab Root").certificate.der)
    >>> DerLabState(tree, 2).node.name
    'version'
    """

    tree: DerTree
    index: int = 0

    @property
    def node(self) -> DerNode:
        """The node that is looked at."""
        return self.tree.nodes[self.index]

    def picture(self, run: int = 0) -> Html:
        """Return the field explained, its bytes marked among their neighbours."""
        return tag("div", field_html(self.tree, self.node), class_="ck-picture", data_run=run)


class DerLab(Lab):
    """The bytes of a file, field by field: choose one with the mouse or the arrow keys, and its bytes light up.

    Parameters
    ----------
    source : path, bytes or PEM text
        DER, or PEM or base64 of it.
    field : str, optional
        The field that is looked at first, e.g. ``"subjectAltName"`` or ``"validity"``.
    """

    def __init__(self, source: Source, field: str | None = None) -> None:
        tree = der_tree(source)
        nodes = tree.nodes
        index = 0 if field is None else nodes.index(tree.find(field))
        self.state = DerLabState(tree, index)
        self._run = 1
        options = [(_option(node), number) for number, node in enumerate(nodes)]
        self._field = ipywidgets.Select(
            options=options,
            value=index,
            rows=14,
            description="Field",
            style=STYLE,
            layout=ipywidgets.Layout(width="560px"),
        )
        self._field.add_class("ck-field")
        self._field.observe(self._changed, "value")
        super().__init__([self._field], ipywidgets.HTML(self.state.picture(self._run)), "ck-der-lab")

    def static_html(self) -> Html:
        """Return the whole tree, folded: every field with its bytes, without controls."""
        return tag("div", self._settings_html(), Html(self.state.tree._repr_html_()))

    def _changed(self, change: dict[str, Any]) -> None:
        self.state = replace(self.state, index=change["new"])
        self._run += 1
        self._picture.value = self.state.picture(self._run)


def _option(node: DerNode) -> str:
    # A select box swallows leading blanks; a figure space stays.
    value = f": {node.value}" if node.value else ""
    return f"{'  ' * node.depth}{node.start} {node.label}{value}"[:90]
