"""Revocation lists: signed, current, judged by openssl as well; and the CA takes back only what it gave."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import certkit as ck
from certkit.errors import ArgumentError
from certkit.keys import KEY_KINDS

AT = datetime(2026, 1, 1, tzinfo=UTC)


def openssl_verdict(folder: Path, ca: ck.CertificateAuthority, leaf: ck.Certificate, crl: str) -> str:
    """Return what ``openssl verify -crl_check`` says of `leaf`."""
    for name, text in (("ca.pem", ca.certificate.pem), ("leaf.pem", leaf.pem), ("crl.pem", crl)):
        (folder / name).write_text(text)
    command = ["openssl", "verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", "ca.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_openssl_refuses_what_is_listed_and_nothing_else(tmp_path: Path) -> None:
    ca = ck.CertificateAuthority("Root")
    lost, kept = (ca.issue(name, usage="server").certificate for name in ("a.example.test", "b.example.test"))
    crl = ca.revoke(lost)
    assert "certificate revoked" in openssl_verdict(tmp_path, ca, lost, crl.pem)
    assert "leaf.pem: OK" in openssl_verdict(tmp_path, ca, kept, crl.pem)
    assert crl.serials == (lost.serial,)
    stale = ca.revoke(days=-1)
    assert "CRL has expired" in openssl_verdict(tmp_path, ca, kept, stale.pem)
    assert not stale.is_current()
    assert crl.is_current()


def test_a_new_list_holds_the_old_ones_too_and_the_number_goes_up() -> None:
    ca = ck.CertificateAuthority("Root", seed="s", at=AT)
    first, second = (ca.issue(name, usage="client").certificate for name in ("Acme CRM", "Orders"))
    one, two = ca.revoke(first), ca.revoke(second, days=30)
    assert (len(one), len(two)) == (1, 2)
    assert two.lists(first)
    assert not one.lists(second)
    assert two.next_update == AT + timedelta(days=30)
    assert one.is_current(AT + timedelta(days=7))
    assert not one.is_current(AT + timedelta(days=7, seconds=1))
    assert not one.is_current(AT - timedelta(days=30))


def test_the_same_seed_gives_the_same_list() -> None:
    made = []
    for _ in range(2):
        ca = ck.CertificateAuthority("Root", seed="s", at=AT)
        made.append(ca.revoke(ca.issue("a.example.test", usage="server").certificate))
    assert made[0] == made[1]
    assert len(set(made)) == 1


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_every_kind_of_key_signs_a_list(kind: str) -> None:
    ca = ck.CertificateAuthority("Root", key=kind)
    assert ca.revoke().is_signed_by(ca.certificate)
    assert not ca.revoke().is_signed_by(ck.CertificateAuthority("Root").certificate)


def test_a_list_of_another_ca_says_nothing_about_a_certificate() -> None:
    # The same serial number under another issuer is another certificate.
    serials = [ck.CertificateAuthority(name, seed="s", at=AT) for name in ("Root", "Other")]
    mine = serials[0].issue("a.example.test", usage="server").certificate
    assert not serials[1].revoke().lists(mine)
    with pytest.raises(ArgumentError, match="did not issue"):
        serials[1].revoke(mine)
    with pytest.raises(ArgumentError, match="did not issue"):
        serials[0].revoke("a.example.test")  # type: ignore[arg-type]


def test_it_shows_itself_and_escapes_its_issuer() -> None:
    ca = ck.CertificateAuthority("<script>alert(1)</script>")
    crl = ca.revoke(ca.issue("a.example.test", usage="server").certificate)
    html = crl._repr_html_()
    assert "<script" not in html
    assert crl.serials[0] in html
    assert "1 certificate" in repr(crl)
    assert ck.RevocationList(crl.raw) == crl


def test_a_serial_number_that_is_negative_is_looked_for_all_the_same() -> None:
    root = ck.CertificateAuthority("Lab Root")
    good = root.issue("shop.example.test", usage="server").certificate
    changed = bytearray(good.der)
    changed[changed.find(b"\xa0\x03\x02\x01\x02\x02") + 7] |= 0x80
    odd = ck.Certificate.from_der(bytes(changed))
    assert odd.serial.startswith("-")
    assert not root.revoke(good).lists(odd)
    assert root.revoke(good).lists(good)
