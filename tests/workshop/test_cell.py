"""A cell of a person's own, `--cell my_cell.py`: the engine's numbers, and one line for each wrong file."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from rnnviz.cli import flags
from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, build_training
from rnnviz.experiment.experiment import Experiment
from rnnviz.lessons.setup import Setup
from rnnviz.nn import Model, Trace, cell_table, equations
from rnnviz.nn.equations import Verdict
from rnnviz.nn.records import own_name
from rnnviz.numbers import subscript
from rnnviz.plain import rows
from rnnviz.plain.mask import Mask
from rnnviz.player.player import Player
from rnnviz.scene.commands import Measure
from rnnviz.tui import score
from rnnviz.tui.palette import Palette
from rnnviz.views import own_step
from rnnviz.workshop.cell import connection
from rnnviz.workshop.cell.derivatives import Derivatives
from rnnviz.workshop.cell.opening import open_cell
from rnnviz.workshop.exercise import FILES
from tests.workshop import cells

Open = Callable[..., Derivatives]
I, H, T, B = 2, 3, 6, 2  # noqa: E741


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens a cell from its text; all are forgotten at the end."""
    found: list[Derivatives] = []

    def open_it(program: str, name: str = "mine.py") -> Derivatives:
        path = tmp_path / name
        path.write_text(program, encoding="utf-8")
        found.append(open_cell(str(path)))
        return found[-1]

    yield open_it
    for its in found:
        its.connection.close()
    for name in list(cell_table.OWN):
        equations.forget_own(name)


def traces(its: Derivatives, cell: str, mask: np.ndarray | None = None) -> tuple[Trace, Trace]:
    """Of the person's cell and of ours, with the same weights."""
    ours = Model.create(cell=cell, input_size=I, hidden_size=H, output_size=1, biases=1 if cell == "rnn" else 2, seed=4)
    names = {"bias_ih": "b"} if cell == "rnn" else {}
    params = {}
    for name, value in ours.params.items():
        kind = name.removeprefix("rnn.").removesuffix("_l0")
        params[name if name == f"rnn.{kind}" or "readout" in name else own_name(names.get(kind, cells.OURS[kind]))] = (
            value
        )
    own = Model.create(cell=str(its.connection.path), input_size=I, hidden_size=H, output_size=1).with_params(params)
    rng = np.random.default_rng(3)
    x, targets = rng.normal(size=(T, B, I)), rng.normal(size=(T, B, 1))
    h0 = rng.normal(size=(B, H))
    return own.trace(x, targets, h0=h0, mask=mask), ours.trace(x, targets, h0=h0, mask=mask)


def agree(a: object, b: object) -> None:
    np.testing.assert_allclose(a, b, 1e-10, 1e-13)  # type: ignore[call-overload]


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_the_same_equations_give_the_numbers_of_ours(opened: Open, cell: str) -> None:
    own, ours = traces(opened(cells.RNN if cell == "rnn" else cells.GRU), cell)
    agree(own.h, ours.h)
    agree(own.grad_h, ours.grad_h)
    agree(own.grad_x, ours.grad_x)
    agree(own.grad_x_of(4), ours.grad_x_of(4))
    agree(own.triangle, ours.triangle)
    agree(own.gain, ours.gain)
    agree(own.ledger.factor, ours.ledger.factor)
    agree(own.sent(5), ours.sent(5))
    agree(own.sensitivity_of(T).h.largest, ours.sensitivity_of(T).h.largest)
    own_grads, our_grads = list(own.grads.items()), list(ours.grads.items())
    assert len(own_grads) == len(our_grads)
    for (name, mine), (our_name, theirs) in zip(own_grads, our_grads, strict=True):
        agree(mine, theirs)
        agree(own.share(name), ours.share(our_name))
    assert own.check() < 1e-7
    assert np.isnan(own.ledger.slope).all()


def test_an_lstm_fits_in_one_state(opened: Open) -> None:
    """h in its first half, c in its second, which the readout does not read."""
    ours = Model.create(cell="lstm", input_size=I, hidden_size=H, output_size=1, seed=4)
    its = opened(cells.LSTM)
    params = {
        own_name(cells.OURS[name.removeprefix("rnn.").removesuffix("_l0")]) if name.startswith("rnn.") else name: value
        for name, value in ours.params.items()
    }
    params["readout.weight"] = np.concatenate([params["readout.weight"], np.zeros((1, H))], axis=1)
    own = Model.create(cell=str(its.connection.path), input_size=I, hidden_size=2 * H, output_size=1).with_params(
        params
    )
    rng = np.random.default_rng(3)
    x, targets = rng.normal(size=(T, B, I)), rng.normal(size=(T, B, 1))
    mine, theirs = own.trace(x, targets), ours.trace(x, targets)
    agree(mine.h, np.concatenate([theirs.h, theirs.c], axis=2))
    agree(mine.grad_h[..., :H], theirs.grad_h)
    agree(mine.gain, theirs.gain)
    for mine_too, theirs_too in zip(mine.grads.values(), list(theirs.grads.values())[:4], strict=False):
        agree(mine_too, theirs_too)


def test_it_is_masked_as_ours_is(opened: Open) -> None:
    mask = np.ones((T, B), bool)
    mask[4:, 1] = False
    own, ours = traces(opened(cells.RNN), "rnn", mask)
    agree(own.h, ours.h)
    agree(own.grad_h, ours.grad_h)
    agree(own.grad_x, ours.grad_x)
    agree(own.gain, ours.gain)
    for mine, theirs in zip(own.grads.values(), ours.grads.values(), strict=True):
        agree(mine, theirs)


def test_training_is_that_of_ours(opened: Open) -> None:
    its = opened(cells.RNN)
    losses = []
    for cell in ("rnn", str(its.connection.path)):
        experiment = Experiment(cell=cell, hidden_size=H, seq_len=5, points=20, optimizer="adam", epochs=2)
        task = build_task(experiment)
        model = build_model(experiment, task)
        start = {"readout.weight": np.ones((1, H)), "readout.bias": np.zeros(1)}
        drawn = its.parameters(1, H, seed=0)
        kinds = {"rnn.weight_ih_l0": "W_ih", "rnn.weight_hh_l0": "W_hh", "rnn.bias_ih_l0": "b"}
        start |= {name if cell == "rnn" else own_name(own): drawn[own] for name, own in kinds.items()}
        training = build_training(experiment, model.with_params(start), task)
        training.run_epoch()
        training.run_epoch()
        losses.append(training.history["loss"] + training.history["val_loss"])
    agree(losses[0], losses[1])


def test_the_names_in_a_file_mean_nothing(opened: Open) -> None:
    """A parameter that is called as one of ours is none: a network without a loop is that with one."""
    its = opened(cells.changed(("W_hh", "weight_hh"), ("W_ih", "weight_ih")))
    experiment = Experiment(cell=str(its.connection.path), hidden_size=H, seq_len=5, points=20)
    task = build_task(experiment)
    found = []
    for loop in (True, False):
        model = build_model(experiment.with_(loop=loop), task)
        training = build_training(experiment.with_(loop=loop), model, task)
        training.run_epoch()
        found.append(training.history["loss"])
    assert found[0] == found[1]


@pytest.mark.parametrize(("program", "reason"), [(p, r) for _, p, r in cells.WRONG], ids=[n for n, _, _ in cells.WRONG])
def test_a_wrong_file_gets_one_line(tmp_path: Path, opened: Open, program: str, reason: str) -> None:
    def used() -> None:
        its = opened(program)
        Model.create(cell=str(its.connection.path), input_size=I, hidden_size=H, output_size=1)

    with pytest.raises(InputError) as error:
        used()
    assert str(error.value) == f"{tmp_path / 'mine.py'}: {reason}"


def test_a_loop_without_end_is_ended_at_its_line(monkeypatch: pytest.MonkeyPatch, opened: Open) -> None:
    monkeypatch.setattr(connection, "PATIENCE", 0.3)
    its = opened(cells.changed(("    return np.tanh", "    while x_t[0] > 100:\n        pass\n    return np.tanh")))
    params = its.parameters(I, H, seed=0)
    h, x = np.zeros((1, H)), np.zeros((1, I))
    before = its.steps(params, x, h)
    with pytest.raises(InputError, match=r"a loop without end\? It was in line [89]$"):
        its.steps(params, x + 101, h)
    agree(its.steps(params, x, h), before)  # another process answers


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no such signal")
def test_its_process_ends_with_ours(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(cells.RNN, encoding="utf-8")
    program = (
        "import os, sys; from rnnviz.workshop.cell.opening import open_cell; its = open_cell(sys.argv[1]);"
        "its.parameters(1, 2, 0); print(its.connection._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    found = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, timeout=60)
    process = int(found.stdout)
    for _ in range(600):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{process}/stat").exists() and ") Z " in Path(f"/proc/{process}/stat").read_text():
            return  # it has ended, and nobody has asked for its exit code yet
        time.sleep(0.05)
    os.kill(process, signal.SIGKILL)
    pytest.fail("it is still there")


@pytest.mark.parametrize(
    "change", ["np.abs(h_before)", "np.array([__import__('math').tanh(one) for one in h_before])", "h_before.real"]
)
def test_a_step_for_real_numbers_alone_has_central_differences(opened: Open, change: str) -> None:
    its = opened(cells.changed(('params["W_hh"] @ h_before', f'params["W_hh"] @ {change}')))
    model = Model.create(cell=str(its.connection.path), input_size=I, hidden_size=H, output_size=1)
    assert its.by == "differences"
    rng = np.random.default_rng(0)
    assert model.trace(rng.normal(size=(T, B, I)), rng.normal(size=(T, B, 1))).check() < 1e-6


def test_a_step_that_mixes_the_rows_of_a_batch_is_taken_row_by_row(opened: Open) -> None:
    """Many rows are computed at once where that gives the same; here it does not."""
    its = opened(cells.changed((cells.TANH, cells.TANH + " * h_before.mean() + h_before.sum() * 0.1")))
    model = Model.create(cell=str(its.connection.path), input_size=I, hidden_size=H, output_size=1)
    rng = np.random.default_rng(0)
    assert model.trace(rng.normal(size=(T, B, I)), rng.normal(size=(T, B, 1))).check() < 1e-7


DOCUMENT = Path(__file__).parents[2] / "docs" / "cell.md"
EXAMPLE = DOCUMENT.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]


def verdict(its: Derivatives, T: int = T) -> Verdict | None:
    model = Model.create(cell=str(its.connection.path), input_size=I, hidden_size=H, output_size=1)
    rng = np.random.default_rng(0)
    return own_step.make(model.trace(rng.normal(size=(T, 1, I)), rng.normal(size=(T, 1, 1))))


@pytest.mark.parametrize("program", [EXAMPLE, (FILES / "solutions" / "10_your_cell.py").read_text("utf-8")])
def test_the_documented_cell_is_right(opened: Open, program: str) -> None:
    assert verdict(opened(program)) == Verdict("your backward_step gives the exact gradients at all 6 steps")


def test_without_a_backward_pass_of_its_own_it_says_how_exact_the_gradients_are(opened: Open) -> None:
    assert verdict(opened(cells.RNN)) == Verdict("exact gradients, by a complex step through your step")
    real = cells.changed(("h_before +", "np.abs(h_before) +"))
    assert verdict(opened(real, "real.py")) == Verdict(
        "gradients right to 9 digits: your step is not made for complex numbers"
    )


#: (a change of the documented backward_step, what is said, at how many steps)
MISTAKES = (
    ("0.9 * grad_h + params", "params", "∂L/∂h₅ differs first: yours is", 6),
    ('params["W_hh"].T', 'params["W_hh"]', "∂L/∂h₅ differs first: yours", 6),
    ("(1 - np.tanh(a) ** 2)", "(1 + np.tanh(a) ** 2)", "∂L/∂h₅ differs first: yours", 6),
    ('grad_x = params["W_ih"].T @ grad_a', 'grad_x = -params["W_ih"].T @ grad_a',
     "∂L/∂x₆ differs first: yours has the opposite sign", 6),
    ('np.outer(grad_a, h_before), "b"', 'np.outer(h_before, grad_a), "b"',
     "∂L/∂W_hh of step 6 differs first: 6 of its 9 numbers are wrong, as if it were transposed", 5),
    ('"b": grad_a}', '"b": 2 * grad_a}',
     "∂L/∂b of step 6 differs first: yours is 2 × too large, as if there were a factor 2 too many", 6),
    ('"b": grad_a}', "}", "backward_step: grad_params[b] is missing", 0),
    ('"b": grad_a}', '"b": grad_a[:2]}', "backward_step: grad_params[b] has the shape (2,), and should have (3,)", 0),
    ('grad_x = params["W_ih"].T @ grad_a', "grad_x = ...", "backward_step: grad_x is not written yet", 0),
    ("return grad_h_before, grad_x, grad_params", "return grad_h_before, grad_x",
     "backward_step returns 2 values, and should return grad_h_before, grad_x, grad_params", 0),
    ("grad_a = 0.1", "grad_a = grad_b", "backward_step: line ", 0),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "about", "steps"), MISTAKES)
def test_a_wrong_backward_step_is_named_with_the_first_gradient_that_differs(
    opened: Open, old: str, new: str, about: str, steps: int
) -> None:
    found = verdict(opened(cells.changed((old, new), program=EXAMPLE)))
    assert found is not None
    assert found.about.startswith(about)
    assert not found.is_right
    assert len(found.wrong) == steps


def test_a_mistake_at_some_steps_alone_is_placed(opened: Open) -> None:
    assert Verdict("", False, (3,)).where(10) == "at t = 3"
    assert Verdict("", False, (2, 3, 7)).where(10) == "at t = 2, 3 and 7"
    assert Verdict("", False, (2, 3, 7)).where(3) == "at 3 of 3 steps"
    assert Verdict("", False, (1, 2, 3, 4)).where(10) == "at 4 of 10 steps"
    assert not Verdict("").where(10)
    some = cells.changed(("grad_h_before = ", "grad_h_before = (2 if x_t[0] > 0.6 else 1) * "), program=EXAMPLE)
    found = verdict(opened(some))
    assert found is not None
    x = np.random.default_rng(0).normal(size=(T, 1, I))[:, 0, 0]
    assert found.wrong == tuple(np.flatnonzero(x > 0.6) + 1) != ()
    assert found.about.startswith(f"∂L/∂h{subscript(found.wrong[-1] - 1)} differs first: yours is 2 × too large")


def test_it_is_a_row_of_the_score_in_both_faces(opened: Open) -> None:
    its = opened(cells.changed(("0.9 * grad_h + params", "params"), program=EXAMPLE))
    player = Player(Experiment(cell=str(its.connection.path), hidden_size=H, seq_len=5, points=20))
    frame = player.do(Measure("own_step"))
    assert set(frame.cannot) >= {"cut", "network", "weights", "neuron", "code", "save"}
    picture = "\n".join(score.draw(frame, 80, 20, Palette()).plain())
    assert "WRONG     ∂L/∂h₄ differs first: yours has other signs · at 5 of 5 steps" in picture
    assert "Wrong at 5 of 5 steps." in rows.row("evidence", frame, Mask())


def test_only_the_command_line_names_a_file(tmp_path: Path, opened: Open) -> None:
    its = opened(cells.RNN)
    name = str(its.connection.path)
    assert Experiment(cell=name).cell == name
    file = tmp_path / "experiment.toml"
    file.write_text(f"cell = '{name}'\n", encoding="utf-8")
    for attempt in (lambda: Experiment.from_file(file), Experiment(cell=name).to_toml):
        with pytest.raises(InputError, match="which no experiment file or lesson may name"):
            attempt()
    with pytest.raises(InputError, match="a kiosk runs no file"):
        flags.read(["--kiosk", "--cell", name])
    with pytest.raises(InputError, match="there is no such file"):
        flags.read(["--cell", str(tmp_path / "none.py")])
    for setting, value in (("num_layers", 2), ("dtype", "float32")):
        with pytest.raises(InputError, match=f"^{setting}: your cell"):
            build_model(Experiment(cell=name, **{setting: value}), build_task(Experiment()))
    assert flags.read(["--cell", name]).experiments[0].cell == name


def test_a_lesson_that_names_a_file_is_wrong(tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    its = opened(cells.RNN)
    monkeypatch.chdir(tmp_path)
    assert main(["lessons", "new", "mine"]) == 0
    (lesson,) = tmp_path.rglob("*-mine.md")
    text = lesson.read_text(encoding="utf-8")
    assert main(["lessons", "check", str(lesson)]) == 0
    named = text.replace("[experiment]", f"[experiment]\ncell = '{its.connection.path}'")
    lesson.write_text(named, encoding="utf-8")
    assert main(["lessons", "check", str(lesson)]) != 0
    with pytest.raises(InputError, match="which no experiment file or lesson may name"):
        Setup(Experiment()).after((("settings", {"cell": str(its.connection.path)}),))


@pytest.mark.parametrize(
    ("scale", "about"), [(0.3, "Let your step carry a part of h"), (2.0, "Let parameters() in your file")]
)
def test_the_diagnosis_has_a_remedy_for_its_file(
    opened: Open, capsys: pytest.CaptureFixture[str], scale: float, about: str
) -> None:
    its = opened(cells.changed(("/ np.sqrt(H)", f"* {scale} / np.sqrt(H)"), ("np.tanh(", "1 * (")))
    settings = ["--task", "recall", "--lag", "24", "--samples", "20", "--epochs", "1", "--hidden", "8"]
    assert main(["diagnose", "--cell", str(its.connection.path), *settings, "--clip-norm", "0.001"]) == 0
    assert about in " ".join(capsys.readouterr().out.split())
