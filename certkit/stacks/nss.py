"""Client stacks that keep their trust in an NSS database: tstclnt, and Chromium."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from certkit._files import write_private
from certkit.certificates import Certificate
from certkit.keystores import load_certificates
from certkit.stacks.call import Answer, Call, CannotDo, Stack, run_program
from certkit.stacks.programs import Program, first_line

__all__ = ["Chromium", "Nss", "make_database"]

_SILENT = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=HttpsUpgrades,OptimizationHints,MediaRouter",
    # It looks up names of its own at the start: none of them leads anywhere here.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
)
_REQUEST = "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"


def make_database(folder: Path, call: Call) -> str:
    """Make an NSS database that trusts the call's roots, and return how programs name it.

    A new one for each call: NSS remembers what it has seen, and a remembered intermediate hides a missing one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"sql:{folder}"
    run_program(["certutil", "-N", "-d", name, "--empty-password"], home=call.folder)
    for number, certificate in enumerate(_anchors(call)):
        path = call.folder / f"anchor-{number}.der"
        path.write_bytes(certificate.der)
        run_program(
            ["certutil", "-A", "-d", name, "-n", f"anchor-{number}", "-t", "C,,", "-i", path],
            home=call.folder,
        )
    return name


def _anchors(call: Call) -> tuple[Certificate, ...]:
    text = call.anchors.read_bytes()
    return load_certificates(text) if text else ()


def _import_key(call: Call, pkcs12: Path, database: str) -> str | Answer:
    """Import the client's key and return its name in the database, or pk12util's refusal."""
    # From a file: a command line can be read by everybody on the machine.
    secret = write_private(call.folder / "pk12.pw", (call.password or "").encode())
    given = ["pk12util", "-i", str(pkcs12), "-d", database, "-K", "", "-w", str(secret)]
    imported = run_program(given, home=call.folder)
    if imported.code != 0:
        return Answer("refused", imported.err.strip() or imported.out.strip(), f"exit {imported.code}")
    listed = run_program(["certutil", "-L", "-d", database], home=call.folder).out
    found = re.search(r"(?m)^(\S.*?)\s+u,u,u\s*$", listed)
    return found[1] if found else Answer("refused", "pk12util imported no key with a certificate")


class Nss(Program):
    """NSS, the library of Firefox, through its test client."""

    name = "nss"
    api = "tstclnt -h HOST -p PORT -d sql:DATABASE"
    package = "libnss3-tools"
    program = "tstclnt"

    def available(self) -> bool:
        """Return whether the tools are on the path."""
        return all(shutil.which(name) is not None for name in ("tstclnt", "certutil", "pk12util"))

    def version(self) -> str:
        """Return the version of the library, where the system says it."""
        found = (
            first_line("dpkg-query", "-W", "-f=${Version}", "libnss3") if shutil.which("dpkg-query") else ""
        )
        return re.sub(r"^\d+:|-.*$", "", found) or "unknown"

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs("tstclnt", proxy=False)
        if call.plain:
            raise CannotDo("tstclnt speaks TLS only")
        if call.file is not None and call.file_format != "pkcs12":
            raise CannotDo("pk12util reads PKCS#12 only")
        database = make_database(call.folder / "nss", call)
        highest = "tls1.2" if call.max_tls == "1.2" else "tls1.3"
        command = [
            "tstclnt",
            "-4",
            "-h",
            call.host,
            "-p",
            str(call.port),
            "-d",
            database,
            "-V",
            f"tls1.0:{highest}",
        ]
        if call.pkcs12 is not None:
            name = _import_key(call, call.pkcs12, database)
            if isinstance(name, Answer):
                return name
            command += ["-n", name, "-w", ""]
        done = run_program(
            command, home=call.folder, send=_REQUEST.format(host=call.host).encode(), until=call.expected
        )
        found_error = re.findall(r"(SSL_ERROR_\w+|SEC_ERROR_\w+|PR_\w+_ERROR)[^\n]*", done.err + done.out)
        lines = [
            line.removeprefix("tstclnt: ")
            for line in done.err.splitlines()
            if "rror" in line or "rejected" in line
        ]
        return self.judge(
            call, done, "; ".join(dict.fromkeys(lines)), found_error[-1] if found_error else None
        )


class Chromium(Stack):
    """Chromium without a window, with a profile that is thrown away."""

    name = "chromium"
    api = "chromium --headless https://HOST:PORT/"
    package = "chromium"

    def _program(self) -> str | None:
        return next((name for name in ("chromium", "google-chrome", "chrome") if shutil.which(name)), None)

    def available(self) -> bool:
        """Return whether a Chromium and certutil are on the path."""
        return self._program() is not None and shutil.which("certutil") is not None

    def version(self) -> str:
        """Return its version."""
        found = re.search(r"\d+(\.\d+)+", first_line(self._program() or "chromium", "--version"))
        return found[0] if found else "unknown"

    def talk(self, call: Call) -> Answer:
        """Make the call."""
        call.needs("Chromium")
        if call.credential is not None or call.file is not None:
            raise CannotDo("without a window nobody can choose a client certificate")
        make_database(call.folder / ".pki" / "nssdb", call)
        command = [
            self._program() or "chromium",
            *_SILENT,
            f"--user-data-dir={call.folder / 'profile'}",
        ]
        command += ["--ssl-version-max=tls1.2"] if call.max_tls == "1.2" else []
        if call.proxy is not None:
            command += [f"--proxy-server={call.proxy}", "--proxy-bypass-list=<-loopback>"]
        else:
            command += ["--no-proxy-server"]
        done = run_program([*command, "--dump-dom", call.url], home=call.folder, seconds=10)
        code = re.search(r"ERR_[A-Z0-9_]+", done.out + done.err)
        return self.judge(call, done, f"net::{code[0]}" if code else "", code[0] if code else None)
