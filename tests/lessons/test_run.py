"""Running a lesson without a screen: setups, answers, exercises, leaving and coming back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.conditions import condition, tolerance
from rnnviz.lessons.course import Course, find, head
from rnnviz.lessons.lesson import Exercise, Lesson, Prediction
from rnnviz.lessons.pages import page
from rnnviz.lessons.prose import plain, wrapped
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun, right_answer
from rnnviz.lessons.setup import Setup, arrive
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Cut, Right, SelectUnit, Train
from rnnviz.scene.cursor import Phase
from rnnviz.scene.frame import Frame
from rnnviz.views.metrics import value
from tests.lessons.half_is_gone import LESSON


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    path = tmp_path / "01-half-is-gone.md"
    hint = '"Which setting multiplies the recurrent weights?"'
    path.write_text(LESSON.replace(hint, '"Which setting?", "The gain."'), encoding="utf-8")
    found, problems = read(path)
    assert found is not None, problems
    return found


@pytest.fixture
def player(lesson: Lesson) -> Player:
    return Player(lesson.experiment)


def at(run: LessonRun, player: Player) -> LessonRun:
    return run.arrive(arrive(player, run.target))


def said(run: LessonRun, frame: Frame) -> str:
    return "\n".join(plain(line) for line in page(run, frame).lines)


# -- setups --------------------------------------------------------------------------------------------


def test_a_setup_is_the_same_place_from_wherever_one_comes() -> None:
    do = (("settings", {"gain": 0.7, "seq_len": 12}), ("train", 2), ("train", "batch"), ("cut", True), ("sample", 3),
          ("unit", 5), ("phase", "backward"), ("seek", 4), ("loss_step", 7))  # fmt: skip
    setup = Setup(Experiment()).after(do)
    direct = Player(Experiment())
    arrive(direct, setup)
    lost = Player(Experiment())
    for command in (Change((("cell", "lstm"),)), Train("epoch"), Cut(), Right(), SelectUnit(2)):
        lost.do(command)
    arrive(lost, setup)
    for frame in (direct.frame, lost.frame):
        cursor = frame.cursor
        assert (cursor.epoch, cursor.batch, cursor.phase, cursor.t, cursor.unit) == (2, 1, Phase.BACKWARD, 4, 5)
        assert (frame.scene.sample, frame.loss_step, frame.cut) == (3, 7, True)
        assert frame.experiment.gain == 0.7
    np.testing.assert_array_equal(direct.frame.scene.trace.h, lost.frame.scene.trace.h)


@pytest.mark.parametrize("phase", ["forward", "loss", "backward", "update"])
def test_every_move_can_be_set_up(phase: str) -> None:
    player = Player(Experiment())
    frame = arrive(player, Setup(Experiment()).after((("phase", phase),)))
    assert frame.cursor.phase == phase
    assert arrive(player, Setup(Experiment())).cursor.phase is Phase.FORWARD


def test_less_training_than_there_is_goes_back() -> None:
    player = Player(Experiment())
    player.do(Train("epoch", 5))
    frame = arrive(player, Setup(Experiment()).after((("train", 2),)))
    assert (frame.cursor.epoch, frame.cursor.batch) == (2, 0)
    fresh = Player(Experiment())
    fresh.do(Train("epoch", 2))
    np.testing.assert_array_equal(frame.scene.trace.h, fresh.frame.scene.trace.h)


def test_another_task_chooses_its_own_dimensions() -> None:
    player = Player(Experiment(seq_len=40, loss_at="every"))
    setup = Setup(player.frame.requested or Experiment()).after((("settings", {"task": "recall", "lag": 8}),))
    frame = arrive(player, setup)
    assert (frame.experiment.seq_len, frame.scene.task.lag, len(frame.scene.loss_steps)) == (9, 8, 1)


def test_settings_begin_training_again_but_not_for_more_epochs() -> None:
    trained = Setup(Experiment()).after((("train", 2),))
    assert trained.after((("settings", {"gain": 2.0}),)).epochs == 0
    assert trained.after((("settings", {"epochs": 50}),)).epochs == 2


@pytest.mark.parametrize(
    ("name", "argument", "told"),
    [
        ("fly", True, "unknown command"), ("settings", {}, "not a table"),
        ("settings", {"gian": 1}, "did you mean gain"),
        ("settings", {"gain": "much"}, "not a number"), ("train", 0, "not an amount"),
        ("train", True, "not an amount"),
        ("untrain", False, "write untrain = true"), ("phase", "back", "not a phase"), ("seek", -1, "a time step"),
        ("seek", "middle", "a time step"), ("unit", "h3", "a unit"), ("sample", 1.5, "a sequence"),
        ("loss_step", 0, "carries loss"), ("panel", 3, "not a string"), ("cut", "yes", "not true or false"),
    ],
)  # fmt: skip
def test_a_command_that_cannot_be(name: str, argument: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        Setup(Experiment()).after(((name, argument),))


def test_there_is_nothing_to_seek_at_the_loss() -> None:
    with pytest.raises(InputError, match="set phase = 'forward' or 'backward' first"):
        Setup(Experiment()).after((("phase", "loss"), ("seek", 3)))


# -- questions -----------------------------------------------------------------------------------------


def test_a_number_is_graded_against_the_live_frame(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(1), player)
    truth = player.frame.scene.gradient(20).half_life
    assert truth is not None
    assert "half is gone" not in said(run, player.frame), "the explanation comes after the answer"
    for off, right in ((0.9, True), (-0.9, True), (1.1, False)):
        answered = at(run.submit(f"{truth + off:.3f}"), player)
        assert answered.answer is not None
        assert answered.answer.is_right is right
        assert f"half is gone after {truth:.1f} steps" in said(answered, player.frame)
        assert f"{truth:.1f} steps" in said(answered, player.frame).splitlines()[0]
    assert player.frame.cursor.phase is Phase.BACKWARD, "the answer reveals"


def test_a_choice_is_right_where_its_condition_holds_after_the_reveal(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(2), player)
    before = value(player.frame, "grad_ratio")
    wrong = at(run.submit("1"), player)
    assert player.frame.experiment.gain == 1.0
    now = value(player.frame, "grad_ratio")
    assert isinstance(before, float)
    assert isinstance(now, float)
    assert now > before
    text = said(wrong, player.frame)
    assert text.startswith("✗ No: it grows. The weights have grown.")
    assert f"It was {before:.1e}, it is {now:.1e}." in text
    assert right_answer(run.task, player.frame, run.start) == "2"
    arrive(player, run.target)
    assert at(run.submit("2"), player).answers[run.step.id].is_right


@pytest.mark.parametrize("text", ["", "x", "nan", "inf", "1e999"])
def test_what_is_no_number_is_no_answer(lesson: Lesson, player: Player, text: str) -> None:
    run = at(LessonRun(lesson).jump(1), player)
    with pytest.raises(InputError):
        run.submit(text)


@pytest.mark.parametrize("text", ["0", "3", "one", ""])
def test_what_is_no_choice_is_no_answer(lesson: Lesson, player: Player, text: str) -> None:
    run = at(LessonRun(lesson).jump(2), player)
    with pytest.raises(InputError, match="1 to 2"):
        run.submit(text)


@pytest.mark.parametrize(
    ("written", "right", "yes", "no"),
    [(0, 461.0, 461, 462), (2, 11.3, 13.2, 13.4), ("20 %", 100.0, 81, 79), ("x 3", 1e-6, 2.9e-6, 3.1e-6),
     ("×3", 9.0, 3.1, -3.1)],
)  # fmt: skip
def test_tolerances(written: object, right: float, yes: float, no: float) -> None:
    assert tolerance(written).accepts(yes, right)
    assert not tolerance(written).accepts(no, right)


@pytest.mark.parametrize("written", [-1, True, "much", "x 1", "%", None])
def test_what_is_no_tolerance(written: object) -> None:
    with pytest.raises(InputError, match="tolerance"):
        tolerance(written)


# -- exercises -----------------------------------------------------------------------------------------


def test_an_exercise_is_checked_on_every_frame(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(3), player)
    assert run.observe(player.frame) is run
    assert f"✗ arrives at h₁ {value(player.frame, 'grad_ratio'):.1e}, needs ≥ 0.01" in said(run, player.frame)
    run = run.observe(player.do(Change((("gain", 0.8),))))
    assert not run.is_done, "closer, but not there"
    for change in ((("gain", 1.2),), (("gain", 1.0), ("init", "identity"))):
        done = run.observe(player.do(Change(change)))
        assert done.is_done, change
        assert "✓ Done. Now it is" in said(done, player.frame)
        arrive(player, run.target)


def test_a_solution_is_told_only_while_it_can_be_seen(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(3), player)
    open_ = said(run, player.frame)
    arrives = value(player.frame, "grad_ratio")
    run = run.observe(player.do(Change((("gain", 1.2),))))
    text = said(run, player.frame)
    assert text.startswith("✓ Done.")
    back = at(run.restore(), player)
    told = said(back, player.frame)
    assert told.splitlines()[:-1] == open_.splitlines()[:-1], "prose and goal, as before"
    assert told.splitlines()[-1] == f"✓ solved before · now arrives at h₁ {arrives:.1e}, needs ≥ 0.01"
    assert back.is_done, "it stays solved"
    assert "✓ solved before · locked by this exercise: sequence length at 20" in said(
        back, player.do(Change((("seq_len", 3),)))
    )
    arrive(player, back.target)
    assert said(back, player.do(Change((("gain", 1.2),)))) == text


def test_what_is_locked_must_stay(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(3), player)
    frame = player.do(Change((("seq_len", 3),)))
    assert condition("grad_ratio >= 0.01").holds(frame, {}), "the short cut would do it"
    assert run.broken(frame) == ("seq_len",)
    assert not run.observe(frame).is_done
    assert "✗ locked by this exercise: sequence length at 20; [lesson_return] resets" in said(run, frame)
    assert run.observe(arrive(player, run.target)) is run


def test_hints_come_one_at_a_time_and_end(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(3), player)
    texts = []
    for _ in range(3):
        run = run.show_hint()
        texts.append(said(run, player.frame).splitlines()[0])
    assert texts == ["Hint 1 of 2. Which setting?", "Hint 2 of 2. The gain.", "Hint 2 of 2. The gain."]


# -- moving about --------------------------------------------------------------------------------------


def test_forward_back_jump_skip_finish(lesson: Lesson) -> None:
    run = LessonRun(lesson)
    assert run.previous().at == 0
    assert run.next().at == 1
    assert run.jump(99).at == 3
    skipped = run.jump(1).next().next()
    assert skipped.skipped == {lesson.steps[1].id, lesson.steps[2].id}
    assert skipped.next().finished
    assert not skipped.next().solved


def test_free_play_and_back(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(3), player)
    place = player.frame.cursor
    free = run.explore()
    for command in (Change((("cell", "gru"),)), Train("epoch"), Right()):
        player.do(command)
    back = at(free.restore(), player)
    assert not back.is_free_play
    assert player.frame.requested == back.target.experiment
    assert (player.frame.cursor.epoch, player.frame.cursor.phase) == (0, place.phase)
    assert not back.is_done


def test_the_cursor_stays_where_the_step_has_no_wish(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson), player)
    frame = player.do(Right())
    moved = run.next(frame)
    assert moved.keep_cursor
    assert arrive(player, moved.target, cursor=not moved.keep_cursor).cursor == frame.cursor
    frame = player.do(Change((("gain", 2.0),)))
    assert not run.next(frame).keep_cursor, "another network: the step's own picture is needed"


def test_an_answered_step_shows_its_answer_again(lesson: Lesson, player: Player) -> None:
    run = at(LessonRun(lesson).jump(1), player)
    run = at(run.submit("3"), player)
    text = said(run, player.frame)
    run = at(run.next().previous(), player)
    assert said(run, player.frame) == text


def test_reset(lesson: Lesson, player: Player) -> None:
    run = at(at(LessonRun(lesson).jump(1), player).submit("3"), player)
    assert run.reset() == LessonRun(lesson)


# -- words and conditions ------------------------------------------------------------------------------


def test_lines_break_at_spaces_and_keep_their_style() -> None:
    lines = wrapped("The **hidden state** is `h` and *this* [link](https://x.org) is 2 * 3 * 4.", 20)
    assert [plain(line) for line in lines] == ["The hidden state is", "h and this link is 2", "* 3 * 4."]
    assert ("hidden state", "bold") in lines[0]
    assert ("h", "code") in lines[1]
    assert ("this", "em") in lines[1]


def test_what_is_missing_is_told_in_words_and_shares_in_percent() -> None:
    frame = Player(Experiment(task="recall")).frame
    right = value(frame, "accuracy")
    assert isinstance(right, float)
    assert condition("accuracy >= 0.9").describe(frame, {}) == f"✗ right answers {100 * right:.0f} %, needs ≥ 90 %"
    assert condition("reach >= needed_lag").missing(frame, {}).endswith(f", needs ≥ {value(frame, 'needed_lag'):.0f}")
    assert condition("parameters < 9").describe(frame, {}).startswith("✗ parameters ")
    assert condition("accuracy <= 1").describe(frame, {}) == (f"✓ right answers {100 * right:.0f} %, needs ≤ 100 %")


def test_a_percent_sign_stays_with_its_number() -> None:
    assert [plain(line) for line in wrapped("of them 90 % are right", 10)] == ["of them", "90 % are", "right"]


@pytest.mark.parametrize(
    ("text", "holds"),
    [("T == 10", True), ("T > 10", False), ("cell == 'rnn'", True), ("cell != 'rnn'", False),
     ("horizon < 3 * T", False),
     ("grad_norm[K] > grad_norm[1]", True), ("loss >= start.loss", True), ("loss > 2 * start.loss", False),
     ("forget_mean >= 0", False)],
)  # fmt: skip
def test_conditions(text: str, holds: bool) -> None:
    frame = Player(Experiment()).frame
    assert condition(text).holds(frame, {"start.loss": frame.scene.trace.loss}) is holds


@pytest.mark.parametrize(
    ("text", "told"),
    [("T", "not a condition"), ("T = 10", "not a condition"), ("T > ten", "unknown metric"),
     ("T > 'ten'", "is a number"),
     ("cell > 'rnn'", "== or !="), ("cell == rnn", "in quotes"),
     ("T > 2 + T", "unknown metric|not a metric|not a number"),
     ("T >= T", "itself"), ("T > inf", "unknown metric"), ("__import__('os') > 1", "not a metric")],
)  # fmt: skip
def test_what_is_no_condition(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        condition(text)


# -- courses -------------------------------------------------------------------------------------------


def test_a_lesson_is_found_by_slug_or_number() -> None:
    course = find()
    file = course.file("why-gradients-vanish")
    assert course.file("6") == course.file("06") == course.file(file.name) == file
    assert head(file)[0] == "Why gradients vanish"
    with pytest.raises(InputError, match="did you mean why-gradients-vanish"):
        course.file("why-gradient-vanish")


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="this folder has no lessons"):
        find(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        find(tmp_path / "none")
    for name in ("10-last.md", "2-second.md", "README.md", "notes.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    course: Course = find(tmp_path)
    assert [file.name for file in course.files] == ["2-second.md", "10-last.md"]
    assert course.name != find().name


def test_a_replay_counts_the_hints_anew(lesson: Lesson) -> None:
    """A solved exercise is asked again without its hints; the old result counts until it is solved again."""
    at = next(i for i, step in enumerate(lesson.steps) if isinstance(step.task, Exercise))
    task = lesson.steps[at].task
    assert isinstance(task, Exercise)
    player = Player(lesson.experiment)
    run = LessonRun(lesson).jump(at)
    run = run.arrive(arrive(player, run.target)).show_hint()
    solved = arrive(player, run.target.after(task.solutions[0]))
    run = run.observe(solved)
    assert run.hints == {run.step.id: 1}
    run = run.replay().jump(at)
    run = run.arrive(arrive(player, run.target))
    assert run.open_exercise is not None
    assert run.hints_given == ()
    assert run.standing[1] == "solved after 1 hint"
    assert len(run.show_hint().hints_given) == 1
    assert run.show_hint().standing[1] == "solved after 1 hint"
    run = run.observe(arrive(player, run.target.after(task.solutions[0])))
    assert run.standing[1] == "solved"
    assert not run.again


def test_the_right_choice_of_a_mistake_has_its_figures(tmp_path: Path) -> None:
    path = tmp_path / "01-half-is-gone.md"
    path.write_text(
        LESSON.replace('say = "it grows"', 'say = "it grows past {start.grad_ratio:.1e}"'), encoding="utf-8"
    )
    lesson, _ = read(path)
    assert lesson is not None
    at = next(i for i, step in enumerate(lesson.steps) if isinstance(step.task, Prediction) and step.task.choices)
    player = Player(lesson.experiment)
    run = LessonRun(lesson).jump(at)
    run = run.arrive(arrive(player, run.target)).submit("1", player.frame)
    run = run.arrive(arrive(player, run.target))
    mistake = run.answers[run.step.id].mistake
    assert mistake is not None
    assert re.fullmatch(r"it grows past \d\.\de-\d\d", mistake.right)


def test_a_mistake_is_kept_as_it_was_read(lesson: Lesson) -> None:
    at = next(i for i, step in enumerate(lesson.steps) if isinstance(step.task, Prediction) and not step.task.choices)
    player = Player(lesson.experiment)
    run = LessonRun(lesson).jump(at)
    run = run.arrive(arrive(player, run.target)).submit("1e9", player.frame)
    run = run.arrive(arrive(player, run.target))
    mistake = run.answers[run.step.id].mistake
    assert mistake is not None
    assert mistake.given.startswith("1e9")
    assert mistake.right == run.answers[run.step.id].right
    assert mistake.why
    assert "{" not in "".join(vars(mistake).values())
    run = run.retry()
    run = run.submit(right_answer(run.task, arrive(player, run.target), run.start)).arrive(player.frame)
    assert run.answers[run.step.id].mistake == mistake, "the first answer stays the one that was wrong"
