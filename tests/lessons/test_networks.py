"""A network from a file as a lesson's picture: that of the course, a teacher's own, and mistakes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, build_training, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons import openings
from rnnviz.lessons.check import check
from rnnviz.lessons.course import find
from rnnviz.lessons.setup import Setup, arrive
from rnnviz.nn import Model
from rnnviz.player.kinds.opening import NETWORK_CANNOT
from rnnviz.player.player import Player
from tests.lessons.test_recordings import FOLDER, MEASURE, PANELS, script

FILE = FOLDER / "remembers.safetensors"
LESSON = """+++
title = "Mine"
summary = "A network from a file."
sources = ["Nobody 2020"]
+++

## From a file

The norm at the beginning is {grad_norm[1]:.1e}, on {sequences} sequences.

```toml
[do]
weights = { file = "mine.safetensors", readout = "none" }
phase = "backward"
seek = 1
```

## With data

The loss is {loss:.2f}.

```toml
[do]
weights = { file = "mine.safetensors", data = { task = "recall", lag = 3, samples = 20 } }
seek = 2
```

## A network of this lesson

The loss is {loss:.2f}.

```toml
[do]
settings = { seq_len = 6 }
train = "epoch"
```
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    Model.create(cell="gru", input_size=7, hidden_size=5, output_size=4, seed=1).save(folder / "mine.safetensors")
    (folder / "01-mine.md").write_text(LESSON, encoding="utf-8")
    return folder


# -- that of the course -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_script_makes_the_network_of_the_course(tmp_path: Path) -> None:
    script().make(tmp_path)
    ours, theirs = Model.load(FILE), Model.load(tmp_path / FILE.name)
    for name, array in ours.params.items():
        np.testing.assert_allclose(theirs.params[name], array, rtol=0.05, atol=5e-3)  # float32, on another processor


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_how_far_the_way_back_reaches_depends_on_what_is_read(seed: int) -> None:
    """Of one network, the norm at h_1 on noise and that on its data differ by more than a factor of 2."""
    experiment = resolved(replace(script().REMEMBERS, seed=seed))
    task = build_task(experiment)
    training = build_training(experiment, build_model(experiment, task), task)
    for _ in range(experiment.epochs):
        training.run_batches(training.batches_per_epoch)
    model = training.model.in_float64
    noise = np.random.default_rng(0).standard_normal((task.seq_len, 1, task.input_size))
    norms = [model.trace(x).grad_norm(task.seq_len)[1] for x in (noise, task.x[0, :, None].astype(float))]
    assert max(norms) > 2 * min(norms)


# -- a teacher's own ----------------------------------------------------------------------------------------


def test_a_teachers_course_may_show_a_network(course: Path) -> None:
    assert check([course / "01-mine.md"], PANELS, MEASURE) == []
    player = Player(Experiment())
    shown = openings.weights(course, {"file": "mine.safetensors", "readout": "none"})
    frame = arrive(player, Setup(Experiment()).after((("weights", shown), ("phase", "backward"), ("seek", 1))))
    assert not frame.scene.has_loss
    assert set(NETWORK_CANNOT) - set(frame.cannot) == {"contents"}  # lessons can be opened
    judged = replace(shown, readout=None, data=Experiment(task="recall", lag=3, samples=20))
    assert arrive(player, Setup(Experiment()).after((("weights", judged),))).scene.has_loss
    back = Setup(Experiment()).after((("weights", shown), ("settings", {"seq_len": 6}), ("train", "epoch")))
    frame = arrive(player, back)
    assert (frame.T, frame.cursor.epoch) == (6, 1)


MISTAKES = [
    ("outside", "\"mine.s", "\"../mine.s", 13, "is not inside this lesson's folder"),
    ("absolute", '"mine.safetensors", readout', '"/etc/passwd", readout', 13, "is not inside this lesson's folder"),
    ("a-link", '"mine.safetensors", readout', '"link.safetensors", readout', 13, "is not inside this lesson's folder"),
    ("not-there", '"mine.safetensors", readout', '"yours.pt", readout', 13, "there is no file 'yours.pt'"),
    ("a-folder", '"mine.safetensors", readout', '"folder", readout', 13, "there is no file 'folder'"),
    ("a-lesson", '"mine.safetensors", readout', '"01-mine.md", readout', 7, "01-mine.md"),
    ("broken", '"mine.safetensors", readout', '"broken.safetensors", readout', 7, "broken.safetensors"),
    ("unknown-key", 'readout = "none"', 'redout = "none"', 13, "unknown key 'redout'; did you mean readout?"),
    ("no-layer", 'readout = "none"', 'layer = "decoder"', 7, "decoder"),
    ("no-level", 'readout = "none"', "level = 4", 7, "level: 4 is not one of this layer's"),
    ("no-text", 'readout = "none"', "readout = 4", 13, "readout: 4 is not a name"),
    ("no-data", "lag = 3, ", "lagg = 3, ", 24, "unknown setting 'lagg'; did you mean lag?"),
    ("other-data", 'task = "recall", lag = 3, samples = 20', 'task = "sine"', 18, "reads 7"),
    ("trained", "seek = 2", 'train = "all"', 18, "weights from a file stay as they are"),
    ("a-record", "seek = 2", "record = 2", 18, "no recording is shown here"),
    ("a-loss", "{grad_norm[1]:.1e}", "{loss:.2f}", 9, "loss is not defined here"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "good", "bad", "line", "what"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_one_clear_line(course: Path, name: str, good: str, bad: str, line: int, what: str) -> None:
    (course.parent / "mine.safetensors").write_bytes((course / "mine.safetensors").read_bytes())
    os.symlink(course.parent / "mine.safetensors", course / "link.safetensors")
    (course / "folder").mkdir()
    (course / "broken.safetensors").write_bytes((course / "mine.safetensors").read_bytes()[:100])
    assert good in LESSON
    path = course / "01-mine.md"
    path.write_text(LESSON.replace(good, bad, 1), encoding="utf-8")
    problems = check([path], PANELS, MEASURE)
    assert [(p.line, what in f"{p.what}; {p.remedy}") for p in problems] == [(line, True)], problems
    assert "\n" not in str(problems[0])


@pytest.mark.parametrize("given", [None, [], {}, {"file": ""}, {"file": 3}, "", "  "])
def test_what_names_no_file(course: Path, given: Any) -> None:
    with pytest.raises(InputError, match="does not name a file"):
        openings.weights(course, given)
    with pytest.raises(InputError, match="is not a file of weights"):
        Setup(Experiment()).after((("weights", given),))


def test_a_file_that_is_too_large_is_refused(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openings, "LARGEST", 10)
    with pytest.raises(InputError, match="save a smaller network"):
        openings.weights(course, "mine.safetensors")


def test_the_course_has_one() -> None:
    assert "weights" in {name for name, _ in _commands(find().file("your-own-network"))}


def _commands(file: Path) -> list[tuple[str, Any]]:
    from rnnviz.lessons.reading import read

    lesson, _ = read(file)
    assert lesson is not None
    return [command for step in lesson.steps for command in step.do]
