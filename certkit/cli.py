"""The ``certkit`` command: one function a verb, thin over the package.

Exit codes: 0 good; 1 the check or the handshake failed; 2 the input or the call was bad.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from certkit import __version__
from certkit.errors import ArgumentError, CertkitError

__all__ = ["command_parser", "main"]

GOOD, FAILED, BAD = 0, 1, 2
Verb = Callable[[argparse.Namespace], int]

# Verbs with modules of their own; each has add_parsers(subparsers). Only that of the verb in hand is loaded.
_VERB_MODULES: dict[str, tuple[str, ...]] = {
    "certkit._cli_files": ("inspect", "convert"),
    "certkit._cli_bytes": ("decode", "bytes"),
    "certkit._cli_check": ("check",),
    "certkit._cli_explain": ("explain",),
    "certkit._cli_inventory": ("scan", "estate"),
    "certkit._cli_chain": ("chain",),
    "certkit._cli_atlas": ("atlas",),
    "certkit._cli_course": ("course",),
}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error of certkit."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(BAD, f"{self.prog}: {message}; try: {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line without the program's name; ``sys.argv`` by default.

    Examples
    --------
    >>> main(["handshake", "--fault", "expired-leaf", "--quiet"])
    1
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that this terminal cannot write is escaped, as on standard error; nobody's output ends half-way.
        sys.stdout.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if arguments is None else list(arguments)
    parsed = command_parser(words[0] if words else None).parse_args(words)
    verb: Verb = parsed.verb
    try:
        code = verb(parsed)
        sys.stdout.flush()
    except CertkitError as error:
        print(f"certkit: {error}", file=sys.stderr)
        return BAD
    except BrokenPipeError:
        # The reader (head, less) has seen enough; keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        # What was printed goes to a disk that is full; keep Python from trying again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(
            f"certkit: the output cannot be written ({error.strerror}); try: free some space", file=sys.stderr
        )
        return BAD
    except KeyboardInterrupt:
        return 130
    return code


def command_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the command with all its verbs; or, if `only` is a verb, with what that one needs."""
    parser = _Parser(
        prog="certkit", description="A lab where TLS trust is made, broken on purpose, read and repaired."
    )
    parser.add_argument("--version", action="version", version=f"certkit {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True, parser_class=_Parser)

    lab = verbs.add_parser("lab", help="open the notebooks in JupyterLab, on this machine only")
    lab.add_argument("folder", nargs="?", help="where your copy of the notebooks is or will be")
    lab.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    lab.add_argument("--port", type=int, default=8888, help="the port to try first (8888)")
    lab.add_argument("--address", metavar="IP", help="another address than 127.0.0.1 to listen on")
    lab.add_argument(
        "--allow-remote",
        action="store_true",
        help="needed beside an --address that others can reach: with the token they can run programs here",
    )
    lab.add_argument(
        "--apps", action="store_true", help="the labs alone, as one page without cells (needs Voila)"
    )
    lab.add_argument(
        "--measure",
        type=int,
        metavar="LEARNERS",
        help="open nothing; run notebook 03 in so many kernels at once, and say time and memory",
    )
    lab.set_defaults(verb=_lab)

    shake = verbs.add_parser("handshake", help="let a client and a server shake hands, and show both sides")
    shake.add_argument("--two-way", action="store_true", help="the server asks for a client certificate")
    shake.add_argument("--tls", choices=("1.2", "1.3"), default="1.3", help="the TLS version (1.3)")
    shake.add_argument("--fault", metavar="ID", help="what goes wrong: an id from 'certkit faults'")
    shake.add_argument("--quiet", action="store_true", help="print nothing, answer by the exit code")
    shake.add_argument("--json", action="store_true", help="print one JSON object")
    shake.set_defaults(verb=_handshake)

    faults = verbs.add_parser("faults", help="list what can go wrong here, on purpose")
    faults.add_argument("--json", action="store_true", help="print a JSON list")
    faults.set_defaults(verb=_faults)

    wanted = [module for module, names in _VERB_MODULES.items() if only in names]
    for module in wanted or ([] if only in verbs.choices else _VERB_MODULES):
        importlib.import_module(module).add_parsers(verbs)
    return parser


def print_json(value: Any) -> None:
    """Print a value as JSON, readable by people too."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _lab(arguments: argparse.Namespace) -> int:
    if arguments.measure is not None:
        from certkit._learners import measure_learners  # noqa: PLC0415

        measured = measure_learners(arguments.measure)
        print(measured)
        return GOOD if measured.right == measured.learners else FAILED
    if arguments.apps:
        if arguments.address is not None:
            raise ArgumentError(
                "the apps serve this machine only",
                on=arguments.address,
                hint="leave --address out, or use a hub",
            )
        from certkit._apps import start_apps  # noqa: PLC0415

        return start_apps(browser=not arguments.no_browser, port=arguments.port)
    from certkit._lab import start_lab  # noqa: PLC0415 - a verb loads what it needs

    listen = [] if arguments.address is None else [f"--ServerApp.ip={arguments.address}"]
    return start_lab(
        arguments.folder,
        browser=not arguments.no_browser,
        port=arguments.port,
        arguments=listen,
        allow_remote=arguments.allow_remote,
    )


def _handshake(arguments: argparse.Namespace) -> int:
    from certkit.faults import find_fault, good_scenario  # noqa: PLC0415

    fault = None if arguments.fault is None else find_fault(arguments.fault)
    two_way = arguments.two_way or (fault is not None and fault.two_way)
    scenario = good_scenario(two_way=two_way, tls=arguments.tls)
    result = (scenario if fault is None else fault.break_it(scenario)).run()
    if arguments.json:
        print_json({"fault": None if fault is None else fault.id, **result.to_dict()})
    elif not arguments.quiet:
        print(result.text())
        if fault is not None:
            print(f"\n{fault.title}.\nTo repair it: {fault.remedy}")
            if fault.harmless:
                print(
                    f"Harmless here: {fault.harmless}. Other stacks may refuse it: certkit atlas show --fault {fault.id}"
                )
    return GOOD if result.ok else FAILED


def _faults(arguments: argparse.Namespace) -> int:
    from certkit.faults import list_faults  # noqa: PLC0415

    found = list_faults()
    if arguments.json:
        print_json([item.to_dict() for item in found])
        return GOOD
    width = max(len(item.id) for item in found)
    for item in found:
        way = "two-way" if item.two_way else "one-way"
        print(f"{item.id:<{width}}  {way}  {item.title}")
    return GOOD


if __name__ == "__main__":
    sys.exit(main())
