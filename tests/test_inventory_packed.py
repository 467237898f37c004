"""Packed columns: less memory, and to pandas the very same as Arrow's plain text."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pandas.arrays import ArrowExtensionArray

import certkit as ck
from certkit.inventory._packed import Packed, pack

AT = datetime(2027, 3, 1, tzinfo=UTC)
draw = random.Random(8)
HEX = [f"{draw.getrandbits(256):064x}" for _ in range(500)]
COLUMNS: dict[str, list[str | None]] = {
    "repeats": ["b", "a", None, "é", "b"] * 200,
    "all missing": [None] * 10,
    "empty": [],
    "empty words": ["", "", "a", None],
    "fingerprints": list(HEX),
    "repeated fingerprints": [HEX[number % 7] for number in range(1000)],
    "fingerprints and gaps": [None, *HEX, None, ""],
    "serial numbers": [f"{draw.getrandbits(draw.choice((4, 60, 63, 159, 160))):x}" for _ in range(500)] + ["0", "f"],
    "leading zeros": ["00ff" * 10, "000000"] * 3,
    "leading zeros, odd": ["00ff" * 10, "000", "0ff"],
    "nearly hexadecimal": [*HEX, "-1f", "CN=shop"],
    "upper case": [text.upper() for text in HEX],
    "distinct": [f"CN=host{number},O=Ünï" for number in range(300)],
    "200 words": [f"CN=host{number % 200}" for number in range(3000)],
}  # fmt: skip


@pytest.fixture(params=COLUMNS)
def both(request: pytest.FixtureRequest) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return a column packed in two parts, and the same as Arrow's plain text."""
    words = COLUMNS[request.param]
    middle = len(words) // 3
    halves = [pa.array(part, pa.string()) for part in (words[:middle], words[middle:])]
    return pd.Series(Packed.of(map(pack, halves))), pd.Series(ArrowExtensionArray(pa.chunked_array(halves)))


OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "list": lambda column: column.tolist(),
    "dtype": lambda column: column.dtype,
    "missing": lambda column: column.isna().tolist(),
    "one by one": lambda column: [column.iloc[at] for at in range(-len(column), len(column), 7)],
    "numpy": lambda column: column.to_numpy().tolist(),
    "sort": lambda column: column.sort_values(kind="stable"),
    "str": lambda column: column.str.startswith("CN="),
    "length": lambda column: column.str.len(),
    "equal": lambda column: column == "b",
    "not equal": lambda column: column[column != "b"],
    "isin": lambda column: column.isin(["b", HEX[1]]),
    "count": lambda column: column.value_counts(),
    "unique": lambda column: pd.Series(column.unique()),
    "group": lambda column: column.to_frame("x").assign(n=1).groupby("x", dropna=False)["n"].sum(),
    "merge": lambda column: column.to_frame("x").head(50).merge(column.to_frame("x").drop_duplicates(), on="x"),
    "fill": lambda column: column.fillna("nothing"),
    "map": lambda column: column.map({"b": "c"}),
    "add": lambda column: column + "!",
    "slice": lambda column: column.iloc[2:-2:2],
    "take": lambda column: column.iloc[::-1].iloc[: len(column) // 2],
    "concat": lambda column: pd.concat([column, column.iloc[:3]]),
    "shift": lambda column: column.shift(),
    "copy": lambda column: column.copy(),
    "pickle": lambda column: pickle.loads(pickle.dumps(column)),
    "csv": lambda column: column.to_csv(),
    "json": lambda column: column.to_json(),
    "repr": repr,
    "arrow": lambda column: pa.array(column).to_pylist(),
    "minimum": lambda column: column.min(),
}  # fmt: skip


def test_the_same_as_plain_text(both: tuple[pd.Series[Any], pd.Series[Any]]) -> None:
    packed, plain = both
    for name, operation in OPERATIONS.items():
        found, wanted = operation(packed), operation(plain)
        if isinstance(wanted, pd.Series):
            pd.testing.assert_series_equal(found, wanted, obj=name)
        elif isinstance(wanted, pd.DataFrame):
            pd.testing.assert_frame_equal(found, wanted, obj=name)
        else:
            assert found is wanted or found == wanted, name


def test_it_is_never_larger(both: tuple[pd.Series[Any], pd.Series[Any]]) -> None:
    packed, plain = both
    assert packed.memory_usage(deep=True) <= plain.memory_usage(deep=True)


@pytest.mark.parametrize(
    ("name", "bytes_a_row"),
    {"repeats": 1.5, "fingerprints": 32.1, "serial numbers": 20, "200 words": 3, "all missing": 0}.items(),
)
def test_what_it_saves(name: str, bytes_a_row: float) -> None:
    column = Packed.of([pack(pa.array(COLUMNS[name], pa.string()))])
    assert column.nbytes <= bytes_a_row * len(column)


def test_many_words() -> None:
    words = pa.array([f"{number % 40_000}" for number in range(90_000)])
    column = Packed.of([pack(words)])
    assert pa.array(column).to_pylist() == words.to_pylist()
    assert column.nbytes < words.nbytes


def test_a_change_is_seen_in_one_column_only() -> None:
    column = pd.Series(Packed.of([pack(pa.array(["a", "b"] * 100))]))
    other = column.copy()
    column.iloc[0] = "new"
    assert (column[0], column[1], other[0], len(column)) == ("new", "b", "a", 200)
    with pytest.raises(IndexError):
        other.array[200]
    with pytest.raises(IndexError):
        other.array[-201]


def test_a_table_stays_packed_through_the_usual_steps(tmp_path: Any) -> None:
    made = ck.make_estate(tmp_path / "acme", 40, seed="packed", at=AT)
    table = ck.scan_inventory(made.folder, passwords=made.passwords, at=AT)
    plain = pd.DataFrame({name: pd.array(table[name].tolist(), table[name].dtype) for name in table})
    small = table.memory_usage(deep=True).sum()
    assert small < plain.memory_usage(deep=True).sum() * 0.6
    assert table.copy().memory_usage(deep=True).sum() == small
    assert table.assign(more=1).drop(columns="more").memory_usage(deep=True).sum() == small
    pd.testing.assert_frame_equal(table, plain, check_like=True)
