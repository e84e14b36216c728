"""The code panel, driven by keys: the engine's own lines, and programs that compile and run."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.experiment import build
from rnnviz.experiment.experiment import Experiment
from rnnviz.export import excerpts, programs
from rnnviz.nn import losses, optimizer
from rnnviz.nn.cells import gru, lstm, rnn
from rnnviz.tui.app import RnnvizApp
from tests.tui.driving import press, rows

CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru}


def lines_of(function: object) -> set[str]:
    return {line.strip() for line in inspect.getsource(function).splitlines() if line.strip()}  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
async def test_it_shows_the_lines_that_compute_what_the_cursor_shows(cell: str) -> None:
    app = RnnvizApp(Experiment(cell=cell), compile=False)
    async with app.run_test(size=(160, 60)) as pilot:
        await app.settled()
        await press(pilot, "right", "s")
        for keys, function in (
            ((), CELLS[cell].forward),
            (("end", "right"), losses.evaluate),
            (("left",), CELLS[cell].backward_step),
        ):
            await press(pilot, *keys)
            shown = rows(app, "open")
            assert f"{function.__name__}" in shown[0]
            code = {line.strip() for line in shown[1:] if line.strip() and "…" not in line and "↓" not in line}
            assert len(code & lines_of(function)) >= 4


def test_paths_begin_at_the_package_whatever_the_folders_above_are_called(tmp_path: Path) -> None:
    above = tmp_path / "rnnviz" / "rnnviz"
    shutil.copytree(Path(excerpts.__file__).parents[1], above / "rnnviz", ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "from rnnviz.nn.cell_table import CELLS\nfrom rnnviz.export import excerpts\n"
        "from rnnviz.scene.cursor import Phase\n"
        "print([excerpts.excerpt(CELLS['rnn'], phase).where for phase in Phase])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=above, capture_output=True, text=True)
    files = ("nn/cells/rnn.py, forward", "nn/losses.py, evaluate", "nn/cells/rnn.py, backward_step",
             "nn/optimizer.py, sgd")  # fmt: skip
    assert done.stdout.strip() == str([f"rnnviz/{file}" for file in files]), done.stderr


async def test_the_update_shows_the_rule_of_the_optimizer() -> None:
    app = RnnvizApp(Experiment(optimizer="rmsprop"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "left", "home", "enter", "s")
        assert "optimizer.py, rmsprop" in rows(app)[0]
        assert any("optimizer.alpha" in row for row in rows(app))
        assert "optimizer.alpha" in inspect.getsource(optimizer)


async def test_it_scrolls_turns_pages_and_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RnnvizApp(compile=False)
    copied: list[str] = []
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "s", "Y", "p")
        assert "def forward" in copied.pop()
        for name in ("PyTorch", "Keras"):
            await press(pilot, "enter")
            assert f"▸{name}" in rows(app)[0]
            before = [row[:60] for row in rows(app)]
            await press(pilot, "down", "down")
            assert [row[:60] for row in rows(app)][1:7] == before[3:9]
            await press(pilot, *["up"] * 9)
            assert rows(app)[1][:60] == before[1]
            await press(pilot, "Y", "p")
            program = copied.pop()
            assert name in program
            compile(program, name, "exec")
        await press(pilot, "enter")
        assert "▸NumPy" in rows(app)[0]
        await press(pilot, "escape", "Y")
        assert "p the code" not in "\n".join(rows(app, "telling"))
        await press(pilot, "p")
        assert not copied


MODELS = [
    Experiment(epochs=1),
    Experiment(cell="lstm", biases=2, num_layers=2, init="pytorch", forget_bias=2.0, epochs=1),
    Experiment(cell="gru", init="chrono", epochs=1),
    Experiment(init="orthogonal", loop=False, epochs=1),
    Experiment(cell="lstm", init="chrono", task="recall", samples=20, seq_len=12, lag=10, epochs=1),
    Experiment(activation="sigmoid", gain=0.5, biases=2, epochs=1),
    Experiment(activation="identity", num_layers=2, init="identity", epochs=1),
    Experiment(activation="relu", init="identity", spectral_radius=0.9, optimizer="adam", clip_norm=1.0, epochs=1),
    Experiment(task="names", samples=40, optimizer="rmsprop", clip_value=0.5, epochs=1),
    Experiment(task="copying", seq_len=30, samples=20, cell="gru", init="orthogonal", loss_at="28,30", epochs=1),
    Experiment(task="adding", samples=30, cell="lstm", init="orthogonal", dtype="float32", truncate="5,10", epochs=1),
]


def programs_of(experiment: Experiment) -> tuple[dict[str, str], int]:
    experiment = build.resolved(experiment)
    task = build.build_task(experiment)
    count = build.build_model(experiment, task).parameter_count
    return {"torch": programs.pytorch(experiment, task), "keras": programs.keras(experiment, task)}, count


@pytest.mark.parametrize("experiment", MODELS, ids=lambda e: f"{e.cell}-{e.task}-{e.init}-{e.activation}")
def test_the_programs_compile_and_name_their_parameters(experiment: Experiment) -> None:
    texts, count = programs_of(experiment)
    for name, text in texts.items():
        compile(text, name, "exec")
        told = re.search(r'"parameters"\)  # (\d+)', text)
        assert told is not None
        fewer = re.search(r"(\d+) parameters fewer", text)
        assert int(told[1]) + (int(fewer[1]) if fewer else 0) == count


@pytest.mark.slow
@pytest.mark.parametrize("experiment", MODELS, ids=lambda e: f"{e.cell}-{e.task}-{e.init}-{e.activation}")
@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_the_programs_run(experiment: Experiment, framework: str, tmp_path: Path) -> None:
    """With the Python in RNNVIZ_PEERS, else this one."""
    python = os.environ.get("RNNVIZ_PEERS", sys.executable)
    there = {**os.environ, "KERAS_BACKEND": "torch"}
    if subprocess.run([python, "-c", f"import {framework}"], capture_output=True, env=there).returncode:
        pytest.skip(f"{framework} is not installed for {python}; RNNVIZ_PEERS names a Python that has it")
    program = tmp_path / "program.py"
    program.write_text(programs_of(experiment)[0][framework], encoding="utf-8")
    done = subprocess.run([python, program], capture_output=True, text=True, env=there)
    assert done.returncode == 0, done.stderr
    printed = re.search(r"^(\d+) parameters$", done.stdout, re.MULTILINE)
    told = re.search(r'"parameters"\)  # (\d+)', program.read_text(encoding="utf-8"))
    assert printed is not None
    assert told is not None
    assert printed[1] == told[1]


@pytest.mark.parametrize(
    ("rule", "settings", "pytorch", "keras", "note"),
    [
        ("adam", {}, "Adam(model.parameters(), lr=0.01)", "Adam(0.01, epsilon=1e-08)", "keras"),
        ("rmsprop", {}, "RMSprop(model.parameters(), lr=0.01)", "RMSprop(0.01, rho=0.99, epsilon=1e-08)", "keras"),
        ("adam", {"convention": "keras"}, "Adam(model.parameters(), lr=0.01, eps=1e-07)", "Adam(0.01)", "pytorch"),
        (
            "rmsprop",
            {"convention": "keras", "epsilon": 1e-3},
            "RMSprop(model.parameters(), lr=0.01, alpha=0.9, eps=0.001)",
            "RMSprop(0.01, epsilon=0.001)",
            "pytorch",
        ),
        ("sgd", {"convention": "keras"}, "SGD(model.parameters(), lr=0.01)", "SGD(0.01)", ""),
    ],
)
def test_the_programs_update_as_the_experiment_does(rule, settings, pytorch, keras, note) -> None:
    experiment = build.resolved(Experiment(optimizer=rule, **settings))
    task = build.build_task(experiment)
    for name, program, line in (
        ("pytorch", programs.pytorch(experiment, task), pytorch),
        ("keras", programs.keras(experiment, task), keras),
    ):
        assert line in program
        assert ("(--convention)" in program) == (name == note)
