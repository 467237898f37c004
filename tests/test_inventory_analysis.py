"""Analysis: every planted relation is found, nothing else is accused, and an empty table has an answer too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import certkit as ck
from certkit.errors import ArgumentError, CertkitError, FormatError
from certkit.inventory.analysis.forecast import public_rules

AT = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ESTATES = [("analysis", 55), ("another", 160)]


@pytest.fixture(scope="module", params=ESTATES, ids=lambda both: both[0])
def estate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ck.Estate:
    seed, stores = request.param
    return ck.make_estate(tmp_path_factory.mktemp("estate") / "acme", stores, seed=seed, at=AT)


@pytest.fixture(scope="module")
def table(estate: ck.Estate) -> pd.DataFrame:
    return ck.scan_inventory(estate.folder, passwords=estate.passwords, at=AT, workers=1)


@pytest.fixture(scope="module")
def public(estate: ck.Estate, table: pd.DataFrame) -> pd.DataFrame:
    roots = ck.load_certificates(estate.folder / "prod" / "common" / "truststore.jks")
    return ck.mark_public(table, public=roots)


def planted(estate: ck.Estate, problem: str) -> list[Any]:
    return [item for item in estate.planted if item.problem == problem]


def files(frame: pd.DataFrame, estate: ck.Estate) -> set[str]:
    return {path.split("!/")[0].removeprefix(f"{estate.folder}/") for path in frame["path"]}


def test_duplicates_with_all_their_places(estate: ck.Estate, table: pd.DataFrame) -> None:
    found = ck.find_duplicates(table)
    assert files(found, estate) == {path for item in planted(estate, "duplicate") for path in item.paths}
    assert set(found["sha256"]) == {item.sha256 for item in planted(estate, "duplicate")}
    assert (found["places"] == 2).all()
    assert len(ck.find_duplicates(table, cas=True)) > len(found)


def test_shared_keys_are_told_from_renewals(estate: ck.Estate, table: pd.DataFrame, tmp_path: Path) -> None:
    found = ck.shared_keys(table)
    assert set(found["what"]) == {"shared key"}
    assert files(found, estate) == {path for item in planted(estate, "shared-key") for path in item.paths}
    ca = ck.CertificateAuthority("Lab Root", at=AT)
    first = ca.issue("shop.example.test", usage="server")
    again = ca.issue("shop.example.test", usage="server", key=first.key)
    other = ck.CertificateAuthority("Other Root", at=AT)
    issuing = ca.intermediate("Lab CA")
    certificates = [first.certificate, again.certificate, issuing.certificate, other.cross_sign(issuing)]
    (tmp_path / "all.pem").write_text("".join(item.pem for item in certificates))
    small = ck.shared_keys(ck.scan_inventory(tmp_path, at=AT))
    assert small["what"].tolist() == ["renewal", "renewal", "cross-sign", "cross-sign"]


def test_weak_and_broken(estate: ck.Estate, table: pd.DataFrame) -> None:
    weak = ck.weak_certificates(table)
    wanted = {item.sha256 for item in estate.planted if item.problem in {"weak-key", "weak-signature"}}
    assert set(weak["sha256"]) == wanted
    broken = ck.broken_rules(table)
    for problem in ("no-san", "validity-too-long", "weak-signature"):
        found = broken[broken["risk"] == problem]
        assert set(found["sha256"]) == {item.sha256 for item in planted(estate, problem)}
    assert set(broken["risk"]) == {"no-san", "validity-too-long", "weak-signature"}
    assert (broken[broken["risk"] == "validity-too-long"]["lifetime"] > 825).all()


def test_unknown_issuers_and_shadow_cas(estate: ck.Estate, table: pd.DataFrame) -> None:
    unknown = ck.unknown_issuers(table)
    assert unknown["issuer"].tolist() == ["CN=Initech Issuing CA"]
    assert unknown["certificates"].tolist() == [len(planted(estate, "unknown-issuer"))]
    shadows = ck.shadow_cas(table)
    assert set(shadows["subject"]) == {"CN=Acme Root CA,O=Acme"}
    assert (shadows["keys"] == 2).all()
    assert {item.sha256 for item in planted(estate, "shadow-ca")} < set(shadows["sha256"])


def test_effective_expiry_is_the_first_end_on_the_path(estate: ck.Estate, table: pd.DataFrame) -> None:
    found = ck.effective_expiry(table).set_index("sha256")
    earlier = found[found["days_lost"] > 0]
    assert set(earlier.index) == {item.sha256 for item in planted(estate, "outlives-issuer")}
    assert set(earlier["ends_with"]) == {"CN=Acme Partner CA,O=Acme"}
    lost = {item.sha256 for item in planted(estate, "unknown-issuer")}
    assert set(found[found["effective"].isna()].index) == lost
    assert (found.loc[list(lost), "ends_with"] == "no path to a root").all()


def pki(folder: Path, at: datetime = AT) -> dict[str, ck.Certificate]:
    """Write two roots, a CA below both (cross-signed), one below the old one only, and a leaf of each."""
    old = ck.CertificateAuthority("Old Root", at=at, not_after=at + 100 * DAY)
    new = ck.CertificateAuthority("New Root", at=at)
    web, batch = old.intermediate("Web CA"), old.intermediate("Batch CA")
    shop, night = (
        web.issue("shop.example.test", usage="server", days=300),
        batch.issue("night.example.test", usage="server"),
    )
    cross = new.cross_sign(web)
    ck.save_keystore(folder / "trust.jks", {"old": old.certificate, "new": new.certificate}, "changeit")
    ck.save_keystore(folder / "shop.pem", shop.chain)
    ck.save_keystore(folder / "cross.pem", cross)
    ck.save_keystore(folder / "night.pem", night.chain)
    return {
        "old": old.certificate,
        "new": new.certificate,
        "web": web.certificate,
        "cross": cross,
        "shop": shop.certificate,
        "night": night.certificate,
    }


def test_a_cross_sign_is_a_second_path(tmp_path: Path) -> None:
    made = pki(tmp_path)
    table = ck.scan_inventory(tmp_path, at=AT)
    fall = ck.ca_impact(table, made["old"].sha256).set_index("subject")["outcome"]
    assert fall["CN=night.example.test"] == "loses its last path"
    assert fall["CN=shop.example.test"] == "keeps another path"
    effective = ck.effective_expiry(table).set_index("subject")
    assert effective.loc["CN=shop.example.test", "root"] == "CN=New Root"
    assert effective.loc["CN=shop.example.test", "days_lost"] == 0
    assert effective.loc["CN=night.example.test", "days_lost"] == 0
    every = ck.impact_by_ca(table).set_index("sha256")
    assert every.loc[made["old"].sha256, ["leaves", "below"]].tolist() == [1, 2]
    assert every.loc[made["cross"].sha256, ["leaves", "below"]].tolist() == [0, 1]
    assert ck.ca_impact(table, "CN=Web CA")["outcome"].tolist() == ["loses its last path"]
    for nothing in ("CN=Nobody", ""):
        with pytest.raises(ArgumentError, match="no CA certificate"):
            ck.ca_impact(table, nothing)


def test_circles_of_cross_signs_end(tmp_path: Path) -> None:
    one, two = ck.CertificateAuthority("One", at=AT), ck.CertificateAuthority("Two", at=AT)
    leaf = one.issue("shop.example.test", usage="server")
    certificates = [two.cross_sign(one), one.cross_sign(two), leaf.certificate]
    path = tmp_path / "all.pem"
    path.write_text("".join(item.pem for item in certificates))
    assert ck.effective_expiry(ck.scan_inventory(path))["effective"].isna().all()
    path.write_text("".join(item.pem for item in [*certificates, two.certificate]))
    table = ck.scan_inventory(path)
    assert ck.effective_expiry(table)["root"].tolist() == ["CN=Two"]
    assert ck.impact_by_ca(table)["leaves"].sum() == 2


def test_public_is_what_reaches_a_public_root(
    estate: ck.Estate, table: pd.DataFrame, public: pd.DataFrame
) -> None:
    leaves = public[public["role"].isin(["server", "client"])]
    unknown = {item.sha256 for item in planted(estate, "unknown-issuer")}
    shadow = leaves[leaves["sha256"].isin(unknown)]
    assert not shadow["public"].any()
    assert leaves["public"].sum() > len(leaves) * 0.8
    assert not ck.mark_public(table, public=[]).public.any()
    assert not ck.mark_public(table)["public"].any()  # no practice CA is in this system's list


def renewals(life: int, at: datetime, folder: Path, **options: Any) -> list[date]:
    ca = ck.CertificateAuthority("Public Root", at=at)
    leaf = ca.issue("shop.example.test", usage="server", not_before=at, not_after=at + life * DAY)
    path = ck.save_keystore(folder / f"{life}.pem", [leaf.certificate, ca.certificate])
    marked = ck.mark_public(ck.scan_inventory(path, at=at), public=[ca.certificate])
    found = ck.forecast_renewals(marked, **options)
    return [
        month.date()
        for month, count in zip(found["month"], found["renewals"], strict=True)
        for _ in range(count)
    ]


def test_the_forecast_follows_the_rules(tmp_path: Path) -> None:
    at = datetime(2027, 3, 14, tzinfo=UTC)
    # 199 days from 14 March 2027: two thirds are 132 days, so 24 July; from then on 99 days, every 66 days.
    found = renewals(199, at, tmp_path, until=date(2028, 3, 31))
    assert found == [date(2027, 7, 1), date(2027, 9, 1), date(2027, 12, 1), date(2028, 2, 1)]
    # A short life stays short: 46 of 46 days, every 30 days; the 47-day rule changes nothing.
    assert len(renewals(46, datetime(2029, 3, 16, tzinfo=UTC), tmp_path, until=date(2029, 12, 31))) == 9
    year = renewals(397, datetime(2026, 1, 1, tzinfo=UTC), tmp_path)
    per_year = {number: sum(day.year == number for day in year) for number in (2026, 2028, 2030)}
    assert per_year[2026] == 1
    assert 5 <= per_year[2028] <= 6
    assert 11 <= per_year[2030] <= 13


def test_the_rules_have_sources() -> None:
    for part in public_rules().values():
        assert part["source"]
        assert part["read_on"] >= date(2026, 1, 1)


def test_client_sunset_names_clients_of_public_cas(public: pd.DataFrame) -> None:
    found = ck.client_sunset(public)
    assert set(found["role"]) == {"client"}
    assert found["renewable"].all()
    assert ck.client_sunset(public.assign(public=False)).empty


def test_owners_are_joined_and_gaps_shown(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "owners.csv"
    path.write_text(
        "match,owner,renewal\n*/nginx/*,web team,acme\nCN=crm*,CRM,manual\n*.acme.example.test,Ops,\n"
    )
    owned = ck.join_owners(table, path)
    nginx = owned[owned["path"].str.contains("/nginx/")]
    assert set(nginx["owner"]) == {"web team"}
    assert set(nginx["renewal"]) == {"acme"}
    gaps = ck.owner_gaps(owned)
    assert 0 < len(gaps) < len(ck.owner_gaps(table)) == len(ck.soonest_first(table))
    assert not gaps["subject"].str.startswith("CN=crm").any()
    path.write_text("who,what\n1,2\n")
    with pytest.raises(FormatError, match="match and owner"):
        ck.join_owners(table, path)


def test_two_scans_compared(tmp_path: Path) -> None:
    ca = ck.CertificateAuthority("Lab Root", at=AT)
    names = ("shop", "orders", "crm", "mail", "wiki", "old")
    made = {name: ca.issue(f"{name}.example.test", usage="server") for name in names}
    for name, item in made.items():
        ck.save_keystore(tmp_path / f"{name}.jks", {name: item}, "changeit")
    ck.save_keystore(tmp_path / "copy.pem", made["shop"].certificate)
    before = ck.scan_inventory(tmp_path, at=AT)
    ck.save_keystore(
        tmp_path / "shop.jks", {"shop": ca.issue("shop.example.test", usage="server")}, "changeit"
    )
    again = ca.issue("orders.example.test", usage="server", key=made["orders"].key)
    ck.save_keystore(tmp_path / "orders.jks", {"orders": again}, "changeit")
    ck.save_keystore(tmp_path / "crm.pem", made["crm"].certificate)
    (tmp_path / "mail.jks").write_bytes((tmp_path / "mail.jks").read_bytes()[:90])
    (tmp_path / "old.jks").unlink()
    ck.save_keystore(tmp_path / "new.pem", ca.issue("new.example.test", usage="server").certificate)
    found = ck.compare_inventories(before, ck.scan_inventory(tmp_path, at=AT))
    changes = {(row.change, Path(row.path).name) for row in found.itertuples()}
    assert changes == {
        ("unreadable now", "mail.jks"),
        ("left behind", "copy.pem"),
        ("gone", "old.jks"),
        ("renewed, same key", "orders.jks"),
        ("renewed", "shop.jks"),
        ("new", "new.pem"),
        ("new place", "crm.pem"),
    }
    renewed = found.set_index("change").loc["renewed"]
    assert renewed["was"] == made["shop"].certificate.sha256
    assert ck.compare_inventories(before, before).empty


def test_an_empty_table_has_an_answer(table: pd.DataFrame) -> None:
    nothing = table.iloc[:0]
    for question in (
        ck.find_duplicates, ck.shared_keys, ck.weak_certificates, ck.broken_rules, ck.unknown_issuers, ck.shadow_cas,
        ck.effective_expiry, ck.impact_by_ca, ck.mark_public, ck.forecast_renewals, ck.client_sunset, ck.owner_gaps,
    ):  # fmt: skip
        assert question(nothing).empty
    for draw in (ck.expiry_timeline, ck.expiry_calendar, ck.renewal_forecast_plot):
        assert "<svg" in draw(nothing)._repr_html_()


def test_what_is_no_inventory_is_refused() -> None:
    frame = pd.DataFrame({"a": [1]})
    for question in (
        ck.find_duplicates,
        ck.soonest_first,
        ck.impact_by_ca,
        ck.expiry_buckets,
        ck.expiry_calendar,
    ):
        with pytest.raises(CertkitError, match="no inventory"):
            question(frame)


def test_pictures_say_what_they_show(table: pd.DataFrame, public: pd.DataFrame) -> None:
    calendar = ck.expiry_calendar(table)
    assert sum(row[1] for row in calendar.rows) == int(
        (ck.soonest_first(table)["days_left"].between(0, 369)).sum()
    )
    forecast = ck.renewal_forecast_plot(public)
    assert "2029" in forecast.sentence or "2030" in forecast.sentence
    for plot in (calendar, forecast):
        assert plot.sentence in plot._repr_html_()
        assert len(plot.rows) > 3
