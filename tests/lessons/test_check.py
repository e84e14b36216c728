"""The checker: nothing is wrong with the course; a file that is no lesson is refused (mistakes: test_mistakes.py)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnviz.lessons.check import check
from rnnviz.lessons.course import find
from rnnviz.lessons.lesson import Exercise, Prediction
from rnnviz.lessons.reading import read
from rnnviz.tui import panels
from rnnviz.tui.voice import MEASURE
from tests.lessons.half_is_gone import LESSON

pytestmark = pytest.mark.usefixtures("compiled_where_slow")
PANELS = tuple(panels.BY_ID)


@pytest.mark.slow
def test_the_course_has_nothing_wrong() -> None:
    """All steps are entered, questions answered in every way, solutions tried, and everything fits at 80 × 24."""
    assert check(find().files, PANELS, MEASURE) == []


def test_every_lesson_can_be_read_asks_before_it_tells_and_has_something_to_do() -> None:
    for file in find().files:
        lesson, problems = read(file)
        assert lesson is not None, problems
        tasks = {type(step.task) for step in lesson.steps}
        assert Exercise in tasks, file.name
        assert Prediction in tasks or file == find().files[-1], file.name


def test_the_example_for_teachers_is_right(tmp_path: Path) -> None:
    text = (find().folder / "README.md").read_text(encoding="utf-8")
    example = re.search(r"````markdown\n(.*?)````", text, re.DOTALL)
    name = re.search(r"`(\d\d-[a-z-]+\.md)`:\n\n````", text)
    assert example is not None
    assert name is not None
    path = tmp_path / name[1]
    path.write_text(example[1], encoding="utf-8")
    assert check([path], PANELS, MEASURE) == []


def test_two_lessons_of_one_number(tmp_path: Path) -> None:
    for slug in ("one", "two"):
        (tmp_path / f"01-{slug}.md").write_text(LESSON, encoding="utf-8")
    (problem,) = check(sorted(tmp_path.glob("*.md")), PANELS, MEASURE)
    assert problem.path.name == "01-two.md"
    assert "01-one.md has the same number, 1" in problem.what


def test_two_lessons_of_one_slug(tmp_path: Path) -> None:
    """Progress is kept by the slug: one would be taken for the other."""
    for number in (1, 2):
        (tmp_path / f"0{number}-one.md").write_text(LESSON, encoding="utf-8")
    (problem,) = check(sorted(tmp_path.glob("*.md")), PANELS, MEASURE)
    assert problem.path.name == "02-one.md"
    assert "01-one.md has the same slug, 'one'" in problem.what


@pytest.mark.parametrize(
    "saved",
    [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")],
    ids=["byte order mark", "Windows' line ends"],
)
def test_how_an_editor_saves_it_does_not_matter(tmp_path: Path, saved: Callable[[str], str]) -> None:
    path = tmp_path / "01-half-is-gone.md"
    path.write_bytes(saved(LESSON.replace("tolerance = 1\n", "")).encode())
    assert [(p.line, p.what) for p in check([path], PANELS, MEASURE)] == [(29, "tolerance is missing")]


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [("1-first.txt.md", b"", "not named like a lesson"), ("01-latin.md", b"+++\n\xe9", "not UTF-8"),
     ("01-empty.md", b"", "the front matter is missing")],
)  # fmt: skip
def test_a_file_that_is_no_lesson(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(data)
    (problem,) = check([tmp_path / name], PANELS, MEASURE)
    assert what in problem.what
    assert problem.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = check([tmp_path / "01-gone.md"], PANELS, MEASURE)
    assert "cannot be read" in problem.what
