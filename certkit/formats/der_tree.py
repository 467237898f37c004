"""A view of the bytes: DER as a tree, each node with its place, its name and its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from certkit import _der
from certkit._files import Source, iso, read_source
from certkit._html import Html, fitting
from certkit._text import visible
from certkit.errors import ArgumentError, CertkitError, FormatError, LimitError
from certkit.formats.ber import definite
from certkit.formats.damage import refuse
from certkit.formats.der import structure
from certkit.formats.der_shapes import SHAPES, Shape, extension_shape, oid_name
from certkit.formats.jks import MAGICS
from certkit.formats.limits import MAX_DEPTH
from certkit.formats.pem import bare_base64, looks_like_armor, pem_blocks

__all__ = ["DerNode", "DerTree", "der_tree"]

_KEYS = {"pkcs8", "pkcs1", "sec1", "dsa"}
_NO_SHAPE = Shape("")
# Beyond this a picture helps nobody; certkit inspect lists large files.
_MOST_NODES = 5000


@dataclass(frozen=True)
class DerNode:
    """One element: tag, length, value.

    Attributes
    ----------
    start, body, end : int
        Offsets of the tag byte, of the first content byte, and one past the last.
    tag : str
        The tag in words, e.g. ``"SEQUENCE"`` or ``"[0]"``.
    name : str
        The field as the standard names it; empty if it is not known.
    value : str
        What it holds; empty for a node with children.
    meaning : str
        The field in plain words; empty if there are none.
    children : tuple of DerNode
        The elements inside.
    secret : bool
        Whether it is part of a private key: its bytes are never shown.
    depth : int
        How deep it stands; 0 at the top.
    """

    start: int
    body: int
    end: int
    tag: str
    name: str
    value: str
    meaning: str
    children: tuple[DerNode, ...] = field(default=(), repr=False)
    secret: bool = False
    depth: int = 0

    @property
    def label(self) -> str:
        """The field's name, or its tag where it has none."""
        return self.name or self.tag

    def walk(self) -> Iterator[DerNode]:
        """Yield this node and every one below it, in the order of the bytes."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __str__(self) -> str:
        value = f": {self.value}" if self.value else ""
        name = f" {self.name}" if self.name else ""
        return f"{self.start:5d} {self.end - self.start:5d}  {'  ' * self.depth}{self.tag}{name}{value}"


@dataclass(frozen=True)
class DerTree:
    """DER bytes and the tree they are.

    Attributes
    ----------
    data : bytes
        The bytes that the offsets count in.
    root : DerNode
        The outermost element.
    kind : str
        Which structure it is: a key of `certkit.formats.der.STRUCTURES`.
    note : str
        What was done to the file before: PEM decoded, indefinite lengths resolved; empty for nothing.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> tree = der_tree(CertificateAuthority("Lab Root").certificate.der)
    >>> tree.find("serialNumber").tag, tree.find("notAfter").tag
    ('INTEGER', 'UTCTime')
    """

    data: bytes = field(repr=False)
    root: DerNode = field(repr=False)
    kind: str
    note: str = ""

    @property
    def nodes(self) -> tuple[DerNode, ...]:
        """Every node, in the order of the bytes."""
        return tuple(self.root.walk())

    def find(self, name: str) -> DerNode:
        """Return the first field of that name.

        Raises
        ------
        ArgumentError
            If there is none.
        """
        for node in self.nodes:
            if node.name == name:
                return node
        names = dict.fromkeys(node.name for node in self.nodes if node.name)
        raise ArgumentError(
            "no field has this name", on=repr(name), hint=f"one of {', '.join(list(names)[:12])}, …"
        )

    def at(self, offset: int) -> DerNode:
        """Return the innermost node that the byte at `offset` belongs to.

        Raises
        ------
        ArgumentError
            If there is no such byte.
        """
        found = [node for node in self.nodes if node.start <= offset < node.end]
        if not found:
            raise ArgumentError("no byte stands there", on=offset, hint=f"0 to {self.root.end - 1}")
        return found[-1]

    @cached_property
    def hidden(self) -> frozenset[int]:
        """The offsets of the bytes that are part of a private key: no view shows them."""
        return frozenset(place for node in self.nodes if node.secret for place in range(node.start, node.end))

    def hex(self, node: DerNode, limit: int = 64) -> str:
        """Return the bytes of a node in hexadecimal, those of private keys as dots."""
        last = min(node.end, node.start + limit)
        shown = " ".join(
            "··" if place in self.hidden else f"{self.data[place]:02x}" for place in range(node.start, last)
        )
        return f"{shown} … {node.end - last:,} more" if last < node.end else shown

    def __str__(self) -> str:
        return "\n".join(map(str, self.nodes))

    def __repr__(self) -> str:
        return f"<DerTree {self.kind}: {len(self.nodes):,} nodes, {self.root.end:,} bytes>"

    def html(self, depth: int = MAX_DEPTH) -> Html:
        """Return the whole tree as HTML: a row a field, its bytes beside it.

        Parameters
        ----------
        depth : int
            How many levels to show.
        """
        from certkit.formats.der_picture import tree_html  # noqa: PLC0415 - it draws this class

        return tree_html(self, depth)

    def _repr_html_(self) -> Html:
        return fitting(self.html(depth) for depth in range(8, -1, -1))


def der_tree(source: Source) -> DerTree:
    """Return the tree of a file's DER: each element with its offsets, its name and what it means.

    Parameters
    ----------
    source : path, bytes or PEM text
        DER, or PEM or base64 of it; of several PEM blocks the first is taken.

    Raises
    ------
    FileError
        If it cannot be read.
    FormatError
        If it is no DER.
    LimitError
        If it is deeper or longer than a tree is good for.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> tree = der_tree(CertificateAuthority("Lab Root").certificate.pem)
    >>> print(tree.find("version"))
        8     5      [0] version
    """
    data, name = read_source(source)
    try:
        der, note = _der_of(data)
        if der[1:2] == b"\x80":
            der, note = definite(der), f"{note}Its indefinite lengths (BER) were made definite. ".strip()
        kind = structure(der)
        root = _Builder(der).node(_der.read(der), SHAPES.get(kind, _NO_SHAPE), 0)
    except CertkitError as error:
        if error.on is None:
            error.on = name
        raise
    return DerTree(der, root, kind, note.strip())


def _der_of(data: bytes) -> tuple[bytes, str]:
    if data[:4] in MAGICS:
        raise FormatError(
            f"a {MAGICS[data[:4]].upper()} is no DER: Java writes it in a form of its own",
            hint="certkit inspect FILE; or der_tree of one of its certificates",
            cause="wrong-file-format",
            kind="not-der",
        )
    if data[:1] == b"\x30":
        return data, ""
    if looks_like_armor(data):
        for block in pem_blocks(data):
            if block.error is None and block.data[:1] == b"\x30":
                return block.data, f"The offsets count in the decoded {block.label} block. "
    decoded = bare_base64(data)
    if decoded is not None and decoded[:1] == b"\x30":
        return decoded, "The offsets count in the decoded base64. "
    raise refuse(data)


class _Builder:
    """Builds the nodes of one file; counts them, so that a bomb is refused."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 0

    def node(self, element: _der.Element, shape: Shape, depth: int) -> DerNode:
        self.count += 1
        if self.count > _MOST_NODES:
            raise LimitError(
                f"this has more than {_MOST_NODES:,} elements, and a picture of them helps nobody",
                hint="certkit inspect FILE lists what is in a large file",
                kind="too-many-entries",
            )
        if depth and element.tag == _der.SEQUENCE:
            # A key in the clear, wherever it lies, is known by its shape: its numbers are never shown.
            found = _structure(element)
            shape = SHAPES[found] if found in _KEYS or (found in SHAPES and not shape.name) else shape
        inner, problem = ([], "") if shape.secret else self._inner(element, depth)
        parts = _parts(inner, shape)
        children = tuple(self.node(child, part, depth + 1) for child, part in zip(inner, parts, strict=True))
        return DerNode(
            element.start,
            element.body,
            element.end,
            _der.tag_name(element.tag),
            shape.name,
            problem or ("" if children else _value(element, shape)),
            shape.meaning,
            children,
            shape.secret,
            depth,
        )

    def _inner(self, element: _der.Element, depth: int) -> tuple[list[_der.Element], str]:
        if depth >= MAX_DEPTH:
            return [], "deeper than any real file: not looked into"
        if element.constructed:
            try:
                return element.children(), ""
            except FormatError as error:
                return [], f"damaged: {error}"
        return self._inside_octets(element), ""

    def _inside_octets(self, element: _der.Element) -> list[_der.Element]:
        """Return the DER that an OCTET STRING wraps, if it is one whole element and no accident."""
        if element.tag != _der.OCTET_STRING or element.end - element.body < 2:
            return []
        if self.data[element.body] not in {0x30, 0x31, 0x03, 0x04}:
            return []
        try:
            inside = _der.read(self.data, element.body, element.end)
            inside.children() if inside.constructed else None
        except FormatError:
            return []
        return [inside] if inside.end == element.end else []


def _value(element: _der.Element, shape: Shape) -> str:
    size = element.end - element.body
    if shape.secret:
        return f"{size:,} bytes, not shown"
    if shape.name == "KeyUsage" and size > 1:
        return ", ".join(_key_usages(element)) or "nothing"
    if element.constructed and not size:
        return "empty"
    return _VALUES.get(element.tag, _bytes)(element)


def _key_usages(element: _der.Element) -> list[str]:
    bits = "".join(f"{byte:08b}" for byte in element.content[1:])
    return [name for name, bit in zip(_KEY_USAGES, bits, strict=False) if bit == "1"]


def _structure(element: _der.Element) -> str:
    try:
        return structure(element.encoded)
    except FormatError:
        return "der"


def _parts(children: list[_der.Element], shape: Shape) -> list[Shape]:
    """Return which field each child is; optional ones are known by their tags."""
    if shape.each is not None:
        return [shape.each] * len(children)
    waiting = list(shape.parts)
    found: list[Shape] = []
    for child in children:
        while waiting and waiting[0].tag not in {None, child.tag}:
            waiting.pop(0)
        found.append(waiting.pop(0) if waiting else _NO_SHAPE)
    if found and found[-1].name == "extnValue":
        found[-1] = _extension_value(children, found[-1])
    return found


def _extension_value(children: list[_der.Element], shape: Shape) -> Shape:
    try:
        inside = extension_shape(_der.oid_text(children[0].content))
    except FormatError:
        return shape
    return shape if inside is None else Shape(shape.name, shape.meaning, (inside,))


def _integer(element: _der.Element) -> str:
    if 0 < element.end - element.body <= 8:
        return f"{_der.integer(element):,}"
    return f"{8 * (element.end - element.body):,} bits: {element.content[:20].hex()}{'…' * (len(element.content) > 20)}"


def _oid(element: _der.Element) -> str:
    try:
        dotted = _der.oid_text(element.content)
    except FormatError as error:
        return f"damaged: {error.what}"
    name = oid_name(dotted) if len(dotted) < 100 else ""
    return f"{dotted[:100]} ({name})" if name else dotted[:100]


def _text(element: _der.Element) -> str:
    codec = {0x1E: "utf-16-be", 0x1C: "utf-32-be", 0x0C: "utf-8"}.get(element.tag, "latin-1")
    return repr(visible(element.content[:400].decode(codec, "replace"), 100))


def _time(element: _der.Element) -> str:
    text = element.content[:20].decode("latin-1")
    try:
        moment = datetime.strptime(text if element.tag == 0x18 else _century(text), "%Y%m%d%H%M%SZ").replace(
            tzinfo=UTC
        )
    except ValueError:
        return repr(visible(text, 40))
    return iso(moment)


def _century(text: str) -> str:
    # RFC 5280, 4.1.2.5.1: two digits from 50 on are of the last century.
    return ("19" if text[:2] >= "50" else "20") + text


def _bytes(element: _der.Element) -> str:
    content = element.content
    if 0 < len(content) <= 100 and element.tag in {0x81, 0x82, 0x86} and content.isascii():
        return repr(visible(content.decode("ascii"), 100))
    return f"{len(content):,} byte{'s' * (len(content) != 1)}"


# RFC 5280, 4.2.1.3: the bits of keyUsage, in order.
_KEY_USAGES = (
    *("digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement"),
    *("keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"),
)


def _bits(element: _der.Element) -> str:
    unused = element.content[0] if element.content else 0
    return f"{max(8 * (element.end - element.body - 1) - unused, 0):,} bits"


_VALUES = {
    0x01: lambda element: "TRUE" if any(element.content) else "FALSE",
    0x02: _integer,
    0x0A: _integer,
    0x03: _bits,
    0x05: lambda _: "",
    0x06: _oid,
    0x17: _time,
    0x18: _time,
    **dict.fromkeys((0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E), _text),
}
