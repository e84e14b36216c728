"""`rnnviz lessons report` and `rnnviz lessons new`, as a teacher's shell sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rnnviz.cli.main import main
from rnnviz.lessons.course import find
from rnnviz.lessons.lesson import Exercise, Lesson, Prediction
from rnnviz.lessons.progress import FILE, Progress
from rnnviz.lessons.reading import read
from rnnviz.lessons.results import Answer, Mistake
from rnnviz.lessons.run import LessonRun
from tests.lessons.half_is_gone import LESSON


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "rnnviz"


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    path = tmp_path / "course" / "01-half-is-gone.md"
    path.parent.mkdir()
    path.write_text(LESSON, encoding="utf-8")
    found, problems = read(path)
    assert found is not None, problems
    return found


def says(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


MISTAKE = Mistake("How *far*?\n| a |", "9 steps", "1.9 steps", "W_hh keeps less.")


def learn(lesson: Lesson, place: Path | None = None) -> None:
    """One question wrong at first and right later, one right; the exercise after a hint."""
    number, choices = (step.id for step in lesson.steps if isinstance(step.task, Prediction))
    task = next(step.id for step in lesson.steps if isinstance(step.task, Exercise))
    run = LessonRun(
        lesson, at=len(lesson.steps) - 1, finished=True, seen=frozenset(step.id for step in lesson.steps),
        answers={number: Answer("1.9", True, "1.9 steps", 2, False, MISTAKE), choices: Answer("2", True, "", 1, True)},
        solved=frozenset({task}), hints={task: 1},
    )  # fmt: skip
    Progress(find(lesson.path.parent).name, place).keep(run)


def test_the_report_counts_what_a_learner_did(capsys: pytest.CaptureFixture[str], lesson: Lesson) -> None:
    learn(lesson)
    code, out, err = says(capsys, "lessons", "report", "--lessons", "course")
    assert (code, err) == (0, "")
    pages = len(lesson.steps)
    assert f"1 of 1 lesson finished, {pages} of {pages} pages seen. 1 of 2 answered questions right" in out
    assert f"| 1 Half is gone | yes | {pages} of {pages} | 1 of 2 | 1 | 0 | 1 of 1 | 1 | 0 |" in out
    wrong = r"- 1.2 How \*far\*? \| a \| Answer: 9 steps. Right: 1.9 steps. W\_hh keeps less."
    assert wrong in out.splitlines(), "one line, and no sign of Markdown"


def test_a_class_is_a_table_and_a_broken_file_one_line(
    capsys: pytest.CaptureFixture[str], lesson: Lesson, tmp_path: Path
) -> None:
    for name in ("anna", "ben"):
        learn(lesson, tmp_path / "learners" / name)
    (tmp_path / "learners" / "nobody").mkdir()
    (tmp_path / "learners" / "notes.txt").write_text("", encoding="utf-8")
    bad = tmp_path / "learners" / "carl"
    bad.mkdir()
    (bad / FILE).write_text("{", encoding="utf-8")
    link = tmp_path / "learners" / "dora"
    link.mkdir()
    (link / FILE).symlink_to(tmp_path / "learners" / "anna" / FILE)
    arguments = ("lessons", "report", "--lessons", "course", "--learners", "learners", "-o", "class.md")
    code, out, err = says(capsys, *arguments)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 2
    assert "carl" in err
    assert "dora" in err, "a learner's file may not be a link to another's"
    text = Path("class.md").read_text(encoding="utf-8")
    pages = len(lesson.steps)
    for name in ("anna", "ben"):
        assert f"| {name} | 1 of 1 | 1 Half is gone | {pages} of {pages} | 1 of 2 | 1 | 0 | 1 of 1 | 1 | 0 |" in text
    assert "nobody" not in text
    assert "- 1.2: 2 of 2. How" in text
    assert (bad / FILE).read_text(encoding="utf-8") == "{", "a report changes nothing"
    assert sorted(path.name for path in bad.iterdir()) == [FILE]
    code, _, err = says(capsys, *arguments)
    assert code == 2
    assert "--force" in err
    code, out, _ = says(capsys, "lessons", "report", "learners/anna", "--lessons", "course")
    assert code == 0
    assert out.startswith("# anna: the course in course")


def test_an_older_progress_file_is_reported_without_what_it_does_not_hold(
    capsys: pytest.CaptureFixture[str], lesson: Lesson, data: Path
) -> None:
    learn(lesson)
    kept = json.loads((data / FILE).read_text())
    entry = kept["courses"][str(lesson.path.parent.resolve())]["lessons"]["half-is-gone"]
    choices = next(step for step in lesson.steps if isinstance(step.task, Prediction) and step.task.choices)
    entry["answers"] = {choices.id: {"said": "1", "right": False, "answer": "it grows"}}
    (data / FILE).write_text(json.dumps(kept))
    code, out, _ = says(capsys, "lessons", "report", "--lessons", "course")
    assert code == 0
    assert "Answer: it shrinks. Right: it grows." in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "--learners", "nowhere"), "No such file or directory"),
        (("report", "anna", "--learners", "nowhere"), "a report is of anna or of a folder of learners; leave one out"),
        (("report", "--learners", "course"), "no folder in it holds a progress.json"),
        (("report", "nowhere"), "No such file or directory"),
        (("report", "a", "b"), "--learners DIR"),
        (("check", "-o", "x.md"), "only rnnviz lessons report has this"),
        (("new",), "needs one name"),
        (("new", "Über uns"), "write small letters and -: ber-uns"),
        (("new", "../x"), "is not the name of a lesson"),
        (("new", "half-is-gone", "--lessons", "course"), "this lesson exists"),
        (("new", "x", "--lessons", "course/01-half-is-gone.md"), "choose another folder"),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str], lesson: Lesson, arguments: tuple[str, ...], words: str
) -> None:
    code, out, err = says(capsys, "lessons", *arguments)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert words in err


def test_a_new_lesson_passes_the_checker(capsys: pytest.CaptureFixture[str]) -> None:
    for number, slug in enumerate(("half-is-gone", "twice-as-far"), start=1):
        code, out, _ = says(capsys, "lessons", "new", slug)
        assert code == 0
        assert f"lessons/0{number}-{slug}.md" in out
    assert 'title = "Twice as far"' in Path("lessons/02-twice-as-far.md").read_text(encoding="utf-8")
    code, out, _ = says(capsys, "lessons", "check", "lessons/02-twice-as-far.md")
    assert (code, out) == (0, "1 lesson: no problems found\n")


@pytest.mark.parametrize("arguments", [("lessons", "report"), ("lessons", "new", "x")])
def test_a_kiosk_refuses_both(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RNNVIZ_KIOSK", "1")
    code, out, err = says(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "this is a kiosk" in err
    assert not Path("lessons").exists()
