"""Exercises of notebook 02: the service with no security."""

from __future__ import annotations

import base64
import gzip
import socket
from collections.abc import Mapping

from certkit.errors import ArgumentError
from certkit.handshakes import ClientConfig, ServerConfig, handshake
from certkit.lessons._judging import one_of, pair_of, wanted, words
from certkit.lessons.exercise import Finding, exercise, miss, passed
from certkit.lessons.fixtures import company, material
from certkit.services import UserService, Wiretap, call_update_user
from certkit.services._dial import is_allowed, parse_url
from certkit.services._table import FIRST_USERS
from certkit.services.soap import build_request

HOST = "orders.example.test"


_CALLS = {
    f"https://{HOST}/users": True,
    f"http://{HOST}/users": False,
    f"https://{HOST}.evil.test/users": False,
    f"https://{HOST}/admin": False,
    f"https://{HOST}:8443/users": False,
}


@exercise(
    "2.1",
    title="the allow-list",
    level="change",
    hints=(
        "What is part of an entry: only the host, or more?",
        "Scheme, host, port and path all count; a path covers what lies below it.",
        "One entry is enough: the URL of the service itself.",
    ),
    answer=f"""
    ck.check("2.1", ["https://{HOST}/users"])
    # Scheme, host, port and path: as little as the call needs.
    """,
)
def the_allow_list(answer: object) -> Finding:
    """The platform may call https://orders.example.test/users and nothing else.

    Not plain http, not /admin, no other host or port. Hand over the allow-list: a list of URLs.
    """
    entries = [answer] if isinstance(answer, str) else answer
    if not isinstance(entries, list | tuple | set) or not all(isinstance(item, str) for item in entries):
        raise ArgumentError(
            "this question asks for a list of URLs", on=type(answer).__name__, hint='["https://…"]'
        )
    for url, wished in _CALLS.items():
        if is_allowed(parse_url(url), entries) != wished:
            found = "it is refused" if wished else "it is let through"
            return miss(
                f"a call to {url}", found, "the part of the URL in which it differs from the one that may"
            )
    return passed(f"{len(_CALLS)} calls against your list", "one is let through, the others are refused")


@exercise(
    "2.2",
    title="what somebody on the way can read",
    level="predict",
    hints=(
        "Who has to understand the bytes: only the two ends, or anybody?",
        "A `ck.Wiretap` between client and service writes down what crosses. Show its conversation.",
        "Look in the conversation for the line that begins with POST, and for the status.",
    ),
    answer="""
    ck.check("2.2", "both")
    # Plain HTTP is text. Headers and body lie open for everybody on the way.
    """,
)
def what_can_be_read(answer: object) -> Finding:
    """The client calls the service over plain HTTP. What can somebody on the way read?

    "nothing", "the headers", "the body" or "both"?
    """
    choice = one_of(answer, "nothing", "the headers", "the body", "both")
    with UserService() as service, Wiretap(service) as tap:
        call_update_user(tap.url, "u-1001", "Suspended")
        seen = [
            name
            for name, needle in (("the headers", b"SOAPAction"), ("the body", b"<status>Suspended"))
            if tap.contains(needle)
        ]
        conversation = tap.conversation()
    found = "both" if len(seen) == 2 else seen[0] if seen else "nothing"
    tested = "a real call through a wiretap, and a search in what it wrote down"
    if choice == found:
        return passed(tested, "the line with the operation and the new status are both there", conversation)
    return miss(
        tested, "more of the call is in it than you say", "the first and the last lines", conversation
    )


def _recorded(user: str, status: str) -> bytes:
    body = build_request(user, status)
    head = f"POST /users HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/xml; charset=utf-8\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


@material("2.3")
def _recording() -> Mapping[str, object]:
    """What a wiretap wrote down of one call, byte by byte."""
    return {"recording": _recorded("u-1004", "Inactive")}


@exercise(
    "2.3",
    title="read a stranger's call",
    level="change",
    hints=(
        "What are these bytes: numbers, or text?",
        '`print(ck.fixture("2.3").recording.decode())` shows them as text.',
        "The values stand between <userId> and </userId>, and between <status> and </status>.",
    ),
    answer="""
    print(ck.fixture("2.3").recording.decode())
    ck.check("2.3", ("u-1004", "Inactive"))
    """,
)
def read_a_call(answer: object) -> Finding:
    """Whom does the call in ck.fixture("2.3").recording change, and to which status? Hand over (user id, status)."""
    user, status = pair_of(answer, str, str, '("u-1001", "Active")')
    with UserService() as service:
        _send(service, _recorded("u-1004", "Inactive"))
        after = {row.id: row.status for row in service.rows}
    before = {row.id: row.status for row in FIRST_USERS}
    tested = "the recorded call, sent to a fresh service, and its Users table before and after"
    if after.get(user) == before.get(user):
        return miss(tested, f"nothing changed for {user[:20]}", "the element that holds the id", service)
    if after[user] != status:
        return miss(
            tested, f"{user} has another status than {str(status)[:20]} now", "the element after the id"
        )
    return passed(tested, f"{user} is {status} now: it was all in the open", service)


def _send(service: UserService, data: bytes) -> bytes:
    """Send bytes to the service as they are, and return what comes back."""
    with socket.create_connection((service.host, service.port), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer


@exercise(
    "2.4",
    title="who notices",
    level="predict",
    hints=(
        "What would a side need in order to notice that the bytes are not the ones that were sent?",
        "Do the next exercise first, and look at the service's answer and at its log.",
        "The answer says updated, the log says ok. Is anybody left?",
    ),
    answer="""
    ck.check("2.4", "nobody")
    # Without TLS there is no integrity: what arrives is taken for what was sent.
    """,
)
def who_notices(answer: object) -> Finding:
    """Somebody on the way turns a call for u-1004 into one for u-1001. Who notices: "the client", "the service" or "nobody"?"""
    choice = one_of(answer, "the client", "the service", "nobody")
    with UserService() as service:
        reply = _send(service, _recorded("u-1004", "Inactive").replace(b"u-1004", b"u-1001"))
        log = service.log
    tested = "a call changed on the way, the service's log and the answer that the client got"
    if choice == "the client":
        said = "updated" if b"<result>updated" in reply else "something else"
        return miss(tested, f"the client was told: {said}", "the answer: does it name the user?", log)
    if choice == "the service":
        return miss(
            tested, f"its log says: {log[0].outcome}", "what the service compares the bytes with", log
        )
    return passed(tested, "the log says updated, and so does the answer", log)


@material("2.5")
def _recording_to_change() -> Mapping[str, object]:
    """What a wiretap wrote down of a call that sets u-1004 to Inactive."""
    return {"recording": _recorded("u-1004", "Inactive")}


@exercise(
    "2.5",
    title="change it on the way",
    level="change",
    hints=(
        "Is there anything in the recording that would tell the service that it was changed?",
        "`bytes.replace(old, new)` changes bytes; the new user id is as long as the old one.",
        '`ck.fixture("2.5").recording.replace(b"u-1004", ...)`.',
    ),
    answer="""
    recorded = ck.fixture("2.5").recording
    ck.check("2.5", recorded.replace(b"u-1004", b"u-1001"))
    # Nobody signed it, nobody sealed it: the service does what it reads.
    """,
)
def change_it(answer: object) -> Finding:
    """You sit between client and service. Change the call of ck.fixture("2.5") so that it hits u-1001.

    Hand over the changed bytes.
    """
    data = wanted(answer, bytes, "recording.replace(b..., b...)")
    if len(data) > 10_000 or not data:
        raise ArgumentError("these are not the bytes of one call", on=f"{len(data):,} bytes")
    with UserService() as service:
        reply = _send(service, data)
        after = {row.id: row.status for row in service.rows}
    tested = "your bytes, sent to a fresh service, and its Users table afterwards"
    if after["u-1001"] == "Inactive":
        return passed(tested, "u-1001 is Inactive, and the service saw nothing wrong", service)
    first = reply.partition(b"\r\n")[0].decode("ascii", "replace")
    return miss(
        tested, f"u-1001 is still Active; the service answered {first or 'nothing'}", "the user id", service
    )


PASSWORD = "Herbst-2012"  # noqa: S105 - a made-up password, to be found


@material("2.6")
def _three() -> Mapping[str, object]:
    """Three recordings of the same call with the same password, made in three ways."""
    basic = base64.b64encode(f"acme:{PASSWORD}".encode()).decode()
    login = f"<login><user>acme</user><password>{PASSWORD}</password></login>".encode()
    packed = gzip.compress(login, mtime=0)
    head = f"POST /users HTTP/1.1\r\nHost: {HOST}\r\n"
    ca = company("Orders", "2.6")
    run = handshake(
        ClientConfig(ca.trust_store), ServerConfig(ca.issue(HOST, usage="server")), request=login + b"\r\n"
    )
    return {
        "morning.bin": f"{head}Authorization: Basic {basic}\r\nContent-Length: 0\r\n\r\n".encode(),
        "noon.bin": f"{head}Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
        + packed,
        "evening.bin": b"".join(record.data for record in run.records),
    }


@exercise(
    "2.6",
    title="three recordings",
    level="case",
    hints=(
        "To hide is one thing, to encrypt another: which of the three needs a key to be read?",
        "Look at the first lines of each file: they say how the rest is written.",
        "Base64 and gzip can be undone by everybody (`base64.b64decode`, `gzip.decompress`).",
    ),
    answer="""
    ck.check("2.6", ["morning.bin", "noon.bin"])
    # Base64 is a way to write bytes and gzip a way to save space. Only TLS needs a key to be read.
    """,
)
def three_recordings(answer: object) -> Finding:
    """The same password crosses three times: look at the files of ck.fixture("2.6").

    In which of them can somebody on the way read it? Hand over a list of file names.
    """
    files = _three().files
    chosen = words(answer, files)
    readable = {name for name, data in files.items() if PASSWORD.encode() in _undone(data)}
    tested = "each recording, with everything undone that needs no key"
    if chosen == readable:
        return passed(tested, "the password is in two of them; the third would need a key")
    if extra := chosen - readable:
        return miss(
            tested, f"there is no password to be found in {sorted(extra)[0]}", "how its first bytes look"
        )
    return miss(
        tested, "the password can be read in one more", "what the header lines say about how it is written"
    )


def _undone(data: bytes) -> bytes:
    found = data
    for line in data.split(b"\r\n"):
        if line.startswith(b"Authorization: Basic "):
            found += base64.b64decode(line.split()[-1])
    at = data.find(b"\x1f\x8b\x08")
    return found + (gzip.decompress(data[at:]) if at >= 0 and data.startswith(b"POST") else b"")
