"""How a DER tree is drawn: a row a field, with its bytes in the same row, so that both light up together."""

from __future__ import annotations

from certkit._html import Html, escape, tag
from certkit.formats.der_tree import DerNode, DerTree

__all__ = ["field_html", "tree_html"]

# Nesting does the highlighting: what the pointer or the focus is in, with everything inside it, is framed.
_STYLE = Html(
    "<style>.ck-der{font-size:13px;line-height:1.5}.ck-der code{font-size:12px}"
    ".ck-der div,.ck-der details{margin-left:1em;border-left:2px solid transparent;padding-left:4px}"
    ".ck-der :is(div,details):is(:hover,:focus-within){border-color:#0b6bcb;background:rgba(11,107,203,.09)}"
    ".ck-der .h{background:#fff3d6;color:#6b4500}.ck-der .c{background:#e3f4ea;color:#0f5132}</style>"
)
_LEGEND = Html(
    '<p>Each row: offset, <code class="h">tag and length</code> <code class="c">content</code>, the field, its '
    "value. Open a row for what is inside it.</p>"
)


def tree_html(tree: DerTree, depth: int) -> Html:
    """Return the tree as HTML, `depth` levels of it; deeper ones are counted."""
    head = tag(
        "p", f"{tree.root.label}: {len(tree.nodes):,} elements in {tree.root.end:,} bytes. {tree.note}"
    )
    return tag("div", _STYLE, head, _LEGEND, _node(tree, tree.root, depth), class_="ck-der")


def _node(tree: DerTree, node: DerNode, depth: int) -> Html:
    row = _row(tree, node)
    if not node.children:
        return tag("div", row)
    if node.depth >= depth:
        inside = sum(1 for _ in node.walk()) - 1
        return tag("div", row, f" … {inside:,} elements inside")
    children = (_node(tree, child, depth) for child in node.children)
    return tag("details", tag("summary", row), *children, open="" if node.depth < 2 else None)


def _row(tree: DerTree, node: DerNode) -> Html:
    name = f" {node.name}" if node.name else ""
    value = f" {node.value}" if node.value else ""
    meaning = f" {node.meaning}" if node.meaning else ""
    parts = [
        str(node.start),
        " ",
        _hex(tree, node, 12),
        f" {node.tag}",
        tag("b", name) if name else "",
        value,
    ]
    return Html("".join(escape(part) for part in parts)) + (tag("i", meaning) if meaning else Html(""))


def _hex(tree: DerTree, node: DerNode, most: int) -> Html:
    """Return tag and length, and the content of a node without children, each in its colour."""
    header = tag("code", tree.data[node.start : node.body].hex(" "), class_="h")
    if node.children or node.body == node.end:
        return header
    if node.secret:
        return header + tag("code", "·· not shown", class_="c")
    content = tree.data[node.body : min(node.end, node.body + most)].hex(" ")
    return header + tag("code", content + ("…" if node.end - node.body > most else ""), class_="c")


def field_html(tree: DerTree, node: DerNode) -> Html:
    """Return one field explained, and the bytes around it with its own marked: the picture of the lab."""
    about = [
        ("field", node.name or "(no name here)"),
        ("tag", f"0x{tree.data[node.start]:02X}: {node.tag}"),
        ("length", f"{node.end - node.body:,} bytes of content, from offset {node.body} to {node.end - 1}"),
        ("value", node.value or f"{len(node.children)} elements"),
        ("meaning", node.meaning or "none in certkit's words"),
    ]
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", value)) for name, value in about]
    return tag(
        "div",
        _STYLE,
        tag("table", tag("tbody", *rows), class_="ck-table"),
        _marked(tree, node),
        class_="ck-der",
    )


def _marked(tree: DerTree, node: DerNode, around: int = 32, most: int = 320) -> Html:
    """Return the bytes around a node as rows of sixteen; the node's own stand out by colour and brackets."""
    first = max(node.start - around, 0) // 16 * 16
    last = min(node.end + around, first + most, len(tree.data))
    lines = []
    for at in range(first, last, 16):
        cells = [_cell(tree, node, place) for place in range(at, min(at + 16, last))]
        lines.append(Html(f"{at:05d}  ") + Html("".join(cells)))
    if last < node.end:
        lines.append(Html(f"… {node.end - last:,} more bytes of this field"))
    words = "In [ ]: this field; tag and length in one colour, content in the other."
    return tag(
        "div",
        tag("p", words),
        tag("pre", Html("\n".join(lines)), style="line-height:1.5;font-family:monospace"),
    )


def _cell(tree: DerTree, node: DerNode, place: int) -> Html:
    text = "··" if place in tree.hidden else f"{tree.data[place]:02x}"
    left = "[" if place == node.start else " "
    right = "]" if place == node.end - 1 else ""
    if not node.start <= place < node.end:
        return Html(f"{left}{text}")
    style = "h" if place < node.body else "c"
    return Html(f'<span class="{style}">{left}{text}{right}</span>')
