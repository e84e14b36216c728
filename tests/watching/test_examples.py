"""The scripts of examples/ for PyTorch: they run, record what they say, and end in the command that opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

import rnnviz
from tests import peers


@pytest.mark.slow
def test_names_in_pytorch(tmp_path: Path) -> None:
    folder = tmp_path / "names"
    printed = peers.run(peers.ROOT / "examples" / "pytorch_names.py", str(folder), "--steps", "201", needs=("torch",))
    assert printed.splitlines()[-1] == f"rnnviz {folder}"
    recording = rnnviz.Recording.open(folder)
    assert recording.steps == tuple(range(0, 201, 20))
    assert recording[0].is_proved("lstm")
    assert recording[-1].loss < recording[0].loss / 2
    assert {"learning_rate", "clip_factor", "gradient_norm: lstm", "update_ratio: lstm"} <= recording[0].extra.keys()
