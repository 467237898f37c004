"""The 208 core cases of x509-limbo: the explorer against the oracle, and the findings against labels.

The suite is not part of this project. It is read from the folder in ``CERTKIT_LIMBO``, or from ``shared/data``
beside the checkout: ``limbo.json.gz`` and ``limbo_findings.csv``.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from certkit.certificates import Certificate
from certkit.keystores import load_certificates
from certkit.revocation import RevocationList
from certkit.verification import Verification, verify_chain

_GIVEN = Path(os.environ.get("CERTKIT_LIMBO") or Path(__file__).parents[3] / "shared" / "data")
FOLDER = _GIVEN.parent if _GIVEN.is_file() else _GIVEN
pytestmark = pytest.mark.skipif(
    not (FOLDER / "limbo.json.gz").exists(),
    reason="no limbo.json.gz: set CERTKIT_LIMBO to the folder that holds it",
)


@dataclass(frozen=True)
class Outcome:
    """One case: what it is labelled with, what came out, and how long it took."""

    name: str
    fails: bool
    kind: str
    position: str
    found: Verification
    seconds: float


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    with gzip.open(FOLDER / "limbo.json.gz") as stream:
        cases = json.load(stream)["testcases"]
    with (FOLDER / "limbo_findings.csv").open(encoding="utf-8", newline="") as stream:
        labels = {row["id"]: row for row in csv.DictReader(stream)}
    assert len(cases) == len(labels) == 208
    return [_outcome(case, labels[case["id"]]) for case in cases]


def _read(texts: list[str]) -> list[Certificate]:
    return [certificate for text in texts for certificate in load_certificates(text.encode())]


def _outcome(case: dict[str, Any], label: dict[str, str]) -> Outcome:
    sent = _read([case["peer_certificate"], *case["untrusted_intermediates"]])
    anchors = _read(case["trusted_certs"])
    at = case["validation_time"]
    started = time.process_time()  # on a busy machine the wall clock measures the others
    found = verify_chain(
        sent,
        anchors,
        host=(case["expected_peer_name"] or {}).get("value"),
        purpose=case["validation_kind"].lower(),
        at=datetime.fromisoformat(at).astimezone(UTC) if at else None,
        max_depth=case["max_chain_depth"],
        crls=[RevocationList.from_bytes(text.encode()) for text in case["crls"]],
    )
    seconds = time.process_time() - started
    kind = label["expected_finding"].replace("_", "-")
    return Outcome(case["id"], case["expected_result"] == "FAILURE", kind, label["at"], found, seconds)


def test_the_explorer_comes_to_the_oracles_verdict(outcomes: list[Outcome]) -> None:
    judged = [item for item in outcomes if item.found.oracle.ok is not None]
    assert len(judged) >= 207
    assert [item.name for item in judged if item.found.explorer_ok != item.found.oracle.ok] == []


def test_the_expected_kind_is_found(outcomes: list[Outcome]) -> None:
    failing = [item for item in outcomes if item.fails]
    assert len(failing) == 145
    missed = [item.name for item in failing if item.kind not in {found.kind for found in item.found.findings}]
    print(
        f"\nlimbo: the labelled kind in {1 - len(missed) / len(failing):.1%} of {len(failing)} failing cases"
    )
    assert len(missed) <= 0.05 * len(failing), missed


def test_it_is_found_on_the_right_certificate(outcomes: list[Outcome]) -> None:
    failing = [item for item in outcomes if item.fails]
    wanted = [(item, (item.kind, item.position)) for item in failing]
    elsewhere = [
        item.name
        for item, place in wanted
        if place not in {(found.kind, found.position) for found in item.found.findings}
    ]
    print(f"\nlimbo: on the labelled certificate in {1 - len(elsewhere) / len(failing):.1%}")
    assert len(elsewhere) <= 0.15 * len(failing), elsewhere


def test_what_refuses_a_chain_is_labelled(outcomes: list[Outcome]) -> None:
    """Findings are no noise: the first one to repair is the labelled one, or on the same certificate, as a rule."""
    refused = [item for item in outcomes if item.fails and item.found.headline is not None]
    assert len(refused) > 100
    near = sum(item.found.headline.kind == item.kind for item in refused if item.found.headline)
    assert near >= 0.8 * len(refused)


def test_a_refused_chain_has_a_reason_and_a_trusted_one_has_none(outcomes: list[Outcome]) -> None:
    for item in outcomes:
        assert item.found.ok is not bool(item.found.fatal), item.name


def test_no_case_takes_over_a_second(outcomes: list[Outcome]) -> None:
    slowest = max(outcomes, key=lambda item: item.seconds)
    print(f"\nlimbo: the slowest of {len(outcomes)} cases is {slowest.name} with {slowest.seconds:.2f} s")
    assert slowest.seconds <= 1


def test_every_verification_shows_itself(outcomes: list[Outcome]) -> None:
    for item in outcomes:
        assert "<script" not in item.found._repr_html_()
        assert item.found.text()
        json.dumps(item.found.to_dict())
