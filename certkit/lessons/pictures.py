"""The drawings of the series, as SVG: made here, kept in ``notebooks/images`` so that they show without a kernel.

``python -m certkit.lessons.pictures FOLDER`` makes them again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from certkit._files import write_file
from certkit._html import Html, join
from certkit._svg import group, label, line, lines, path, rect, svg
from certkit.errors import CertkitError

__all__ = ["PICTURES", "write_pictures"]

WIDTH = 760
_RULES = """
.ck-map text{font-size:13px;fill:var(--ink)}
.ck-map .m{text-anchor:middle}.ck-map .e{text-anchor:end}
.ck-map .b{font-weight:bold}.ck-map .s{font-size:11.5px;fill:var(--soft)}
.ck-map .card{fill:var(--bg);stroke:var(--line)}
.ck-map .zone{fill:var(--neutral-bg)}
.ck-map .box{fill:var(--bg);stroke:var(--ink);stroke-width:1.5}
.ck-map .secret{fill:var(--bad-bg);stroke:var(--bad);stroke-width:1.5}
.ck-map .public{fill:var(--good-bg);stroke:var(--good);stroke-width:1.5}
.ck-map .tap{fill:var(--warning-bg);stroke:var(--warning);stroke-dasharray:5 3}
.ck-map .wall{fill:var(--line)}
.ck-map .way line{stroke:var(--accent);stroke-width:2}.ck-map .way path{fill:var(--accent)}
.ck-map .way text{fill:var(--accent)}
.ck-map .thin line{stroke:var(--soft);stroke-width:1.5}.ck-map .thin path{fill:var(--soft)}
.ck-map .dash line{stroke-dasharray:4 4}
.ck-map .key{stroke:var(--bad);stroke-width:2;fill:none}
"""


def _frame(height: int, *children: object, title: str, description: str) -> Html:
    card = rect(0.5, 0.5, WIDTH - 1, height - 1, rx=10, class_="card")
    return svg("ck-map", WIDTH, height, card, *children, title=title, description=description, rules=_RULES)


def _box(x: float, y: float, width: float, height: float, name: str, *rows: str, kind: str = "box") -> Html:
    """Return a box with a bold name and smaller lines below it."""
    middle = x + width / 2
    return join(
        [
            rect(x, y, width, height, rx=6, class_=kind),
            label(middle, y + 20, name, class_="m b"),
            lines(middle, y + 37, list(rows), class_="m s"),
        ]
    )


def _way(x1: float, y: float, x2: float, *words: str, kind: str = "way", **look: str) -> Html:
    """Return a level arrow with its words above it; `look` is for attributes of the words."""
    head = -9 if x2 > x1 else 9
    above = [
        label((x1 + x2) / 2, y - 8 - 15 * (len(words) - 1 - at), row, class_="m", **look)
        for at, row in enumerate(words)
    ]
    return group(line(x1, y, x2 + head / 2, y), path(f"M{x2:g} {y:g}l{head} -5v10z"), *above, class_=kind)


def _drop(x: float, y1: float, y2: float, kind: str = "thin") -> Html:
    head = -9 if y2 > y1 else 9
    return group(line(x, y1, x, y2 + head / 2), path(f"M{x:g} {y2:g}l-5 {head}h10z"), class_=kind)


def scenario_svg() -> Html:
    """Return the map: the platform in the cloud, the service in the enterprise's DMZ, the table behind it."""
    zones = [
        (16, 190, "In the cloud"),
        (222, 130, "On the way"),
        (368, 196, "DMZ of the enterprise"),
        (580, 164, "Inside"),
    ]
    walls = [
        join([rect(x, 44, 8, 170, class_="wall"), label(x + 4, 234, "firewall", class_="m s")])
        for x in (356, 568)
    ]
    return _frame(
        322,
        *(
            join([rect(x, 16, w, 206, rx=6, class_="zone"), label(x + w / 2, 35, name, class_="m b")])
            for x, w, name in zones
        ),
        *walls,
        _box(
            30, 70, 162, 92, "Acme CRM", "a platform, and a", "client of the service:", "it starts each call"
        ),
        _box(237, 150, 100, 56, "Somebody", "can read along", kind="tap"),
        _drop(287, 148, 122, "thin dash"),
        _box(
            384, 70, 164, 92, "User service", "orders.example.test", "takes updateUser,", "answers “updated”"
        ),
        _box(594, 70, 136, 92, "Users", "a table:", "who may log in,", "and who may not"),
        _way(192, 116, 384, "updateUser(u-1001, Inactive)", style="font-size:11.5px"),
        _way(548, 116, 594, kind="thin"),
        line(16, 250, WIDTH - 16, 250, style="stroke:var(--line)"),
        label(16, 271, "In this lab, all on one machine:", class_="b"),
        lines(
            16,
            291,
            [
                "ck.call_update_user stands in for the CRM platform; ck.Wiretap for somebody on the way.",
                "ck.UserService is a real web service over real TLS; the table is a real SQLite table.",
            ],
            class_="s",
        ),
        title="The scenario: a CRM platform in the cloud calls a service in an enterprise's DMZ",
        description=(
            "Left, Acme CRM in the cloud. An arrow, updateUser, leads over the open network, where somebody can "
            "read along, through a firewall to the user service in the DMZ, and from there through a second "
            "firewall to the table of users."
        ),
    )


def ways_svg() -> Html:
    """Return one-way and two-way beside each other: who shows what, and who believes whom."""
    parts = []
    for y, name, two_way in (
        (16, "One-way: the server proves who it is", False),
        (206, "Two-way: the client does so, too", True),
    ):
        client = ["truststore:", "Orders Root CA"] + (
            ["keystore:", "its key + certificate"] if two_way else []
        )
        server = ["keystore:", "its key + certificate"] + (["truststore:", "Acme Root CA"] if two_way else [])
        parts.append(label(20, y + 14, name, class_="b"))
        parts.append(_box(20, y + 30, 170, 118, "Client: Acme CRM", *client))
        parts.append(_box(570, y + 30, 170, 118, "Server: user service", *server))
        parts.append(_way(570, y + 80, 190, "my certificate, and a proof that I hold its key"))
        if two_way:
            parts.append(_way(190, y + 130, 570, "my certificate, and a proof that I hold its key"))
        else:
            parts.append(label(380, y + 126, "the client shows nothing: anybody may call", class_="m s"))
    return _frame(
        372,
        *parts,
        title="One-way and two-way TLS",
        description=(
            "One-way: the server shows its certificate and proves that it holds the key; the client compares with "
            "its truststore. Two-way: the same, and the client shows its own certificate and proof as well, which "
            "the server compares with its own truststore."
        ),
    )


def request_svg() -> Html:
    """Return how a certificate comes about, and what of it travels."""
    return _frame(
        262,
        label(20, 30, "At the server's owner", class_="b"),
        label(560, 30, "At the CA", class_="b"),
        rect(16, 40, 470, 206, rx=6, class_="zone"),
        rect(548, 40, 196, 206, rx=6, class_="zone"),
        _box(30, 58, 140, 68, "Private key", "secret: it never", "leaves this machine", kind="secret"),
        _box(30, 164, 140, 68, "Public key", "the other half,", "anybody may have it", kind="public"),
        _drop(100, 126, 164),
        _box(230, 58, 150, 68, "Request (CSR)", "name + public key,", "signed with the key", kind="public"),
        _way(170, 92, 230, kind="thin"),
        _way(380, 92, 562, "1. the request travels"),
        _box(562, 58, 168, 68, "CA", "checks who is asking,", "signs with its own key"),
        _drop(646, 126, 164),
        _box(562, 164, 168, 68, "Certificate", "name, public key, dates,", "signed by the CA", kind="public"),
        _way(562, 198, 380, "2. it comes back"),
        _box(230, 164, 150, 68, "Keystore", "the key, and the", "certificates from the CA", kind="secret"),
        title="From a key pair to a certificate",
        description=(
            "The owner makes a key pair. The private key stays. Name and public key, signed with the key, travel as "
            "a request to the CA. The CA signs a certificate and sends it back. Key and certificates together make "
            "the keystore. The private key is in nothing that travels."
        ),
    )


def path_svg() -> Html:
    """Return the chain of the story: who signed whom, what is sent, what is there already."""
    return _frame(
        196,
        _box(
            20, 48, 190, 76, "orders.example.test", "leaf: the server's own,", "for one name", kind="public"
        ),
        _box(284, 48, 190, 76, "Orders Issuing CA", "intermediate: signs", "leaves every day", kind="public"),
        _box(550, 48, 190, 76, "Orders Root CA", "root: signed by itself,", "locked away", kind="public"),
        _way(284, 86, 210, "signed", kind="thin"),
        _way(550, 86, 474, "signed", kind="thin"),
        line(20, 140, 474, 140, style="stroke:var(--accent);stroke-width:3"),
        label(247, 162, "the server sends these two, leaf first", class_="m"),
        line(550, 140, 740, 140, style="stroke:var(--good);stroke-width:3"),
        label(645, 162, "the client has this one:", class_="m"),
        label(645, 179, "its trust anchor", class_="m"),
        label(20, 30, "A chain, and where its pieces live", class_="b"),
        title="The chain: root, intermediate, leaf",
        description=(
            "Orders Root CA signed Orders Issuing CA, which signed the certificate of orders.example.test. The "
            "server sends the leaf and the intermediate. The client has the root already, as a trust anchor."
        ),
    )


PICTURES: dict[str, Callable[[], Html]] = {
    "scenario.svg": scenario_svg,
    "one-way-and-two-way.svg": ways_svg,
    "request.svg": request_svg,
    "chain.svg": path_svg,
}
"""File name to what draws it."""


def write_pictures(folder: Path) -> list[Path]:
    """Write every drawing into `folder` and return the files.

    Raises
    ------
    FileError
        If the folder cannot be written.
    """
    return [write_file(folder / name, f"{draw()}\n".encode()) for name, draw in PICTURES.items()]


def main(arguments: Sequence[str]) -> int:
    """Write the drawings into the folder named; exit code 2 if that cannot be done."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m certkit.lessons.pictures FOLDER\n")
        return 2
    try:
        for written in write_pictures(Path(arguments[0])):
            sys.stdout.write(f"{written}\n")
    except CertkitError as error:
        sys.stderr.write(f"certkit: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
