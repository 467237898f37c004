"""The course: judged by doing, a miss that helps, hints, solutions, and progress that survives."""

import base64
import json
import re
import runpy
from html import unescape
from pathlib import Path

import pytest

import certkit as ck
from certkit.errors import ArgumentError, CertkitError, CheckFailed
from certkit.lessons import EXERCISES
from certkit.lessons.exercise import Result, check, hint, solution
from certkit.lessons.fixtures import _MATERIAL
from certkit.lessons.progress import Progress, overview

WRONG = runpy.run_path(str(Path(__file__).with_name("lessons_wrong.py")))["WRONG"]


@pytest.fixture
def book(tmp_path: Path) -> Progress:
    return Progress.load(tmp_path / "progress.json")


@pytest.mark.parametrize("number", EXERCISES)
def test_untouched_is_no_mistake(number: str, book: Progress) -> None:
    result = check(number, ..., progress=book)
    assert result.state == "not tried yet"
    assert not book.entries
    assert result.text == EXERCISES[number].question


@pytest.mark.parametrize("number", EXERCISES)
@pytest.mark.parametrize("nonsense", [object(), 17, "nonsense", [], b"\x00", {"a": 1}, (1, 2)])
def test_nonsense_is_a_miss_that_helps(number: str, nonsense: object, book: Progress) -> None:
    result = check(number, nonsense, progress=book)
    assert result.state == "not yet"
    assert "Tested: " in result.text
    assert "Where to look: " in result.text


@pytest.mark.parametrize("number", EXERCISES)
def test_the_solution_is_right(number: str, book: Progress) -> None:
    code = EXERCISES[number].answer
    seen: list[Result] = []

    class Kit:
        """certkit, with the checks noted."""

        def __getattr__(self, name: str) -> object:
            return getattr(ck, name)

        def check(self, *arguments: object) -> Result:
            seen.append(check(*arguments, progress=book))  # type: ignore[arg-type]
            return seen[-1]

    exec(compile(code, f"solution {number}", "exec"), {"ck": Kit()})
    assert [result.state for result in seen] == ["right"], seen
    assert book.solved(number)


def server(*names: str, usage: str = "server") -> tuple[ck.Credential, ck.TrustStore]:
    ca = ck.CertificateAuthority("Mine")
    return ca.issue(*names, usage=usage), ca.trust_store


@pytest.mark.parametrize(("number", "wrong", "found"), WRONG)
def test_wrong_answers_are_refused_with_what_was_found(
    number: str, wrong: str, found: str, book: Progress
) -> None:
    material = ck.fixture(number) if has_fixture(number) else None
    names = {
        "ck": ck,
        "f": material,
        "_server": server,
        "_base64": lambda data: base64.b64encode(data).decode(),
    }
    result = check(number, eval(wrong, names), progress=book)
    assert result.state == "not yet"
    assert found in result.text
    assert result.finding is not None
    assert result.finding.look
    assert not book.solved(number)


def has_fixture(number: str) -> bool:
    return number in _MATERIAL


def test_every_exercise_has_a_wrong_answer_that_is_tried() -> None:
    assert {number for number, _, _ in WRONG} == set(EXERCISES)


@pytest.mark.parametrize("notebook", ["00", "01", "02", "03", "04", "05", "06"])
def test_every_notebook_has_six_exercises_on_three_levels(notebook: str) -> None:
    tasks = [task for task in EXERCISES.values() if task.notebook == notebook]
    assert len(tasks) >= 6
    assert {task.level for task in tasks} == {"predict", "change", "case"}
    numbers = sorted(int(task.id.partition(".")[2]) for task in tasks)
    assert numbers == list(range(1, len(tasks) + 1))
    assert all(len(task.hints) == 3 for task in tasks)


def test_a_miss_does_not_give_the_answer_away() -> None:
    # The choices of a question may be named in it; what is found must not name the right one.
    for number, wrong, _ in WRONG:
        right = re.search(r'ck\.check\("[\d.]+", "([^"]+)"\)', EXERCISES[number].answer)
        if right is None or not wrong.startswith('"') or "none of" in wrong:
            continue
        finding = check(number, eval(wrong, {}), progress=Progress()).finding
        assert finding is not None
        assert right[1].lower() not in f"{finding.found} {finding.look}".lower().replace(wrong.lower(), ""), (
            number
        )


@pytest.mark.parametrize("number", sorted(_MATERIAL))
def test_a_fixture_is_the_same_each_time_and_shows_itself(number: str, tmp_path: Path) -> None:
    first, again = ck.fixture(number), ck.fixture(number)
    assert first.number == number
    assert list(first.files) == list(again.files)
    # A sealed keystore has fresh salt each time; what is in it is the same.
    same = [name for name in first.parts if name != "mail"]
    assert [repr(first.parts[name]) for name in same] == [repr(again.parts[name]) for name in same]
    assert len(first._repr_html_()) < 10_000
    assert "PRIVATE" not in first._repr_html_() + repr(first)
    folder = first.write(tmp_path / "given")
    assert {path.name for path in folder.iterdir()} == set(first.files)
    assert number in EXERCISES
    assert f'ck.fixture("{number}")' in EXERCISES[number].question


def test_a_fixture_says_what_it_has() -> None:
    with pytest.raises(ArgumentError, match="no fixture"):
        ck.fixture("3.2")
    with pytest.raises(AttributeError, match="it has server, mailed, root"):
        _ = ck.fixture("3.3").client


def test_hints_climb_and_the_solution_opens_after_three_tries(book: Progress) -> None:
    ladder = [hint("3.2", progress=book).text for _ in range(4)]
    assert ladder[0] != ladder[1] != ladder[2]
    assert ladder[2] == ladder[3]
    assert solution("3.2", progress=book).state == "locked"
    for _ in range(3):
        check("3.2", "leaf", progress=book)
    assert solution("3.2", progress=book).state == "solution"
    shown = solution("3.2", progress=book)._repr_html_()
    assert "ck.check" in shown
    assert "\\x0a" not in shown  # a line of code is a line


def test_progress_resumes_exports_and_merges(tmp_path: Path, book: Progress) -> None:
    check("3.2", "leaf", progress=book)
    check("3.2", "root", progress=book)
    again = Progress.load(book.path)
    assert again.solved("3.2")
    assert again.tries("3.2") == 2
    taken = again.export(tmp_path / "mine.json")
    other = Progress.load(tmp_path / "other.json")
    other.merge(taken)
    assert other.solved("3.2")
    assert overview([taken, tmp_path / "other.json"]) == [("3.2", 2, 2, 2.0)]
    other.reset()
    assert not Progress.load(tmp_path / "other.json").entries


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"certkit_progress": 1, "exercises": {"3.2": 7}}', '{"certkit_progress": 9}']
)
def test_a_damaged_progress_file_is_left_alone(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "progress.json"
    path.write_text(damage)
    book = Progress.load(path)
    check("3.2", "root", progress=book)
    assert book.solved("3.2")
    assert path.read_text() == damage
    assert "cannot be used" in book.note
    with pytest.raises(CertkitError):
        Progress().merge(path)


def test_a_home_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    book = Progress.load(tmp_path / "file" / "progress.json")
    assert check("3.2", "root", progress=book).ok
    assert "memory only" in book.note


def test_errors() -> None:
    with pytest.raises(ArgumentError, match="no such exercise"):
        check("99.1", "x")
    with pytest.raises(TypeError, match=r"ask \.ok"):
        bool(check("3.2"))
    with pytest.raises(CheckFailed, match=r"exercise 3\.2"):
        check("3.2").raise_if_failed()


def test_progress_holds_no_name(book: Progress) -> None:
    check("3.2", "root", progress=book)
    assert book.path is not None
    assert set(json.loads(book.path.read_text())) == {"certkit_progress", "exercises"}


def test_untouched_progress_says_so_in_words() -> None:
    assert "nothing is tried yet" in Progress()._repr_html_()


def test_a_fixture_numbers_the_parts_of_a_tuple() -> None:
    html = ck.fixture("1.6")._repr_html_()
    assert all(f".certificates[{at}]" in html for at in range(4))


@pytest.mark.parametrize("number", EXERCISES)
def test_a_solution_is_shown_line_by_line(number: str, book: Progress) -> None:
    book.record(number, right=True)
    shown = unescape(re.search("<pre>(.*)</pre>", solution(number, progress=book)._repr_html_(), re.S)[1])
    assert shown == EXERCISES[number].answer
