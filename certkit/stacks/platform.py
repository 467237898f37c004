"""`ClientPlatform`: the story's client, a real JSSE client held to the platform's documented rules.

A stand-in for Salesforce, which does not run here. What Java does by itself is Java's; what only the
platform demands is added on top and says so (`platform_rules`). Without Java, Python's ``ssl`` stands in.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from certkit._html import Html, definitions
from certkit.certificates import Certificate
from certkit.chains import Chain, TrustStore
from certkit.credentials import Credential
from certkit.errors import ArgumentError
from certkit.keystores import keystore_bytes
from certkit.services._dial import is_allowed, parse_url
from certkit.services._head import lab_address
from certkit.services.callout import Callout, call_update_user
from certkit.services.outcome import Outcome
from certkit.stacks.java import java_available
from certkit.stacks.platform_rules import platform_rules
from certkit.verification import Opinion, verify_chain

__all__ = ["ClientPlatform", "PlatformCallout"]

_UNIQUE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


@dataclass(frozen=True)
class PlatformCallout(Outcome):
    """What came of one callout of the platform.

    Attributes
    ----------
    callout : Callout
        How far it came, the answer or the words of the client's library, and the cause.
    engine : str
        Who made it: the Java with its version, or the stand-in.
    rule : str or None
        The platform's rule that it broke, an id of `platform_rules`; None if it broke none.
    asked : bool
        Whether the server asked for a client certificate.
    authorities : tuple of str
        The CAs that the server named as welcome; empty if it named none or did not ask.
    certificate_sent : bool
        Whether a client certificate was sent.
    """

    noun = "callout"
    words = Callout.words

    callout: Callout
    engine: str
    rule: str | None = None
    asked: bool = False
    authorities: tuple[str, ...] = ()
    certificate_sent: bool = False

    @property
    def ok(self) -> bool:
        """Whether the service answered that the row is updated."""
        return self.callout.ok

    @property
    def cause(self) -> str | None:
        """The cause id, as far as the client alone can tell; None if nothing failed or it cannot."""
        return self.callout.cause

    @property
    def error(self) -> str | None:
        """The client's words; None if nothing failed below SOAP."""
        return self.callout.error

    @property
    def verdict(self) -> str:
        """What came of it, in one sentence."""
        return self.callout.verdict

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            **self.callout.to_dict(),
            "engine": self.engine,
            "rule": self.rule,
            "asked": self.asked,
            "authorities": list(self.authorities),
            "certificate_sent": self.certificate_sent,
        }

    def __repr__(self) -> str:
        return f"<PlatformCallout {'updated' if self.ok else self.cause or self.callout.step}, {self.engine}>"

    def _repr_html_(self) -> Html:
        named = "; ".join(self.authorities) or "none"
        rows: list[tuple[object, object]] = [
            *self._shown(self.callout.step),
            ("asked for a certificate", f"yes; CAs named: {named}" if self.asked else "no"),
            ("a certificate was sent", "yes" if self.certificate_sent else "no"),
        ]
        if self.cause is not None:
            rows.append(("cause", self.cause))
        if self.rule is not None:
            rule = platform_rules()[self.rule]
            rows.append(("the platform's rule", f"{rule.title} (Salesforce help, {rule.article})"))
        rows.append(("made by", f"{self.engine}, in place of the platform"))
        return definitions(rows, caption=f"Callout to {self.callout.url}")


@dataclass(frozen=True)
class ClientPlatform:
    """The client platform: its list of roots, its allow-list, and its certificates by name.

    Parameters
    ----------
    roots : TrustStore or iterable of Certificate
        The CAs it trusts: self-signed roots only, as documented.
    remote_sites : iterable of str
        The URLs that may be called.
    certificates : mapping of str to Credential
        Its own certificates, by unique name.

    Raises
    ------
    ArgumentError
        If one of the roots is none: the platform takes no intermediates and no end-entity certificates.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> ca = CertificateAuthority("Orders Root").intermediate("Orders Issuing")
    >>> ClientPlatform(ca.trust_store, ["https://orders.example.test:8443"])
    <ClientPlatform trusts Orders Root; 1 remote site, no certificate>
    >>> ClientPlatform([ca.certificate])
    Traceback (most recent call last):
    certkit.errors.ArgumentError: the platform's list takes roots only: Orders Issuing; try: its root, Orders Root
    """

    roots: TrustStore
    remote_sites: tuple[str, ...] = ()
    certificates: dict[str, Credential] = field(default_factory=dict, repr=False)

    def __init__(
        self,
        roots: TrustStore | Iterable[Certificate],
        remote_sites: Iterable[str] = (),
        certificates: dict[str, Credential] | None = None,
    ) -> None:
        store = roots if isinstance(roots, TrustStore) else TrustStore(roots)
        for item in store:
            if not (item.is_ca and item.is_self_signed):
                above = item.issuer.partition(",")[0].removeprefix("CN=")
                raise ArgumentError(
                    "the platform's list takes roots only", on=item.name, hint=f"its root, {above}"
                )
        if isinstance(remote_sites, str):
            remote_sites = (remote_sites,)
        object.__setattr__(self, "roots", store)
        object.__setattr__(self, "remote_sites", tuple(remote_sites))
        object.__setattr__(self, "certificates", dict(certificates or {}))
        for name in self.certificates:
            if not _UNIQUE_NAME.fullmatch(name):
                raise ArgumentError(
                    "this is no unique name", on=repr(name), hint="letters, digits, underscores"
                )

    def with_certificate(self, name: str, credential: Credential) -> ClientPlatform:
        """Return the platform with one more certificate of its own, self-signed or from a CA."""
        return ClientPlatform(self.roots, self.remote_sites, {**self.certificates, name: credential})

    def with_remote_site(self, url: str) -> ClientPlatform:
        """Return the platform with one more entry on its allow-list."""
        return ClientPlatform(self.roots, (*self.remote_sites, url), self.certificates)

    def export_jks(self, password: str) -> bytes:
        """Return all its certificates and keys as a Java keystore, as the platform exports them."""
        if not self.certificates:
            raise ArgumentError("the platform has no certificate to export", hint="with_certificate(name, …)")
        return keystore_bytes(self.certificates, password, format="jks")

    def judge(self, chain: Chain, host: str | None = None, at: datetime | None = None) -> Opinion:
        """Return whether the platform would accept a server's chain, by its rules alone.

        Parameters
        ----------
        chain : Chain
            As sent.
        host : str, optional
            The name that was called.
        at : datetime, optional
            The clock; now by default.
        """
        verdict = verify_chain(chain, self.roots, host=host, at=at)
        judge = "client platform, by its documented rules"
        headline = verdict.headline
        if not verdict.ok:
            return Opinion(judge, False, headline.text if headline is not None else "it is not trusted")
        if not in_order(chain):
            rule = platform_rules()["in-order"]
            return Opinion(judge, False, f"{rule.words} (article {rule.article})")
        return Opinion(judge, True, "every documented rule holds")

    def update_user(
        self,
        url: str,
        user_id: str,
        status: str,
        *,
        certificate: str | None = None,
        pkcs12: str | None = None,
        password: str | None = None,
        proxy: str | None = None,
        proxy_credentials: tuple[str, str] | None = None,
        basic_in_tunnel: bool = False,
        tls: str | None = None,
        engine: str | None = None,
        timeout: float = 5.0,
    ) -> PlatformCallout:
        """Make the callout ``updateUser``.

        Parameters
        ----------
        url : str
            The endpoint, on this machine: names below ``.test`` stand for it.
        user_id, status : str
            Whom to change, and to which status.
        certificate : str, optional
            The unique name of one of the platform's certificates.
        pkcs12, password : str, optional
            A third party's certificate for this one call: PKCS#12 as base64 text, and its password.
        proxy : str, optional
            A web proxy to go through.
        proxy_credentials : (str, str), optional
            User name and password for that proxy.
        basic_in_tunnel : bool
            Whether they may be sent. Since 8u111 Java sends no password by the scheme *Basic* to a proxy that
            is to open a tunnel, unless its property ``jdk.http.auth.tunneling.disabledSchemes`` is empty: True
            calls with a Java that was started so. The stand-in keeps the same rule.
        tls : {"1.2", "1.3"}, optional
            Exactly this version.
        engine : {"java", "python"}, optional
            Who makes the call; the real Java if it is installed.
        timeout : float
            Seconds for each step.

        Raises
        ------
        ArgumentError
            If the URL is not of this machine, there is no such certificate, or the text is no base64.
        """
        target = parse_url(url)
        if lab_address(target.host) is None:
            raise ArgumentError(
                "the lab's platform calls this machine only", on=target.host, hint="a name below .test"
            )
        used = engine or ("java" if java_available() else "python")
        if used not in {"java", "python"}:
            raise ArgumentError("there is no such engine", on=repr(engine), hint="java or python")
        if not is_allowed(target, self.remote_sites):
            words = "this endpoint is not on the client's allow-list; no connection was tried"
            stopped = Callout(url=url, step="allow-list", error=words, cause="endpoint-not-allowed")
            return PlatformCallout(stopped, "the profile", "allow-list")
        if target.scheme == "http":
            login = proxy_credentials
            plain = call_update_user(
                url, user_id, status, proxy=proxy, proxy_credentials=login, timeout=timeout
            )
            return PlatformCallout(plain, "plain HTTP")
        from certkit.stacks import _platform_engines as engines  # noqa: PLC0415 - they need this module's types

        key = self._key(certificate, pkcs12, password)
        login = proxy_credentials if proxy is not None else None
        request = engines.Request(url, user_id, status, key, proxy, login, basic_in_tunnel, tls)
        run: Callable[..., PlatformCallout] = engines.by_java if used == "java" else engines.by_python
        return run(self, request, timeout)

    def _key(self, certificate: str | None, pkcs12: str | None, password: str | None) -> KeyFile:
        if certificate is not None and pkcs12 is not None:
            raise ArgumentError("one certificate a call: a name, or a PKCS#12 text")
        if pkcs12 is not None:
            try:
                data = base64.b64decode("".join(pkcs12.split()), validate=True)
            except (binascii.Error, ValueError):
                raise ArgumentError(
                    "this is no base64 text", on="pkcs12", hint="the file's bytes in base64, nothing else"
                ) from None
            return KeyFile(data, password or "", "PKCS12")
        if certificate is None:
            return KeyFile(None, "", "JKS")
        if certificate not in self.certificates:
            raise ArgumentError(
                "the platform has no such certificate",
                on=repr(certificate),
                hint=", ".join(self.certificates) or "with_certificate(name, credential)",
            )
        credential = self.certificates[certificate]
        data = keystore_bytes({certificate: credential}, "changeit", format="jks")
        return KeyFile(data, "changeit", "JKS", credential)

    def __repr__(self) -> str:
        names = ", ".join(item.name for item in self.roots)
        sites = len(self.remote_sites)
        own = ", ".join(self.certificates) or "no certificate"
        return f"<ClientPlatform trusts {names}; {sites} remote site{'' if sites == 1 else 's'}, {own}>"

    def _repr_html_(self) -> Html:
        return definitions(
            [
                ("list of roots", ", ".join(item.name for item in self.roots) or "empty"),
                ("remote sites", ", ".join(self.remote_sites) or "none: nothing may be called"),
                ("certificates", ", ".join(self.certificates) or "none"),
                ("stands in for", "Salesforce: a real Java client, held to the documented rules"),
            ],
            caption="Client platform",
        )


@dataclass(frozen=True)
class KeyFile:
    """What a call presents: a keystore's bytes, its password, its type.

    Attributes
    ----------
    data : bytes or None
        The keystore; None to present nothing.
    password : str
        Its password.
    kind : {"JKS", "PKCS12"}
        Its type, as Java names it.
    credential : Credential or None
        The same, opened; None if it is a text that is still to be opened.
    """

    data: bytes | None = field(repr=False)
    password: str = field(repr=False)
    kind: str
    credential: Credential | None = field(default=None, repr=False)


def in_order(chain: Chain) -> bool:
    """Return whether each certificate is followed by its issuer's."""
    return all(
        lower.issuer_der == upper.subject_der
        for lower, upper in zip(chain, chain.certificates[1:], strict=False)
    )
