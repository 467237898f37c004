"""What a user does with certkit, in a process of its own: ``survival_flow.py FOLDER PART…``.

Prints one JSON object: for each step, its exit code or the error's type and words, and what was printed. It makes its own
files in FOLDER and cleans nothing up, so that whoever calls it sees what is left.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
NAME = "orders.example.test"


class Outcome(dict):  # type: ignore[type-arg]
    """Step -> what came of it."""

    def step(self, name: str, do: Callable[[], object]) -> None:
        """Do one step; keep its value and what it printed, or how it ended."""
        out, err = (
            io.TextIOWrapper(io.BytesIO(), "utf-8"),
            io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace"),
        )
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code: object = do()
            except SystemExit as end:
                code = end.code
            except Exception as error:
                code = f"{type(error).__name__}: {error}"
                traceback.print_exc()
        out.flush(), err.flush()
        said = [stream.buffer.getvalue().decode("utf-8", "replace") for stream in (out, err)]
        self[name] = {"code": code, "out": said[0], "err": said[1]}


def files(folder: Path) -> None:
    """Write what a learner would have: a chain with its key, a truststore, and one that is broken."""
    import certkit as ck

    ca = ck.CertificateAuthority("Orders Root CA").intermediate("Orders Issuing CA")
    shop = ca.issue(NAME, usage="server")
    ck.save_keystore(folder / "shop.pem", shop.chain)
    ck.save_keystore(folder / "shop.p12", {"shop": shop}, "changeit")
    ck.save_keystore(folder / "shop.jks", {"shop": shop}, "changeit")
    ck.save_keystore(folder / "trust.pem", ca.trust_store)
    (folder / "password.txt").write_text("changeit\n")


def commands(outcome: Outcome, folder: Path, *, scan: bool) -> None:
    """Run the commands as a user types them, in the folder."""
    from certkit.cli import main

    before = Path.cwd()
    os.chdir(folder)
    secret = ["--password-file", "password.txt"]
    lines = {
        "inspect": ["inspect", "shop.pem", "shop.p12", "shop.jks", *secret],
        "bytes": ["bytes", "shop.pem", "--explain"],
        "convert": ["convert", "shop.p12", "new.jks", "--force", *secret],
        "chain": ["chain", "shop.pem", "--anchors", "trust.pem", "--host", NAME, "--no-java"],
        "explain": [
            "explain",
            "PKIX path building failed: unable to find valid certification path to requested target",
        ],
        "page": ["explain", "alert certificate_expired", "--html", "page.html"],
        "handshake": ["handshake", "--fault", "expired-leaf"],
        "missing": ["inspect", "no-such.pem"],
    }
    if scan:
        lines["scan"] = ["scan", "shop.pem", "shop.p12", "--output", "all.csv", "--workers", "1"]
    for name, line in lines.items():
        outcome.step(name, lambda line=line: main(line))
    os.chdir(before)


def check(outcome: Outcome, folder: Path) -> None:
    """Serve with the chain, and look at the server."""
    import certkit as ck
    from certkit.cli import main

    trust = str(folder / "trust.pem")
    security = ck.ServerConfig(
        ck.load_keystore(folder / "shop.p12", "changeit").credential(password="changeit")
    )
    with ck.UserService(security) as service:
        address = f"127.0.0.1:{service.port}"
        outcome.step("check", lambda: main(["check", address, "--anchors", trust, "--name", NAME]))
        client = ck.ClientConfig(ck.load_keystore(trust).trust_store(), host=NAME)
        outcome.step("call", lambda: ck.call_update_user(service.url, "u-1001", "Inactive", client).ok)
        outcome.step("log", lambda: [item.outcome for item in service.log])


def elsewhere(outcome: Outcome, folder: Path) -> None:
    """Look at a server of somebody else: only where there is no network to reach it by."""
    from certkit.cli import main

    line = ["check", "shop.example.com:443", "--anchors", str(folder / "trust.pem"), "--step", "2"]
    outcome.step("elsewhere", lambda: main(line))


def _cells(name: str) -> Iterator[str]:
    for cell in json.loads(next(NOTEBOOKS.glob(f"{name}-*.ipynb")).read_text("utf-8"))["cells"]:
        tags = cell["metadata"].get("tags", ())
        if cell["cell_type"] == "code" and "exercise" not in tags:
            yield "".join(cell["source"])


def notebook(outcome: Outcome, name: str) -> None:
    """Run a notebook's cells and show each value, as JupyterLab would ask it to."""
    space: dict[str, object] = {}
    for number, source in enumerate(_cells(name)):
        outcome.step(f"{name}/{number}", lambda source=source: _run(source, space))


def _run(source: str, space: dict[str, object]) -> str:
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), space)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), space)
        show = getattr(value, "_repr_html_", None)
        repr(value), show() if show is not None else None
    return "ran"


def java(outcome: Outcome, folder: Path) -> None:
    """Ask the real Java about the files, its own tool included."""
    import certkit as ck

    if ck.java_available():
        secret = {"-storepass": "changeit"}
        outcome.step("java", lambda: ck.java_keystore(folder / "shop.jks", "changeit").ok)
        outcome.step(
            "keytool",
            lambda: "shop" in ck.keytool("-list", "-keystore", folder / "shop.p12", passwords=secret),
        )


def main(folder: Path, parts: list[str]) -> Outcome:
    """Do the parts that are asked for."""
    outcome = Outcome()
    if "files" in parts:
        outcome.step("files", lambda: files(folder))
    if "commands" in parts:
        commands(outcome, folder, scan="scan" in parts)
    if "check" in parts:
        outcome.step("service", lambda: check(outcome, folder))
    if "elsewhere" in parts:
        elsewhere(outcome, folder)
    if "java" in parts:
        java(outcome, folder)
    for part in parts:
        if part.isdigit():
            notebook(outcome, part)
    return outcome


if __name__ == "__main__":
    exec(os.environ.get("SURVIVAL_FIRST", ""))
    result = json.dumps(main(Path(sys.argv[1]), sys.argv[2:]), default=str)
    sys.stdout.buffer.write(result.encode() + b"\n")
