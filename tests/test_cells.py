"""A cell has one owner: nobody else knows which there are, and an unknown one is an error everywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import rnnviz
from rnnviz.cli import gradients as command
from rnnviz.errors import InputError
from rnnviz.experiment import applicability, cost
from rnnviz.experiment.experiment import Experiment
from rnnviz.export import excerpts, programs
from rnnviz.nn import (
    Data,
    Model,
    ModelSpec,
    Optimizer,
    checks,
    gain,
    initialise,
    ledger,
    numba_engine,
    numpy_engine,
)
from rnnviz.nn import make_trace as traces
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.optimizer import OptimizerState
from rnnviz.player.player import Player
from rnnviz.scene.commands import Measure, Seek
from rnnviz.scene.cursor import Phase
from rnnviz.tui import panels, score, status_lines
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import sheet_for
from rnnviz.tui.view import EVERYTHING
from rnnviz.tui.voice import VOICE
from rnnviz.views import diagram, gradient, knobs, metrics, neuron, zero_gradients
from rnnviz.views import ledger as tables
from rnnviz.words.narration import narrate

PACKAGE = Path(rnnviz.__file__).parent
MOST_FILES = 3  # outside nn/cells and nn/kernels: the defaults of Experiment, ModelSpec and Model.create


def naming(source: str) -> set[str]:
    """The names and titles of cells that stand alone as a string in this source."""
    names = {word for cell in CELLS.values() for word in (cell.name, cell.title, cell.keras.layer, cell.torch.layer)}
    if not any(f"{quote}{name}{quote}" in source for name in names for quote in "'\""):
        return set()  # not worth parsing
    strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return names & {value for value in strings if isinstance(value, str)}


def test_the_search_sees_a_name():
    assert naming("if cell == 'lstm': kind = {'LSTM': 1}") == {"lstm", "LSTM"}
    assert naming("help = 'of an LSTM'") == set()


def test_few_files_name_a_cell():
    own = {PACKAGE / "nn" / "cells", PACKAGE / "nn" / "kernels", PACKAGE / "workshop" / "exercises"}
    prose = {PACKAGE / "words" / "terms.py"}  # the glossary explains cells; nothing is decided there
    files = [path for path in PACKAGE.rglob("*.py") if not own & set(path.parents) and path not in prose]
    found = {
        path.relative_to(PACKAGE).as_posix(): names for path in files if (names := naming(path.read_text("utf-8")))
    }
    assert len(found) <= MOST_FILES, found


def test_every_cell_is_described_once_and_whole():
    assert [cell.order for cell in CELLS.values()] == sorted({cell.order for cell in CELLS.values()})
    for name, cell in CELLS.items():
        assert name == cell.name
        assert set(cell.keras.order) == set(cell.block_names)
        gates = {block.name for block in cell.blocks}
        assert gates >= {cell.carry.gate} if cell.carry else True
        assert gates >= {cell.remembers, *cell.chrono} - {""}
        assert all(block.reset_by in {"", *gates} and block.state in ("h", "c") for block in cell.blocks)
        for mix in cell.mixes:
            assert {factor.removeprefix("1-") for factor, _ in mix.terms} <= gates
            assert {of for _, of in mix.terms} <= {*gates, "h", "c", "tanh c"}
        assert all(len(block.row) <= 8 for block in cell.blocks)  # the score's gutter
        assert cell.rule.format(g="tanh", t="", before="")


# -- an unknown cell -----------------------------------------------------------------------------------


def unknown_frame():
    """A frame whose experiment and network name a cell that there is not."""
    player = Player(Experiment(cell="gru", hidden_size=4, seq_len=6))
    player.do(Seek(3))
    frame = player.do(Measure("ledger", 6))
    object.__setattr__(frame.scene.trace.spec, "cell", "bogus")
    object.__setattr__(frame.scene.model.spec, "cell", "bogus")
    object.__setattr__(frame.experiment, "cell", "bogus")
    return player, frame


def unknown_spec():
    spec = ModelSpec("gru", hidden_size=3)
    run = numpy_engine.forward(spec, Model.create("gru", hidden_size=3).params, np.zeros((4, 2, 1)))
    params = Model.create("gru", hidden_size=3).copy_params()
    object.__setattr__(spec, "cell", "bogus")
    return spec, params, run


def _train(engine):
    spec, params, _ = unknown_spec()
    rule = Optimizer()
    data = Data(np.zeros((4, 5, 1)), np.zeros((4, 5, 1)))
    engine.train_batches(spec, params, rule, OptimizerState.start(rule, params), data, [np.arange(2)])


def _with(function):
    return lambda: function(*unknown_spec())


def _framed(function):
    return lambda: function(unknown_frame()[1])


def _panel(panel):
    return _framed(lambda frame: sheet_for(panel, frame, EVERYTHING, 80, 20, Palette()))


ENGINES = {"numpy": numpy_engine, "numba": numba_engine}
CALLS = {
    "ModelSpec": lambda: ModelSpec("bogus"),
    "Model": lambda: Model.create("bogus"),
    "Experiment": lambda: Experiment(cell="bogus"),
    "parameters": _with(lambda spec, params, run: spec.parameter_shapes),
    "initial weights": _with(lambda spec, params, run: initialise.initial_params(spec)),
    "initial state": _with(lambda spec, params, run: checks.initial_state(spec, 2, None, np.zeros((2, 3)))),
    "gain": _with(lambda spec, params, run: gain.gains(spec, params, run)),
    "ledger": _with(
        lambda spec, params, run: ledger.make_ledger(
            spec, params, run, np.ones(4), grad_h=np.ones((5, 2, 3)), norms=np.ones(5), start=4
        )
    ),
    "trace": _with(lambda spec, params, run: traces.make_trace(spec, params, np.zeros((4, 2, 1)), np.zeros((4, 2, 1)))),
    **{
        f"{name} {what}": _with(
            {
                "forward": lambda spec, params, run, e=engine: e.forward(spec, params, np.zeros((4, 2, 1))),
                "backward": lambda spec, params, run, e=engine: e.backward(spec, params, run, np.ones((4, 2, 1))),
                "triangle": lambda spec, params, run, e=engine: e.triangle(
                    spec, params, run, np.ones((4, 2, 1)), (1, 2)
                ),
            }[what]
        )
        for name, engine in ENGINES.items()
        for what in ("forward", "backward", "triangle")
    },
    **{f"{name} train": (lambda e=engine: _train(e)) for name, engine in ENGINES.items()},
    "neuron forward": _framed(lambda f: neuron.forward(f.scene.trace, 3, 0)),
    "neuron backward": _framed(lambda f: neuron.backward(f.scene.trace, 3, 0, f.gradient)),
    "highway": _framed(lambda f: gradient.gradient_of(f.scene.trace, None)),
    "zeros": _framed(lambda f: zero_gradients._Step(f.scene.trace, f.gradient, 3).back()),
    "table": _framed(lambda f: tables.make_table(f.scene, f.scene.last_loss_step)),
    "diagram": _framed(lambda f: diagram.node_at(f, 3)),
    "metric": _framed(lambda f: metrics.value(f, "weights_norm")),
    "words": _framed(lambda f: narrate(f, VOICE)),
    "title": _framed(lambda f: status_lines.title(f, 80, Palette())),
    "score": _framed(lambda f: score.draw(f, 80, 14, Palette())),
    "initialisers": _framed(lambda f: knobs.choices(f, "init")),
    **{
        f"why not {name}": _framed(lambda f, name=name: getattr(applicability, name)(f.experiment))
        for name in ("activation", "forget_bias", "biases", "recurrent")
    },
    "cost": _framed(lambda f: cost.size_of(f.experiment)),
    "pytorch": _framed(lambda f: programs.pytorch(f.experiment, f.scene.task)),
    "keras": _framed(lambda f: programs.keras(f.experiment, f.scene.task)),
    **{
        f"excerpt {phase.name}": _framed(lambda f, p=phase: excerpts.excerpt(f.cell, p))
        for phase in (Phase.FORWARD, Phase.BACKWARD)
    },
    "name": _framed(lambda f: command.name(f.experiment)),
    **{f"panel {panel.id}": _panel(panel) for panel in panels.ALL if panel.id in ("neuron", "network")},
}


@pytest.mark.parametrize("call", CALLS)
def test_an_unknown_cell_is_an_error(call):
    with pytest.raises(InputError, match="bogus"):
        CALLS[call]()
