"""What certkit installs from other people, and under which licence: the table in ``data/third-party.csv``."""

from __future__ import annotations

import csv
import io
import re
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution, metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_COLUMNS = ("package", "version", "licence", "needed_for")
_ELSEWHERE = "only for other systems: see the package"
_LONG = 60


def _python(minor: int) -> dict[str, str]:
    return {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"}


_SYSTEMS = [
    {"sys_platform": platform, "os_name": name, "platform_system": system, **_python(minor)}
    for platform, name, system in (
        ("linux", "posix", "Linux"),
        ("darwin", "posix", "Darwin"),
        ("win32", "nt", "Windows"),
    )
    for minor in range(11, 15)
]


def third_party_csv() -> str:
    """Return the table: every package that certkit needs, directly or not, in this environment.

    Packages that only other systems need (their marker is false here) are named without a licence.

    Examples
    --------
    >>> third_party_csv().splitlines()[0]
    'package,version,licence,needed_for'
    """
    needed = _needed()
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(_COLUMNS)
    for name in sorted(needed):
        try:
            about = metadata(name)
        except PackageNotFoundError:
            table.writerow((name, "", _ELSEWHERE, needed[name]))
            continue
        table.writerow((name, about["Version"], _licence(about), needed[name]))
    return stream.getvalue()


def _needed() -> dict[str, str]:
    """Return canonical name -> "everybody" or the first extra that brings it; breadth first, as pip would."""
    found: dict[str, str] = {}
    extras = ["", *sorted(distribution("certkit").metadata.get_all("Provides-Extra") or [])]
    for extra in extras:
        waiting = [("certkit", frozenset({extra}))]
        seen = set()
        while waiting:
            name, wanted = waiting.pop(0)
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            for requirement in _requirements(name, wanted):
                child = canonicalize_name(requirement.name)
                if child != "certkit":
                    found.setdefault(child, extra or "everybody")
                waiting.append((child, frozenset(requirement.extras) | {""}))
    return found


def _requirements(name: str, extras: frozenset[str]) -> list[Requirement]:
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return []
    return [line for line in map(Requirement, lines) if _wanted(line, extras)]


def _wanted(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Whether one of `extras` asks for it, on this system or on another."""
    if requirement.marker is None:
        return "" in extras
    marker = requirement.marker
    return any(marker.evaluate({"extra": extra, **system}) for extra in extras for system in _SYSTEMS)


def _licence(about: PackageMetadata) -> str:
    """Return the licence as its author wrote it: the SPDX expression, the classifier, or the old free text."""
    if "License-Expression" in about:
        return about["License-Expression"]
    classified = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    if classified:
        return "; ".join(classified)
    text = re.sub(r"\s+", " ", " ".join(about.get_all("License") or [])).strip()
    files = ", ".join(about.get_all("License-File") or [])
    return text[:_LONG] or (f"see its file {files}" if files else "not stated")
