"""Engines and long scans: the same table whoever does the work, and whatever is killed on the way."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import certkit as ck
from certkit.cli import main
from certkit.errors import ArgumentError, FileError
from certkit.inventory import engine, journal, storage, units, work
from certkit.inventory._processes import Crew
from certkit.inventory.passwords import Passwords
from certkit.inventory.places import Place
from certkit.inventory.tally import Tally

AT = datetime(2027, 3, 1, tzinfo=UTC)
STAMP = "2027-03-01T00:00:00Z"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> ck.Estate:
    return ck.make_estate(tmp_path_factory.mktemp("estate") / "acme", 300, seed="engines", at=AT)


@pytest.fixture(scope="module")
def undisturbed(estate: ck.Estate) -> pd.DataFrame:
    return ck.scan_inventory(estate.folder, passwords=estate.passwords, at=AT, workers=1)


@pytest.fixture
def small_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "FILES_A_UNIT", 7)


def equal(found: pd.DataFrame, wanted: pd.DataFrame) -> bool:
    pd.testing.assert_frame_equal(found, wanted)
    return True


@pytest.mark.usefixtures("small_units")
def test_worker_processes_give_the_same_table(estate: ck.Estate, undisturbed: pd.DataFrame) -> None:
    found = ck.scan_inventory(estate.folder, passwords=estate.passwords, at=AT, workers=2)
    assert equal(found, undisturbed)
    assert found.attrs == undisturbed.attrs


@pytest.mark.usefixtures("small_units")
def test_a_stream_to_parquet_is_the_same_table(
    estate: ck.Estate, undisturbed: pd.DataFrame, tmp_path: Path
) -> None:
    output = tmp_path / "all.parquet"
    tally = ck.scan_to_parquet(estate.folder, output, passwords=estate.passwords, at=AT, workers=2)
    assert equal(ck.read_inventory(output), undisturbed)
    assert tally.summary == ck.summarize_inventory(undisturbed) == Tally.of(undisturbed).summary
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]
    assert tally.soonest[0].subject == ck.soonest_first(undisturbed)["subject"][0]


@pytest.mark.usefixtures("small_units")
def test_partitions(
    estate: ck.Estate, undisturbed: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PARTITION_ROWS", 100)
    output = f"{tmp_path}/all/"
    ck.scan_to_parquet(estate.folder, output, passwords=estate.passwords, at=AT, workers=1)
    assert len(list(Path(output).glob("part-*.parquet"))) > 2
    assert equal(ck.read_inventory(output), undisturbed)
    with pytest.raises(FileError, match="there already"):
        ck.scan_to_parquet(estate.folder, output)


def command(estate: ck.Estate, output: Path, *more: str) -> list[str]:
    words = [
        "scan",
        str(estate.folder),
        "-o",
        str(output),
        "--passwords",
        str(estate.passwords),
        "--at",
        STAMP,
    ]
    code = (
        "import sys; from certkit.inventory import units; units.FILES_A_UNIT = 3;"
        "from certkit.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    return [sys.executable, "-c", code, *words, *more]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is Unix's")
@pytest.mark.parametrize("records", [3])
def test_killed_and_resumed_is_the_same_table(
    estate: ck.Estate, undisturbed: pd.DataFrame, tmp_path: Path, records: int
) -> None:
    output = tmp_path / "all.parquet"
    rows = tmp_path / ".all.parquet.scan" / "rows"
    with subprocess.Popen(command(estate, output, "--workers", "1"), start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if rows.exists() and rows.stat().st_size > records * 2000:
                break
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != -signal.SIGKILL:
        pytest.skip("it was done before it could be killed")
    assert not output.exists()
    with rows.open("ab") as stream:
        stream.write(b"half a record")
    later = [*command(estate, output, "--resume", "--workers", "1"), "--at", "2031-01-01T00:00:00Z"]
    subprocess.run(later, check=True, capture_output=True)
    assert equal(ck.read_inventory(output), undisturbed)
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]


@pytest.mark.usefixtures("small_units")
def test_killed_while_the_output_was_written(
    estate: ck.Estate, undisturbed: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "all.parquet"
    scan = importlib.import_module("certkit.inventory.scan")
    write = scan.write_batches

    def dies(*_: Any, **__: Any) -> None:
        (tmp_path / ".all.parquet.99999.part").write_bytes(b"PAR1")
        raise KeyboardInterrupt

    options: dict[str, Any] = {"passwords": estate.passwords, "at": AT, "workers": 1}
    monkeypatch.setattr(scan, "write_batches", dies)
    with pytest.raises(KeyboardInterrupt):
        ck.scan_to_parquet(estate.folder, output, **options)
    assert not output.exists()
    monkeypatch.setattr(scan, "write_batches", write)
    ck.scan_to_parquet(estate.folder, output, resume=True, **options)
    assert equal(ck.read_inventory(output), undisturbed)
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]


@pytest.mark.usefixtures("small_units")
def test_a_resumed_scan_reads_what_was_planned(
    estate: ck.Estate, undisturbed: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "all.parquet"
    calls = iter(range(100))
    read = work.read_unit

    def stops(reader: Any, unit: Any) -> Any:
        if next(calls) == 9:
            raise KeyboardInterrupt
        return read(reader, unit)

    options: dict[str, Any] = {"passwords": estate.passwords, "at": AT, "workers": 1}
    monkeypatch.setattr(engine, "read_unit", stops)
    with pytest.raises(KeyboardInterrupt):
        ck.scan_to_parquet(estate.folder, output, **options)
    kept = b"".join(path.read_bytes() for path in (tmp_path / ".all.parquet.scan").iterdir())
    assert b"changeit" not in kept
    assert b"PRIVATE KEY" not in kept
    monkeypatch.setattr(engine, "read_unit", read)
    with pytest.raises(ArgumentError, match="other paths"):
        ck.scan_to_parquet(tmp_path, output, resume=True)
    done: list[Any] = []
    monkeypatch.setattr(engine, "read_unit", lambda *both: done.append(both) or read(*both))
    ck.scan_to_parquet(estate.folder, output, resume=True, **options)
    assert equal(ck.read_inventory(output), undisturbed)
    assert 0 < len(done) < 302 / 7 - 8


def test_two_scans_into_one_file_do_not_mix(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first, second = journal.Journal(tmp_path / "a.parquet"), journal.Journal(tmp_path / "a.parquet")
    first.open(["/x"], AT, resume=False)
    with pytest.raises(FileError, match="another scan"):
        second.open(["/x"], AT, resume=False)
    first.remove()


def test_a_damaged_record_is_done_again(tmp_path: Path) -> None:
    log = journal.Journal(tmp_path / "a.parquet")
    log.open(["/x"], AT, resume=False)
    log.plan([units.Unit((Place(f"/x/{number}", False),)) for number in range(4)])
    assert len([*log.keep([work.Done(b"one", 1), work.Done(b"two", 0), work.Done(b"three", 2)])]) == 3
    rows = log.folder / "rows"
    data = bytearray(rows.read_bytes())
    data[-3] ^= 1
    rows.write_bytes(bytes(data) + b"\0" * 30)
    assert [unit.places[0].path for unit in log.to_do()] == ["/x/2", "/x/3"]
    assert [done.data for done in log.results()] == [b"one", b"two"]
    log.remove()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    estate: ck.Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "all.parquet"
    genuine = Path.open

    def full(self: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        return genuine(
            Path("/dev/full") if self.name == "rows" and "a" in mode else self, mode, *more, **options
        )

    monkeypatch.setattr(Path, "open", full)
    assert main(["scan", str(estate.folder), "-o", str(output)]) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert "No space left" in said
    assert "--resume" in said
    assert not output.exists()


def test_a_worker_that_dies_is_replaced_and_then_its_files_are_rows(tmp_path: Path) -> None:
    unit = units.Unit((Place(str(tmp_path / "a.pem"), True), Place(str(tmp_path / "b.pem"), True)))
    with Crew(AT, Passwords(["secret-word"]), 1) as crew:
        crew.read(unit)
        process = crew._all[0]
        assert "secret-word" not in " ".join(map(str, process.args))
        process.kill()
        process.wait()
        assert [batch.num_rows for batch in work.batches_of(crew.read(unit).data)] == [2]
        crew._mine.process = None
        crew._hello = b"no hello at all"
        rows = [row for batch in work.batches_of(crew.read(unit).data) for row in batch.to_pylist()]
    assert [row["status"] for row in rows] == ["unreadable"] * 2
    assert "worker process ended" in rows[0]["error"]
    assert all(process.poll() is not None for process in crew._all)


@pytest.mark.parametrize("spans", [700, 1500, 5000, 1 << 20])
def test_a_large_bundle_in_spans_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spans: int
) -> None:
    ca = ck.CertificateAuthority("Lab Root")
    pems = [ca.issue(f"host{number}.example.test", usage="server").certificate.pem for number in range(30)]
    pems.insert(7, "a line of text\n")
    pems.insert(20, pems[4].replace("M", "!", 1).replace("-----!", "-----M"))
    path = tmp_path / "all.pem"
    path.write_text("".join(pems))
    whole = ck.scan_inventory(path, at=AT)
    monkeypatch.setattr(units, "BYTES_A_UNIT", 1000)
    monkeypatch.setattr(units, "SPAN", spans)
    assert equal(ck.scan_inventory(path, at=AT, workers=1), whole)
    assert len(whole) == 31


@pytest.mark.parametrize("at", [0, 1, 2, 3, 40, -1])
def test_two_tallies_make_one(undisturbed: pd.DataFrame, at: int) -> None:
    both, whole = Tally(), Tally.of(undisturbed)
    for rows in (undisturbed.iloc[:at], undisturbed.iloc[at:]):
        both.add(Tally.of(rows))
    assert (both.summary, both.soonest, both.unreadable) == (whole.summary, whole.soonest, whole.unreadable)


@contextlib.contextmanager
def cluster(workers: int) -> Iterator[Any]:
    distributed: Any = importlib.import_module("distributed")
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as found:
        yield found


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)
@pytest.mark.usefixtures("small_units")
def test_a_cluster_that_loses_a_worker_loses_and_doubles_nothing(
    estate: ck.Estate, undisturbed: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from certkit.inventory import dask_engine

    options: dict[str, Any] = {"passwords": estate.passwords, "at": AT, "engine": "dask"}
    monkeypatch.setattr(dask_engine, "UNITS_A_PART", 2)
    genuine = dask_engine.in_order
    taken: list[Any] = []
    with cluster(2) as running:
        options["scheduler"] = running.scheduler_address

        def watched(*arguments: Any) -> Iterator[Any]:
            taken.clear()
            for done in genuine(*arguments):
                taken.append(done)
                if len(taken) == 4:  # in the middle, with work under way on every worker
                    os.kill(next(one.pid for one in running.workers.values() if one.pid), signal.SIGKILL)
                yield done

        monkeypatch.setattr(dask_engine, "in_order", watched)
        output = tmp_path / "all.parquet"
        ck.scan_to_parquet(estate.folder, output, **options)
        assert len(taken) > 40
        assert equal(ck.read_inventory(output), undisturbed)

        # The workers write the partitions themselves; only counts come back.
        parts = f"{tmp_path}/parts/"
        tally = ck.scan_to_parquet(estate.folder, parts, **options)
        assert len(taken) > 20
        assert all(isinstance(done, Tally) for done in taken)
        assert equal(ck.read_inventory(parts), undisturbed)
        assert tally.summary == ck.summarize_inventory(undisturbed)
        assert tally.soonest == Tally.of(undisturbed).soonest
        assert [path.name for path in Path(parts).iterdir() if path.suffix != ".parquet"] == []

        # Stopped half-way and resumed: what is there is not read again.
        def stops(*arguments: Any) -> Iterator[Any]:
            for number, done in enumerate(genuine(*arguments)):
                if number == 5:
                    raise KeyboardInterrupt
                yield done

        monkeypatch.setattr(dask_engine, "in_order", stops)
        again = f"{tmp_path}/again/"
        with pytest.raises(KeyboardInterrupt):
            ck.scan_to_parquet(estate.folder, again, **options)
        assert not Path(again).exists()
        monkeypatch.setattr(dask_engine, "in_order", genuine)
        there = len(list((tmp_path / ".again.scan" / "parts").glob("part-*")))
        resumed = ck.scan_to_parquet(estate.folder, again, resume=True, **options)
        assert there >= 5
        assert resumed.summary == tally.summary
        assert equal(ck.read_inventory(again), undisturbed)


def test_calls_that_make_no_sense(tmp_path: Path) -> None:
    for wrong, options in {
        "no such engine": {"engine": "spark"},
        "at least one worker": {"workers": 0},
        "for the Dask engine": {"scheduler": "tcp://127.0.0.1:1"},
        "only a scan into a file": {"resume": True},
        "no time zone": {"at": datetime(2027, 3, 1)},
    }.items():
        with pytest.raises(ArgumentError, match=wrong):
            ck.scan_inventory(tmp_path, **options)  # type: ignore[arg-type]
    with pytest.raises(FileError, match="no such folder"):
        ck.scan_to_parquet(tmp_path, tmp_path / "nowhere" / "all.parquet")
