"""Formulas: blocks of their own, which keep their lines and blanks and quote figures."""

from __future__ import annotations

from pathlib import Path

from rnnviz.lessons.course import find
from rnnviz.lessons.prose import FORMULA, plain, wrapped
from rnnviz.lessons.reading import read
from rnnviz.sheet import Sheet
from rnnviz.tui.lesson_view import put
from rnnviz.tui.palette import Palette
from tests.lessons.half_is_gone import LESSON

HEADING = "## The end of the sequence\n"


def lesson_with(tmp_path: Path, block: str) -> Path:
    assert LESSON.count(HEADING) == 1
    path = tmp_path / "01-half.md"
    path.write_text(LESSON.replace(HEADING, f"{HEADING}\nRead on.\n\n{block}\n\n"), encoding="utf-8")
    return path


def test_a_formula_keeps_its_lines_blanks_and_indentation(tmp_path: Path) -> None:
    lesson, problems = read(lesson_with(tmp_path, "```\n  hₜ = tanh(aₜ)   and\n\n    aₜ = W_hh·hₜ₋₁ + {T}\n```"))
    assert lesson is not None, problems
    text = lesson.steps[0].before[1]
    lines = wrapped(text, 78, lambda reference, spec: "7")
    assert [plain(line) for line in lines] == ["    hₜ = tanh(aₜ)   and", "      aₜ = W_hh·hₜ₋₁ + 7"]
    assert {style for line in lines for _, style in line[1:]} == {"formula"}
    sheet = Sheet(40, 1)
    put(sheet, 0, 1, lines[0], Palette())
    assert sheet.plain() == ["     hₜ = tanh(aₜ)   and".ljust(40)]


def test_a_narrow_screen_breaks_a_formula() -> None:
    lines = [plain(line) for line in wrapped(f"{FORMULA}{'abcdefgh' * 6}", 24)]
    assert "".join(line.strip() for line in lines) == "abcdefgh" * 6
    assert max(map(len, lines)) <= 24


def test_an_empty_formula_an_unknown_metric_and_another_kind_are_mistakes(tmp_path: Path) -> None:
    for block, what in (
        ("```\n\n```", "the block is empty"),
        ("```\nh = {no_such}\n```", "no_such"),
        ("```python\nx\n```", "a block of python"),
    ):
        lesson, problems = read(lesson_with(tmp_path, block))
        assert lesson is None
        assert len(problems) == 1
        assert what in problems[0].what


def test_the_formulas_of_the_course_fit_beside_the_score_of_a_large_screen() -> None:
    """At 160 columns the text has 68 cells there, and a formula is indented by 4."""
    for file in find().files:
        lesson, _ = read(file)
        assert lesson is not None
        for step in lesson.steps:
            for block in (text for text in (*step.before, *step.after) if text.startswith(FORMULA)):
                assert max(map(len, block[len(FORMULA) :].split("\n"))) <= 64, f"{file.name}: {block}"
