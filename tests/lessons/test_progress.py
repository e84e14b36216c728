"""Progress: kept between sessions, never fatal, and nobody's is lost."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.lessons.course import find
from rnnviz.lessons.lesson import Exercise, Lesson, Prediction
from rnnviz.lessons.pages import page
from rnnviz.lessons.progress import FILE, Progress
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun
from rnnviz.lessons.setup import arrive
from rnnviz.lessons.text import plain
from rnnviz.player.player import Player


@pytest.fixture
def lesson() -> Lesson:
    found, problems = read(find().file("why-gradients-vanish"))
    assert found is not None, problems
    return found


def answered(lesson: Lesson) -> LessonRun:
    """The first question answered, and a hint of the exercise seen."""
    player = Player(lesson.experiment)
    at = next(i for i, step in enumerate(lesson.steps) if step.task is not None)
    run = LessonRun(lesson).jump(at)
    run = run.arrived(arrive(player, run.target)).saying("1")
    return run.arrived(arrive(player, run.target))


def test_what_was_left_is_taken_up_again(lesson: Lesson, tmp_path: Path) -> None:
    run = answered(lesson)
    Progress("rnnviz", tmp_path).keep(run)
    again = Progress("rnnviz", tmp_path)
    taken = again.resume(lesson)
    assert (taken.at, taken.answers, taken.seen) == (run.at, run.answers, run.seen)
    assert dict(taken.starts) == {step: dict(values) for step, values in run.starts.items() if values}
    assert again.last == lesson.slug
    assert again.of(lesson.slug).done == 1
    assert json.loads((tmp_path / FILE).read_text())["version"] == 1


def test_another_course_is_another_progress(lesson: Lesson, tmp_path: Path) -> None:
    Progress("rnnviz", tmp_path).keep(answered(lesson))
    other = Progress("/home/teacher/course", tmp_path)
    assert other.last is None
    other.keep(LessonRun(lesson))
    assert Progress("rnnviz", tmp_path).of(lesson.slug).answers


def test_forgetting_a_lesson(lesson: Lesson, tmp_path: Path) -> None:
    progress = Progress("rnnviz", tmp_path)
    progress.keep(answered(lesson))
    progress.forget(lesson.slug)
    assert Progress("rnnviz", tmp_path).resume(lesson) == LessonRun(lesson)


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"version": 1}', '{"version": 1, "courses": []}', "\x00\x01", '{"version": "x"}',
     "[" * 100_000],
)
def test_a_damaged_file_is_set_aside_and_said(lesson: Lesson, tmp_path: Path, damage: str) -> None:
    (tmp_path / FILE).write_text(damage)
    progress = Progress("rnnviz", tmp_path)
    assert "is damaged" in progress.notes[0]
    aside = tmp_path / f"{FILE}.1.aside"
    assert aside.read_text() == damage
    assert aside.name in progress.notes[0]
    progress.keep(answered(lesson))
    assert Progress("rnnviz", tmp_path).of(lesson.slug).done == 1
    (tmp_path / FILE).write_text(damage)
    Progress("rnnviz", tmp_path)
    assert (tmp_path / f"{FILE}.2.aside").exists(), "the file set aside before is kept"


def test_a_file_of_a_newer_version_is_set_aside_not_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"version": 2, "courses": {}}')
    assert "newer" in Progress("rnnviz", tmp_path).notes[0]


@pytest.mark.parametrize(
    "entry",
    [{"step": 3, "done": "x"}, {"answers": {"how-much-arrives": 3}}, {"answers": {"how-much-arrives": {"said": "9"}}},
     {"hints": {"your-turn": "many"}}, {"starts": [1]}, {"seen": "all", "solved": {}}, 7, None,
     {"done": math.inf}, {"hints": {"your-turn": math.inf}}, {"hints": {"your-turn": -3}},
     {"answers": {"larger-weights": {"said": "9" * 5000, "right": True}}}, {"step": "\udcff"}],
)  # fmt: skip
def test_nonsense_inside_a_good_file_is_let_go(lesson: Lesson, tmp_path: Path, entry: object) -> None:
    courses = {"rnnviz": {"last": 4, "lessons": {lesson.slug: entry}}}
    (tmp_path / FILE).write_text(json.dumps({"version": 1, "courses": courses}))
    progress = Progress("rnnviz", tmp_path)
    run = progress.resume(lesson)
    assert run.at == 0
    assert not run.answers
    progress.keep(run)
    assert progress.notes == []


@pytest.mark.parametrize(("kept", "shown"), [([1], "–"), ({}, "–"), (True, "1e+00"), (2, "2e+00"), ("x", "x")])
def test_nonsense_among_the_values_of_the_start_is_let_go(
    lesson: Lesson, tmp_path: Path, kept: object, shown: str
) -> None:
    entry = {
        "step": "larger-weights", "answers": {"larger-weights": {"said": "1", "right": False}},
        "starts": {"larger-weights": {"start.grad_ratio": kept}},
    }  # fmt: skip
    courses = {"rnnviz": {"lessons": {lesson.slug: entry}}}
    (tmp_path / FILE).write_text(json.dumps({"version": 1, "courses": courses}))
    run = Progress("rnnviz", tmp_path).resume(lesson)
    frame = arrive(Player(lesson.experiment), run.target)
    told = " ".join(plain(line) for line in page(run.arrived(frame), frame).lines)
    assert f"The share was {shown}" in told


def test_a_course_whose_folder_has_an_odd_name_is_kept(lesson: Lesson, tmp_path: Path) -> None:
    """A folder's name may be any bytes; Python writes those that are no text as lone surrogates."""
    name = os.fsdecode(b"/home/teacher/\xff")
    Progress(name, tmp_path).keep(answered(lesson))
    assert Progress(name, tmp_path).of(lesson.slug).done == 1
    Progress("rnnviz", tmp_path).keep(answered(lesson))
    assert Progress(name, tmp_path).of(lesson.slug).done == 1


def test_a_file_that_cannot_be_read_is_not_written_over(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Progress("rnnviz", tmp_path).keep(answered(lesson))
    file = tmp_path / FILE
    before = file.read_bytes()

    def locked(path: Path, *args: object, **kwargs: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", locked)
        progress = Progress("rnnviz", tmp_path)
        progress.keep(LessonRun(lesson))
    assert file.read_bytes() == before
    assert not progress.is_kept
    assert progress.notes[-1] == f"Progress will not be kept: Permission denied: {file}"


def test_steps_that_are_gone_are_let_go(lesson: Lesson, tmp_path: Path) -> None:
    Progress("rnnviz", tmp_path).keep(answered(lesson))
    text = (tmp_path / FILE).read_text().replace(lesson.steps[1].id, "a-step-of-long-ago")
    (tmp_path / FILE).write_text(text)
    run = Progress("rnnviz", tmp_path).resume(lesson)
    assert run.at == 0
    assert not run.answers


def test_the_note_of_a_place_below_the_home_is_short(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "share").write_text("a file where a folder should be")
    progress = Progress("rnnviz", tmp_path / "share")
    progress.keep(answered(lesson))
    assert progress.notes[-1].startswith("Progress will not be kept: ")
    assert progress.notes[-1].endswith(": ~/share")


def test_a_place_that_cannot_be_written_says_so_once_and_goes_on(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    progress = Progress("rnnviz", tmp_path / "home")
    for _ in range(3):
        progress.keep(answered(lesson))
    (note,) = [note for note in progress.notes if "will not be kept" in note]
    assert str(tmp_path / "home") in note
    assert progress.of(lesson.slug) is not None


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home(lesson: Lesson, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        progress = Progress("rnnviz", tmp_path / "rnnviz")
        progress.keep(answered(lesson))
        assert "will not be kept" in progress.notes[0]
    finally:
        tmp_path.chmod(0o700)


def test_a_write_that_fails_leaves_the_old_file(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress("rnnviz", tmp_path)
    progress.keep(answered(lesson))
    before = (tmp_path / FILE).read_text()

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    progress.keep(LessonRun(lesson))
    assert (tmp_path / FILE).read_text() == before
    assert "No space left on device" in progress.notes[-1]
    assert [f.name for f in tmp_path.iterdir() if f.name.startswith(".progress")] == []


WRITER = """
import sys
from pathlib import Path
from rnnviz.lessons.progress import Progress
progress = Progress("rnnviz", Path(sys.argv[1]))
for n in range(100):
    progress._write(f"{sys.argv[2]}-{n}", {"done": n, "steps": 100})
"""


def test_sessions_at_the_same_time_keep_each_others(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    progress = Progress("rnnviz", tmp_path)
    assert [progress.of(f"{name}-{n}").steps for name in "ab" for n in range(100)] == [100] * 200
    assert progress.notes == []


def asked_again(run: LessonRun, said: str) -> LessonRun:
    player = Player(run.lesson.experiment)
    run = run.retried()
    run = run.arrived(arrive(player, run.target)).saying(said)
    return run.arrived(arrive(player, run.target))


def test_how_an_answer_came_about_is_kept(lesson: Lesson, tmp_path: Path) -> None:
    run = answered(lesson)
    step = run.step.id
    assert run.standing == ("○", "wrong")
    run = asked_again(run, "7")
    assert run.standing == ("○", "wrong")
    right = run.answers[step].right.split()[0]
    run = asked_again(run, right)
    assert run.standing == ("○", "right at try 3")
    Progress("rnnviz", tmp_path).keep(run)
    kept = Progress("rnnviz", tmp_path).of(lesson.slug)
    assert kept.standing(step) == ("○", "right at try 3")
    assert kept.tally == "1 right at a later try"
    taken = Progress("rnnviz", tmp_path).resume(lesson)
    assert taken.answers == run.answers
    assert "✓ Right at try 3" in " ".join(plain(line) for line in page(taken.jump(taken.at), None).lines)


def test_a_question_asked_again_and_left_keeps_its_answer(lesson: Lesson) -> None:
    run = answered(lesson)
    again = run.retried()
    assert again.open_question is not None
    assert again.target != run.target, "the picture of the question, not of its answer"
    for left in (again.next(), again.jump(again.at)):
        assert left.answers == run.answers
        assert not left.skipped
    assert again.jump(again.at).answer is not None


def test_skipped_and_hinted_are_told_apart(lesson: Lesson, tmp_path: Path) -> None:
    at = next(i for i, step in enumerate(lesson.steps) if isinstance(step.task, Exercise))
    questions = [step.id for step in lesson.steps if isinstance(step.task, Prediction)]
    player = Player(lesson.experiment)
    run = LessonRun(lesson)
    for _ in range(at):
        run = run.next()
    run = run.arrived(arrive(player, run.target)).hinted()
    assert run.standing == (" ", "")
    run = run.observed(arrive(player, run.target.after(lesson.steps[at].task.solutions[0])))  # type: ignore[union-attr]
    assert run.standing == ("○", "solved after 1 hint")
    Progress("rnnviz", tmp_path).keep(run)
    kept = Progress("rnnviz", tmp_path).of(lesson.slug)
    assert kept.tally == f"1 solved after a hint, {len(questions)} skipped"
    assert {kept.standing(step) for step in questions} == {("–", "skipped")}


def test_an_older_file_is_read_as_before(lesson: Lesson, tmp_path: Path) -> None:
    question = next(step.id for step in lesson.steps if isinstance(step.task, Prediction))
    answers = {question: {"said": "1", "right": True, "answer": "x"}}
    entry = {"step": question, "done": 1, "steps": 9, "answers": answers}
    courses = {"rnnviz": {"last": lesson.slug, "lessons": {lesson.slug: entry}}}
    (tmp_path / FILE).write_text(json.dumps({"version": 1, "courses": courses}))
    progress = Progress("rnnviz", tmp_path)
    assert progress.of(lesson.slug).standing(question) == ("✓", "right")
    assert progress.of(lesson.slug).tally == "1 right at first try"
    assert progress.resume(lesson).answers[question].said == "1"
    assert progress.notes == []
