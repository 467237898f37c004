"""The explorer: what is set is what is shown, a choice shows chain, places and impact, and it stays quick."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import certkit as ck
from certkit.widgets.inventory_explorer import LISTED, ExplorerState

AT = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    made = ck.make_estate(tmp_path_factory.mktemp("estate") / "acme", 60, seed="explorer", at=AT)
    evil = ck.CertificateAuthority("<script>alert(1)</script>", at=AT)
    ck.save_keystore(made.folder / "evil.pem", evil.certificate)
    return ck.scan_inventory(made.folder, passwords=made.passwords, at=AT, workers=1)


def test_filters_and_order(table: pd.DataFrame) -> None:
    state = ExplorerState.of(table)
    assert state.view["sha256"].tolist() == ck.soonest_first(table)["sha256"].tolist()
    assert ExplorerState.of(table, role="CAs").view["role"].isin(["root", "intermediate"]).all()
    assert set(ExplorerState.of(table, status="weak").view["status"]) == {"weak"}
    some = table[table["role"] == "server"].iloc[0]
    for words in (some.sha256[:20], some.subject.split(",")[0].upper(), some.path, "acme " + some.sha256[:9]):
        assert some.sha256 in ExplorerState.of(table, search=words).view["sha256"].tolist()
    nothing = ExplorerState.of(table, search="no such thing")
    assert nothing.options() == [("nothing fits", None)]
    assert "0 certificates of" in nothing.picture()


def test_a_leaf_shows_its_path_and_places_and_a_ca_its_impact(table: pd.DataFrame) -> None:
    lab = ck.InventoryExplorer(table)
    twice = ck.find_duplicates(table).iloc[0]
    lab._list.value = twice["sha256"]
    page = lab._picture.value
    assert "Its best path: " in page
    assert "Where it lies: 2 places" in page
    lab._role.value = "CAs"
    assert lab.state.chosen is None
    assert lab._list.value is None
    ca = table[table["subject"] == "CN=Acme Web CA,O=Acme"].iloc[0]
    lab._list.value = ca.sha256
    assert "If this CA went: " in lab._picture.value
    assert "would lose the last path" in lab._picture.value


def test_the_static_twin_has_the_picture_and_no_script(table: pd.DataFrame) -> None:
    lab = ck.InventoryExplorer(table, role="all", search="script")
    bundle = lab._repr_mimebundle_()
    assert "could not be read" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert "&lt;script" in bundle["text/html"]
    lab._list.value = lab.state.options()[0][1]
    assert "<script" not in lab.static_html()
    assert len(lab.static_html()) < 10_000


def test_a_hundred_thousand_rows_stay_quick(tmp_path: Path) -> None:
    ca = ck.CertificateAuthority("Lab Root", at=AT)
    leaf = ca.issue("shop.example.test", usage="server")
    ck.save_keystore(tmp_path / "all.pem", [leaf.certificate, ca.certificate])
    small = ck.scan_inventory(tmp_path, at=AT)
    rows = small.iloc[[0] * 100_000].reset_index(drop=True)
    numbers = pd.Series(range(len(rows)), dtype="str")
    many = rows.assign(
        sha256=("a" * 55 + numbers.str.zfill(9)).astype(small["sha256"].dtype),
        subject=("CN=host" + numbers).astype(small["subject"].dtype),
    )
    lab = ck.InventoryExplorer(pd.concat([many, small.iloc[[1]]], ignore_index=True))
    start = time.process_time()
    lab._search.value = "host99"
    lab._sort.value = "name"
    lab._list.value = lab.state.options()[5][1]
    took = time.process_time() - start
    assert "CN=host99" in lab._picture.value
    assert len(lab.state.options()) == LISTED
    assert took < 6  # far more than it takes; a search that became quadratic would not make it
