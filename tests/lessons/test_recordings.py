"""A recording as a lesson's picture: those of the course, a teacher's own, and mistakes."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from rnnviz import Recording
from rnnviz.diagnosis import from_recording
from rnnviz.diagnosis.diagnose import diagnose
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons import openings
from rnnviz.lessons.check import check
from rnnviz.lessons.course import Start, find
from rnnviz.lessons.masking import masked
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import LessonRun, setup_of
from rnnviz.lessons.setup import Setup, arrive
from rnnviz.player.kinds.opening import CANNOT, Opening
from rnnviz.player.player import Player
from rnnviz.scene.commands import Open, Train
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.course_menu import ContentsScreen
from rnnviz.tui.voice import MEASURE
from rnnviz.views.metrics import value
from tests.lessons.learner import Learner
from tests.recordings_here import made

PANELS = tuple(panels.BY_ID)
FOLDER = find().folder / "recordings"
NAMES = ("remembers", "forgets")

#: Shows records of a teacher's recording, then a network, then the recording again.
LESSON = """\
+++
title = "My training"
summary = "What happened in it."
sources = ["Werbos 1990"]
+++

## The first record

Record {record} of {records}, step {training_step}. The direct gradient is {direct_norm[K]:.1e}.

```toml
[do]
recording = "mine"
record = 1
phase = "backward"
seek = 1

[predict]
question = "How much reaches h₁?"
answer = "grad_ratio"
tolerance = "x 10"

[reveal]
record = "last"
```

It is {grad_ratio:.1e} at record {record}.

## A network

The loss is {loss:.2f}.

```toml
[do]
settings = { seq_len = 20, gain = 0.7 }
train = "epoch"
```

## The recording again

```toml
[do]
recording = { folder = "mine", layer = "encoder.lstm", level = 0, direction = "forward" }
record = 1

[exercise]
goal = "Go to the second record."
solved = ["record == 2"]
hints = []

[[exercise.solution]]
record = 2
```

Done.
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("course")
    made(folder / "mine", records=3)
    (folder / "01-my-training.md").write_text(LESSON, encoding="utf-8")
    return folder


# -- those of the course ------------------------------------------------------------------------------------


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_recordings", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_script_makes_the_recordings_of_the_course(tmp_path: Path) -> None:
    script().make(tmp_path)
    for name in NAMES:
        ours, theirs = Recording.open(FOLDER / name), Recording.open(tmp_path / name)
        assert ours.steps == theirs.steps
        assert sorted(p.name for p in (FOLDER / name).iterdir()) == sorted(p.name for p in (tmp_path / name).iterdir())
        for one, two in zip(ours, theirs, strict=True):
            assert one.loss == pytest.approx(two.loss, rel=1e-3)  # float32, on another processor
            for weight, array in one.layer("lstm").weights.items():
                np.testing.assert_allclose(two.layer("lstm").weights[weight], array, rtol=0.05, atol=5e-3)


def test_they_are_small_and_every_record_is_proved() -> None:
    assert sum(file.stat().st_size for file in FOLDER.rglob("*.*")) < 200_000
    for name in NAMES:
        for record in Recording.open(FOLDER / name):
            assert 0 < (record.agreement("lstm") or 0) < 1e-6
            assert record.is_proved("lstm")


def test_the_diagnosis_finds_what_the_lesson_says_and_nothing_in_the_other() -> None:
    found = {}
    for name in NAMES:
        evidence = from_recording.examine(Recording.open(FOLDER / name))
        found[name] = [finding.rule for finding in diagnose(evidence).findings]
    assert found["remembers"] == []
    assert "vanishing-gradient" in found["forgets"], found


def test_the_diagnosis_on_the_screen_agrees_in_every_step_that_opens_it() -> None:
    """`a-finding`, `no-finding` and the goal of `your-turn`."""
    from rnnviz.diagnosis import of_scene

    lesson, _ = read(find().file("reading-a-diagnosis"))
    assert lesson is not None
    player = Player()
    found: dict[str, list[str]] = {}
    for at, step in enumerate(lesson.steps):
        setup = setup_of(lesson, at, revealed=True)
        ways = {step.id: setup}
        if step.id == "your-turn":
            ways |= {f"solution {n}": setup.after(do) for n, do in enumerate(step.task.solutions)}  # type: ignore[union-attr]
        for name, way in ways.items():
            arrive(player, way)
            frame = player.do(of_scene.wanted(player.frame))
            diagnosis = of_scene.of_frame(frame)
            assert diagnosis is not None
            found[name] = [finding.rule for finding in diagnosis.findings]
    assert "vanishing-gradient" in found["a-finding"]
    assert found["no-finding"] == []
    assert "vanishing-gradient" in found["your-turn"]
    assert found["solution 0"] == found["solution 1"] == []


def test_the_letter_comes_as_many_steps_before_the_end_as_the_lessons_say() -> None:
    lesson, _ = read(find().file("reading-a-diagnosis"))
    assert lesson is not None
    frame = arrive(Player(), setup_of(lesson, len(lesson.steps) - 1, revealed=False))
    assert value(frame, "reach_lag") == 20
    for name in NAMES:
        recorded = Player().do(Open(Opening(str(FOLDER / name)))).scene
        first = script().REMEMBERS
        own = Player(first).frame.scene
        np.testing.assert_array_equal(recorded.trace.x, own.trace.x)  # the same sequence, the same letter
        assert own.needs(30) == (10,)


def test_the_horizon_was_never_longer_where_the_lesson_says_so() -> None:
    """`reading-a-diagnosis/a-training-that-does-not-learn`."""
    horizons = [record.trace("lstm").horizon for record in Recording.open(FOLDER / "forgets")]
    assert max(horizons) == horizons[-1] < 5


def test_the_loss_falls_only_after_the_gradient_reaches_every_step() -> None:
    """`watching-a-training/your-turn`."""
    records = list(Recording.open(FOLDER / "remembers"))
    reaches = [record.trace("lstm").horizon is None for record in records]
    assert reaches == [False] * 5 + [True] * 5
    assert min(record.loss for record in records[:5]) > 0.95 * records[0].loss
    assert all(one.loss > two.loss for one, two in itertools.pairwise(records[4:]))


def test_the_line_of_evidence_waits_for_its_question() -> None:
    lesson, _ = read(find().file("watching-a-training"))
    assert lesson is not None
    player, run = Player(), LessonRun(lesson)
    while run.step.id != "the-evidence":
        run = run.arrive(arrive(player, run.target))
        assert "evidence" in masked(run, player.frame).names, run.step.heading
        if run.open_question is not None:
            run = run.submit("1")
            run = run.arrive(arrive(player, run.target))
            assert "evidence" in masked(run, player.frame).names, run.step.heading
        run = run.next()


# -- a teacher's own ----------------------------------------------------------------------------------------


def test_a_teachers_course_may_show_a_recording(course: Path) -> None:
    assert check([course / "01-my-training.md"], PANELS, MEASURE) == []


def test_every_step_is_reached_from_every_other(course: Path) -> None:
    lesson, _ = read(course / "01-my-training.md")
    assert lesson is not None
    setups = [setup_of(lesson, at, revealed=r) for at in range(3) for r in (False, True)]
    player = Player()
    for there in setups:
        for here in setups:
            arrive(player, here)
            frame = arrive(player, there)
            assert frame.source == there.source
            assert there.same_network(frame)
            assert frame.ghost is None or there.opened is None
            assert len(frame.cannot) == (len(CANNOT) - 1 if there.opened else 0)  # lessons can be opened
    assert not setups[0].same_network(arrive(player, setups[1]))
    assert setups[0].weights != setups[1].weights  # another record is another network: see masking.py
    run = LessonRun(lesson).jump(2)
    run = run.arrive(arrive(player, run.target))
    assert run.observe(player.do(Train("epoch"))).is_done


def test_opening_another_run_forgets_the_one_before(course: Path) -> None:
    player = Player(Experiment(seq_len=5))
    player.do(Train("epoch"))
    frame = player.do(Open(Opening(str(course / "mine"), record=2)))
    assert frame.cursor.epoch == 1
    assert frame.source == Opening(str(course / "mine"))
    assert len(frame.learning.loss) == 3
    frame = player.do(Open(Experiment(seq_len=6)))
    assert (frame.T, frame.cursor.epoch, frame.ghost) == (6, 0, None)
    with pytest.raises(InputError, match="nothing: "):
        player.do(Open(Opening(str(course / "nothing"))))
    assert player.frame is frame


MISTAKES = [
    ("outside", 'recording = "mine"', 'recording = "../elsewhere"', 13, "is not inside this lesson's folder"),
    ("absolute", 'recording = "mine"', 'recording = "/etc"', 13, "is not inside this lesson's folder"),
    ("the-course-itself", 'recording = "mine"', 'recording = "."', 13, "is not inside this lesson's folder"),
    ("a-link", 'recording = "mine"', 'recording = "link"', 13, "is not inside this lesson's folder"),
    ("a-link-inside", 'recording = "mine"', 'recording = "linked"', 13, "is a link out of that folder"),
    ("not-there", 'recording = "mine"', 'recording = "yours"', 13, "there is no folder 'yours'"),
    ("a-file", 'recording = "mine"', 'recording = "01-my-training.md"', 13, "there is no folder"),
    ("empty", 'recording = "mine"', 'recording = "empty"', 7, "empty: is no recording"),
    ("broken", 'recording = "mine"', 'recording = "broken"', 7, "broken"),
    ("no-name", 'recording = "mine"', "recording = 3", 13, "does not name a folder"),
    ("zero-byte", 'recording = "mine"', 'recording = "a\\u0000b"', 13, "recording: "),
    ("unknown-key", 'level = 0, ', 'levle = 0, ', 43, "unknown key 'levle'; did you mean level?"),
    ("no-level", 'level = 0, ', 'level = 7, ', 39, "level: 7 is not one of this layer's"),
    ("bad-level", 'level = 0, ', 'level = -1, ', 43, "level: -1 is not a level"),
    ("no-layer", 'layer = "encoder.lstm"', 'layer = "decoder"', 39, "decoder"),
    ("no-direction", 'direction = "forward"', 'direction = "up"', 43, "direction: 'up' is not a direction"),
    ("no-backward", 'direction = "forward"', 'direction = "backward"', 39, "direction"),
    ("no-record", 'record = "last"', "record = 9", 24, "record: there is no record 9"),
    ("record-zero", "record = 1", "record = 0", 14, "record: 0 is not allowed"),
    ("no-recording", 'train = "epoch"', 'record = 2', 29, "no recording is shown here"),
    ("trained", "seek = 1", 'train = "all"', 7, "train: a recording stays as it is"),
    ("cut", "seek = 1", "cut = true", 7, "cut: a recording stays as it is"),
    ("a-setting", "{grad_ratio:.1e} at", "{learning_rate} at", 27, "learning_rate is not defined here"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "good", "bad", "line", "what"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_one_clear_line(
    course: Path, tmp_path: Path, name: str, good: str, bad: str, line: int, what: str
) -> None:
    folder = tmp_path / "course"
    shutil.copytree(course, folder)
    shutil.copytree(course / "mine", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", folder / "link")
    (folder / "empty").mkdir()
    (folder / "linked").mkdir()
    for file in (tmp_path / "elsewhere").iterdir():
        os.symlink(file, folder / "linked" / file.name)
    shutil.copytree(course / "mine", folder / "broken")
    for file in (folder / "broken").glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:100])
    assert good in LESSON
    path = folder / "01-my-training.md"
    path.write_text(LESSON.replace(good, bad, 1), encoding="utf-8")
    problems = check([path], PANELS, MEASURE)
    assert [(p.line, what in f"{p.what}; {p.remedy}") for p in problems] == [(line, True)], problems
    assert "\n" not in str(problems[0])


def test_a_recording_that_is_too_large_is_refused(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "LARGEST", 10)
    with pytest.raises(InputError, match="record fewer sequences"):
        openings.recording(course, "mine")
    monkeypatch.setattr(openings, "LARGEST", 10**9)
    monkeypatch.setattr(openings, "MOST_RECORDS", 2)
    monkeypatch.setattr(openings, "OTHER_FILES", 1)
    with pytest.raises(InputError, match="has more than 2 records"):
        openings.recording(course, "mine")


@pytest.mark.parametrize("given", [None, [], {}, {"folder": ""}, {"folder": 3}, "", "  "])
def test_what_names_no_folder(course: Path, given: Any) -> None:
    with pytest.raises(InputError, match="does not name a folder"):
        openings.recording(course, given)
    with pytest.raises(InputError, match="is not the folder of a recording"):
        Setup(Experiment()).after((("recording", given),))


# -- on the screen --------------------------------------------------------------------------------------------


async def test_other_lessons_open_from_a_recording_and_its_knobs_say_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    app = RnnvizApp(start=Start(slug="watching-a-training"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        learner = Learner(app, pilot)
        assert app.main.frame is not None
        assert app.main.frame.source == learner.run.target.opened
        await learner.press("e", "e")
        assert app.main.frame.cursor.epoch == 2
        await learner.press("r")
        assert app.main.frame.cursor.epoch == 0
        await learner.press("L")
        assert isinstance(app.screen, ContentsScreen)
        await learner.press("escape")
        assert app.main.guide is not None
        app.main.guide.open("why-gradients-vanish")
        await app.settled()
        assert app.main.frame.source == app.main.frame.requested == learner.run.target.experiment
        assert app.main.frame.cannot == {}
        app.main.guide.open("reading-a-diagnosis")
        await app.settled()
        assert "remembers" not in str(app.main.frame.source)
        await learner.press("o")
        assert CANNOT["knobs"][:40] in "\n".join(app.main.query_one("#panel", Canvas).plain())
