"""Faults of the machine, survived: the same day of a user on a machine that is broken in one way.

`survival_flow.py` is the day: files made, commands typed, a service looked at, Java asked, two notebooks run. Here it runs on a
full disk, without a home, without a network, under a wrong clock and in other locales; what goes on goes on, and what cannot
says so in a line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

FLOW = Path(__file__).with_name("survival_flow.py")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="namespaces, /dev/full and LD_PRELOAD are Linux's")
EVERYTHING = ("files", "commands", "scan", "check", "java", "00")
CODES = {"handshake": 1, "missing": 2, "elsewhere": 1, "files": None, "log": None, "service": None}
YEAR = 365 * 86_400


def day(
    folder: Path,
    *parts: str,
    env: Mapping[str, str | None] | None = None,
    within: tuple[str, ...] = (),
) -> dict[str, dict[str, Any]]:
    """Run the day of a user in `folder`; `within` is a command to run it by, None in `env` takes a variable away."""
    variables = {**os.environ, "PYTHONWARNINGS": "error::UserWarning", **(env or {})}
    done = subprocess.run(
        [*within, sys.executable, str(FLOW), str(folder), *(parts or EVERYTHING)],
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
    return json.loads(done.stdout)


def went_on(outcome: Mapping[str, Mapping[str, Any]], **other: object) -> None:
    """Assert that each step came to its usual end, or to the one named."""
    wanted = {**CODES, **other}
    for name, step in outcome.items():
        expected = wanted.get(name, "ran" if "/" in name else 0)
        if name in {"call", "java", "keytool"} and name not in other:
            expected = True
        if expected is not None:
            assert step["code"] == expected, f"{name}: {step}"
        assert "Traceback" not in step["err"], f"{name}: {step['err']}"


def test_a_good_day(tmp_path: Path) -> None:
    """Nothing is wrong: what the other tests compare with, and a longer notebook."""
    outcome = day(tmp_path, "files", "check", "03")
    went_on(outcome)
    assert "updated" in outcome["log"]["code"]


# Names, languages, places --------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="other letters are forbidden there")
def test_a_path_with_spaces_and_letters_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "мои файлы ß 键 'x' \"y\" $HOME"
    folder.mkdir()
    went_on(day(folder))


def test_a_bare_c_locale(tmp_path: Path) -> None:
    variables = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    went_on(day(tmp_path, "files", "commands", "java", "00", env=variables))


def test_an_output_that_can_write_no_other_letters(tmp_path: Path) -> None:
    """A pipe in ASCII, as in old cron jobs: what it cannot take is escaped, and nothing is lost."""
    day(tmp_path, "files")
    done = subprocess.run(
        [sys.executable, "-m", "certkit.cli", "inspect", "shop.pem", "--explain"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()


@pytest.fixture
def turkish(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of a Turkish locale: an installed one, or one that is made here."""
    for name in ("tr_TR.UTF-8", "tr_TR.utf8"):
        code = f"import locale; locale.setlocale(locale.LC_ALL, {name!r})"
        if subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0:
            return {"LC_ALL": name}
    folder = tmp_path_factory.mktemp("locales")
    command = ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(folder / "tr_TR.UTF-8")]
    if (
        shutil.which("localedef") is None
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        pytest.skip("no Turkish locale is installed here, and its source is not there to make one from")
    return {"LC_ALL": "tr_TR.UTF-8", "LOCPATH": str(folder)}


def test_a_turkish_locale(tmp_path: Path, turkish: dict[str, str]) -> None:
    """Where the capital of "i" is not "I", and a half is 0,5: Java lower-cases by it."""
    variables = {
        **turkish,
        "PYTHONUTF8": "0",
        "SURVIVAL_FIRST": "import locale; locale.setlocale(locale.LC_ALL, '')",
    }
    went_on(day(tmp_path, "files", "commands", "scan", "check", "java", "00", env=variables))


# Homes and disks -----------------------------------------------------------------------------------

NOBODY = """
import pwd
def _unknown(_):
    raise KeyError("no such user")
pwd.getpwuid = _unknown
"""


@pytest.mark.skipif(sys.platform == "win32", reason="users are kept elsewhere there")
def test_no_home(tmp_path: Path) -> None:
    """A user in a container: no HOME, and no entry in the list of users."""
    variables = {"HOME": None, "XDG_CACHE_HOME": None, "SURVIVAL_FIRST": NOBODY}
    went_on(day(tmp_path, env=variables))


def _may_mount() -> bool:
    return _mounting() is not None


def _mounting() -> list[str] | None:
    """Return the command that gives a shell mounts of its own, or None where that is not allowed."""
    for options in (["-m"], ["-rm"]):
        command = ["unshare", *options, "sh", "-c"]
        try:
            script = "mount -t tmpfs -o size=64k none /mnt"
            if subprocess.run([*command, script], capture_output=True, check=False).returncode == 0:
                return command
        except OSError:
            return None
    return None


def _with_mounts(script: str) -> tuple[str, ...]:
    """Return a prefix that runs a command after `script`, which mounts."""
    command = _mounting() if sys.platform == "linux" else None
    if command is None:
        pytest.skip("mounting is not allowed here: neither as root nor in a namespace of one's own")
    return (*command, f'{script} && exec "$@"', "sh")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    sealed = _with_mounts(f"mount -o bind '{home}' '{home}' && mount -o remount,ro,bind '{home}'")
    code = "import certkit as ck; ck.check('0.1', True); print('note:', ck.current_progress().note)"
    variables = {"HOME": str(home), "MPLCONFIGDIR": None, "XDG_CACHE_HOME": None, "CERTKIT_HOME": None}
    went_on(day(work, "files", "scan", "java", "00", env=variables, within=sealed))
    env = {name: value for name, value in {**os.environ, **variables}.items() if value is not None}
    done = subprocess.run(
        [*sealed, sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "note: kept in memory only" in done.stdout, "progress is not lost without a word"
    assert list(home.iterdir()) == []


WRITING = {
    "convert": ["convert", "{from}/shop.p12", "out.jks"],
    "page": ["explain", "alert certificate_expired", "--html", "page.html"],
    "scan": ["scan", "{from}/shop.pem", "--output", "all.csv", "--workers", "1"],
    "parquet": ["scan", "{from}/shop.pem", "--output", "all.parquet", "--workers", "1"],
    "estate": ["estate", "estate", "--stores", "10"],
    "lab": ["lab", "series", "--no-browser"],
}


@pytest.mark.parametrize("verb", WRITING)
def test_a_full_disk(verb: str, tmp_path: Path) -> None:
    """A disk without a free byte: one line that says so, and no half file left."""
    source, disk = tmp_path / "source", tmp_path / "disk"
    source.mkdir()
    disk.mkdir()
    day(source, "files")
    full = _with_mounts(
        f"mount -t tmpfs -o size=64k none '{disk}' && cd '{disk}' && "
        f"{{ cat /dev/zero > fill 2>/dev/null; ls -A > '{tmp_path}/before'; true; }}"
    )
    command = [
        sys.executable,
        "-m",
        "certkit.cli",
        *(item.format(**{"from": source}) for item in WRITING[verb]),
    ]
    script = ["sh", "-c", f"\"$@\"; code=$?; ls -A > '{tmp_path}/after'; exit $code", "sh"]
    done = subprocess.run(
        [*full, *script, *command],
        env={**os.environ, "CERTKIT_PASSWORD": "changeit"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("certkit: "), done.stderr
    left = set((tmp_path / "after").read_text().split()) - set((tmp_path / "before").read_text().split())
    assert not {name for name in left if "." in name}, "a half file was left"


@LINUX
@pytest.mark.parametrize(
    "line", [["faults", "--json"], ["inspect", "shop.pem", "--explain"], ["explain", "alert 46"]]
)
def test_an_output_on_a_full_disk(line: list[str], tmp_path: Path) -> None:
    day(tmp_path, "files")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "certkit.cli", *line],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 2
    assert (
        done.stderr.decode()
        == "certkit: the output cannot be written (No space left on device); try: free some space\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size there")
def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """Without the right to mount: a quota, which is a limit of each file's size here."""
    day(tmp_path, "files")
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500));"
        "from certkit.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "convert", "shop.p12", "out.jks"],
        env={**os.environ, "CERTKIT_PASSWORD": "changeit"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be written (File too large): out.jks; try: check the folder, the free space" in done.stderr
    assert not list(tmp_path.glob("*out.jks*")), "a half file was left"


# Network and clock ---------------------------------------------------------------------------------


def test_no_network(tmp_path: Path) -> None:
    """Nothing but loopback, not even a resolver: the lab goes on, and another host's name is not known."""
    for options in (["-n"], ["-rn"]):
        alone = ("unshare", *options, "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
        try:
            allowed = subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0
        except OSError:
            allowed = False
        if allowed:
            break
    else:
        pytest.skip("a network namespace of one's own is not allowed here, or there is no ip")
    outcome = day(tmp_path, "files", "commands", "check", "elsewhere", "java", within=alone)
    went_on(outcome)
    assert "name is not known" in outcome["elsewhere"]["out"]


@pytest.fixture(scope="module")
def wrong_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("a wrong clock is made with a C compiler, on Linux")
    made = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return made


def test_a_clock_that_is_three_years_behind(tmp_path: Path, wrong_clock: Path) -> None:
    """What the lab makes is good by the lab's clock; what came from elsewhere is not valid yet, and the clock is named."""
    behind = {"LD_PRELOAD": str(wrong_clock), "CLOCK_OFFSET": str(-3 * YEAR)}
    went_on(day(tmp_path, "files", "check", "java", "00", env=behind))
    day(tmp_path, "files")  # made by the right clock
    outcome = day(tmp_path, "commands", "scan", "check", env=behind)
    went_on(outcome, chain=1, check=1, call=False)
    for step in ("chain", "check"):
        assert "or this clock is behind" in outcome[step]["out"]
    assert "not-yet-valid" in outcome["scan"]["out"]


def test_a_clock_that_is_set_back_under_way(tmp_path: Path, wrong_clock: Path) -> None:
    """While a service runs, the clock goes back by a day: what waits goes on waiting as long as it should, and no longer."""
    code = """
import sys, time
from pathlib import Path
import certkit as ck
ca = ck.CertificateAuthority("Orders Root CA")
old = ck.ServerConfig(ca.issue("orders.example.test", usage="server"))
client = ck.ClientConfig(ca.trust_store, host="orders.example.test")
with ck.UserService(old) as service, ck.SilentPort() as silent:
    assert ck.call_update_user(service.url, "u-1001", "Inactive", client).ok
    before = time.time()
    Path(sys.argv[1]).touch()
    assert time.time() < before - 80_000, "the clock went back"
    refused = ck.call_update_user(service.url, "u-1001", "Active", client)
    assert refused.cause == "not-yet-valid-or-clock", refused
    waited = ck.call_update_user(f"http://127.0.0.1:{silent.port}/users", "u-1001", "Active", timeout=0.5)
    assert waited.cause == "dns-or-network", waited
    assert [item.outcome for item in service.log]
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "now")],
        env={
            **os.environ,
            "LD_PRELOAD": str(wrong_clock),
            "CLOCK_OFFSET": "-86400",
            "CLOCK_WHEN": str(tmp_path / "now"),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# Libraries -----------------------------------------------------------------------------------------

DEAF = """
import ssl
from certkit.handshakes import _recording
_recording.HAS_MESSAGE_CALLBACK = False
ssl.SSLContext._msg_callback = property()  # whoever sets it all the same is stopped
"""


def test_a_python_without_the_message_callback(tmp_path: Path) -> None:
    """Handshakes are read off the wire: each says what it cannot show, and nothing else changes."""
    outcome = day(tmp_path, "files", "commands", "check", "00", "03", env={"SURVIVAL_FIRST": DEAF})
    lesson = {name: outcome.pop(name) for name in list(outcome) if name.startswith("03/")}
    went_on(outcome)
    assert "encrypted: this Python cannot show what is inside" in outcome["handshake"]["out"]
    closed = [step["code"] for step in lesson.values() if step["code"] != "ran"]
    assert any(
        "this Python has no message callback, so what is encrypted stays closed" in code for code in closed
    )


def test_no_cause_is_made_up_where_messages_cannot_be_seen() -> None:
    """Every fault in TLS 1.3, where the certificates cross unseen: the cause that is seen with the callback, or none."""
    code = (
        "import json\nimport certkit as ck\n"
        # In abrupt-close an alert overtakes a reset, or does not; it has nothing to do with us.
        "faults = [fault for fault in ck.list_faults() if fault.id != 'abrupt-close']\n"
        "def causes(): return {fault.id: fault.run('1.3').cause for fault in faults}\n"
        f"seen = causes()\n{DEAF}\nprint(json.dumps([seen, causes()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen, unseen = json.loads(done.stdout)
    assert {
        name: (seen[name], cause) for name, cause in unseen.items() if cause not in {seen[name], None}
    } == {}
    told = [name for name, cause in unseen.items() if cause is not None]
    assert len(told) > 0.9 * len([name for name, cause in seen.items() if cause is not None]), "most are told"


@pytest.mark.parametrize("level", range(4))
def test_openssl_at_each_security_level(level: int, tmp_path: Path) -> None:
    """What a distribution or an administrator sets for everybody: our own handshakes say what level they want."""
    conf = tmp_path / "openssl.cnf"
    conf.write_text(
        "openssl_conf = all\n[all]\nssl_conf = tls\n[tls]\nsystem_default = every\n[every]\n"
        f"CipherString = DEFAULT@SECLEVEL={level}\n"
    )
    outcome = day(tmp_path, "files", "check", "00", env={"OPENSSL_CONF": str(conf)})
    went_on(outcome)
