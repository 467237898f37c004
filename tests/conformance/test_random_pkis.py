"""Random PKIs, tangled and half broken: the explorer comes to the oracle's verdict on each."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

import pytest

from certkit.verification import verify_chain

PKIS = runpy.run_path(str(Path(__file__).with_name("random_pki.py")))
# More on demand: CERTKIT_RANDOM_PKIS=5000 make conformance
MANY = int(os.environ.get("CERTKIT_RANDOM_PKIS", "150"))


def _verify(case: Any) -> Any:
    return verify_chain(
        case.sent, case.anchors, host=case.host, purpose=case.purpose, at=PKIS["AT"], max_depth=case.max_depth
    )


@pytest.mark.parametrize("wild", [0.05, 0.3])
def test_the_explorer_comes_to_the_oracles_verdict(wild: float) -> None:
    trusted = 0
    for seed in range(MANY):
        found = _verify(PKIS["random_case"](seed, wild))
        assert found.oracle.ok is not None, seed
        assert found.explorer_ok is found.oracle.ok, (seed, wild, found.oracle.text)
        assert found.ok is not bool(found.fatal), (seed, wild)
        trusted += found.ok
    print(f"\nrandom PKIs: {MANY} judged as the oracle does, {trusted} of them trusted")
    assert trusted > 0, "not one good chain: the test would say nothing"


def test_the_same_seed_makes_the_same_pki() -> None:
    one, two = PKIS["random_case"](7), PKIS["random_case"](7)
    assert [item.sha256 for item in one.sent] == [item.sha256 for item in two.sent]
