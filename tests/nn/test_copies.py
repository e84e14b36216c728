"""What is pickled or deep-copied, as a sweep in several processes does it: the same numbers, and as read-only."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnviz
from rnnviz import tasks
from rnnviz.experiment.run import Run
from rnnviz.nn import CELLS, Data, Model, Optimizer, Trace, Training

WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "oldest pickle": lambda value: pickle.loads(pickle.dumps(value, protocol=2)),
    "deepcopy": copy.deepcopy,
}
SMALL = {"hidden_size": 3, "epochs": 1}


def make_trace(cell: str = "gru") -> Trace:
    x = np.linspace(0, 1, 12).reshape(6, 2, 1)
    trace = Model.create(cell=cell, hidden_size=4, num_layers=2).trace(x, x)
    _ = trace.triangle, trace.item(3), trace.ledger_of(4), trace.grad_norm()
    return trace


def make_training() -> Training:
    training = Run(rnnviz.Experiment(optimizer="adam", **SMALL)).training
    training.run_batch()
    return training


RECORDS: dict[str, Callable[[], Any]] = {
    **{f"trace of {cell}": lambda cell=cell: make_trace(cell) for cell in CELLS},
    "ledger": lambda: make_trace().ledger,
    "model": lambda: Model.create(hidden_size=3),
    "data": lambda: Data(np.zeros((4, 3, 1)), np.zeros((4, 3, 1))),
    "experiment": lambda: rnnviz.Experiment(cell="lstm", **SMALL),
    "result": lambda: rnnviz.train(rnnviz.Experiment(**SMALL)),
    "training": make_training,
    "snapshot": lambda: make_training().snapshot(),
    "run": lambda: Run(rnnviz.Experiment(**SMALL)),
    "optimizer": lambda: Optimizer("adam", clip_norm=1.0),
    **{f"task {name}": lambda name=name: tasks.build(name) for name in tasks.NAMES},
}


def arrays(value: Any, path: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """Every array that can be reached from a record by its names."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        yield path, value
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from arrays(entry, f"{path}[{key!r}]", seen)
    elif isinstance(value, tuple | list):
        for number, entry in enumerate(value):
            yield from arrays(entry, f"{path}[{number}]", seen)
    elif is_dataclass(value):
        for f in fields(value):
            yield from arrays(getattr(value, f.name), f"{path}.{f.name}", seen)
    elif isinstance(value, Training | Run):
        yield from arrays(vars(value), path, seen)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("record", RECORDS)
def test_a_copy_has_the_same_numbers_and_is_as_read_only(record: str, way: str) -> None:
    original = RECORDS[record]()
    copied = WAYS[way](original)
    pairs = list(zip(arrays(original), arrays(copied), strict=True))
    for (path, one), (its_path, other) in pairs:
        assert path == its_path
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
        assert one.flags.writeable or not other.flags.writeable, f"{path} can be written to"
    if record not in ("experiment", "optimizer"):
        assert pairs


def test_a_copied_trace_computes_what_the_original_computes() -> None:
    trace = make_trace("lstm")
    copied = pickle.loads(pickle.dumps(trace))
    assert copied.loss == trace.loss
    assert copied.engine is trace.engine
    for k in (None, 2, 5):
        np.testing.assert_array_equal(copied.grad_norm(k), trace.grad_norm(k))
        np.testing.assert_array_equal(copied.ledger_of(k).factor, trace.ledger_of(k).factor)
    with pytest.raises(ValueError, match="read-only"):
        copied.h[0] = 1.0


def test_a_copied_training_goes_on_as_the_original_does() -> None:
    one = make_training()
    one.engine = one.engine or rnnviz.nn.engine.numpy_engine
    other = pickle.loads(pickle.dumps(one))
    for training in (one, other):
        training.run_epoch()
    assert other.history == one.history
    np.testing.assert_array_equal(other.model.params["readout.weight"], one.model.params["readout.weight"])


SWEEP = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import rnnviz

def result_of(seed):
    result = rnnviz.train(rnnviz.Experiment(seed=seed, hidden_size=3, epochs=1))
    x = np.ones((5, 1, 1))
    return result, result.model.trace(x, x)

if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for seed, (result, trace) in enumerate(pool.map(result_of, range(3))):
            here, its_trace = result_of(seed)
            assert result.history == here.history
            assert trace.loss == its_trace.loss
            assert not trace.h.flags.writeable
            assert not result.model.params["readout.bias"].flags.writeable
    print("the same")
"""


@pytest.mark.slow
def test_a_sweep_in_processes_brings_home_what_it_would_have_found_here(tmp_path: Path) -> None:
    program = tmp_path / "sweep.py"
    program.write_text(SWEEP)
    there = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, env=there)
    assert done.stdout == "the same\n", done.stderr


def test_a_trace_and_data_leave_the_arrays_they_were_given_as_they_were() -> None:
    x, h0, y = np.ones((4, 2, 1)), np.zeros((1, 2, 3)), np.ones((4, 2, 1))
    trace = Model.create(hidden_size=3).trace(x, y, h0=h0)
    before = trace.x.copy()
    data = Data(x, y)
    for array in (x, h0, y):
        array[...] = 7.0  # raises where the caller's own array was made read-only
    np.testing.assert_array_equal(trace.x, before)
    assert not data.x.flags.writeable
