"""The real Java's part of the grading: it loads the client's files and calls the server, over sockets on loopback."""

from __future__ import annotations

from collections.abc import Iterator

from certkit._minder import minded_folder
from certkit.faults.scenario import HOST
from certkit.handshakes import ServerConfig
from certkit.lessons.exercise import Finding, miss, passed
from certkit.lessons.game.desk import KEYSTORE, Files
from certkit.lessons.game.sides import Sides
from certkit.services import UserService
from certkit.stacks.call import Answer, Call
from certkit.stacks.clients import find_stack
from certkit.stacks.java import java_available, java_pkix
from certkit.stacks.java_files import java_keystore

__all__ = ["tried_in_java", "untried_in_java"]

_LOOK = "what Java says; it is stricter in places"
_UNTRIED = "the same calls by the real Java, which is not installed here (it comes with certkit[java])"


def untried_in_java() -> str:
    """Return what cannot be tried on this machine, in words; nothing if Java is here."""
    return "" if java_available() else _UNTRIED


def tried_in_java(files: Files, sides: Sides) -> Iterator[Finding]:
    """Yield what Java makes of the files: a keystore loaded, a call in each TLS version, the client's chain judged.

    Java is the client; the server is Python's, with the repaired files. Yields nothing where Java is missing.
    """
    if not java_available():
        return
    java = f"Java {find_stack('java-socket').version()}"
    if files.two_way:
        store = java_keystore(files.folder / KEYSTORE, files.keystore_password)
        tested = f"{java}, loading {KEYSTORE}"
        yield passed(tested, store.text) if store.ok else miss(tested, store.text, _LOOK)
    for tls in ("1.2", "1.3"):
        tested = f"a call by {java} over a socket, in TLS {tls}, for {HOST}"
        answer, seen = _called(files, sides, tls)
        if answer.outcome == "accepted":
            yield passed(tested, "Java has the server's answer")
        else:
            server = f". The server says: {seen}" if seen else ""
            yield miss(tested, f"{answer.outcome}: {answer.message.rstrip('.')}{server}", _LOOK)
    if sides.client is not None and sides.client_anchors is not None:
        judged = java_pkix(sides.client.chain, sides.client_anchors, purpose="client")
        tested = f"{java}, as a server would, judging the client's chain"
        yield passed(tested, "accepted") if judged.ok else miss(tested, judged.text, _LOOK)


def _called(files: Files, sides: Sides, tls: str) -> tuple[Answer, str]:
    """Return what Java, with the client's files, made of a call to the server, and what the server noted if it refused."""
    server = UserService(ServerConfig(sides.server, sides.client_anchors), tls=tls)
    with minded_folder("certkit-case-") as place, server:
        (place / "ca.pem").write_text(sides.trust.pem, "utf-8")
        call = Call(
            host=HOST,
            port=server.port,
            folder=place,
            file=files.folder / KEYSTORE if files.two_way else None,
            password=files.keystore_password,
            max_tls=tls,
            expected="HTTP/1.1",
        )
        answer = find_stack("java-socket").run(call)
        refused = [item.detail for item in server.log.handshakes if not item.ok]
    return answer, refused[0].rstrip(".") if refused else ""
