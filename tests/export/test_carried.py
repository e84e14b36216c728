"""Programs with carried state train as rnnviz does: from the same weights, to the same weights."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnnviz.experiment import build
from rnnviz.experiment.experiment import Experiment
from rnnviz.export import programs
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.keras_layout import to_keras
from tests import peers

CARRIED = {"carry": True, "points": 60, "seq_len": 5, "batch_size": 2, "hidden_size": 3, "epochs": 2, "biases": 2}
SETTINGS = [
    {}, {"cell": "lstm", "num_layers": 2}, {"cell": "gru", "clip_norm": 0.1}, {"cell": "mingru", "optimizer": "adam"},
    {"truncate": "2,3"}, {"activation": "sigmoid", "validation_split": 0.0}, {"loss_at": "2,5", "dtype": "float64"},
]  # fmt: skip


def experiment_of(**settings):
    return build.resolved(Experiment(**CARRIED | settings))


@pytest.mark.parametrize("settings", SETTINGS)
def test_both_programs_are_python_and_have_our_sequences(settings):
    experiment = experiment_of(**settings)
    task = build.build_task(experiment)
    for program in (programs.pytorch(experiment, task), programs.keras(experiment, task)):
        compile(program, "program", "exec")
        lines = program.splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("rng = np.random.default_rng(["))
        last = next(i for i, line in enumerate(lines) if line.startswith("y = np.stack"))
        space = {"np": np, "T": 5}
        exec("\n".join(lines[first : last + 1]), space)
        np.testing.assert_array_equal(space["x"], task.x)
        np.testing.assert_array_equal(space["y"], task.targets)


RUN = """
import contextlib, io, json, sys
import numpy as np
import torch
out = []
for framework, text, weights in json.load(open(sys.argv[1])):
    space, mark = {}, {"torch": "optimizer = torch.optim", "keras": "model.compile("}[framework]
    before, after = text.split(mark, 1)
    with contextlib.redirect_stdout(io.StringIO()):
        exec(before, space)
        model = space["model"]
        if framework == "torch":
            for name, p in model.state_dict().items():
                p.copy_(torch.tensor(weights[name], dtype=p.dtype))
        else:
            model.set_weights([np.array(w) for w in weights])
        exec(mark + after, space)
    if framework == "torch":
        out.append({name: p.tolist() for name, p in model.state_dict().items()})
        torch.set_default_dtype(torch.float32)
    else:
        out.append({str(n): w.tolist() for n, w in enumerate(model.get_weights())})
json.dump(out, open(sys.argv[2], "w"))
"""
STATEFUL = """
import sys
import keras, numpy as np
inputs = keras.Input(batch_shape=(2, 3, 1))
layer = getattr(keras.layers, sys.argv[1])(2, return_sequences=True, stateful=True)
model = keras.Model(inputs, keras.layers.Dense(1)(layer(inputs)))
model.compile("sgd", loss="mse")
x = np.ones((4, 3, 1))
try:
    model.fit(x, x, batch_size=2, shuffle=False, verbose=0)
    print("carried" if np.abs(keras.ops.convert_to_numpy(layer.states[0])).max() > 0 else "zeros")
except RuntimeError as error:
    print("in place" if "inplace operation" in str(error) else error)
"""


def in_keras(experiment, params):
    """The weights as model.get_weights() lists them."""
    arrays = []
    for layer in range(experiment.num_layers):
        named = {name.removesuffix(f"_l{layer}").removeprefix("rnn."): w for name, w in params.items()
                 if name.endswith(f"_l{layer}")}  # fmt: skip
        own = CELLS[experiment.cell].recurrent
        arrays += to_keras(experiment.cell, named) if own else [named["weight_ih"].T, named["bias_ih"]]
    return [*arrays, params["readout.weight"].T, params["readout.bias"]]


@pytest.mark.slow
def test_the_programs_reach_our_weights(tmp_path: Path):
    """Keras rounds products to float32 away from TensorFlow, and does not truncate."""
    chosen = [("torch", one) for one in SETTINGS]
    chosen += [("keras", {"biases": 1, "convention": "keras", **one}) for one in SETTINGS if "truncate" not in one][:4]
    jobs, ours = [], []
    for framework, settings in chosen:
        experiment = experiment_of(**settings)
        task = build.build_task(experiment)
        model = build.build_model(experiment, task)
        training = build.build_training(experiment, model, task)
        for _ in range(experiment.epochs):
            training.run_epoch()
        start, end = model.params, training.model.params
        program = (programs.pytorch if framework == "torch" else programs.keras)(experiment, task)
        if framework == "keras":
            start, end = ({str(n): w for n, w in enumerate(in_keras(experiment, params))} for params in (start, end))
        ours.append(end)
        named = {name: w.tolist() for name, w in start.items()}
        jobs.append([framework, program, named if framework == "torch" else list(named.values())])
    names = [tmp_path / name for name in ("jobs.json", "found.json", "run.py")]
    names[0].write_text(json.dumps(jobs))
    names[2].write_text(RUN)
    peers.run(names[2], str(names[0]), str(names[1]), needs=("torch", "keras"), KERAS_BACKEND="torch")
    for (framework, settings), theirs, end in zip(chosen, json.loads(names[1].read_text()), ours, strict=True):
        for name, w in end.items():
            tolerance = 1e-10 if framework == "torch" else 2e-6
            what = f"{framework} {settings} {name}"
            np.testing.assert_allclose(np.array(theirs[name]), w, rtol=0, atol=tolerance, err_msg=what)


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "layer", "found"), [("jax", "SimpleRNN", "zeros"), ("torch", "LSTM", "in place")])
def test_why_the_program_for_keras_passes_the_state_itself(backend, layer, found, tmp_path: Path):
    """What lesson 22 says of stateful=True. A release of Keras that does otherwise ends this test and that sentence."""
    script = tmp_path / "stateful.py"
    script.write_text(STATEFUL)
    assert peers.run(script, layer, needs=("keras", backend), KERAS_BACKEND=backend).strip() == found
