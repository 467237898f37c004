"""`Way`: the boxes between client and service as a picture: what stands where, and what each of them sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from certkit._html import Html, table, tag
from certkit._svg import group, label, line, mark, rect, short, svg
from certkit.errors import ArgumentError
from certkit.services._server import LoopbackServer
from certkit.services.ports import ClosedPort, SilentPort
from certkit.services.proxy import PROXY_BEHAVIOURS, ForwardProxy
from certkit.services.reverse_proxy import ReverseProxy
from certkit.services.sni import SniRouter
from certkit.services.tls_front import TlsFront
from certkit.services.wiretap import Wiretap

__all__ = ["Box", "Way", "draw_way"]

_RULES = (
    ".ck-way text{fill:var(--ink);font-size:12px}.ck-way .soft{fill:var(--soft)}"
    ".ck-way rect{fill:var(--bg);stroke:var(--line)}.ck-way .tls{stroke:var(--accent);stroke-width:4}"
    ".ck-way .plain{stroke:var(--line);stroke-width:2;stroke-dasharray:5 4}"
)
_WIDTH, _GAP = 168, 62


@dataclass(frozen=True)
class Box:
    """One box on the way.

    Attributes
    ----------
    name : str
        What it is.
    sees : str
        What it can read of a call.
    caller : str
        Whom it takes for the caller.
    tls_ends : bool
        Whether TLS ends here and, if it goes on, begins anew.
    lets_through : bool
        Whether a call gets any further.
    tls_before : bool
        Whether what arrives here is TLS.
    asked : bool
        Whether the way through it is asked for first, with CONNECT in the clear.
    """

    name: str
    sees: str
    caller: str
    tls_ends: bool
    lets_through: bool = True
    tls_before: bool = True
    asked: bool = False

    @property
    def arrives(self) -> str:
        """What arrives here, in a word or two."""
        carried = "TLS" if self.tls_before else "plain"
        if self.asked:
            return f"CONNECT, {carried}" if self.lets_through else "CONNECT"
        return carried


@dataclass(frozen=True)
class Way:
    """A call's way from the client to the service, box by box.

    Attributes
    ----------
    boxes : tuple of Box
        Between the client, which is not among them, and the last one, which answers.
    """

    boxes: tuple[Box, ...]

    @property
    def sentence(self) -> str:
        """What is to be seen, in a sentence."""
        stopped = next((item for item in self.boxes if not item.lets_through), None)
        if stopped is not None:
            return f"The call ends at the {stopped.name}: nothing behind it hears of it."
        ends = [item.name for item in self.boxes if item.tls_ends]
        if not ends:
            return "No TLS anywhere on this way: every box can read everything."
        first = "the service itself" if ends[0] == self.boxes[-1].name else f"the {ends[0]}"
        return (
            f"The client shakes hands with {first}: that is whom it must trust, and who sees its certificate."
        )

    def svg(self) -> Html:
        """Return the picture."""
        names = ["client", *(item.name for item in self.boxes)]
        parts: list[object] = []
        for number, name in enumerate(names):
            x = 10 + number * (_WIDTH + _GAP)
            if number:
                box = self.boxes[number - 1]
                kind = "tls" if box.tls_before else "plain"
                reached = all(item.lets_through for item in self.boxes[: number - 1])
                if reached:
                    parts.append(line(x - _GAP, 45, x, 45, class_=kind))
                    parts.append(label(x - _GAP / 2, 10, box.arrives, text_anchor="middle", class_="soft"))
            parts.append(self._drawn(x, name, number - 1))
        width = 20 + len(names) * (_WIDTH + _GAP) - _GAP
        title = "The way of a call: " + ", ".join(names)
        return svg("ck-way", width, 112, *parts, title=title, description=self.sentence, rules=_RULES)

    def _drawn(self, x: float, name: str, number: int) -> Html:
        parts: list[object] = [
            rect(x, 15, _WIDTH, 60, rx="6"),
            label(x + _WIDTH / 2, 49, short(name, 25), text_anchor="middle"),
        ]
        if number >= 0:
            status, words = self._fate(number)
            parts += [mark(status, x + 4, 84), label(x + 22, 96, words, class_="soft")]
        return group(*parts)

    def _fate(self, number: int) -> tuple[str, str]:
        box = self.boxes[number]
        if not all(item.lets_through for item in self.boxes[:number]):
            return "neutral", "never reached"
        if not box.lets_through:
            return "bad", "the call ends here"
        if number == len(self.boxes) - 1:
            return "good", "answers; TLS ends here" if box.tls_ends else "answers"
        return ("warning", "TLS ends here") if box.tls_ends else ("neutral", "passes on")

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON values."""
        return {
            "sentence": self.sentence,
            "boxes": [vars(item) | {"arrives": item.arrives} for item in self.boxes],
        }

    def __repr__(self) -> str:
        return f"<Way client → {' → '.join(item.name for item in self.boxes)}>"

    def _repr_html_(self) -> Html:
        rows = [(item.name, "yes" if item.tls_ends else "no", item.sees, item.caller) for item in self.boxes]
        return tag(
            "div",
            self.svg(),
            tag("p", self.sentence),
            table(
                ("box", "what arrives", "TLS ends here", "what it sees", "whom it takes for the caller"), rows
            ),
        )


def draw_way(boxes: Iterable[LoopbackServer | ClosedPort]) -> Way:
    """Return the way through services of this lab, in the order in which a call meets them.

    Parameters
    ----------
    boxes : iterable of LoopbackServer or ClosedPort
        Proxies and relays, then the service; running or not.

    Raises
    ------
    ArgumentError
        If there is none.

    Examples
    --------
    >>> from certkit.services import ForwardProxy, UserService
    >>> draw_way([ForwardProxy("forbidden"), UserService()]).sentence
    'The call ends at the web proxy (forbidden): nothing behind it hears of it.'
    """
    found = tuple(boxes)
    if not found:
        raise ArgumentError("a way has at least one box", hint="ck.draw_way([proxy, service])")
    last = found[-1]
    secured = getattr(last, "security", None) is not None or any(
        isinstance(item, ReverseProxy | TlsFront) for item in found
    )
    drawn: list[Box] = []
    tls, caller = secured, "the address of the client"
    for item in found:
        box = _box(item, tls, caller)
        drawn.append(box)
        if isinstance(item, ReverseProxy):
            tls = item.target.scheme == "https"
            caller = "the reverse proxy" + (", and the client by its Client-Cert header" if item.tell else "")
        elif isinstance(item, TlsFront):
            tls, caller = False, "the front"
        elif isinstance(item, ForwardProxy) and item.behaviour == "intercept":
            caller = "the web proxy"
    return Way(tuple(drawn))


def _box(item: LoopbackServer | ClosedPort, tls: bool, caller: str) -> Box:
    if isinstance(item, ForwardProxy):
        if item.behaviour == "intercept":
            return Box(
                "intercepting web proxy", "everything, in the clear", "the client, by its address", True
            )
        through = item.behaviour in {"tunnel", "login"}
        sees = "host and port in CONNECT, then sealed bytes" if through else PROXY_BEHAVIOURS[item.behaviour]
        name = "web proxy" if through else f"web proxy ({item.behaviour})"
        return Box(name, sees, "the client, by its address", False, through, tls and through, True)
    if isinstance(item, ReverseProxy):
        two_way = item.security.two_way
        known = "the client, by its certificate" if two_way else "nobody: one-way TLS"
        return Box("reverse proxy", "everything, in the clear", known, True)
    if isinstance(item, TlsFront):
        return Box("TLS front", "everything, in the clear", "the client, by its certificate", True)
    if isinstance(item, SniRouter):
        sees = "the server's name in the ClientHello, then sealed bytes"
        return Box("pass-through by name", sees, "the client, by its address", False)
    if isinstance(item, Wiretap):
        sees = "names, sizes and, up to TLS 1.2, certificates" if tls else "everything"
        return Box("recorder", sees, "the client, by its address", False, True, tls)
    if isinstance(item, ClosedPort | SilentPort):
        name = "closed port" if isinstance(item, ClosedPort) else "silent port"
        return Box(
            name,
            "nothing: no connection" if name == "closed port" else "a connection",
            "nobody",
            False,
            False,
            tls,
        )
    return _service(item, tls, caller)


def _service(item: LoopbackServer, tls: bool, caller: str) -> Box:
    security = getattr(item, "security", None)
    if security is not None and security.two_way:
        behind = caller != "the address of the client"
        caller = f"{caller}, by its own certificate" if behind else "the client, by its certificate"
    elif caller == "the address of the client":
        caller = "unknown: only an address"
    return Box("service", "the request", caller, security is not None, True, tls)
