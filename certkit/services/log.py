"""What a service notes of each connection and each request: `ServiceLog`."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certkit._files import iso
from certkit._html import Html, badge, table
from certkit._text import count
from certkit.handshakes import Endpoint, _recording

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ServiceLog", "ServiceRecord"]

MAX_RECORDS = 10_000
_DEAF = ". This Python has no message callback: alerts, and chains that were refused, are not seen, and some causes not told"
# What a handshake that is under way may take before a log is read without it: a step of its own time-out.
PATIENCE_SECONDS = 5.0


@dataclass(frozen=True)
class ServiceRecord:
    """One line of a service's log.

    Attributes
    ----------
    at : datetime
        When, UTC.
    connection : int
        The number of the connection, from 1.
    event : {"handshake", "request"}
        What it is about.
    ok : bool
        Whether it went well.
    outcome : str
        In a word: ``"ok"``, ``"refused"``, ``"was-refused"``, ``"failed"`` for a handshake; the answer
        for a request, e.g. ``"updated"``.
    caller : str or None
        The subject of the client's certificate. On a request it is verified; on a failed handshake it is
        what the client presented. None in one-way TLS and over plain TCP: the service cannot tell.
    detail : str
        The service's own words.
    tls_version : str or None
        ``"1.2"`` or ``"1.3"``; None without TLS or if none was agreed on.
    cause : str or None
        The cause id, as far as this side alone can tell; None if nothing failed or it cannot.
    endpoint : Endpoint or None
        The whole of this side's view of a handshake; None for a request.
    address : str or None
        The IP address that the connection came from: the last hop's, whoever called; None where it was not noted.
    """

    at: datetime
    connection: int
    event: str
    ok: bool
    outcome: str
    caller: str | None
    detail: str
    tls_version: str | None = None
    cause: str | None = None
    endpoint: Endpoint | None = None
    address: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "at": iso(self.at),
            "connection": self.connection,
            "event": self.event,
            "ok": self.ok,
            "outcome": self.outcome,
            "caller": self.caller,
            "detail": self.detail,
            "tls_version": self.tls_version,
            "cause": self.cause,
            "endpoint": None if self.endpoint is None else self.endpoint.to_dict(),
            "address": self.address,
        }


@dataclass(frozen=True)
class ServiceLog:
    """A service's log as it was when it was asked for.

    Attributes
    ----------
    records : tuple of ServiceRecord
        In the order in which things ended.

    Examples
    --------
    >>> from certkit.services import UserService, call_update_user
    >>> with UserService() as service:
    ...     _ = call_update_user(service.url, "u-1001", "Inactive")
    ...     log = service.log
    >>> log
    <ServiceLog 1 record>
    >>> log[0].outcome, log[0].caller
    ('updated', None)
    """

    records: tuple[ServiceRecord, ...]

    @property
    def handshakes(self) -> ServiceLog:
        """Only the handshakes."""
        return ServiceLog(tuple(item for item in self.records if item.event == "handshake"))

    @property
    def requests(self) -> ServiceLog:
        """Only the requests."""
        return ServiceLog(tuple(item for item in self.records if item.event == "request"))

    def frame(self) -> pd.DataFrame:
        """Return one row a record, as a pandas DataFrame."""
        import pandas as pd  # noqa: PLC0415 - it takes longer to load than the whole of certkit

        columns = [name for name in ServiceRecord.__dataclass_fields__ if name != "endpoint"]
        rows = [[getattr(item, name) for name in columns] for item in self.records]
        return pd.DataFrame(rows, columns=pd.Index(columns))

    def __iter__(self) -> Iterator[ServiceRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> ServiceRecord:
        return self.records[index]

    def __repr__(self) -> str:
        return f"<ServiceLog {count(len(self), 'record')}>"

    def _repr_html_(self) -> Html:
        rows = [
            (
                item.connection,
                item.address or "",
                item.event,
                badge("good" if item.ok else "bad", item.outcome),
                item.caller or "unknown",
                item.detail,
                item.cause or "",
            )
            for item in self.records
        ]
        return table(
            ("connection", "from", "event", "outcome", "caller", "the service's own words", "cause"),
            rows,
            caption=f"The service's log: {count(len(self), 'record')}{'' if _recording.HAS_MESSAGE_CALLBACK else _DEAF}",
            limit=25,
        )


class Notes:
    """Collects records from many threads; the oldest go when there are too many."""

    def __init__(self) -> None:
        self._records: deque[ServiceRecord] = deque(maxlen=MAX_RECORDS)
        self._lock = threading.Condition()
        self._pending = 0

    def expect(self) -> None:
        """Note that a handshake has begun whose outcome will be added."""
        with self._lock:
            self._pending += 1

    def add(
        self,
        connection: int,
        event: str,
        outcome: str,
        *,
        ok: bool,
        caller: str | None,
        detail: str,
        tls_version: str | None = None,
        cause: str | None = None,
        endpoint: Endpoint | None = None,
        address: str | None = None,
    ) -> None:
        """Note one thing, now."""
        record = ServiceRecord(
            datetime.now(UTC),
            connection,
            event,
            ok,
            outcome,
            caller,
            detail,
            tls_version,
            cause,
            endpoint,
            address,
        )
        with self._lock:
            self._records.append(record)
            if event == "handshake":
                self._pending -= 1
                self._lock.notify_all()

    def log(self) -> ServiceLog:
        """Return what was noted so far, with the handshakes that are just about to end."""
        with self._lock:
            # A client that was refused may be back before the service has noted why.
            self._lock.wait_for(lambda: self._pending == 0, timeout=PATIENCE_SECONDS)
            return ServiceLog(tuple(self._records))
