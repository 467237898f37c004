"""The vocabulary: every id of the contract, each entry whole, findings that show themselves."""

from __future__ import annotations

import pytest

from certkit import causes
from certkit.causes import Cause, Finding, Severity
from certkit.errors import ArgumentError

CONTRACT = """
missing-intermediate chain-out-of-order leaf-not-first untrusted-root self-signed-leaf truststore-missing-or-empty
root-store-polluted tls-interception
not-a-ca path-length-exceeded verify-depth-exceeded name-constraints akid-mismatch akid-missing x509-v1-certificate
ca-cert-as-leaf duplicate-serial certificate-policy unknown-critical-extension malformed-extension search-limit
expired-leaf expired-ca not-yet-valid-or-clock validity-too-long
hostname-mismatch no-san sni-missing
wrong-eku wrong-key-usage
weak-key weak-signature weak-dh-params
revoked revocation-unreachable crl-expired
tampered-or-corrupt wrong-file-format wrong-password legacy-pkcs12-encryption modern-pkcs12-unsupported pkcs12-mac-absent
encrypted-key-no-passphrase key-cert-mismatch private-key-missing permission-on-key ephemeral-key
client-cert-missing client-cert-untrusted client-cert-rejected ca-hint-list
protocol-version no-shared-cipher plaintext-on-tls-port renegotiation server-closed tls-session-reuse-required
proxy-refused dns-or-network endpoint-not-allowed
"""


def test_every_id_of_the_contract_and_our_own() -> None:
    assert set(causes.load()) == {*CONTRACT.split(), "certificate-profile"}


@pytest.mark.parametrize("cause", causes.load().values(), ids=lambda cause: cause.id)
def test_an_entry_is_whole(cause: Cause) -> None:
    assert cause.family in causes.FAMILIES
    assert cause.meaning.endswith(".")
    assert not cause.title.endswith(".")
    assert len(cause.title) <= 80
    assert cause.where
    for values in (cause.confirm, cause.fix, cause.wrong_fixes):
        assert values and all(value.strip() == value and value for value in values)
    assert set(cause.to_dict()) >= {"id", "family", "meaning", "fix"}
    assert cause.meaning.split()[0] in cause._repr_html_()


def test_unknown_cause_names_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="missing-intermediate"):
        causes.cause("missing-intermediat")


@pytest.mark.parametrize(
    ("entry", "said"),
    [({}, "lacks"), ({"found_by": "moon"}, "unknown side")],
)
def test_a_broken_entry_is_refused(entry: dict[str, str], said: str) -> None:
    whole = {**causes.cause("revoked").to_dict(), **entry} if entry else {}
    with pytest.raises(ArgumentError, match=said):
        Cause.from_entry("revoked", "revocation", whole)


def test_a_finding_escapes_what_it_shows() -> None:
    finding = Finding(
        "no-san",
        "no-san",
        Severity.ADVISORY,
        "about <script>",
        certificate="<b>",
        evidence=(("wanted", "<i>"),),
    )
    html = finding._repr_html_()
    assert "<script>" not in html and "<i>" not in html
    assert not finding.fatal
    assert finding.to_dict()["evidence"] == {"wanted": "<i>"}
    assert repr(finding) == "<Finding advisory no-san on chain <b>>"
