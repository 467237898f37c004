"""Ratios of the inventory, measured in one run: rows, scans, keystores, memory. `make bench` prints them.

CERTKIT_BENCH_ROWS sets how far the memory is followed (100,000 by default; a million takes minutes),
CERTKIT_BENCH_STORES how large the practice estate is, and CERTKIT_BENCH_CSV names a file that keeps the numbers.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from bench.distinct import distinct, pem_of
from bench.noting import note
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import certkit as ck
from certkit.formats.jks_write import write_jks
from certkit.formats.writing import Outgoing
from certkit.inventory.fast import usual_fields
from certkit.inventory.fields import read_fields

STORES = int(os.environ.get("CERTKIT_BENCH_STORES", "2000"))
ROWS = int(os.environ.get("CERTKIT_BENCH_ROWS", "100000"))
FILES = 100_000
GO = """package main
import ("bufio";"crypto/sha256";"crypto/x509";"encoding/binary";"fmt";"io";"os";"syscall")
func cpu() int64 { var r syscall.Rusage; syscall.Getrusage(syscall.RUSAGE_SELF, &r)
  return (r.Utime.Sec+r.Stime.Sec)*1000000 + int64(r.Utime.Usec+r.Stime.Usec) }
func main() {
  f, _ := os.Open(os.Args[1]); r := bufio.NewReader(f); var all [][]byte
  for { var n uint32; if binary.Read(r, binary.BigEndian, &n) != nil { break }
    b := make([]byte, n); io.ReadFull(r, b); all = append(all, b) }
  for round := 0; round < 3; round++ { t := cpu(); l := 0
    for _, b := range all { c, e := x509.ParseCertificate(b); if e != nil { panic(e) }
      s := sha256.Sum256(b); k := sha256.Sum256(c.RawSubjectPublicKeyInfo)
      l += len(c.Subject.String()) + len(c.Issuer.String()) + len(c.SerialNumber.Text(16)) + len(c.DNSNames) +
        len(fmt.Sprintf("%x%x%x%x", s, k, c.SubjectKeyId, c.AuthorityKeyId)) }
    fmt.Println(float64(cpu()-t) / float64(len(all))) } }
"""


@pytest.fixture(scope="module")
def ders() -> list[bytes]:
    return list(distinct(4000))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def straightforward(certificate: x509.Certificate) -> tuple[Any, ...]:
    """Return the same row the way one would write it: through cryptography's objects."""
    extensions = certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    key: Any = certificate.public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    return (
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        f"{certificate.serial_number:x}",
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        [str(name.value) for name in names],
        type(key).__name__,
        key.key_size,
        certificate.signature_algorithm_oid._name,
        certificate.fingerprint(hashes.SHA256()).hex(),
        digest.finalize().hex(),
        extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex(),
        extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier.hex(),  # type: ignore[union-attr]
        extensions.get_extension_for_class(x509.BasicConstraints).value.ca,
    )


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def each(function: Callable[[bytes], object], ders: list[bytes]) -> Callable[[], None]:
    def work() -> None:
        for der in ders:
            function(der)

    return work


def test_a_row(ders: list[bytes]) -> None:
    rounds = [
        (
            cpu(each(read_fields, ders)),
            cpu(each(lambda der: straightforward(x509.load_der_x509_certificate(der)), ders)),
        )
        for _ in range(7)
    ]
    ours, theirs = (statistics.median(values) / len(ders) * 1e6 for values in zip(*rounds, strict=True))
    note("a row, nine extensions, CPU", ours, "µs", "<= 40")
    note("the same row through cryptography's objects, CPU", theirs, "µs")
    note("a row, faster than through cryptography's objects", theirs / ours, "times", ">= 6")
    roots = [item.der for path in ck.system_stores() for item in ck.load_certificates(path)]
    if roots:
        once, naive = (
            cpu(each(read_fields, roots)),
            cpu(each(lambda der: ck.Certificate.from_der(der).explain(), roots)),
        )
        note(f"a row of {len(roots)} real roots, CPU", once / len(roots) * 1e6, "µs")
        note("the same roots explained in full, CPU", naive / len(roots) * 1e6, "µs")


@pytest.mark.skipif(not shutil.which("go"), reason="no Go here")
def test_a_row_in_go(ders: list[bytes], folder: Path) -> None:
    source, data = folder / "row.go", folder / "ders.bin"
    source.write_text(GO)
    data.write_bytes(b"".join(len(der).to_bytes(4) + der for der in ders))
    env = {**os.environ, "GOCACHE": str(folder / "gocache"), "GOFLAGS": "-mod=mod", "GO111MODULE": "off"}
    subprocess.run(["go", "build", "-o", folder / "row", source], check=True, env=env)
    said = subprocess.run([folder / "row", data], check=True, capture_output=True, text=True).stdout
    go = statistics.median(float(line) for line in said.split())
    ours = statistics.median(cpu(each(usual_fields, ders)) for _ in range(5)) / len(ders) * 1e6
    note("a row, faster than Go's parser and strings", go / ours, "times")


def children_cpu(command: list[str]) -> float:
    """Return the CPU seconds of a program, start and all."""
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


@pytest.mark.skipif(not shutil.which("keytool"), reason="no keytool here")
def test_a_jks_of_ten_thousand(folder: Path) -> None:
    """Twice: whole programs with their start, and both without it: keytool's is what a store of one entry takes."""
    large, small = folder / "large.jks", folder / "small.jks"
    for path, number in ((large, 10_000), (small, 1)):
        entries = [
            Outgoing(f"host{index}", (der,), trusted=True) for index, der in enumerate(distinct(number))
        ]
        path.write_bytes(write_jks(entries, "changeit"))
    (folder / "passwords").write_text("changeit\n")
    ck.scan_inventory(large, workers=1)
    ours = {
        "without their start": statistics.median(
            cpu(lambda: ck.scan_inventory(large, passwords=["changeit"], workers=1)) for _ in range(3)
        ),
        "whole programs": children_cpu(
            [sys.executable, "-m", "certkit", "scan", "--passwords", str(folder / "passwords"), str(large)]
        ),
    }
    listing = ["keytool", "-list", "-storepass", "changeit", "-keystore"]
    whole, start = (children_cpu([*listing, str(path)]) for path in (large, small))
    theirs = {"without their start": whole - start, "whole programs": whole}
    for name, seconds in ours.items():
        note(f"JKS of 10,000, {name}, CPU", seconds, "s")
        note(f"JKS of 10,000, {name}, less CPU than keytool -list", theirs[name] / seconds, "times", ">= 30")


SCAN = """
import json, resource, sys, time
import certkit as ck
import pyarrow.parquet, numpy
start, began = time.perf_counter(), time.process_time()
tally = ck.scan_to_parquet(sys.argv[1], sys.argv[2], workers=int(sys.argv[3]))
seconds = time.perf_counter() - start
peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
if sys.platform == "linux":  # what getrusage says of itself is at least what the starting process had
    peaks[0] = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(item.ru_utime + item.ru_stime for item in used) - began
print(json.dumps([seconds, cpu, peaks, tally.summary.rows]))
"""
STRAIGHTFORWARD = """
import sys, time
from pathlib import Path
import pandas as pd
from cryptography import x509
sys.path.insert(0, sys.argv[2])
from bench.bench_inventory import straightforward
start = time.process_time()
paths = [path for path in Path(sys.argv[1]).rglob("*") if path.is_file()]
rows = [
    straightforward(cert) for path in paths for cert in x509.load_pem_x509_certificates(path.read_bytes())
]
frame = pd.DataFrame(rows)
print(time.process_time() - start)
"""


def scan(source: Path, folder: Path, workers: int) -> tuple[float, float, list[float], int]:
    """Return seconds, CPU seconds, peak memory in MB of the process and of its largest child, and rows; in a fresh process.

    The CPU seconds hold the start of the workers too. On a busy machine they say more than the clock.
    """
    output = folder / "all.parquet"
    done = subprocess.run(
        [sys.executable, "-c", SCAN, str(source), str(output), str(workers)],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, used, peaks, rows = json.loads(done.stdout)
    return seconds, used, [peak / 1024 for peak in peaks], rows


def pace(source: Path, folder: Path, what: str, goal: str) -> float:
    """Print how fast a folder is scanned by one process and by one a core; return the rows a CPU second of the latter."""
    scan(source, folder, 1)
    clock = {}
    for workers in (1, os.cpu_count() or 1):
        seconds, used, peaks, rows = scan(source, folder, workers)
        clock[workers] = rows / seconds
        note(
            f"{rows:,} {what}, {workers} processes, by the clock",
            rows / seconds,
            "rows/s",
            f">= {goal}" if workers == 2 else "",
        )
        note(f"{rows:,} {what}, {workers} processes", rows / used, "rows per CPU second")
        note(f"{rows:,} {what}, {workers} processes, memory of the first", peaks[0], "MB", "<= 300")
    note(f"{what}: one process a core, faster than one", rows / seconds / clock[1], "times")
    return rows / used


def test_a_scan_of_files(folder: Path) -> None:
    source = folder / "files"
    for number, der in enumerate(distinct(FILES)):
        path = source / f"{number // 200:04}" / f"host{number}.pem"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"host {number}\n{pem_of(der)}")
    rows = pace(source, folder, "files, each with its own certificate", "25,000")
    command = [sys.executable, "-c", STRAIGHTFORWARD, str(source), str(Path(__file__).parent.parent)]
    plain = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    note("files: more rows per CPU second than the straightforward way", rows * plain / FILES, "times")


def test_a_scan_of_bundles(folder: Path) -> None:
    source = folder / "bundles"
    source.mkdir()
    pems = map(pem_of, distinct(FILES))
    for number in range(FILES // 2000):
        (source / f"{number}.pem").write_text("".join(islice(pems, 2000)))
    pace(source, folder, "rows from bundles, all different", "40,000")


def test_memory_stays_flat(folder: Path) -> None:
    text = "".join(map(pem_of, distinct(4000)))
    for size in (10_000, 100_000, 1_000_000):
        if size > ROWS:
            break
        source = folder / f"bundles{size}"
        source.mkdir()
        for number in range(size // 4000 + 1):
            (source / f"{number}.pem").write_text(f"# {number}\n{text}")
        seconds, used, peaks, rows = scan(source, folder, os.cpu_count() or 1)
        parquet = (folder / "all.parquet").stat().st_size / rows
        what = f"{rows:,} rows of 4,000 certificates to Parquet"
        note(f"{what}, by the clock", rows / seconds, "rows/s")
        note(what, rows / used, "rows per CPU second")
        note(f"{what}, memory of the first process", peaks[0], "MB", "<= 300")
        note(f"{what}, memory of the largest worker", peaks[1], "MB", "<= 300")
        note(f"{what}, size", parquet, "B a row")
        if size == 10_000:
            in_memory("every certificate once", ck.scan_inventory(source / "0.pem"))
            in_memory("each in three places", ck.read_inventory(folder / "all.parquet"))
        shutil.rmtree(source)


def in_memory(what: str, frame: pd.DataFrame) -> None:
    packed = frame.memory_usage(deep=True).sum() / len(frame)
    plain = sum(pa.array(frame[column]).nbytes for column in frame) / len(frame)
    note(f"in memory, {what}", packed, "B a row", "<= 350")
    note(f"in memory, {what}, if it were not packed", plain, "B a row")


def test_a_practice_estate(folder: Path) -> None:
    start = time.perf_counter()
    made = ck.make_estate(folder / "acme", STORES, seed="bench")
    note(f"an estate of {STORES:,} stores, made", time.perf_counter() - start, "s", "<= 60")
    took = cpu(lambda: ck.scan_inventory(made.folder, passwords=made.passwords, workers=1))
    note(f"an estate of {STORES:,} stores, scanned, CPU", took, "s")
