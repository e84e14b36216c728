"""The gradient of every state, from what a fused layer shows alone, equals what autograd says of the same layer written
as a loop of cells: 1e-10 in float64, 1e-5 in float32. tests/recordings/autograd.py asked PyTorch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnviz.nn.layer_layout import DIRECTIONS
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord
from tests.nn import golden

CASES = golden.load("recordings")
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}


def record_of(case):
    given, options = golden.under("record/", case), json.loads(str(case["options"]))
    groups = {name: golden.under(f"{name}.", given) for name in ("weights", "grads")}
    fields = {name: array for name, array in given.items() if "." not in name}
    more = {"lengths": options["lengths"], "activation": options["activation"]}
    return LayerRecord(cell=options["cell"], **groups, **fields, **more), options


def compare(case):
    record, options = record_of(case)
    limit = TOLERANCE[options["dtype"]]
    assert passes.agreement(record) <= limit, options
    assert passes.is_proved(record, passes.agreement(record))
    found = golden.under("found/", case)
    for level in range(record.levels):
        for side, direction in enumerate(DIRECTIONS[: 1 + options["bidirectional"]]):
            for sample in range(record.B):
                trace = passes.trace_of(record, sample, level, direction)
                for name, ours in {"h": trace.grad_h, "c": trace.grad_c, "x": trace.grad_x}.items():
                    if ours is not None:
                        theirs = found[f"{name}.{level}.{side}.{sample}"]
                        scale = max(np.abs(theirs).max(), 1e-30)
                        assert ours[:, 0].shape == theirs.shape
                        assert np.abs(ours[:, 0] - theirs).max() <= limit * scale, (options, name, level, side, sample)


@pytest.mark.parametrize("number", CASES)
def test_as_recorded_from_pytorch(number):
    compare(CASES[number])


@pytest.mark.slow
def test_as_pytorch_says_now(tmp_path):
    """With the Python in RNNVIZ_PEERS, else this one."""
    python = os.environ.get("RNNVIZ_PEERS", sys.executable)
    if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode:
        pytest.skip(f"torch is not installed for {python}; RNNVIZ_PEERS names a Python that has it")
    script = Path(__file__).with_name("autograd.py")
    subprocess.run([python, script, tmp_path / "now.npz", "7", "42"], check=True)
    cases = {}
    with np.load(tmp_path / "now.npz") as file:
        for key in file.files:
            case, _, rest = key.partition("/")
            cases.setdefault(case, {})[rest] = file[key]
    for case in cases.values():
        compare(case)
