"""Lessons in the app: beside a live score, by keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rnnviz.lessons.course import Start, find, head
from rnnviz.lessons.progress import FILE, InMemory
from rnnviz.lessons.reading import read
from rnnviz.lessons.results import Answer
from rnnviz.lessons.run import LessonRun
from rnnviz.lessons.searching import Index
from rnnviz.lessons.sources import name_and_address
from rnnviz.scene.commands import Next
from rnnviz.scene.cursor import Phase
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.course_menu import ContentsScreen
from rnnviz.tui.voice import MEASURE
from tests.lessons.learner import NAMES, Learner
from tests.tui.driving import text

LESSON = """+++
title = "{title}"
summary = "How fast a gradient fades."
sources = ["Bengio, Simard and Frasconi 1994"]

[experiment]
seq_len = 20
loss_at = "last"
gain = 0.7
+++

## The beginning

The network has read {{read}} of {{T}} steps. Its loss is **{{loss:.3f}}**.

```toml
[point]
at = "hidden"
```

## How far back?

A step back keeps a share of the gradient.

```toml
[predict]
question = "After how many steps is half of it gone?"
answer = "half_life"
tolerance = 1
unit = "steps"

[reveal]
phase = "backward"
seek = 0

[point]
at = "gradient"
```

A step keeps {{mean_factor:.2f}} of it, so half is gone after {{half_life:.1f}} steps.

## Trained

We train for three epochs and open a panel.

```toml
[do]
train = 3
panel = "loss"

[predict]
question = "What happens to the loss?"
choices = [
  {{ say = "it falls", if = "epoch == 3" }},
  {{ say = "it rises", if = "epoch != 3", why = "Look at the curve." }},
]
```

It is {{loss:.4f}} now.

## Your turn

Only {{grad_ratio:.1e}} arrives.

```toml
[do]
untrain = true
panel = ""

[exercise]
goal = "Make it at least 0.01."
solved = ["grad_ratio >= 0.01"]
locked = ["seq_len"]
hints = ["Which setting multiplies the recurrent weights?", "The gain."]

[[exercise.solution]]
settings = {{ gain = 1.2 }}
```

Now it is {{grad_ratio:.1e}}.
"""


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "rnnviz"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    for number, title in ((1, "Half is gone"), (2, "More of it")):
        slug = title.lower().replace(" ", "-")
        (folder / f"0{number}-{slug}.md").write_text(LESSON.format(title=title), encoding="utf-8")
    return folder


def app(course: Path, **start: Any) -> RnnvizApp:
    return RnnvizApp(start=Start(course, **start), compile=False)


async def test_the_first_start_lands_in_lesson_1_with_the_score_alive(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        assert "1 Half is gone" in text(lesson, "title")
        frame = lesson.main.frame
        assert frame is not None
        assert "t = 0" in text(lesson, "score")
        assert f"read 0 of 20 steps. Its loss is {frame.scene.trace.loss:.3f}" in learner.words()
        await learner.press("right", "right", "right", "left")
        assert "t = 2" in text(lesson, "score")
        assert "read 2 of 20 steps" in learner.words(), "the text speaks of the live frame"
        assert "n next" in text(lesson, "keys")


def is_set_off(lesson: RnnvizApp, y: int) -> bool:
    """Whether the name of a row of the score is marked."""
    style = lesson.main.query_one("#score", Canvas)._sheet.cells[y][0][1]
    return style is not None and bool(style.reverse)


async def test_the_rows_spoken_of_are_marked(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        rows = lesson.main.query_one("#score", Canvas).plain()
        first = next(y for y, row in enumerate(rows) if row.startswith("hidden h"))
        assert [y for y in range(len(rows)) if is_set_off(lesson, y)] == [first]
        await Learner(lesson, pilot).press("n", "2", "enter")
        rows = lesson.main.query_one("#score", Canvas).plain()
        gradient = next(y for y, row in enumerate(rows) if row.startswith("‖∂L"))
        assert rows[gradient][9] == "◂"
        marked = [y for y in range(len(rows)) if is_set_off(lesson, y)]
        assert marked == [gradient], "after the answer the explanation points at the gradient"


@pytest.mark.parametrize(
    ("at", "label"),
    [("gates", "forget f"), ("cell", "cell c"), ("time", "time t"), ("reach", "reach"), ("side", None),
     ("panel:ledger", None)],
)  # fmt: skip
async def test_everything_that_can_be_pointed_at_is_marked(course: Path, at: str, label: str | None) -> None:
    file = course / "01-half-is-gone.md"
    changed = file.read_text(encoding="utf-8").replace('at = "hidden"', f'at = "{at}"\n\n[do]\npanel = "ledger"', 1)
    changed = changed.replace("gain = 0.7", 'cell = "lstm"\nhidden_size = 4\ntask = "recall"')
    file.write_text(changed.replace("seq_len = 20", ""), encoding="utf-8")
    lesson = app(course)
    async with lesson.run_test(size=(80, 40)):
        await lesson.settled()
        rows = lesson.main.query_one("#score", Canvas).plain()
        if label is not None:
            first = next(y for y, row in enumerate(rows) if row.startswith(label))
            assert is_set_off(lesson, first)
            assert rows[first][9] in ("◂▸ " if at == "time" else "◂▸")
            assert not is_set_off(lesson, first - 1)
        elif at == "side":
            assert any("▌t = 0" in row for row in rows)
        else:
            assert "▐ ledger" in text(lesson, "tabs")


async def test_n_and_N_and_enter(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        for keys, at in ((["n"], 1), (["N"], 0), (["enter"], 1), (["n"], 1), (["n"], 2), (["N", "N", "N", "N"], 0)):
            await learner.press(*keys)
            assert learner.run.at == at, keys


async def test_a_number_is_typed_mended_and_graded(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n")
        await learner.type("1.e-2")
        assert "1.e-2▏ steps" in learner.words()
        frame = lesson.main.frame
        assert frame is not None
        assert frame.cursor.epoch == 0, "e is a letter here, and trains nothing"
        await learner.press(*["backspace"] * 5)
        assert "▏ steps (± 1)" in learner.words()
        await learner.press("9", "escape", "2", "enter")
        half = frame.scene.gradient(20).half_life
        assert f"✓ Right: {half:.1f} steps." in learner.words()
        assert lesson.main.frame is not None
        assert lesson.main.frame.cursor.phase is Phase.BACKWARD


async def test_arithmetic_is_typed_and_n_enters_it(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n")
        before = lesson.main.frame
        await learner.type("ln 8+qxeab?")
        assert "ln 8+qxeab?▏ steps" in learner.words()
        await learner.press("enter")
        assert "is not a number; type one like" in learner.screen()
        assert "ln 8+qxeab?" not in learner.run.answers
        assert lesson.main.frame is before, "a letter of a number does nothing else"
        await learner.press(*["backspace"] * 7)
        await learner.press("n")
        assert learner.run.answers["how-far-back"].given == "ln 8", "n enters what is typed"
        assert learner.run.step.heading == "How far back?"


async def test_an_answered_question_takes_no_digit_and_is_asked_again_with_r(course: Path, data: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "n", "n", "1")
        assert "✓ Right: it falls." in learner.words()
        assert "r try again" in text(lesson, "keys")
        await learner.press("n", "N", "4")
        assert "This question is answered. Press r to try again" in learner.screen()
        assert lesson.main.view.prompt is None
        await learner.press("r")
        assert "again · 3/4" in learner.screen()
        await learner.press("4")
        assert "Choose 1 to 2" in learner.screen()
        await learner.press("2", "r", "1")
        assert "✓ Right: it falls." in learner.words(), "the first try was right, and it counts"
        await learner.press("N", "9", "enter", "r", "2", "enter")
        assert "✓ Right at try 2" in learner.words()
        assert "right at try 2 · 2/4" in learner.screen()
        await learner.press("r", "n")
        assert learner.run.step.heading == "Trained", "a question asked again is left with one key"
        assert learner.run.answers["how-far-back"].is_right
        await learner.press("g", "1", "2")
        assert lesson.main.view.prompt == "12", "after g digits are a time step"
        await learner.press("enter", "L", "right")
        await pilot.pause()
        shown = lesson.screen.query_one("#contents", Canvas).plain()
        assert "○" in shown[3]
        assert "right at try 2" in shown[3]
        assert "✓" in shown[4]
        assert any("So far: 1 right at first try, 1 right at a later try." in row for row in shown)


async def test_a_finished_lesson_stays_finished_when_it_is_opened_again(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.skip()
        assert learner.run.lesson.slug == "more-of-it"
        await learner.press("L", "home", "enter")
        await pilot.pause()
        assert (learner.run.lesson.slug, learner.run.at) == ("half-is-gone", 0)
        await learner.press("n", "n")
        guide = lesson.main.guide
        assert guide is not None
        assert guide.progress.of("half-is-gone").finished
    second = app(course)
    async with second.run_test(size=(80, 24)) as pilot:
        await second.settled()
        learner = Learner(second, pilot)
        assert (learner.run.lesson.slug, learner.run.at) == ("half-is-gone", 2), "it goes on where it was left"
        await learner.press("n", "n", "n")
        assert learner.run.lesson.slug == "more-of-it"


async def test_a_choice_is_one_key_and_sees_why(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "n", "n")
        assert lesson.main.frame is not None
        assert lesson.main.frame.cursor.epoch == 3
        assert lesson.main.view.panel == "loss"
        await learner.press("3")
        assert learner.run.answer is None, "there is no third choice"
        await learner.press("2")
        assert "✗ No: it falls. Look at the curve." in learner.words()
        loss = lesson.main.frame.scene.trace.loss
        assert f"It is {loss:.4f} now." in learner.words()


async def test_an_exercise_is_solved_at_the_knobs_and_keeps_what_it_locks(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", *["n", "n"] * 2)
        assert learner.run.step.heading == "Your turn"
        await learner.set("seq_len", 3)
        assert lesson.main.frame is not None
        assert lesson.main.frame.T == 20
        await learner.press("o", "home")
        panel = text(lesson, "panel")
        assert "sequence length" not in panel or "locked by this exercise" in panel
        await learner.press("o")
        await learner.set("gain", 0.75)
        assert "✗ arrives at h₁" in learner.words()
        assert "needs ≥ 0.01" in learner.words()
        await learner.press("H")
        assert "Hint 1 of 2. Which setting multiplies" in learner.words()
        await learner.set("gain", 1.2)
        assert "✓ Done. Now it is" in learner.words()


async def test_a_solved_exercise_that_is_set_up_anew_says_what_is_missing(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", *["n", "n"] * 2)
        await learner.set("gain", 1.2)
        assert "✓ Done. Now it is" in learner.words()
        await learner.press("r")
        assert "Done" not in learner.words()
        assert "▸ Make it at least 0.01." in learner.words()
        assert "✓ solved before · now arrives at h₁" in learner.words()
        assert "n summary" in text(lesson, "keys")


async def test_the_key_bar_says_how_to_skip_what_is_asked(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n")
        assert "enter answer" in text(lesson, "keys")
        assert "n skip" in text(lesson, "keys")
        await learner.press("n", "n")
        assert learner.run.open_question is not None
        await learner.press("end", *["left"] * 25)
        assert lesson.main.frame is not None
        assert (lesson.main.frame.cursor.phase, lesson.main.frame.cursor.t) == (Phase.BACKWARD, 0)
        assert "n skip" in text(lesson, "keys")
        assert "enter" not in text(lesson, "keys"), "enter would only say: answer first"
        await learner.press("n", "n")
        assert learner.run.open_exercise is not None
        for word in ("H hint", "r restore", "n skip"):
            assert word in text(lesson, "keys")


async def test_a_hint_takes_the_note_away(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", *["n", "n"] * 2, "n")
        assert "Solve this first" in learner.screen()
        await learner.press("H")
        assert "Solve this first" not in learner.screen()
        assert "Hint 1 of 2" in learner.words()


async def test_a_step_begins_without_the_ghost_and_the_undo_of_the_one_before(course: Path) -> None:
    file = course / "01-half-is-gone.md"
    file.write_text(file.read_text(encoding="utf-8").replace("train = 3", "settings = { gain = 1.0 }\ntrain = 3", 1))
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "2", "enter", "n")
        frame = lesson.main.frame
        assert frame is not None
        assert (frame.experiment.gain, frame.cursor.epoch) == (1.0, 3)
        assert frame.ghost is None, "the step before is no comparison for this one"
        await learner.press("u")
        assert lesson.main.frame is not None
        assert (lesson.main.frame.experiment.gain, lesson.main.frame.cursor.epoch) == (1.0, 3)
        assert lesson.main.frame.hint.startswith("Nothing to undo")
        await learner.press("1", "n")
        await learner.set("gain", 0.8)
        assert lesson.main.frame.ghost is not None, "one's own change is compared with how the step began"
        await learner.press("u")
        assert lesson.main.frame.experiment.gain == 1.0
        assert lesson.main.frame.cursor.epoch == 0


@pytest.mark.parametrize("phase", ["backward", "forward"])
async def test_an_answer_keeps_the_ghost_of_its_question_where_bars_are_drawn(course: Path, phase: str) -> None:
    file = course / "01-half-is-gone.md"
    changed = file.read_text(encoding="utf-8").replace("[reveal]\n", "[reveal]\nsettings = { gain = 1.0 }\n", 1)
    file.write_text(changed.replace('phase = "backward"', f'phase = "{phase}"'), encoding="utf-8")
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "2", "enter")
        assert lesson.main.frame is not None
        ghost = lesson.main.frame.ghost
        assert (ghost and ghost.name) == ("recurrent gain 0.7" if phase == "backward" else None)
        await learner.press("u")
        assert lesson.main.frame.experiment.gain == 1.0, "what the answer set up is not the learner's to undo"


async def test_an_answer_come_back_to_has_its_ghost_again(course: Path) -> None:
    file = course / "01-half-is-gone.md"
    changed = file.read_text(encoding="utf-8").replace("[reveal]\n", "[reveal]\nsettings = { gain = 1.0 }\n", 1)
    file.write_text(changed, encoding="utf-8")
    for keys in (["n", "2", "enter", "n", "N"], ["N", "n"], []):  # by n and N, and on another day
        lesson = app(course)
        async with lesson.run_test(size=(80, 24)) as pilot:
            await lesson.settled()
            await Learner(lesson, pilot).press(*keys)
            frame = lesson.main.frame
            assert frame is not None
            assert frame.experiment.gain == 1.0
            assert frame.ghost is not None
            assert frame.ghost.name == "recurrent gain 0.7"
            assert (frame.cursor.phase, frame.cursor.t) == (Phase.BACKWARD, 0)


async def test_what_held_from_the_start_of_an_exercise_has_no_tick(course: Path) -> None:
    file = course / "01-half-is-gone.md"
    file.write_text(file.read_text(encoding="utf-8").replace(
        'solved = ["grad_ratio >= 0.01"]', 'solved = ["grad_ratio >= 0.01", "grad_ratio <= 100"]'
    ))  # fmt: skip
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", *["n", "n"] * 2)
        assert "✗ arrives at h₁ 4.0e-04, needs ≥ 0.01 · arrives at h₁ 4.0e-04, needs ≤ 100" in learner.words()
        assert "✓" not in learner.words()
        await learner.set("gain", 0.75)
        assert "✓ arrives at h₁" in learner.words()


async def test_the_panel_of_an_exercise_comes_back_when_it_is_solved(course: Path) -> None:
    file = course / "01-half-is-gone.md"
    file.write_text(file.read_text(encoding="utf-8").replace('untrain = true\npanel = ""', "untrain = true"))
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", *["n", "n"] * 2)
        assert lesson.main.view.panel == "loss"
        await learner.set("gain", 0.75)
        await learner.press("o")
        assert lesson.main.view.panel == "knobs"
        await learner.press("enter", *"1", ".", *"2", "enter")
        assert "your-turn" in learner.run.solved
        assert lesson.main.view.panel == "loss"


async def test_off_the_rails_and_back_with_one_key(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "2", "enter", "F")
        assert not lesson.main.query_one("#lesson").display
        assert "rnnviz" in text(lesson, "title")
        assert "r back to the lesson" in text(lesson, "keys")
        await learner.press("e", "7", "escape", "x")
        assert lesson.main.frame is not None
        assert (lesson.main.frame.cursor.epoch, lesson.main.frame.cut) == (1, True)
        await learner.press("r")
        frame = lesson.main.frame
        assert (frame.cursor.epoch, frame.cut, frame.cursor.phase, frame.cursor.t) == (0, False, Phase.BACKWARD, 0)
        assert "✓ Right" in learner.words()


async def test_r_sets_the_picture_up_again(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("right", "e", "x", "tab", "r")
        frame = lesson.main.frame
        assert frame is not None
        assert (frame.cursor.epoch, frame.cut, frame.cursor.t, lesson.main.view.panel) == (0, False, 0, None)


async def test_the_next_session_goes_on_where_this_one_left(course: Path, data: Path) -> None:
    first = app(course)
    async with first.run_test(size=(80, 24)) as pilot:
        await first.settled()
        await Learner(first, pilot).press("n", "9", "enter", "n")
    kept = json.loads((data / FILE).read_text())
    assert kept["courses"][str(course.resolve())]["last"] == "half-is-gone"
    second = app(course)
    async with second.run_test(size=(80, 24)) as pilot:
        await second.settled()
        learner = Learner(second, pilot)
        assert learner.run.at == 2
        assert second.main.frame is not None
        assert second.main.frame.cursor.epoch == 3, "the step's picture stands again"
        await learner.press("N")
        assert "✗ Your answer: 9. Right: " in learner.words()


async def test_after_a_lesson_comes_the_next_and_then_the_contents(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.play()
        assert learner.run.lesson.slug == "more-of-it"
        await learner.press("n", "9", "9", "enter", "r")
        await learner.type(learner.right())
        await learner.press("enter", "N")
        await learner.play()
        shown = lesson.screen.query_one("#contents", Canvas).plain()
        told = " ".join(" ".join(shown).split())
        assert "The end of the course" in shown[0]
        assert "You have finished 2 of 2 lessons." in told
        assert "Half is gone: How fast a gradient fades." in told
        assert (
            "2.2 After how many steps is half of it gone? Your answer: 99 steps. Right: 1.5 steps. A step keeps" in told
        )
        assert "2.3" not in told
        await learner.press("pagedown", "pagedown")
        told = " ".join(" ".join(lesson.screen.query_one("#contents", Canvas).plain()).split())
        for key in (
            "F starts free play",
            "s shows the code",
            "p runs a gradient check",
            "m shows the whole",
            "P pins",
            "ctrl+p finds",
        ):
            assert key in told
        await learner.press("L")
        await pilot.pause()
        shown = lesson.screen.query_one("#contents", Canvas).plain()
        assert "✓" in shown[2]
        assert "c end" in shown[-1]
        await learner.press("c")
        await pilot.pause()
        assert "The end of the course" in lesson.screen.query_one("#contents", Canvas).plain()[0]


async def test_a_replay_asks_again_and_keeps_each_result_until_a_new_one(course: Path, data: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.play(wrong=True)
        await learner.press("L", "home", "s")
        told = " ".join(" ".join(lesson.screen.query_one("#contents", Canvas).plain()).split())
        assert "1 Half is gone: summary 4 of 4 pages, 0 of 2 questions right at first try" in told
        await learner.press("r")
        assert (learner.run.lesson.slug, learner.run.at) == ("half-is-gone", 0)
        await learner.press("n")
        assert learner.run.open_question is not None
        assert learner.run.answers["how-far-back"].is_right is False, "the old result counts"
        await learner.press("n")
        assert learner.run.open_question is not None, "n keeps the old answer, and the next question is open, too"
        await learner.press("N")
    second = app(course)
    async with second.run_test(size=(80, 24)) as pilot:
        await second.settled()
        learner = Learner(second, pilot)
        assert learner.run.open_question is not None, "another session goes on with the replay"
        await learner.play()
        assert second.main.guide is not None
        kept = second.main.guide.progress.of("half-is-gone")
        assert all(answer.first_right and answer.tries == 1 for answer in kept.answers.values()), "the new results"
        assert not kept.again


async def test_words_find_a_lesson_and_a_page(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)

        async def found(words: str) -> str:
            for key in words:
                await pilot.press({"/": "slash", " ": "space"}.get(key, NAMES.get(key, key)))
            menu = lesson.screen
            assert isinstance(menu, ContentsScreen)
            while menu.index is None:
                await pilot.pause()
            await pilot.pause()
            return "\n".join(menu.query_one("#contents", Canvas).plain())

        await learner.press("L")
        await pilot.pause()
        shown = await found("/KEEPS share")
        assert "Find: KEEPS share" in shown
        assert "1.2 How far back?" in shown
        assert "2.2 How far back?" in shown
        assert "1.1" not in shown
        assert "r replay" not in shown
        assert "No term, lesson or page" in await found(" orchid")
        await pilot.press(*["backspace"] * 7, "down", "enter")
        await lesson.settled()
        assert (learner.run.lesson.slug, learner.run.at) == ("more-of-it", 1)
        await learner.press("L")
        await pilot.pause()
        assert "1.4" not in await found("/grad_ratio"), "a figure's name is not a word of the text"
        await pilot.press("escape")
        await pilot.pause()
        assert "Lessons" in lesson.screen.query_one("#contents", Canvas).plain()[0]


def test_a_term_of_the_glossary_is_found_with_the_page_that_defines_it() -> None:
    course = find()
    first = Index(course).find("update gate", InMemory(course.name))[0]
    assert first.kind == "term"
    assert first.name.startswith("update gate (10.")
    lesson, _ = read(course.file(first.slug))
    assert lesson is not None
    assert first.page is not None
    assert "**update gate**" in " ".join(lesson.steps[first.page].before + lesson.steps[first.page].after)


def test_a_search_gives_no_answer_away(course: Path) -> None:
    """The explanation after a question is searched once it is answered."""
    progress = InMemory(str(course))
    index = Index(find(course))
    words = "so half is gone after"
    assert index.find(words, progress) == []
    lesson, _ = read(course / "01-half-is-gone.md")
    assert lesson is not None
    progress.keep(LessonRun(lesson, at=1, answers={"how-far-back": Answer("9", False, "1.9")}))
    assert [one.name for one in index.find(words, progress)] == ["1.2 How far back?"]


async def test_contents_jump_and_reset(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "2", "enter", "L")
        await pilot.pause()
        shown = lesson.screen.query_one("#contents", Canvas).plain()
        assert "1 Half is gone" in shown[2]
        assert "2/4" in shown[2]
        await learner.press("right", "down", "down", "enter")
        assert learner.run.step.heading == "Your turn"
        await learner.press("L", "down", "enter")
        assert learner.run.lesson.slug == "more-of-it"
        await learner.press("L", "up", "R")
        await pilot.pause()
        assert "Press R again" in "\n".join(lesson.screen.query_one("#contents", Canvas).plain())
        await learner.press("R", "escape")
        assert lesson.main.guide is not None
        assert lesson.main.guide.progress.of("half-is-gone").steps == 0


async def test_the_contents_tick_only_what_was_done(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.skip()
        await learner.play()
        await learner.press("L")
        await pilot.pause()
        shown = lesson.screen.query_one("#contents", Canvas).plain()
        assert "– " in shown[2]
        assert "1/4" in shown[2]
        assert "✓ " in shown[3]
        assert "4/4" in shown[3]


async def test_the_contents_say_all_of_what_a_lesson_is_about() -> None:
    lesson = RnnvizApp(start=Start(slug="1"), compile=False)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("L", "home")
        assert lesson.main.guide is not None
        for file in lesson.main.guide.course.files:
            shown = " ".join(" ".join(lesson.screen.query_one("#contents", Canvas).plain()).split())
            title, about = head(file)
            assert title in shown
            assert about in shown
            await learner.press("right")
            assert about in " ".join(" ".join(lesson.screen.query_one("#contents", Canvas).plain()).split())
            await learner.press("left", "down")


async def test_the_contents_tell_where_to_read_more() -> None:
    """All sources of the lessons with the most steps, and with the most sources, at 80 × 24."""
    for slug in ("why-gradients-vanish", "beyond"):
        lesson = RnnvizApp(start=Start(slug=slug), compile=False)
        async with lesson.run_test(size=(80, 24)) as pilot:
            await lesson.settled()
            await Learner(lesson, pilot).press("L", "right")
            shown = " ".join(" ".join(lesson.screen.query_one("#contents", Canvas).plain()).split())
            assert lesson.main.guide is not None
            assert lesson.main.guide.run is not None
            for source in lesson.main.guide.run.lesson.sources:
                assert " ".join(name_and_address(source)[0].split()) in shown, slug


async def test_the_plain_score_has_no_lesson_until_one_is_opened(course: Path) -> None:
    free = RnnvizApp(compile=False)
    async with free.run_test(size=(80, 24)) as pilot:
        await free.settled()
        learner = Learner(free, pilot)
        assert free.main.guide is None
        await learner.press("n")
        assert "No lesson is open" in text(free, "telling")
        await learner.press("L")
        await pilot.pause()
        assert "Why gradients vanish" in "\n".join(free.screen.query_one("#contents", Canvas).plain())
        await learner.press("enter")
        assert free.main.guide is not None
        assert free.main.guide.is_on


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (160, 50)])
async def test_all_of_a_step_is_on_the_screen_with_and_without_a_panel(course: Path, size: tuple[int, int]) -> None:
    lesson = app(course)
    async with lesson.run_test(size=size) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        for _ in range(4):
            for keys in ([], ["o"], ["o"]):
                await learner.press(*keys)
                step = learner.run.step
                for paragraph in step.before if not learner.run.is_done else ():
                    assert " ".join(paragraph.split("{")[0].split()[:6]) in learner.words()
                score = text(lesson, "score")
                assert "time t" in score, "the score keeps its axis"
                assert "input x" in score
                if lesson.main.view.panel and size[0] < 120:
                    panel = lesson.main.query_one("#panel", Canvas)
                    assert panel.size.height >= 3
            await learner.press("n", *(["n"] if learner.run.task is not None else []))
        if size == (80, 24):
            assert lesson.main.query_one("#lesson").size.height == 1 + MEASURE.lines


async def test_a_resize_keeps_the_lesson(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "4", "2")
        for size in ((160, 50), (60, 20), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert "42▏" in learner.screen(), size


async def test_a_home_that_cannot_be_written_says_so(course: Path, data: Path) -> None:
    data.parent.mkdir()
    data.write_text("a file where a folder should be")
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        assert "Progress cannot be saved: File exists: " in learner.screen()
        await learner.press("n")
        assert learner.run.at == 1


async def test_a_broken_lesson_is_told_and_the_one_before_stays(course: Path) -> None:
    (course / "02-more-of-it.md").write_text("+++\ntitle = 1\n+++\n", encoding="utf-8")
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("L", "down", "enter")
        assert "02-more-of-it.md, line" in learner.screen()
        assert learner.run.lesson.slug == "half-is-gone"


async def test_stopping_while_a_step_is_set_up(course: Path) -> None:
    long = (course / "01-half-is-gone.md").read_text(encoding="utf-8").replace("train = 3", "train = 30000")
    (course / "01-half-is-gone.md").write_text(long, encoding="utf-8")
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        await learner.press("n", "2", "enter")
        await pilot.press("n")
        await pilot.pause(0.2)
        assert "training" in learner.screen()
        await pilot.press("escape")
        await lesson.settled()
        assert lesson.main.frame is not None
        assert 0 < lesson.main.frame.cursor.epoch < 30000
        await learner.press("N")
        assert lesson.main.frame.cursor.epoch == 0


@pytest.mark.slow
async def test_a_performance_plays_to_the_end_and_any_key_pauses(course: Path, data: Path) -> None:
    lesson = app(course, slug="half-is-gone", speed=100.0)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        guide = lesson.main.guide
        assert guide is not None
        autoplay = guide.pursuit.presenter
        assert autoplay is not None
        await pilot.press("right")
        await pilot.pause(0.3)
        assert autoplay.is_paused
        assert lesson.main.frame is not None
        assert lesson.main.frame.cursor.t == 0, "the key that pauses does nothing else"
        at = guide.run.at if guide.run else None
        await pilot.pause(0.3)
        assert guide.run is not None
        assert guide.run.at == at
        guide.pursuit.send(Next())  # a step that was on its way when the key came
        assert lesson.main.view.notice is not None
        assert "Paused" in lesson.main.view.notice.text
        await pilot.press("left")
        assert lesson.main.view.notice is None, "it is the presenter's key that ends the notice"
        await pilot.press("space")
        await _until(pilot, lambda: autoplay.is_over)
        assert all(answer.is_right for answer in guide.run.answers.values())
        assert len(guide.run.answers) == 2
        assert guide.run.solved == {"your-turn"}
        assert not data.exists(), "a performance is nobody's progress"


async def _until(pilot: Pilot[Any], done: Any) -> None:
    for _ in range(400):
        if done():
            return
        await pilot.pause(0.05)
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_rows_and_keys_stay_away_until_their_lesson(size: tuple[int, int]) -> None:
    lesson = RnnvizApp(start=Start(slug="1"), compile=False)
    async with lesson.run_test(size=size) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        guide = lesson.main.guide
        assert guide is not None

        async def at(number: int, step: int) -> tuple[str, str]:
            slug = guide.course.slug(guide.course.files[number - 1])
            if learner.run.lesson.slug != slug:
                guide.open(slug)
            guide.jump(step)
            await lesson.settled()
            return text(lesson), text(lesson, "keys")

        exercise = len(learner.run.lesson.steps) - 1
        score, keys = await at(1, exercise)
        for name in ("∂L", "reach  ", "10^"):
            assert name not in score
        for word in ("o knobs", "a train", "H hint"):
            assert word in keys, "an exercise names the keys that it takes"
        assert "unit 0" in score
        assert "unit 1" not in score
        assert "●" not in text(lesson, "title")
        assert "○" not in text(lesson, "title")
        score, keys = await at(1, 0)
        for word in ("epoch", "turn", "cut"):
            assert word not in keys
        await learner.press("tab")
        assert lesson.main.view.panel in (None, "loss")
        await learner.press("escape", "F")
        score = text(lesson)
        assert "‖∂L" in score, "free play shows everything"
        await learner.press("r")
        assert "‖∂L" not in text(lesson)
        score, keys = await at(5, 0)
        assert "‖∂L" in score
        assert "epoch" in keys
        score, _ = await at(8, 0)
        assert "reach  " in score
        score, _ = await at(9, 0)
        assert "forget f" in score


async def test_a_course_that_introduces_nothing_shows_everything(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        assert "‖∂L" in text(lesson)
        assert "b batch" in text(lesson, "keys")
        await Learner(lesson, pilot).press("end")
        assert "→ compute the loss" in text(lesson, "keys")


@pytest.mark.slow
async def test_playing_in_a_lesson_goes_on_to_the_update_and_then_makes_it(course: Path) -> None:
    lesson = app(course)
    async with lesson.run_test(size=(80, 24)) as pilot:
        await lesson.settled()
        for batch in (0, 1):
            await pilot.press("plus", "plus", "plus", "space")
            await _until(pilot, lambda: not lesson.main.view.playing)
            await lesson.settled()
            assert lesson.main.frame is not None
            assert lesson.main.frame.cursor.phase is Phase.UPDATE
            assert lesson.main.frame.cursor.batch == batch, "shown, and not made before space again"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 50)])
async def test_the_contents_and_the_summary_say_how_to_close_them(course: Path, size: tuple[int, int]) -> None:
    lesson = app(course)
    async with lesson.run_test(size=size) as pilot:
        await lesson.settled()
        learner = Learner(lesson, pilot)
        for key, word in (("L", "r replay"), ("s", "n next lesson")):
            await learner.press(key)
            await pilot.pause()
            last = lesson.screen.query_one("#contents", Canvas).plain()[-1]
            assert "esc close" in last
            assert word in last
