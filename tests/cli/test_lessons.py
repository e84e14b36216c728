"""`rnnviz lessons`, `lesson` and `play` as a shell sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.cli import kiosk
from rnnviz.cli.main import main
from rnnviz.kiosk import Kiosk
from rnnviz.lessons.course import find
from rnnviz.lessons.progress import Progress
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun
from tests.lessons.half_is_gone import LESSON


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path / "data" / "rnnviz"


def says(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_names_every_lesson_and_how_far_one_is(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    course = find()
    code, out, err = says(capsys, "lessons")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    for file, line in zip(course.files, lines, strict=False):
        assert course.slug(file) in line
    assert not data.exists(), "looking leaves nothing behind"
    lesson, _ = read(course.files[0])
    assert lesson is not None
    Progress(course.name).keep(LessonRun(lesson, at=1, seen=frozenset({lesson.steps[0].id})))
    code, out, _ = says(capsys, "lessons")
    assert f"1/{len(lesson.steps)}" in out.splitlines()[0]


def test_a_damaged_progress_file_is_told_on_stderr(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    data.mkdir(parents=True)
    (data / "progress.json").write_text("{")
    code, out, err = says(capsys, "lessons")
    assert code == 0
    assert out
    assert "set aside" in err


def test_check_exits_1_and_names_file_line_and_remedy(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "01-unknown-command.md"
    path.write_text(LESSON.replace('phase = "loss"', 'fase = "loss"'), encoding="utf-8")
    code, out, _ = says(capsys, "lessons", "check", str(path))
    assert code == 1
    assert out.rstrip().endswith("01-unknown-command.md:18: unknown command 'fase'; did you mean phase?")


def test_check_of_a_folder_and_of_a_good_lesson(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for number, line in ((1, "tolerance = 1\n"), (2, 'title = "Half is gone"\n')):
        (tmp_path / f"0{number}-lesson-{number}.md").write_text(LESSON.replace(line, ""), encoding="utf-8")
    code, out, _ = says(capsys, "lessons", "check", str(tmp_path))
    assert code == 1
    assert len(out.splitlines()) == 2
    code, out, _ = says(capsys, "lessons", "check", str(find().file("why-gradients-vanish")))
    assert (code, out) == (0, "1 lesson: no problems found\n")


def test_metrics_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = says(capsys, "lessons", "metrics")
    assert code == 0
    assert "horizon " in out
    assert "grad_norm[t] " in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["lesson", "why-gradient-vanish"], "did you mean why-gradients-vanish?"),
        (["lesson"], "SLUG"),
        (["play", "6", "--speed", "fast"], "--speed: 'fast' is not a number"),
        (["play", "6"], "needs a terminal"),
        (["lesson", "6"], "needs a terminal"),
        (["lessons", "chek"], "'chek' is not new, check, report or metrics"),
        (["lessons", "check", "nowhere.md"], "nowhere.md: does not exist"),
        (["lessons", "--lessons", "nowhere"], "nowhere: is not a folder"),
        (["--lessons", "x", "--hidden", "3"], "leave the other flags out"),
        (["lesson", "6", "--kiosk", "--watch"], "--watch: a kiosk does not read a lesson again"),
        (["--free", "--watch"], "--watch: no lesson is opened"),
        (["--steps", "5", "--watch"], "--watch: no lesson is opened"),
        (["lesson", "nowhere/01-x.md"], "there is no lesson"),
        (["lessens"], "did you mean lessons?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, out, err = says(capsys, *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_lesson_is_opened_by_its_file_but_not_in_a_kiosk(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "01-mine.md"
    path.write_text(LESSON, encoding="utf-8")
    code, _, err = says(capsys, "lesson", str(path))
    assert (code, "needs a terminal" in err) == (2, True), "it is found"
    monkeypatch.setattr(kiosk, "_kiosk", Kiosk())
    code, _, err = says(capsys, "lesson", str(path))
    assert (code, "there is no lesson" in err) == (2, True)
