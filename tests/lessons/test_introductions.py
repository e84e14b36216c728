"""What a course introduces: from which lesson on, and what is wrong with a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnviz.lessons.check import check
from rnnviz.lessons.course import find, introduced
from rnnviz.lessons.introductions import NAMES
from rnnviz.tui import keys, panels
from rnnviz.tui.voice import MEASURE
from tests.lessons.half_is_gone import LESSON

PANELS = tuple(panels.BY_ID)


def course(folder: Path, *lists: str) -> list[Path]:
    files = []
    for number, names in enumerate(lists, start=1):
        files.append(folder / f"{number:02d}-lesson-{number}.md")
        files[-1].write_text(LESSON.replace("[experiment]", f"{names}\n[experiment]", 1), encoding="utf-8")
    return files


def test_what_the_lessons_before_have_introduced_stays(tmp_path: Path) -> None:
    files = course(tmp_path, 'introduces = ["units"]', "", 'introduces = ["gradient", "ledger"]')
    assert [introduced(files, file) for file in files] == [{"units"}, {"units"}, {"units", "gradient", "ledger"}]


def test_a_course_that_introduces_nothing_knows_everything(tmp_path: Path) -> None:
    files = course(tmp_path, "", "")
    assert introduced(files, files[0]) is None


def test_a_lesson_before_the_first_to_introduce_anything_knows_nothing_yet(tmp_path: Path) -> None:
    files = course(tmp_path, "", 'introduces = ["gradient"]')
    assert introduced(files, files[0]) == frozenset()


@pytest.mark.parametrize(
    ("names", "line", "what", "remedy"),
    [('introduces = ["gradeint"]', 6, "unknown name 'gradeint' in introduces", "did you mean gradient"),
     ('introduces = ["nonsense"]', 6, "unknown name 'nonsense' in introduces", "names: gradient, reach"),
     ('introduces = "gradient"', 6, "introduces is not a list of names", 'introduces = ["gradient"]'),
     ('introduces = [1]', 6, "introduces is not a list of names", 'introduces = ["gradient"]')],
)  # fmt: skip
def test_the_checker_says_what_is_wrong_with_a_list(
    tmp_path: Path, names: str, line: int, what: str, remedy: str
) -> None:
    problem = check(course(tmp_path, names), PANELS, MEASURE)[0]
    assert (problem.line, problem.what) == (line, what)
    assert remedy in problem.remedy


def test_the_checker_knows_what_is_not_introduced_yet(tmp_path: Path) -> None:
    (file,) = course(tmp_path, 'introduces = ["units"]')
    text = file.read_text(encoding="utf-8").replace('at = "output"', 'at = "gradient"')
    file.write_text(text, encoding="utf-8")
    (row,) = check([file], PANELS, MEASURE)
    assert row.what == "row 'gradient' is not introduced yet"
    assert row.remedy == 'add "gradient" to the introduces of this lesson, or of one before'


def test_the_format_lists_all_names() -> None:
    told = (find().folder / "README.md").read_text(encoding="utf-8")
    for name, about in NAMES.items():
        assert f"| `{name}` | {about} |" in told


def test_every_key_that_waits_for_a_lesson_is_introduced_by_the_course() -> None:
    files = find().files
    known = introduced(files, files[-1])
    assert known is not None
    waiting = {*keys.INTRODUCED.values(), *NAMES} - {"engine"}  # the engine's sign is for the plain score
    assert waiting <= known
