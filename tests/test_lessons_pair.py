"""Pair mode: two companies, two processes, only what companies trade, and each sees its own half."""

from __future__ import annotations

import html
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import nbformat
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from nbclient import NotebookClient

import certkit as ck
from certkit._lab import copy_series
from certkit.errors import (
    ArgumentError,
    CertkitError,
    CheckFailed,
    CredentialError,
    FileError,
    FormatError,
    LimitError,
    PasswordError,
)
from certkit.lessons.pair import Exchange, Step
from certkit.lessons.pair.company import SERVICE
from certkit.lessons.pair.exchange import kind_of_letter
from certkit.lessons.pair.mistakes import MISTAKES
from certkit.services.soap import wsdl

SERVER, CLIENT = "01-server-company.ipynb", "02-client-company.ipynb"


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[ck.ServerCompany]:
    with ck.ServerCompany(tmp_path / "exchange", home=tmp_path / "orders") as company:
        yield company


@pytest.fixture
def acme(tmp_path: Path) -> ck.ClientCompany:
    return ck.ClientCompany(tmp_path / "exchange", home=tmp_path / "acme")


def meet(orders: ck.ServerCompany, acme: ck.ClientCompany, *, two_way: bool) -> None:
    """Trade what is needed until a call works."""
    orders.send_truststore()
    orders.open_service(two_way=two_way)
    assert acme.trust("orders-root-ca.pem").ok
    if two_way:
        refused = acme.call()
        assert (refused.state, orders.log.handshakes[0].cause) == ("failed", "client-cert-missing")
        acme.send_request()
        assert orders.sign_request().ok
        assert acme.install("acme-certificate.pem").ok
    assert acme.call().ok


# Two real kernels, one notebook each, cell by cell as the headings say.


class Desk:
    """One learner: a notebook in a kernel of its own."""

    def __init__(self, path: Path, answers: dict[str, str]) -> None:
        self.notebook = nbformat.read(path, as_version=4)
        for cell in self.notebook.cells:
            cell.source = answers.get(cell.source, cell.source)
        self.client = NotebookClient(
            self.notebook,
            timeout=60,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
        )

    def turn(self, number: int) -> list[str]:
        """Run the cells of a turn, and return what each shows, as text."""
        shown = []
        for index, cell in enumerate(self.notebook.cells):
            if f"turn-{number}" in cell.metadata.get("tags", []):
                self.client.execute_cell(cell, index)
                outputs = cell.outputs
                assert not [item for item in outputs if item.output_type == "stream"]
                # The text of a step, and the page that the learner sees.
                shown.append(
                    "\n".join(
                        f"{item.data['text/plain']} {item.data.get('text/html', '')}" for item in outputs
                    )
                )
        assert shown, f"no cell has the tag turn-{number}"
        return shown


@pytest.mark.notebook
@pytest.mark.usefixtures("jupyter_home")
def test_two_kernels_play_the_two_notebooks(tmp_path: Path) -> None:
    folder = copy_series(tmp_path / "series").folder / "notebooks/pair"
    orders = Desk(
        folder / SERVER,
        {
            "me.make_mistake()": 'me.make_mistake("leaf-alone")',
            "me.install(...)": 'me.install(me.ca.issue(me.host, usage="server"))',
        },
    )
    acme = Desk(
        folder / CLIENT,
        {
            "me.make_mistake()": 'me.make_mistake("certificate-alone")',
            "me.install(...)": 'me.install("acme-certificate.pem")',
        },
    )
    with ExitStack() as kernels:
        for desk in (orders, acme):
            kernels.enter_context(desk.client.setup_kernel())
        play(orders, acme)
    left = {path.name for path in (folder / "my-files/exchange").iterdir()}
    assert left == {"orders-root-ca.pem", "orders-users.wsdl", "acme-request.csr", "acme-certificate.pem"}
    assert "PRIVATE" not in "".join(path.read_text() for path in (folder / "my-files/exchange").iterdir())


def play(orders: Desk, acme: Desk) -> None:
    assert "Step done" in orders.turn(1)[-1]
    first = acme.turn(2)
    assert "unable to get local issuer" in first[2]  # believes nobody yet
    assert "Step done" in first[-1]
    assert "updated" in orders.turn(3)[0]
    broken = acme.turn(4)[0]
    assert "unable to get local issuer" in broken
    seen, repaired = orders.turn(5)
    assert "unknown ca" in seen.lower()
    assert "unable to get local issuer" not in seen
    assert "Step done" in repaired
    assert "Step done" in acme.turn(6)[0]
    assert "two-way" in orders.turn(7)[0]
    told, _ = acme.turn(8)
    assert "alert" in told.lower()
    assert "did not return a certificate" not in told
    log, _, signed = orders.turn(9)
    assert "did not return a certificate" in log
    assert "Sent acme-certificate.pem" in signed
    _, _, works, _, fails = acme.turn(10)
    assert "Step done" in works
    assert "Step failed" in fails
    assert "unable to get local issuer" not in fails
    assert "unable to get local issuer" in orders.turn(11)[0]
    untouched, _, again = acme.turn(12)
    assert "not tried yet" in untouched
    assert "Step done" in again
    assert "Acme CRM" in orders.turn(13)[0]


# Each mistake, its two halves, and its repair.


def repair(orders: ck.ServerCompany, acme: ck.ClientCompany, name: str) -> Step:
    """Do what the instructor's edition says."""
    made: Step = eval(MISTAKES[name].mend, {"me": orders if MISTAKES[name].role == "server" else acme})
    return made


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_shows_each_side_its_half_and_is_repaired(
    name: str, orders: ck.ServerCompany, acme: ck.ClientCompany
) -> None:
    mistake = MISTAKES[name]
    meet(orders, acme, two_way=mistake.two_way)
    made = (orders if mistake.role == "server" else acme).make_mistake(name)
    assert mistake.told not in repr(made)
    assert mistake.told in html.unescape(made._repr_html_())
    called = acme.call()
    assert (called.state, called.ok) == ("failed", False)
    note = orders.log.handshakes[-1]
    judge = "server" if mistake.cause.startswith("client-cert") else "client"
    mine, theirs = str(called.evidence.error), note.detail  # type: ignore[attr-defined]
    assert (note.cause == mistake.cause) == (judge == "server")
    assert "alert" in (mine if judge == "server" else theirs).lower()
    # Neither half holds the other's words.
    assert mine not in orders.log._repr_html_()
    assert theirs not in called._repr_html_()
    assert repair(orders, acme, name).ok
    assert acme.call().ok


def test_any_mistake_by_default_fits(orders: ck.ServerCompany, acme: ck.ClientCompany) -> None:
    assert acme.make_mistake().state == "waiting"
    meet(orders, acme, two_way=True)
    assert acme.make_mistake().ok
    assert acme.call().state == "failed"
    assert acme.install("acme-certificate.pem").ok
    assert orders.make_mistake().ok
    assert acme.call().state == "failed"
    with pytest.raises(ArgumentError, match="cannot make that mistake"):
        orders.make_mistake("old-root")


# The exchange folder.


def refused_letters() -> dict[str, tuple[bytes, type[CertkitError]]]:
    ca = ck.CertificateAuthority("Lab Root")
    own = ca.issue("Acme CRM", usage="client")
    pem, der = own.key.to_pem(), own.key.to_der()
    return {
        "a key": (pem, CredentialError),
        "a key behind a chain": (own.chain.pem.encode() + pem, CredentialError),
        "a key with a passphrase": (own.key.to_pem("Kastanie7"), CredentialError),
        "a key as DER": (der, CredentialError),
        "an encrypted key as DER": (own.key.to_der("Kastanie7"), CredentialError),
        "a JKS with a key": (ck.keystore_bytes(own, "changeit", format="jks"), CredentialError),
        "a PKCS#12 with a key": (ck.keystore_bytes(own, "changeit", format="pkcs12"), PasswordError),
        "a key in a comment of a WSDL": (
            wsdl("https://127.0.0.1:1/") + b"<!--" + pem + b"-->",
            CredentialError,
        ),
        "a key in base64": (b"".join(pem.splitlines()[1:-1]), CredentialError),
        "an envelope": (b"<a/>", FormatError),
        "a text": (b"The password is changeit.", FormatError),
        "nothing": (b"", FormatError),
    }


@pytest.mark.parametrize("what", refused_letters())
def test_what_companies_do_not_trade_is_refused_both_ways(what: str, tmp_path: Path) -> None:
    data, kind = refused_letters()[what]
    exchange = Exchange.at(tmp_path)
    with pytest.raises(kind):
        exchange.send("file.bin", data)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "by-hand.bin").write_bytes(data)
    with pytest.raises(kind):
        exchange.take("by-hand.bin")
    (letter,) = exchange.letters()
    assert letter.refused
    assert "refused" in exchange._repr_html_()


def test_what_companies_trade_is_taken_in_any_published_format(tmp_path: Path) -> None:
    ca = ck.CertificateAuthority("Lab Root")
    leaf = ca.intermediate("Lab Issuing CA").issue("shop.example.test", usage="server")
    request = ck.create_csr("Acme CRM", key=leaf.key)
    found = {
        "chain.pem": leaf.chain.pem.encode(),
        "root.der": ca.certificate.der,
        "chain.p7b": ck.keystore_bytes(leaf.chain, format="pkcs7"),
        "trust.jks": ck.keystore_bytes(ca.trust_store, "changeit", format="jks"),
        "acme.csr": request.pem.encode(),
        "acme-der.csr": request.der,
        "users.wsdl": wsdl("https://127.0.0.1:1/users"),
        "revoked.crl": ca.revoke().raw.public_bytes(Encoding.DER),
    }
    exchange = Exchange.at(tmp_path)
    for name, data in found.items():
        exchange.send(name, data)
        assert exchange.take(name) == data
    assert kind_of_letter(found["chain.p7b"]).startswith("2 certificates: ")
    assert all(item.kind and not item.refused for item in exchange.letters())


def test_names_and_places(tmp_path: Path) -> None:
    exchange = Exchange.at(tmp_path / "exchange")
    root = ck.CertificateAuthority("Lab Root").certificate.pem.encode()
    for name in ("../root.pem", "a/b.pem", ".hidden", "", "x" * 90):
        with pytest.raises(ArgumentError, match="no name of a file"):
            exchange.send(name, root)
    with pytest.raises(FileError):
        exchange.take("nothing.pem")
    with pytest.raises(LimitError, match="nobody takes more"):
        exchange.send("big.pem", root * 2_000)
    (tmp_path / "exchange/big.pem").write_bytes(b"x" * 1_100_000)
    with pytest.raises((LimitError, FileError)):
        exchange.take("big.pem")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot be made"):
        Exchange.at(tmp_path / "file")
    with pytest.raises(ArgumentError, match="must not lie in the exchange folder"):
        ck.ClientCompany(tmp_path / "exchange", home=tmp_path / "exchange/acme")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_another_user_of_a_hub_can_read_what_was_sent(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        acme = ck.ClientCompany(tmp_path / "exchange", home=tmp_path / "acme")
        acme.send_request()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "exchange/acme-request.csr").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "acme").stat().st_mode) == 0o700


def test_the_client_stays_on_this_machine(acme: ck.ClientCompany) -> None:
    for place in ("https://192.0.2.1/users", "https://orders.example.test/users", "file:///etc/hosts"):
        acme.exchange.send(SERVICE, wsdl(place))
        with pytest.raises(ArgumentError, match="another machine"):
            acme.call()
    acme.exchange.send(SERVICE, b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>')
    with pytest.raises(FormatError, match="does not say where"):
        acme.call()


def test_each_step_waits_for_the_other_side(orders: ck.ServerCompany, acme: ck.ClientCompany) -> None:
    waiting = [
        orders.sign_request(),
        acme.trust("orders-root-ca.pem"),
        acme.install("acme-certificate.pem"),
        acme.call(),
    ]
    assert {item.state for item in waiting} == {"waiting"}
    dots = [orders.install(...), orders.trust(...), acme.trust(...), acme.install(...)]
    assert {item.state for item in dots} == {"not tried yet"}
    assert len(orders.log) == 0
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(waiting[0])
    with pytest.raises(CheckFailed, match="not done"):
        waiting[0].raise_if_failed()
    with pytest.raises(ArgumentError, match="cannot be put in"):
        acme.trust(7)  # type: ignore[arg-type]


def test_wrong_files_are_named(orders: ck.ServerCompany, acme: ck.ClientCompany) -> None:
    orders.send_truststore()
    with pytest.raises(CredentialError, match="not the key of this certificate"):
        acme.install("orders-root-ca.pem")
    orders.exchange.send("acme-request.csr", orders.ca.trust_store.pem.encode())
    with pytest.raises(FormatError, match="0 requests"):
        orders.sign_request()


def test_a_company_keeps_its_keys_over_a_restart_and_to_itself(tmp_path: Path) -> None:
    first = ck.ClientCompany(tmp_path / "exchange", home=tmp_path / "acme")
    again = ck.ClientCompany(tmp_path / "exchange", home=tmp_path / "acme")
    other = ck.ClientCompany(tmp_path / "exchange", home=tmp_path / "other")
    assert first.key.spki_sha256 == again.key.spki_sha256 != other.key.spki_sha256
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "acme/secret.txt").stat().st_mode) == 0o600
    secret = (tmp_path / "acme/secret.txt").read_text()
    assert secret not in repr(vars(first)).replace(f"'_seed': '{secret}'", "")
    assert secret not in first._repr_html_() + repr(first)


def test_the_service_can_be_opened_again_after_its_kernel_ended(
    tmp_path: Path, acme: ck.ClientCompany
) -> None:
    for _ in range(2):
        with ck.ServerCompany(tmp_path / "exchange", home=tmp_path / "orders") as orders:
            orders.send_truststore()
            orders.open_service()
            if not acme.anchors:
                acme.trust("orders-root-ca.pem")
            assert acme.call().ok
        assert acme.call().state == "failed"  # closed
