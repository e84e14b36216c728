"""Progress: kept between sessions, never fatal, and nobody's is lost."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rnnviz import files
from rnnviz.kiosk import Kiosk
from rnnviz.lessons.course import OWN, find
from rnnviz.lessons.lesson import Exercise, Lesson, Prediction
from rnnviz.lessons.pages import page
from rnnviz.lessons.progress import FILE, Progress, progress_of
from rnnviz.lessons.prose import plain
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun
from rnnviz.lessons.setup import arrive
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
    run = run.arrive(arrive(player, run.target)).submit("1")
    return run.arrive(arrive(player, run.target))


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
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 1}',
        '{"version": 1, "courses": []}',
        "\x00\x01",
        '{"version": "x"}',
        "[" * 100_000,
    ],
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


@pytest.mark.parametrize(("kept", "shown"), [([1], "–"), ({}, "–"), (True, "1.0e+00"), (2, "2.0e+00"), ("x", "x")])
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
    told = " ".join(plain(line) for line in page(run.arrive(frame), frame).lines)
    assert f"Before, {shown} of the gradient" in told


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

    def locked(path: Path, *args: object, **kwargs: object) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(files, "read", locked)
        progress = Progress("rnnviz", tmp_path)
        progress.keep(LessonRun(lesson))
    assert file.read_bytes() == before
    assert not progress.is_kept
    assert progress.notes[-1] == f"Progress cannot be saved: Permission denied: {file}"


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
    assert progress.notes[-1].startswith("Progress cannot be saved: ")
    assert progress.notes[-1].endswith(": ~/share")


def test_a_place_that_cannot_be_written_says_so_once_and_goes_on(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    progress = Progress("rnnviz", tmp_path / "home")
    for _ in range(3):
        progress.keep(answered(lesson))
    (note,) = [note for note in progress.notes if "cannot be saved" in note]
    assert str(tmp_path / "home") in note
    assert progress.of(lesson.slug) is not None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home(lesson: Lesson, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        progress = Progress("rnnviz", tmp_path / "rnnviz")
        progress.keep(answered(lesson))
        assert "cannot be saved" in progress.notes[0]
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
progress.flush(10)
"""


def test_sessions_at_the_same_time_keep_each_others(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("a", "b")]
    assert [writer.wait() for writer in writers] == [0, 0]
    progress = Progress("rnnviz", tmp_path)
    assert [progress.of(f"{name}-{n}").steps for name in "ab" for n in range(100)] == [100] * 200
    assert progress.notes == []


def asked_again(run: LessonRun, said: str) -> LessonRun:
    player = Player(run.lesson.experiment)
    run = run.retry()
    run = run.arrive(arrive(player, run.target)).submit(said)
    return run.arrive(arrive(player, run.target))


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
    again = run.retry()
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
    run = run.arrive(arrive(player, run.target)).show_hint()
    assert run.standing == (" ", "")
    run = run.observe(arrive(player, run.target.after(lesson.steps[at].task.solutions[0])))  # type: ignore[union-attr]
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
    assert progress.of(lesson.slug).standing(question) == ("✓", "right at first try")
    assert progress.of(lesson.slug).tally == "1 right at first try"
    assert progress.resume(lesson).answers[question].given == "1"
    assert progress.notes == []


# -- locks and odd files ---------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="needs locks and pipes")

HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


@posix
def test_a_lock_that_another_program_holds_is_not_waited_for(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / ".lock")], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        progress = Progress("rnnviz", tmp_path)
        for _ in range(3):
            progress.keep(answered(lesson))
        assert progress.notes == ["Progress is not saved yet: another program holds its lock."]
        assert progress.is_late
        assert not (tmp_path / FILE).exists()
        assert progress.of(lesson.slug).done == 1, "this session goes on with it"
        assert progress.last == lesson.slug
    finally:
        holder.kill()
        holder.communicate()
    progress.flush(10)
    assert not progress.is_late
    assert progress.notes[1:] == ["Progress is saved again."]
    assert Progress("rnnviz", tmp_path).of(lesson.slug).done == 1


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_open_the_file_or_its_lock(lesson: Lesson, tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        Progress("rnnviz", tmp_path / "share" / "rnnviz").keep(answered(lesson))
    finally:
        os.umask(before)
    place = tmp_path / "share" / "rnnviz"
    assert {p.name: p.stat().st_mode & 0o777 for p in place.iterdir()} == {FILE: 0o600, ".lock": 0o600}
    assert place.stat().st_mode & 0o777 == 0o700


@posix
def test_what_an_older_version_left_open_is_closed(lesson: Lesson, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in (FILE, ".lock"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)
    (tmp_path / FILE).write_text('{"version": 1, "courses": {}}')
    Progress("rnnviz", tmp_path).keep(answered(lesson))
    assert {p.name: p.stat().st_mode & 0o777 for p in tmp_path.iterdir()} == {FILE: 0o600, ".lock": 0o600}
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def pipe_at(path: Path) -> None:
    os.mkfifo(path)


def folder_at(path: Path) -> None:
    path.mkdir()


def link_to_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def socket_at(path: Path) -> None:
    import socket

    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(here)


@posix
@pytest.mark.parametrize("name", [FILE, ".lock"])
@pytest.mark.parametrize("odd", [pipe_at, folder_at, link_to_zero, socket_at])
def test_what_is_no_file_is_left_alone_and_said(
    lesson: Lesson, tmp_path: Path, name: str, odd: Callable[[Path], None]
) -> None:
    odd(tmp_path / name)
    progress = Progress("rnnviz", tmp_path)
    progress.keep(answered(lesson))
    assert progress.notes[-1].startswith("Progress cannot be saved: it is a ")
    assert progress.notes[-1].endswith(f": {tmp_path / name}")
    assert not (tmp_path / name).is_file()
    assert progress.of(lesson.slug).done == 1


@posix
def test_a_lock_that_is_a_link_does_not_empty_what_it_leads_to(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear reader")
    (tmp_path / ".lock").symlink_to(tmp_path / "letter")
    progress = Progress("rnnviz", tmp_path)
    progress.keep(answered(lesson))
    assert (tmp_path / "letter").read_text() == "Dear reader"
    assert "it is a link" in progress.notes[-1]


def test_a_file_too_long_to_be_ours_is_not_read(lesson: Lesson, tmp_path: Path) -> None:
    with (tmp_path / FILE).open("wb") as file:
        file.truncate(10**12)
    progress = Progress("rnnviz", tmp_path)
    assert (tmp_path / f"{FILE}.1.aside").exists()
    progress.keep(answered(lesson))
    assert Progress("rnnviz", tmp_path).of(lesson.slug).done == 1


def test_a_user_without_a_home(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "user_folder", lambda kind: None)
    progress = Progress("rnnviz")
    progress.keep(answered(lesson))
    assert progress.notes == ["Progress cannot be saved: this user has no home folder"]
    assert progress.of(lesson.slug).done == 1


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs another account")
def test_a_user_of_whom_the_system_knows_nothing() -> None:
    """As in a container with --user: no entry in passwd, no HOME."""
    program = (
        "import os\nfrom rnnviz.cli.main import main\nfrom rnnviz.nn.kernel_cache import cache_directory\n"
        "main(['lessons']); cache_directory(); cache_directory.cache_clear()  # all is imported, from wherever it is\n"
        "os.environ.pop('HOME', None); os.setgid(54321); os.setuid(54321)\n"
        "assert cache_directory() is None\nraise SystemExit(main(['lessons']))"
    )
    plain = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR" and "XDG" not in k}
    run = subprocess.run([sys.executable, "-c", program], env=plain, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")


@posix
@pytest.mark.parametrize("what", ["[]", '{"version": 2, "courses": {}}', None], ids=["damaged", "newer", "locked"])
def test_what_is_noted_fits_into_the_rule_of_a_lesson(lesson: Lesson, tmp_path: Path, what: str | None) -> None:
    """80 cells, less the rule's own and the number of the step."""
    if what is None:
        with files.locked(tmp_path / ".lock") as had:
            assert had
            progress = Progress("rnnviz", tmp_path)
            progress.keep(answered(lesson))
    else:
        (tmp_path / FILE).write_text(what)
        progress = Progress("rnnviz", tmp_path)
    (note,) = progress.notes
    assert len(note) <= 80 - 3 - len(" 10/12 ")


def test_two_sessions_in_one_lesson_keep_each_others_steps(lesson: Lesson, tmp_path: Path) -> None:
    """One learner at two terminals: what both have reached stays, and what one takes back is gone."""
    first, second = Progress("rnnviz", tmp_path), Progress("rnnviz", tmp_path)
    ids = [step.id for step in lesson.steps]
    here = replace(LessonRun(lesson), seen=frozenset(ids[:2]), hints={ids[0]: 1})
    there = replace(answered(lesson), seen=frozenset(ids[3:4]), solved=frozenset(ids[4:5]))
    first.keep(here)
    second.keep(there)
    first.keep(replace(here, seen=frozenset(ids[:3])))
    both = Progress("rnnviz", tmp_path).of(lesson.slug)
    assert set(both.seen) == set(ids[:4])
    assert set(both.answers) == set(there.answers)
    assert (both.solved, both.hints) == ((ids[4],), {ids[0]: 1, **there.hints})
    first.keep(replace(here, seen=frozenset()))
    assert set(Progress("rnnviz", tmp_path).of(lesson.slug).seen) == {ids[3]}
    first.forget(lesson.slug)
    assert Progress("rnnviz", tmp_path).of(lesson.slug).seen == ()


def test_progress_in_memory_touches_no_file(lesson: Lesson, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    Progress(OWN).keep(LessonRun(lesson))
    before = (tmp_path / "rnnviz" / FILE).read_bytes()
    progress = progress_of(OWN, Kiosk())
    assert progress.last is None
    progress.keep(answered(lesson))
    assert progress.of(lesson.slug).answers
    assert progress.notes == []
    assert (tmp_path / "rnnviz" / FILE).read_bytes() == before
