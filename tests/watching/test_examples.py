"""The scripts of examples/, run as a reader runs them: each ends in the command that opens what it recorded."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import rnnviz
from tests import peers

EXAMPLES = peers.ROOT / "examples"
NEEDS = {
    "jax_recorder.py": ("jax",),
    "keras_sine.py": ("keras", "torch"),
    "keras_sunspots.py": ("keras", "torch"),
    "lightning_lag.py": ("lightning",),
}


@pytest.mark.slow
def test_names_in_pytorch(tmp_path: Path) -> None:
    folder = tmp_path / "names"
    printed = peers.run(EXAMPLES / "pytorch_names.py", str(folder), "--steps", "201", needs=("torch",))
    assert printed.splitlines()[-1] == f"rnnviz {folder}"
    recording = rnnviz.Recording.open(folder)
    assert recording.steps == tuple(range(0, 201, 20))
    assert all(record.is_proved("lstm") for record in recording)
    assert recording[-1].loss < recording[0].loss / 2
    assert {"learning_rate", "clip_factor", "gradient_norm: lstm", "update_ratio: lstm"} <= recording[0].extra.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS)
def test_every_record_of_the_others_is_proved(name: str, tmp_path: Path) -> None:
    if reason := peers.missing(*NEEDS[name]):
        pytest.skip(reason)
    environment = peers.environment(KERAS_BACKEND="torch")
    done = subprocess.run(
        [peers.PYTHON, EXAMPLES / name], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    command, folder = done.stdout.splitlines()[-1].split()
    assert command == "rnnviz"
    assert os.listdir(tmp_path / "runs") == [Path(folder).name]
    recording = rnnviz.Recording.open(tmp_path / folder)
    assert len(recording) >= 4
    for record in recording:
        assert record.layers
        for layer in record.layers:
            assert record.is_proved(layer), (record.step, layer, record.agreement(layer))


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*NEEDS, "pytorch_names.py"}
