"""`RevocationService`: a CA's revocation list and OCSP responder, over plain HTTP on loopback."""

from __future__ import annotations

import base64
import binascii
import urllib.parse
from datetime import datetime, timedelta
from http import HTTPStatus

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from certkit._files import utc
from certkit._profiles import ExtraExtension
from certkit.authority import CertificateAuthority
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.revocation import OcspAnswer, RevocationList
from certkit.services._handler import Handler
from certkit.services._server import Connection, LoopbackServer

__all__ = ["RevocationService"]

_MAX_REQUEST = 4096


class RevocationService(LoopbackServer):
    """Serves what a CA has to say of revocation: its list at ``/crl``, and OCSP at ``/ocsp``.

    Issue certificates with ``add=service.pointers()``, so that they name these addresses.

    Parameters
    ----------
    ca : CertificateAuthority
        Whose certificates it speaks of; ``ca.revoke(certificate)`` is known here at once.
    responder : Credential, optional
        Who signs OCSP answers, issued by the CA with ``usage="ocsp"``; the CA itself by default.
    days : float
        For how long a list or an answer is good; negative for one that is out of date.
    at : datetime, optional
        The service's clock, aware; now by default.
    port : int
        0 takes a free one.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.verification import check_revocation, verify_chain
    >>> ca = CertificateAuthority("Lab Root")
    >>> with RevocationService(ca) as service:
    ...     shop = ca.issue("shop.example.test", usage="server", add=service.pointers())
    ...     _ = ca.revoke(shop.certificate)
    ...     check_revocation(verify_chain(shop, ca.trust_store), fetch=True).cause
    'revoked'
    """

    scheme = "http"

    def __init__(
        self,
        ca: CertificateAuthority,
        *,
        responder: Credential | None = None,
        days: int = 7,
        at: datetime | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        if not isinstance(ca, CertificateAuthority):
            raise ArgumentError("a revocation service speaks for a CA", on=type(ca).__name__)
        self.ca = ca
        self.responder = responder
        self.days = days
        self._at = at
        self.asked: list[str] = []

    @property
    def crl_url(self) -> str:
        """Where the list is."""
        return f"{self.url}/crl"

    @property
    def ocsp_url(self) -> str:
        """Where the responder is."""
        return f"{self.url}/ocsp"

    def pointers(self, *, crl: bool = True, ocsp: bool = True) -> list[ExtraExtension]:
        """Return the extensions that name these addresses, for ``add=`` of `CertificateAuthority.issue`."""
        found: list[ExtraExtension] = []
        if crl:
            place = x509.DistributionPoint([x509.UniformResourceIdentifier(self.crl_url)], None, None, None)
            found.append((x509.CRLDistributionPoints([place]), False))
        if ocsp:
            access = x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(self.ocsp_url)
            )
            found.append((x509.AuthorityInformationAccess([access]), False))
        return found

    def crl(self) -> RevocationList:
        """Return the list as it is served."""
        return self.ca.revoke(days=self.days)

    def answer(self, request: bytes) -> OcspAnswer:
        """Return the answer to an OCSP request, given and returned as DER.

        Raises
        ------
        ArgumentError
            If the bytes are no request.
        """
        try:
            asked = ocsp.load_der_ocsp_request(request)
            algorithm = asked.hash_algorithm
            if asked.serial_number < 0:  # RFC 5280, 4.1.2.2: there is none
                raise ValueError
        except (ValueError, UnsupportedAlgorithm):
            raise ArgumentError("this is no OCSP request", on=f"{len(request)} bytes") from None
        raw = self.ca.certificate.raw
        own = ocsp.OCSPRequestBuilder().add_certificate(raw, raw, algorithm).build()
        name = hashes.Hash(algorithm)
        name.update(self.ca.certificate.subject_der)
        if (asked.issuer_name_hash, asked.issuer_key_hash) != (name.finalize(), own.issuer_key_hash):
            refused = ocsp.OCSPResponseStatus.UNAUTHORIZED
            return OcspAnswer(ocsp.OCSPResponseBuilder.build_unsuccessful(refused))
        return OcspAnswer(self._sign(asked))

    def _sign(self, asked: ocsp.OCSPRequest) -> ocsp.OCSPResponse:
        entry = self.ca.revoke().raw.get_revoked_certificate_by_serial_number(asked.serial_number)
        now = utc(self._at).replace(microsecond=0)
        end = now + timedelta(days=self.days)
        signer = self.ca.certificate if self.responder is None else self.responder.certificate
        key = (self.ca.key if self.responder is None else self.responder.key).raw
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            ocsp.OCSPCertStatus.GOOD if entry is None else ocsp.OCSPCertStatus.REVOKED,
            min(now, end - timedelta(days=1)),
            end,
            None if entry is None else entry.revocation_date_utc,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.raw)
        if self.responder is not None:
            builder = builder.certificates([signer.raw])
        edwards = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
        return builder.sign(key, None if edwards else hashes.SHA256())

    def _facts(self) -> list[tuple[object, object]]:
        return [
            ("speaks for", self.ca.name),
            (
                "signs OCSP answers",
                self.ca.name if self.responder is None else self.responder.certificate.name,
            ),
            ("good for", f"{self.days} days"),
            ("asked so far", str(len(self.asked))),
        ]

    def _serve(self, connection: Connection) -> None:
        _Handler(self, connection)


class _Handler(Handler):
    """One connection: GET /crl, POST /ocsp, GET /ocsp/BASE64 (RFC 6960, A.1)."""

    def __init__(self, service: RevocationService, connection: Connection) -> None:
        self.service = service
        super().__init__(service, connection)

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        """Answer with the list, or with an answer to a request in the path."""
        path = urllib.parse.urlsplit(self.path).path
        if path == "/crl":
            self.service.asked.append("crl")
            self._answer(self.service.crl().der, "application/pkix-crl")
        elif path.startswith("/ocsp/"):
            try:
                request = base64.b64decode(urllib.parse.unquote(path.removeprefix("/ocsp/")), validate=True)
            except (binascii.Error, ValueError):
                self._refuse(HTTPStatus.BAD_REQUEST)
                return
            self._ocsp(request)
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
        """Answer an OCSP request."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/ocsp" or not length.isdigit() or int(length) > _MAX_REQUEST:
            self._refuse(HTTPStatus.BAD_REQUEST if self.path == "/ocsp" else HTTPStatus.NOT_FOUND)
            return
        self._ocsp(self.rfile.read(int(length)))

    def _ocsp(self, request: bytes) -> None:
        self.service.asked.append("ocsp")
        try:
            found = self.service.answer(request).der
        except ArgumentError:
            refused = ocsp.OCSPResponseStatus.MALFORMED_REQUEST
            found = ocsp.OCSPResponseBuilder.build_unsuccessful(refused).public_bytes(Encoding.DER)
        self._answer(found, "application/ocsp-response")

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self.send_error(status)
