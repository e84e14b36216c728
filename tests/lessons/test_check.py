"""The checker: every broken lesson is refused with its line and what to do, and the good ones are not."""

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

BROKEN = Path(__file__).parent / "broken"
PANELS = tuple(panels.BY_ID)

# file -> line, what is wrong, what to do. Each is the same good lesson with one thing wrong.
EXPECTED: dict[str, tuple[int, str, str]] = {
    "answer-nobody-can-type": (31, "train_loss is nan here", "another metric"),
    "answer-not-defined": (31, "needed_lag is not defined here", "another metric"),
    "answer-told-before": (26, "half_life is the answer, and told before it", "after the question"),
    "answer-typed-in": (31, "2.5 is not a metric", "what the live frame shows"),
    "any-number-is-right": (32, "tolerance: inf", "20 %"),
    "bad-argument": (18, "'lost' is not a phase", "forward, loss, backward"),
    "bad-format": (14, "'.3q' is not a format", ".2f"),
    "bad-toml-in-a-block": (32, "bad TOML", "one key a line"),
    "bad-toml-in-front-matter": (2, "bad TOML", "quotes"),
    "block-indented": (64, "begins no block", "at the margin"),
    "block-without-end": (78, "the block has no end", "```"),
    "brace-without-partner": (14, "{ without its partner", "close it"),
    "cannot-be-reached": (70, "can never hold: accuracy lies in 0 to 1", "in between"),
    "choice-never-right": (51, "choice 2 does not say when it is right", "add if"),
    "choice-quotes-nothing": (51, "forget_mean is not defined here", "another metric"),
    "condition-on-what-is-locked": (70, "seq_len is locked", "unlock it"),
    "experiment-that-cannot-run": (9, "cannot run: lag", "leave it out"),
    "figure-in-a-heading": (24, "a figure in the heading", "the step's text"),
    "front-matter-has-no-end": (1, "the front matter has no end", "+++"),
    "heading-too-long": (24, "70 cells, and 66 fit", "shorten"),
    "heading-under-text": (63, "'###' has no place in a step", "## begins the next step"),
    "hides-nothing": (34, "unknown name 'gradent' in hides", "did you mean gradient"),
    "hint-says-nothing": (68, "hints are missing", "add hints"),
    "locked-is-nested": (71, "unknown setting ['seq_len', 'loss_at'] in locked", "seq_len"),
    "metric-not-defined-here": (14, "forget_mean is not defined here", "set it up"),
    "nested-too-deep": (16, "nested too deep", "a number, a text"),
    "no-answer": (29, "the question has no answer", 'answer = "METRIC"'),
    "no-explanation": (29, "no explanation after the answer", "as text after the block"),
    "no-front-matter": (1, "there is no front matter", "+++"),
    "no-hints": (68, "hints are missing", "add hints"),
    "no-solution": (68, "no solution is known", "[[exercise.solution]]"),
    "no-sources": (2, "sources", "add sources"),
    "no-such-row": (21, "there is no row 'gates': the cell is rnn", "lstm or gru"),
    "no-title": (1, "title is missing", "add title"),
    "no-tolerance": (29, "tolerance is missing", "20 %"),
    "not-a-condition": (70, "'grad_ratio is large' is not a condition", "METRIC OP VALUE"),
    "not-a-toml-fence": (16, "'~~~toml' begins no block", "```toml"),
    "nothing-to-point-at": (21, "'outputs' is nothing on the screen", "did you mean output"),
    "panel-not-open": (21, "panel 'ledger' is not open here", "[do] panel"),
    "reveal-without-question": (20, "[reveal] without a question", "[predict]"),
    "same-choice-twice": (50, "choice 2 says the same as another", "sets it apart"),
    "same-heading-twice": (42, "also that of line 24", "its own"),
    "seek-beyond-the-end": (37, "there is no step 99", "0 to 20"),
    "setting-of-another-kind": (9, "gain: 'much' is not a number", "a value it can take"),
    "setting-out-of-range": (9, "-1 is out of range", "at least 0"),
    "solution-changes-what-is-locked": (74, "solution 1 changes seq_len", "unlock it"),
    "solution-does-not-solve": (74, "solution 1 does not solve it", "mend the solution"),
    "solved-at-its-start": (68, "already solved at its start", "ask for more"),
    "sources-say-nothing": (4, "sources", "add sources"),
    "stars-without-partner": (26, "** without its partner", "close it"),
    "start-not-defined": (58, "start.forget_mean is not defined here", "another metric"),
    "text-before-the-first-step": (12, "text before the first step", "## heading"),
    "text-too-long": (24, "too long: 9 lines of 78 cells, and 6 fit", "say less"),
    "two-choices-right": (47, "'it shrinks' and 'it grows' are right", "exactly one"),
    "two-points-at-once": (25, "a second [point] at once", "one thing"),
    "two-questions-in-one-step": (46, "a second question in one step", "heading of its own"),
    "unknown-block": (20, "unknown block [pointer]", "did you mean [point]"),
    "unknown-command": (18, "unknown command 'fase'", "did you mean phase"),
    "unknown-key": (3, "unknown key 'sumary'", "did you mean summary"),
    "unknown-locked-setting": (71, "unknown setting 'loss_on'", "did you mean loss_at"),
    "unknown-metric-quoted": (14, "unknown metric 'lost'", "did you mean loss"),
    "unknown-panel": (21, "unknown panel 'nothing'", "loss"),
    "unknown-setting": (7, "unknown key 'seqlen'", "did you mean seq_len"),
    "wide-character": (26, "does not take one cell", "another character"),
}


def test_every_broken_lesson_is_expected() -> None:
    assert {f.stem[3:] for f in BROKEN.glob("*.md")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_broken_lesson_is_refused_with_line_and_remedy(name: str) -> None:
    line, what, remedy = EXPECTED[name]
    path = BROKEN / f"01-{name}.md"
    problems = check([path], PANELS)
    assert any(p.line == line and what in p.what and remedy in p.remedy for p in problems), problems
    assert all(p.path == path and p.remedy for p in problems), problems
    assert len(problems) <= 2, "one mistake is told once, not over and over"
    assert str(problems[0]).startswith(f"{path}:{problems[0].line}: ")


@pytest.mark.slow
def test_the_course_has_nothing_wrong() -> None:
    """All steps are entered, questions answered in every way, solutions tried, and everything fits at 80 × 24."""
    assert check(find().files, PANELS) == []


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
    assert check([path], PANELS) == []


def test_two_lessons_of_one_number(tmp_path: Path) -> None:
    text = (find().files[0]).read_text(encoding="utf-8")
    for slug in ("one", "two"):
        (tmp_path / f"01-{slug}.md").write_text(text, encoding="utf-8")
    (problem,) = check(sorted(tmp_path.glob("*.md")), PANELS)
    assert problem.path.name == "01-two.md"
    assert "number 1 is also that of 01-one.md" in problem.what


def test_two_lessons_of_one_slug(tmp_path: Path) -> None:
    """Progress is kept by the slug: one would be taken for the other."""
    text = (find().files[0]).read_text(encoding="utf-8")
    for number in (1, 2):
        (tmp_path / f"0{number}-one.md").write_text(text, encoding="utf-8")
    (problem,) = check(sorted(tmp_path.glob("*.md")), PANELS)
    assert problem.path.name == "02-one.md"
    assert "the slug 'one' is also that of 01-one.md" in problem.what


@pytest.mark.parametrize(
    "saved",
    [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")],
    ids=["byte order mark", "Windows' line ends"],
)
def test_how_an_editor_saves_it_does_not_matter(tmp_path: Path, saved: Callable[[str], str]) -> None:
    path = tmp_path / "01-half-is-gone.md"
    path.write_bytes(saved((BROKEN / "01-no-hints.md").read_text(encoding="utf-8")).encode())
    assert [(p.line, p.what) for p in check([path], PANELS)] == [(68, "hints are missing")]


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [("1-first.txt.md", b"", "not named like a lesson"), ("01-latin.md", b"+++\n\xe9", "not UTF-8"),
     ("01-empty.md", b"", "no front matter")],
)  # fmt: skip
def test_a_file_that_is_no_lesson(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(data)
    (problem,) = check([tmp_path / name], PANELS)
    assert what in problem.what
    assert problem.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = check([tmp_path / "01-gone.md"], PANELS)
    assert "cannot be read" in problem.what
