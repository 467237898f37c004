"""`compare_handshakes`: several runs beside each other, one line each, both ends' words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from certkit._html import Html, badge, table
from certkit._text import count, visible
from certkit.errors import ArgumentError
from certkit.handshakes.result import Endpoint, Handshake

__all__ = ["Comparison", "compare_handshakes"]


@dataclass(frozen=True)
class Comparison:
    """Handshakes by name, shown as one table.

    Attributes
    ----------
    runs : mapping of str to Handshake
        In the order in which they are shown.
    """

    runs: Mapping[str, Handshake] = field(repr=False)

    @property
    def causes(self) -> dict[str, str | None]:
        """The cause id of each, by name; None for a handshake that is ok."""
        return {name: run.cause for name, run in self.runs.items()}

    @property
    def alerts(self) -> dict[str, str | None]:
        """The alert that was sent in each, by name, whoever sent it; None if there was none."""
        return {name: run.client.alert_sent or run.server.alert_sent for name, run in self.runs.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, name: str) -> Handshake:
        return self.runs[name]

    def __repr__(self) -> str:
        return f"<Comparison of {count(len(self.runs), 'handshake')}>"

    def _repr_html_(self) -> Html:
        rows = [
            (
                name,
                badge("good", "ok") if run.ok else badge("bad", run.cause or "failed"),
                _refuser(run),
                short_words(run.client),
                short_words(run.server),
                self.alerts[name] or "none",
            )
            for name, run in self.runs.items()
        ]
        return table(
            ("run", "cause", "who refused", "the client's own words", "the server's own words", "alert sent"),
            rows,
            caption=f"{count(len(self.runs), 'handshake')}, as both ends saw them",
            limit=60,
        )


def _refuser(run: Handshake) -> str:
    return next((side.name for side in (run.client, run.server) if side.outcome == "refused"), "nobody")


def short_words(side: Endpoint) -> str:
    """Return what a side's library said, without the parts that are the same in every message.

    Examples
    --------
    >>> words = "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:1006)"
    >>> short_words(Endpoint("client", "was-refused", error=words))
    'tlsv1 alert unknown ca'
    """
    if side.error is None:
        return "nothing to complain about" if side.ok else "nothing"
    words = side.error.partition("] ")[2] if side.error.startswith("[") else side.error
    return visible(words.partition(" (_ssl.c")[0].removeprefix("certificate verify failed: "))


def compare_handshakes(runs: Mapping[str, Handshake]) -> Comparison:
    """Return handshakes beside each other: cause, who refused, and both ends' own words.

    Parameters
    ----------
    runs : mapping of str to Handshake
        A name for each run, such as the fault's id or the TLS version.

    Raises
    ------
    ArgumentError
        If there is nothing to compare, or something else than handshakes.

    Examples
    --------
    >>> from certkit.authority import CertificateAuthority
    >>> from certkit.handshakes import ClientConfig, ServerConfig, handshake
    >>> ca = CertificateAuthority("Lab Root")
    >>> client, server = ClientConfig(ca.trust_store), ServerConfig(ca.issue("a.example.test", usage="server"))
    >>> compare_handshakes({tls: handshake(client, server, tls) for tls in ("1.2", "1.3")}).causes
    {'1.2': None, '1.3': None}
    """
    if not isinstance(runs, Mapping) or not runs:
        raise ArgumentError(
            "there is nothing to compare",
            on=type(runs).__name__,
            hint='a dict, e.g. {"TLS 1.2": run, "TLS 1.3": other}',
        )
    strangers = [name for name, run in runs.items() if not isinstance(run, Handshake)]
    if strangers:
        raise ArgumentError("this is no handshake", on=str(strangers[0]), hint="ck.handshake(client, server)")
    return Comparison(dict(runs))
