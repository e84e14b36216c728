"""What a kernel would misread is refused in Python, at every call and under -O: each kind of slip, in every entry."""

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from rnnviz.nn import Data, Model, Optimizer, Training, loaded_kernels, numba_engine, numpy_engine
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.kernels import arguments
from rnnviz.nn.kernels.arguments import ENTRIES, ArgumentError, Signature, check_parameters, entries_of
from tests.nn import cells_here

T, B, I, H, O, N = 5, 3, 2, 4, 6, 7  # noqa: E741


class Recorder:
    """Stands for the compiled kernels: keeps what each entry is called with."""

    def __init__(self):
        self.calls = {}

    def call(self, name, **values):
        self.calls[name] = values
        if name != "update":
            values["out" if name == "train" else "h"][...] = 0


@cache
def recorded(cell, loss="mse"):
    """entry -> the arguments that the engine itself calls it with, for a model in float64."""
    kernels, before = Recorder(), dict(loaded_kernels._kernels)
    loaded_kernels.install(cell, "float64", kernels)
    try:
        model = Model.create(cell=cell, input_size=I, hidden_size=H, output_size=O, seed=1)
        rng = np.random.default_rng(0)
        x, grad_y = rng.standard_normal((T, B, I)), rng.standard_normal((T, B, O))
        run = numpy_engine.forward(model.spec, model.params, x)
        numba_engine.forward(model.spec, model.params, x)
        numba_engine.backward(model.spec, model.params, run, grad_y)
        numba_engine.triangle(model.spec, model.params, run, grad_y, [2, T])
        targets = rng.standard_normal((N, T, O)) if loss == "mse" else rng.integers(0, O, (N, T))
        data = Data(rng.standard_normal((N, T, I)), targets, loss=loss)
        Training(model, data, None, Optimizer("adam", clip_each=1.0), batch_size=B, engine="numba").run_batch()
    finally:
        loaded_kernels._kernels.clear()
        loaded_kernels._kernels.update(before)
    return kernels.calls


ARRAYS = [
    (entry, argument.name)
    for entry, row in ENTRIES.items()
    for argument in row
    if argument.dtype not in ("int", "plan") and argument.when != "cross_entropy"
]


def refused(entry, match, changed=(), without=(), cell="lstm"):
    """The entry takes what the engine passes, and does not with the slip."""
    signature, given = Signature(entry, cell, "float64"), recorded(cell)[entry]
    signature.pack(given)
    slipped = {name: value for name, value in given.items() if name not in without} | dict(changed)
    for fresh in (signature, Signature(entry, cell, "float64")):  # remembered sizes hide nothing
        with pytest.raises(ArgumentError, match=match):
            fresh.pack(slipped)


@pytest.mark.parametrize(("cell", "entry"), [(cell, entry) for cell in CELLS for entry in entries_of(cell)])
def test_what_the_engine_passes_fits(cell, entry):
    Signature(entry, cell, "float64").pack(recorded(cell)[entry])
    Signature("train", cell, "float64").pack(recorded(cell, "cross_entropy")["train"])


@pytest.mark.parametrize(("entry", "name"), ARRAYS)
def test_a_wrong_dtype(entry, name):
    value = recorded("lstm")[entry][name]
    for other in {"float32", "int64", "int32", "bool", ">f8", "complex128"} - {value.dtype.name}:
        refused(entry, f"{name} is .*expected {value.dtype}", {name: np.ones(value.shape, other)})


@pytest.mark.parametrize(("entry", "name"), ARRAYS)
def test_a_wrong_shape(entry, name):
    value = recorded("lstm")[entry][name]
    smaller = [value[:-1], value[..., :-1], value.reshape(-1, *value.shape[1:], 1), value[:0]]
    larger = [np.concatenate([value, value])] if name not in ("panels", "room", "step", "work") else []
    if (entry, name) == ("triangle", "x"):
        del smaller[1]  # nothing else there has the size I
    for wrong in smaller + larger:
        refused(entry, "has shape .*expected", {name: np.ascontiguousarray(wrong)})


@pytest.mark.parametrize(("entry", "name"), ARRAYS)
def test_a_wrong_order_in_memory(entry, name):
    value = recorded("lstm")[entry][name]
    wide = np.repeat(value, 2, axis=-1)[..., ::2]
    wrong = [
        *([wide] if value.size > 1 else []),
        *([np.asfortranarray(value)] if value.ndim > 1 and min(value.shape) > 1 else []),
    ]
    for other in wrong:
        assert (other.shape, other.dtype) == (value.shape, value.dtype)
        refused(entry, f"{name} is not C-contiguous", {name: other})


@pytest.mark.parametrize(
    ("entry", "name"), [(entry, a.name) for entry, row in ENTRIES.items() for a in row if a.writes]
)
def test_a_read_only_output(entry, name):
    value = recorded("lstm")[entry][name].copy()
    value.flags.writeable = False
    refused(entry, f"{name} is not writeable", {name: value})


def test_a_read_only_input_is_fine():
    given = dict(recorded("lstm")["backward"])
    given["x"] = given["x"].copy()
    given["x"].flags.writeable = False
    Signature("backward", "lstm", "float64").pack(given)


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_missing_or_unknown(entry):
    for name in recorded("lstm")[entry]:
        refused(entry, f"{name} is missing", without=[name])
    refused(entry, "more unknown", {"more": np.zeros(1)})


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_is_no_array_or_number(entry):
    for argument in ENTRIES[entry]:
        if argument.when != "cross_entropy":
            refused(entry, f"{argument.name} is a str", {argument.name: "text"})
            if argument.dtype not in ("int", "plan"):
                refused(entry, f"{argument.name} is a list", {argument.name: [1.0]})
            if not argument.when and argument.dtype not in ("int", "plan"):
                refused(entry, f"{argument.name} is missing", {argument.name: None})


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_gets_what_it_has_and_nothing_else(cell):
    for entry in ("forward", "backward"):
        for argument in ENTRIES[entry]:
            if argument.when in arguments.optional(CELLS[cell]):
                refused(entry, f"{argument.name} is missing", {argument.name: None}, cell=cell)
            elif argument.when:
                refused(entry, f"{argument.name} is not used", {argument.name: np.zeros((1, 1, 1))}, cell=cell)


def test_the_targets_are_those_of_the_loss():
    given = recorded("lstm")["train"]
    refused("train", "classes is not used", {"classes": np.zeros((N, T), np.int64)})
    refused("train", "targets is missing", {"targets": None})
    refused("train", "targets is not used", {"plan": given["plan"]._replace(loss=1)})


@pytest.mark.parametrize("name", ["steps", "batch_size", "inputs", "hidden", "outputs", "layers", "gates", "biases"])
def test_a_plan_of_other_sizes(name):
    plan = recorded("lstm")["train"]["plan"]
    refused("train", "plan for this cell|has shape", {"plan": plan._replace(**{name: getattr(plan, name) + 1})})
    small = plan._replace(panels_size=1)
    refused("train", "plan for this cell", {"plan": small, "work": np.zeros(small.work_size)})


def test_another_cells_arrays():
    with pytest.raises(ArgumentError):
        Signature("forward", "gru", "float64").pack(recorded("lstm")["forward"])


def test_an_unknown_cell_has_no_arguments():
    with pytest.raises(Exception, match="elman"):
        Signature("forward", "elman", "float64")


def test_the_kernels_take_what_the_table_says():
    def update(rule, updates, rates, params, grads, second, first):
        pass

    with pytest.raises(TypeError, match="second, first"):
        check_parameters("update", update)


def test_what_is_remembered_stays_bounded(monkeypatch):
    monkeypatch.setattr(arguments, "_MOST_REMEMBERED", 3)
    signature = Signature("update", "rnn", "float64")
    given = recorded("rnn")["update"]
    for size in range(1, 9):
        signature.pack(given | {name: np.zeros(size) for name in ("params", "grads", "first", "second")})
        assert len(signature._fitting) <= 3


REAL = """
import sys
import numpy as np
from rnnviz.nn import Model, engine
from rnnviz.nn.kernels.arguments import ArgumentError
numba = engine.load_numba()
model = Model.create(cell=sys.argv[1], dtype="float32", seed=1)
double = model.in_float64
x = np.ones((3, 2, 1))
numba.forward(double.spec, double.params, x)
for spec, params, x in (
    (double.spec, model.params, x),
    (double.spec, double.params, x.astype("float32")),
    (double.spec, double.params, np.ones((3, 2, 2))),
):
    try:
        numba.forward(spec, params, x)
    except ArgumentError as error:
        print(error)
"""


@pytest.mark.skipif("NUMBA_BOUNDSCHECK" in os.environ, reason="what is refused reaches no kernel, and one is compiled")
@pytest.mark.parametrize("cell", cells_here.CELLS)
def test_the_engine_itself_refuses_without_asserts(cell):
    """In a Python without asserts, by whichever kernels are here."""
    run = subprocess.run(
        [sys.executable, "-O", "-c", REAL, cell], capture_output=True, text=True, timeout=300, env=os.environ
    )
    assert run.returncode == 0, run.stderr
    weights, dtype, inputs = run.stdout.splitlines()
    assert weights == "kernel forward: W_ih is float32, expected float64"
    assert dtype == "kernel forward: x is float32, expected float64"
    assert "kernel forward: x has shape (3, 2, 2), expected (T, B, I) = (3, 2, 1)" in inputs
