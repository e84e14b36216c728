"""The exported programs in every combination of settings: that they compile and say what the experiment says, and,
with the frameworks themselves, that they begin as rnnviz begins and train on numbers."""

from __future__ import annotations

import ast
import itertools
import json
import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment import build
from rnnviz.experiment.experiment import Experiment
from rnnviz.export import programs
from rnnviz.nn import cell_table
from rnnviz.nn.spec import CELLS

CHOICES: dict[str, tuple[Any, ...]] = {
    "cell": CELLS,
    "activation": ("tanh", "relu", "identity", "sigmoid"),
    "init": ("keras", "pytorch", "identity", "orthogonal", "chrono"),
    "gain": (1.0, 0.0, 0.1234567891, 2.0),
    "spectral_radius": (None, 0.0, 0.9123456789),
    "forget_bias": (None, -1.5, 1.23456789),
    "biases": (1, 2),
    "num_layers": (1, 2),
    "hidden_size": (4, 1),
    "optimizer": ("sgd", "adam", "rmsprop"),
    "momentum": (0.0, 0.9),
    "convention": ("pytorch", "keras"),
    "epsilon": (None, 1.2345678e-5),
    "clip_norm": (None, 0.5),
    "clip_each": (None, 0.25),
    "clip_value": (None, 0.125),
    "truncate": (None, "2,4"),
    "dtype": ("float64", "float32"),
    "task": ("sine", "recall", "adding", "copying", "names", "characters", "captions", "flipflop"),
    "loss_at": (None, "every", "last", "7"),
    "validation_split": (0.1, 0.0),
    "shuffle": (True, False),
    "loop": (True, False),
    "epochs": (1, 0, 2),
}
SIZES = {"sine": {"points": 20}, "recall": {"lag": 7}, "adding": {"lag": 7}, "copying": {"seq_len": 12},
         "names": {"seq_len": 9}, "characters": {"seq_len": 10}, "captions": {},
         "flipflop": {"seq_len": 8}}  # fmt: skip


def experiment_of(chosen: dict[str, Any]) -> Experiment | None:
    """The experiment, or None for settings that exclude each other."""
    chosen = dict(chosen)
    about = cell_table.CELLS[chosen["cell"]]
    if chosen["init"] == "chrono" and not about.chrono:
        return None
    if about.diagonal and chosen["hidden_size"] % about.diagonal.units:
        return None
    if chosen["optimizer"] != "sgd" and chosen["momentum"]:
        return None
    if chosen["task"] in ("names", "recall", "adding", "copying", "characters", "captions", "flipflop"):
        chosen["samples"] = 12
    if chosen["loss_at"] == "7" and chosen["task"] in ("names", "captions"):
        return None
    return build.resolved(Experiment(**chosen, **SIZES[chosen["task"]], batch_size=4))


@cache
def combinations() -> tuple[Experiment, ...]:
    """A few hundred, among which every two choices of two settings meet, so far as they go together."""
    drawn, found = random.Random(1), []
    missing = {
        ((a, x), (b, y))
        for a, b in itertools.combinations(CHOICES, 2) for x in CHOICES[a] for y in CHOICES[b]
        if experiment_of({**{name: values[0] for name, values in CHOICES.items()}, a: x, b: y}) is not None
    }  # fmt: skip
    while missing and len(found) < 400:
        best, gain = None, 0
        for _ in range(12):
            (a, x), (b, y) = drawn.choice(sorted(missing, key=repr)[:50])
            chosen = {**{name: drawn.choice(values) for name, values in CHOICES.items()}, a: x, b: y}
            experiment = experiment_of(chosen)
            met = set(itertools.combinations(chosen.items(), 2)) & missing if experiment is not None else set()
            if len(met) > gain:
                best, gain, covered = experiment, len(met), met
        if best is not None:
            found.append(best)
            missing -= covered
    assert not missing, sorted(missing, key=repr)[:5]
    return tuple(found)


@cache
def programs_of(experiment: Experiment) -> dict[str, str]:
    task = build.build_task(experiment)
    return {"torch": programs.pytorch(experiment, task), "keras": programs.keras(experiment, task)}


def numbers_in(text: str) -> set[float]:
    return {
        float(node.value) for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    }  # fmt: skip


def test_every_two_settings_meet_and_every_program_says_its_numbers_in_full() -> None:
    for experiment in combinations():
        for name, text in programs_of(experiment).items():
            found = numbers_in(text)
            names = ["learning_rate"]
            recurs = not cell_table.CELLS[experiment.cell].fixed_loop
            names += ["gain"] if recurs and experiment.gain != 1.0 else []
            names += ["spectral_radius"] if recurs and experiment.spectral_radius is not None else []
            names += ["epsilon"] if experiment.epsilon and experiment.optimizer != "sgd" else []
            names += ["momentum"] if experiment.momentum else []
            kinds = [kind for kind in ("clip_norm", "clip_each", "clip_value") if getattr(experiment, kind)]
            names += kinds if name == "torch" else kinds[:1]
            for setting in names:
                assert getattr(experiment, setting) in found, (name, setting, experiment)
            if experiment.cell == "lstm" and experiment.forget_bias is not None:
                assert abs(experiment.forget_bias) in found
            if recurs and experiment.spectral_radius is not None:
                assert "if radius > 0" in text
            for left_out in kinds[1:] if name == "keras" else ():
                assert f"{getattr(experiment, left_out):g}" in text
            second = text.splitlines()[1]
            assert ("# It truncates" in second) == (bool(experiment.truncate) and name == "torch")
            assert ("it does not truncate" in second) == (bool(experiment.truncate) and name == "keras")


def test_a_title_cannot_leave_its_comment(tmp_path: Path) -> None:
    source = tmp_path / "a\nimport os\r\x1b[2J.txt"
    source.write_text("a text that is long enough for ten steps, and then some more of it")
    experiment = build.resolved(Experiment(task="characters", source=str(source), seq_len=10))
    for text in programs_of(experiment).values():
        assert "\nimport os" not in text
        assert "\x1b" not in text
        assert "\r" not in text


BEGINS = """
import contextlib, io, json, sys
import numpy as np
framework, programs = sys.argv[1], json.load(open(sys.argv[2]))
if framework == "keras":
    import keras
    silent = keras.Model.fit
    keras.Model.fit = lambda self, *a, **k: begins.append(weights(self)) or silent(self, *a, verbose=2, **k)
else:
    import torch
def weights(model):
    layers = [layer.get_weights() for layer in model.layers[1:-1] if layer.get_weights()]
    return [[w.tolist() for w in layer] for layer in layers], str(model.layers[1].get_weights()[0].dtype)
out = []
for text in programs:
    begins, printed, space = [], io.StringIO(), {}
    before, after = text.split("optimizer = torch.optim", 1) if framework == "torch" else (text, "")
    with contextlib.redirect_stdout(printed):
        exec(before, space)
        if framework == "torch":
            named = {name: p.detach().numpy().copy() for name, p in space["model"].named_parameters()}
            begins = [({name: p.tolist() for name, p in named.items()}, str(next(iter(named.values())).dtype))]
            exec("optimizer = torch.optim" + after, space)
    model = space["model"]
    ends = model.get_weights() if framework == "keras" else [p.detach().numpy() for p in model.parameters()]
    finite = all(np.isfinite(w).all() for w in ends) and "nan" not in printed.getvalue()
    out.append({"weights": begins[0][0], "dtype": begins[0][1], "finite": bool(finite)})
    if framework == "keras":
        keras.backend.clear_session()
        keras.backend.set_floatx("float32")
    else:
        torch.set_default_dtype(torch.float32)
json.dump(out, open(sys.argv[3], "w"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_the_programs_begin_as_rnnviz_does_and_stay_finite(framework: str, tmp_path: Path) -> None:
    """With the Python in RNNVIZ_PEERS, else this one. What is drawn differs; what the settings fix does not."""
    import numpy as np

    python = os.environ.get("RNNVIZ_PEERS", sys.executable)
    there = {**os.environ, "KERAS_BACKEND": "torch"}
    if subprocess.run([python, "-c", f"import {framework}"], capture_output=True, env=there).returncode:
        pytest.skip(f"{framework} is not installed for {python}; RNNVIZ_PEERS names a Python that has it")
    chosen = [e for e in combinations() if e.epochs][:40]
    files = [tmp_path / name for name in ("programs.json", "found.json", "begins.py")]
    files[0].write_text(json.dumps([programs_of(e)[framework] for e in chosen]))
    files[2].write_text(BEGINS)
    done = subprocess.run([python, files[2], framework, *files[:2]], capture_output=True, text=True, env=there)
    assert done.returncode == 0, done.stderr[-2000:]
    for experiment, found in zip(chosen, json.loads(files[1].read_text()), strict=True):
        model = build.build_model(experiment, build.build_task(experiment))
        assert found["finite"], experiment
        assert found["dtype"] == experiment.dtype, experiment
        H, gates = experiment.hidden_size, model.spec.gates
        for layer in range(experiment.num_layers if model.spec.about_cell.recurrent else 0):
            ours = model.params[f"rnn.weight_hh_l{layer}"]
            if framework == "torch":
                theirs = np.array(found["weights"][f"rnn.weight_hh_l{layer}"])
            else:
                theirs = np.array(found["weights"][layer][1])
                theirs = theirs if model.spec.about_cell.diagonal else theirs.T
            assert theirs.shape == ours.shape
            assert bool(ours.any()) == bool(theirs.any()), experiment
            if model.spec.about_cell.fixed_loop:  # an LRU: |λ| on its ring, whatever is set, and γ = √(1 - |λ|²)
                size = np.exp(-np.exp(theirs[0]))
                assert ((size > 0.9) & (size < 0.999)).all()
                np.testing.assert_allclose(np.exp(theirs[2]) ** 2, 1 - size**2, rtol=1e-3)
            elif experiment.spectral_radius and model.spec.about_cell.diagonal:
                np.testing.assert_allclose(np.abs(theirs).max(), np.abs(ours).max(), rtol=1e-6)
            elif experiment.spectral_radius:
                for one, other in zip(np.split(ours, len(gates)), np.split(theirs, len(gates)), strict=True):
                    radii = [np.abs(np.linalg.eigvals(w)).max() for w in (one, other)]
                    np.testing.assert_allclose(*radii, rtol=1e-4, atol=1e-6)
            elif experiment.init in ("keras", "orthogonal", "identity"):
                np.testing.assert_allclose(np.linalg.norm(theirs), np.linalg.norm(ours), rtol=1e-4)
            if experiment.cell == "lstm" and experiment.forget_bias is not None:
                bias = found["weights"][f"rnn.bias_ih_l{layer}"] if framework == "torch" else found["weights"][layer][2]
                np.testing.assert_allclose(np.array(bias)[H : 2 * H], experiment.forget_bias, rtol=1e-6)


@pytest.mark.parametrize("truncate", ["1,1", "3,3", "2,5", "4,10", "10,10", None])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"activation": "sigmoid", "num_layers": 2},
        {"cell": "lstm", "num_layers": 2},
        {"cell": "gru"},
        {"cell": "mingru", "num_layers": 2},
        {"cell": "indrnn", "activation": "relu"},
        {"cell": "lru", "num_layers": 2},
    ],
)
def test_the_program_truncates_as_the_engine_does(truncate: str | None, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    from rnnviz.nn import losses, numpy_engine

    experiment = build.resolved(Experiment(truncate=truncate, biases=2, hidden_size=4, points=20, **settings))
    task = build.build_task(experiment)
    model = build.build_model(experiment, task)
    space: dict[str, Any] = {}
    try:
        exec(programs.pytorch(experiment, task).split("with torch.no_grad():\n    for name")[0], space)
        peer = space["model"]
        peer.load_state_dict({name: torch.tensor(value) for name, value in model.params.items()})
        x, y = task.x[:3], task.targets[:3]
        torch.nn.functional.mse_loss(peer(torch.tensor(x)), torch.tensor(y)).backward()
    finally:
        torch.set_default_dtype(torch.float32)
    forward = numpy_engine.forward(model.spec, model.params, x.swapaxes(0, 1).copy())
    grad_y = losses.evaluate("mse", forward.y, y.swapaxes(0, 1), np.ones(y.shape[1::-1], bool)).grad_y
    k1, k2 = experiment.truncation() or (10, 10)
    grads = numpy_engine.truncated_backward(model.spec, model.params, forward, grad_y, k1, k2)
    for name, p in peer.named_parameters():
        np.testing.assert_allclose(p.grad.numpy(), grads[name], atol=1e-12, err_msg=name)


def test_a_program_reads_a_persons_own_data_in_the_same_way_or_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a;b\n" + "".join(f"{k % 7},5;{'' if k == 30 else k % 5}\n" for k in range(60)))
    experiment = build.resolved(Experiment(data=str(path), target="b", missing="repeat", seq_len=6))
    task = build.build_task(experiment)
    assert programs.cannot(task) is None
    for program in (programs.pytorch(experiment, task), programs.keras(experiment, task)):
        lines = program.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("from rnnviz import"))
        names: dict[str, Any] = {"T": 6}
        exec("\n".join(lines[start : lines.index("x, y = task.x, task.targets") + 2]), names)
        assert np.array_equal(names["x"], task.x)
        assert np.array_equal(names["y"], task.targets[:, -1])
        assert not program.count("random data")
    (tmp_path / "b.tsv").write_text("one\tx\nthree\ty\nfour\tx\nfive\ty\n")
    words = build.build_task(build.resolved(Experiment(data=str(tmp_path / "b.tsv"))))
    assert "differ in length" in (programs.cannot(words) or "")


BOTH_WAYS = """
import json, sys
import numpy as np
framework, out = sys.argv[1], []
for one in json.load(open(sys.argv[2])):
    space, text = {}, one["text"]
    x = np.array(one["x"])
    if framework == "torch":
        import torch
        exec(text.split("optimizer = torch.optim")[0], space)
        model = space["model"]
        named = {n: torch.tensor(np.array(w)) for n, w in one["params"].items()}
        zeros = {n: torch.zeros_like(p) for n, p in model.state_dict().items() if n not in named}  # the second bias
        model.load_state_dict({**named, **zeros})
        y = model(torch.tensor(x)).detach().numpy()
    else:
        import keras
        from keras.src.backend.common import dtypes
        dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # away from TensorFlow it rounds every product
        exec(text.split("model.compile")[0], space)
        model = space["model"]
        model.set_weights([np.array(w) for w in one["weights"]])
        y = np.asarray(model.predict(x, verbose=0))
        keras.backend.clear_session()
    out.append(y.tolist())
json.dump(out, open(sys.argv[3], "w"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_a_bidirectional_program_computes_our_outputs(framework: str, tmp_path: Path) -> None:
    """With our weights in it: at every step, and at the last, where the backward direction has read one step."""
    from rnnviz.nn import keras_layout

    python = os.environ.get("RNNVIZ_PEERS", sys.executable)
    there = {**os.environ, "KERAS_BACKEND": "torch"}
    if subprocess.run([python, "-c", f"import {framework}"], capture_output=True, env=there).returncode:
        pytest.skip(f"{framework} is not installed for {python}; RNNVIZ_PEERS names a Python that has it")
    given, wanted = [], []
    for cell, loss_at, init in (("rnn", "last", "keras"), ("lstm", "every", "orthogonal"), ("gru", "last", "keras")):
        e = build.resolved(
            Experiment(cell=cell, loss_at=loss_at, init=init, bidirectional=True, hidden_size=3, points=16, gain=1.5)
        )
        task = build.build_task(e)
        model = build.build_model(e, task)
        text = programs_of(e)[framework]
        assert f"# {model.parameter_count}" in text
        params = {name: w.tolist() for name, w in model.params.items()}
        weights = []
        for end in ("_l0", "_l0_reverse"):
            one = {name.removeprefix("rnn.").removesuffix(end): w for name, w in model.params.items()
                   if name.endswith(end)}  # fmt: skip
            weights += [w.tolist() for w in keras_layout.to_keras(cell, one)]
        weights += [model.params["readout.weight"].T.tolist(), model.params["readout.bias"].tolist()]
        x = np.random.default_rng(0).standard_normal((4, 10, 1))
        given.append({"text": text, "x": x.tolist(), "params": params, "weights": weights})
        y = model.forward(x.swapaxes(0, 1)).swapaxes(0, 1)
        wanted.append(y[:, -1] if loss_at == "last" else y)
    files = [tmp_path / name for name in ("given.json", "found.json", "both.py")]
    files[0].write_text(json.dumps(given))
    files[2].write_text(BOTH_WAYS)
    done = subprocess.run([python, files[2], framework, *files[:2]], capture_output=True, text=True, env=there)
    assert done.returncode == 0, done.stderr[-2000:]
    for y, theirs in zip(wanted, json.loads(files[1].read_text()), strict=True):
        np.testing.assert_allclose(np.array(theirs), y, rtol=0, atol=1e-12)


def test_a_bidirectional_network_that_no_layer_computes_has_no_program() -> None:
    for settings in ({"cell": "mingru"}, {"cell": "indrnn"}, {"cell": "lru"}, {"activation": "sigmoid"}):
        e = build.resolved(Experiment(bidirectional=True, **settings))
        assert "no such layer" in (programs.cannot(build.build_task(e), e) or "")
    e = build.resolved(Experiment(bidirectional=True, task="names", samples=12))
    assert "begins at each sequence's own end" in (programs.cannot(build.build_task(e), e) or "")
    e = build.resolved(Experiment(bidirectional=True))
    assert programs.cannot(build.build_task(e), e) is None
