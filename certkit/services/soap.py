"""SOAP 1.1 as the user service speaks it: envelopes, faults and the WSDL; document/literal wrapped.

An envelope comes from a peer: it is read by expat with any DOCTYPE refused (SOAP 1.1, 3 forbids it, and
without one there are no entities to expand), to a depth, and to a number of elements.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from xml.parsers import expat

from certkit.errors import ArgumentError, FormatError, LimitError

__all__ = [
    "NAMESPACE",
    "STATUSES",
    "Element",
    "SoapFault",
    "build_fault",
    "build_request",
    "build_response",
    "operation_of",
    "parse_answer",
    "parse_envelope",
    "wsdl",
]

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE = "http://orders.example.test/users"
STATUSES = ("Active", "Inactive", "Suspended")
"""What a user's status can be."""

MAX_DEPTH = 32
MAX_ELEMENTS = 2_000
# The characters that XML 1.0 has no way to write (XML 1.0, 2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Element:
    """One element as it was read.

    Attributes
    ----------
    name : str
        Namespace and local name, as ``"namespace name"``; the local name alone if it has no namespace.
    attributes : dict
        Names (in the same form) to values.
    children : list of Element
        In order.
    text : str
        The character data directly in it.
    """

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    @property
    def local(self) -> str:
        """The name without its namespace."""
        return self.name.rpartition(" ")[2]

    @property
    def namespace(self) -> str:
        """The namespace; empty if there is none."""
        return self.name.rpartition(" ")[0]

    def child(self, local: str) -> Element | None:
        """Return the first child of that local name, or None."""
        return next((item for item in self.children if item.local == local), None)


@dataclass(frozen=True)
class SoapFault:
    """A SOAP fault (SOAP 1.1, 4.4).

    Attributes
    ----------
    code : str
        ``"Client"`` (the request is wrong), ``"Server"``, ``"VersionMismatch"`` or ``"MustUnderstand"``.
    reason : str
        What the other side says.
    """

    code: str
    reason: str


class _Builder:
    """Builds the tree while expat reads, and refuses what an envelope must not hold."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise LimitError(
                "an envelope is not that deep or that long",
                on=f"element {self._count:,} at level {len(self._open) + 1}",
                hint=f"at most {MAX_ELEMENTS:,} elements and {MAX_DEPTH} levels are read",
                kind="too-deep",
            )
        element = Element(name, attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1].text += text

    def doctype(self, *_: object) -> None:
        raise FormatError("an envelope must not hold a document type declaration", kind="doctype")

    def instruction(self, *_: object) -> None:
        raise FormatError("an envelope must not hold processing instructions", kind="processing-instruction")


def parse_envelope(data: bytes) -> Element:
    """Return the root element of an XML document; no DOCTYPE, no processing instruction.

    Raises
    ------
    FormatError
        If it is not well formed, or holds what an envelope must not hold.
    LimitError
        If it is nested deeper or has more elements than any envelope.

    Examples
    --------
    >>> parse_envelope(build_request("u-1001", "Active")).local
    'Envelope'
    """
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.ProcessingInstructionHandler = builder.instruction
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FormatError(
            f"this is not well-formed XML ({error})",
            on=f"{len(data):,} bytes",
            hint="send one soap:Envelope, nothing before or after it",
            kind="not-xml",
        ) from None
    except (ValueError, LookupError) as error:
        raise FormatError(
            "this encoding cannot be read", on=str(error), hint="UTF-8", kind="encoding"
        ) from None
    if builder.root is None:
        raise FormatError("there is no element", on=f"{len(data):,} bytes", kind="not-xml")
    return builder.root


def operation_of(envelope: Element) -> Element | SoapFault:
    """Return the element in the envelope's body, or the fault that the envelope deserves."""
    if envelope.local != "Envelope":
        return SoapFault("Client", "this is no SOAP envelope")
    if envelope.namespace != ENVELOPE:
        return SoapFault("VersionMismatch", "this service speaks SOAP 1.1")
    header = envelope.child("Header")
    for block in header.children if header is not None else ():
        if block.attributes.get(f"{ENVELOPE} mustUnderstand") == "1":
            return SoapFault("MustUnderstand", f"the header {block.local[:80]} is not understood here")
    body = envelope.child("Body")
    if body is None or len(body.children) != 1:
        return SoapFault("Client", "the Body must hold exactly one element")
    return body.children[0]


def parse_answer(data: bytes) -> tuple[dict[str, str], SoapFault | None]:
    """Return the answer's fields, or the fault in it.

    Raises
    ------
    FormatError
        If it is no SOAP answer at all.
    """
    found = operation_of(parse_envelope(data))
    if isinstance(found, SoapFault):
        raise FormatError(f"this is no answer of a SOAP 1.1 service ({found.reason})", kind="not-soap")
    if found.name == f"{ENVELOPE} Fault":
        code, reason = found.child("faultcode"), found.child("faultstring")
        return {}, SoapFault(
            (code.text if code else "").strip().rpartition(":")[2], reason.text.strip() if reason else ""
        )
    return {item.local: item.text.strip() for item in found.children}, None


def _text(value: str, what: str) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"{what} must be text", on=type(value).__name__)
    if _NOT_XML.search(value):
        raise ArgumentError(f"{what} holds a character that XML cannot carry", on=ascii(value[:40]))
    return html.escape(value, quote=False)


def _envelope(content: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<soap:Envelope xmlns:soap="{ENVELOPE}">\n  <soap:Body>\n{content}\n  </soap:Body>\n</soap:Envelope>\n'
    ).encode()


def build_request(user_id: str, status: str) -> bytes:
    """Return the envelope that asks to set a user's status.

    Raises
    ------
    ArgumentError
        If a value is no text, or holds a character that XML cannot carry.
    """
    return _envelope(
        f'    <updateUser xmlns="{NAMESPACE}">\n'
        f"      <userId>{_text(user_id, 'the user id')}</userId>\n"
        f"      <status>{_text(status, 'the status')}</status>\n"
        "    </updateUser>"
    )


def build_response(result: str, revision: int) -> bytes:
    """Return the envelope that answers: what became of it, and how often the row was changed so far."""
    return _envelope(
        f'    <updateUserResponse xmlns="{NAMESPACE}">\n'
        f"      <result>{result}</result>\n"
        f"      <revision>{revision}</revision>\n"
        "    </updateUserResponse>"
    )


def build_fault(fault: SoapFault) -> bytes:
    """Return the envelope that carries a fault."""
    reason = html.escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", fault.reason), quote=False)
    return _envelope(
        "    <soap:Fault>\n"
        f"      <faultcode>soap:{fault.code}</faultcode>\n"
        f"      <faultstring>{reason}</faultstring>\n"
        "    </soap:Fault>"
    )


def wsdl(location: str) -> bytes:
    """Return the service's description (WSDL 1.1), from which a client generates its stub.

    Parameters
    ----------
    location : str
        The endpoint's URL, as the caller reaches it.
    """
    return _WSDL.format(
        location=html.escape(location),
        ns=NAMESPACE,
        statuses="".join(_ENUMERATION.format(s) for s in STATUSES),
    ).encode()


_ENUMERATION = '\n          <xsd:enumeration value="{}"/>'
_WSDL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions name="Users" targetNamespace="{ns}" xmlns="http://schemas.xmlsoap.org/wsdl/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:tns="{ns}"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types>
    <xsd:schema targetNamespace="{ns}" elementFormDefault="qualified">
      <xsd:simpleType name="Status">
        <xsd:restriction base="xsd:string">{statuses}
        </xsd:restriction>
      </xsd:simpleType>
      <xsd:element name="updateUser">
        <xsd:complexType>
          <xsd:sequence>
            <xsd:element name="userId" type="xsd:string"/>
            <xsd:element name="status" type="tns:Status"/>
          </xsd:sequence>
        </xsd:complexType>
      </xsd:element>
      <xsd:element name="updateUserResponse">
        <xsd:complexType>
          <xsd:sequence>
            <xsd:element name="result" type="xsd:string"/>
            <xsd:element name="revision" type="xsd:int"/>
          </xsd:sequence>
        </xsd:complexType>
      </xsd:element>
    </xsd:schema>
  </types>
  <message name="updateUserRequest"><part name="parameters" element="tns:updateUser"/></message>
  <message name="updateUserResponse"><part name="parameters" element="tns:updateUserResponse"/></message>
  <portType name="UsersPortType">
    <operation name="updateUser">
      <documentation>Sets the status of one user; the result says what became of it.</documentation>
      <input message="tns:updateUserRequest"/>
      <output message="tns:updateUserResponse"/>
    </operation>
  </portType>
  <binding name="UsersBinding" type="tns:UsersPortType">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="updateUser">
      <soap:operation soapAction="{ns}/updateUser"/>
      <input><soap:body use="literal"/></input>
      <output><soap:body use="literal"/></output>
    </operation>
  </binding>
  <service name="UsersService">
    <port name="UsersPort" binding="tns:UsersBinding"><soap:address location="{location}"/></port>
  </service>
</definitions>
"""
