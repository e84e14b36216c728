"""A network that looks back: both ways of its gradient in every view, in figures that add up, and in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.experiment.build import build_model, build_task, resolved, trace_of
from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.export import programs
from rnnviz.nn import Trace
from rnnviz.nn.metrics import lasting_horizon
from rnnviz.nn.readout import read_out
from rnnviz.nn.spec import CELLS
from rnnviz.plain.panels.base import Open
from rnnviz.plain.panels.gradient import ledger as ledger_in_lines
from rnnviz.player.player import Player
from rnnviz.scene.commands import Cut, Go, Measure, Seek
from rnnviz.scene.frame import Frame
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels import BY_ID
from rnnviz.tui.score import draw
from rnnviz.tui.view import View
from rnnviz.views import neuron, perturbation, ways
from rnnviz.views.attention import step_in_view, weights
from rnnviz.views.gradient import gradient_of
from rnnviz.views.metrics import value
from rnnviz.views.prepare import prepare
from rnnviz.views.reach import of_frame
from rnnviz.views.zero_gradients import zero_because
from rnnviz.words.narration import narrate
from rnnviz.words.voice import Voice
from rnnviz.words.zero_gradients import clause

SMALL = {"task": "recall", "lag": 5, "hidden_size": 6, "gain": 0.7, "samples": 20}


def traced(**changes: Any) -> Trace:
    experiment = resolved(Experiment(**{**SMALL, "readout": "additive", **changes}))
    task = build_task(experiment)
    return trace_of(build_model(experiment, task), task)


def back_at(t: int, **changes: Any) -> Frame:
    player = Player(Experiment(**{**SMALL, "readout": "attention", **changes}))
    return player.do(Go("backward", t))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("more", [{}, {"shortest": 3, "mask": "copy", "padding": "before"}], ids=["all", "mask"])
def test_the_ways_add_up_to_the_gradient(cell: str, more: dict[str, Any]) -> None:
    trace = traced(cell=cell, loss_at="every", **more)
    for k in (None, 2, trace.T):
        gradient = gradient_of(trace, k)
        vectors, along = ways.vectors(trace, gradient), ways.along(trace, gradient)
        assert along is not None
        scale = float(np.abs(gradient.states).max())
        np.testing.assert_allclose(sum(vectors.values()), gradient.states, rtol=0, atol=1e-13 * scale)
        figures = along.loop + along.value + along.score + along.readout
        np.testing.assert_allclose(figures, gradient.norms, rtol=0, atol=1e-13 * float(gradient.norms.max()))
        for t in range(trace.T + 1):
            for equation in neuron.backward(trace, t, 1, gradient):
                assert sum(term.product for term in equation.terms) == pytest.approx(equation.total, abs=1e-12 * scale)


def test_the_loop_alone_is_the_gradient_that_sets_out_at_the_loss_step() -> None:
    trace = traced()
    gradient, k = gradient_of(trace, trace.T), trace.T
    assert gradient.loop is not None
    g = gradient.states[k]
    for t in range(k, -1, -1):
        np.testing.assert_allclose(gradient.loop.states[t], g, rtol=1e-12)
        if t:
            g = ((1 - trace.h[t] ** 2) * g) @ trace.params["rnn.weight_hh_l0"]
    assert gradient.loop.norms[0] == pytest.approx(gradient.norms[0], rel=0.9)
    assert gradient_of(traced(readout="linear"), k).loop is None
    assert gradient_of(trace, None).loop is None


def test_the_row_along_z_takes_in_what_attention_sends() -> None:
    """h_t = z_t h_{t-1} + …: with a gate that is open the row is the whole gradient."""
    trace = traced(cell="gru")
    z = trace.gates["z"]
    lane = gradient_of(trace, trace.T).highway
    assert lane is not None
    direct, along = trace.ways(trace.T).direct, np.zeros_like(trace.h)
    for t in range(trace.T, 0, -1):
        along[t] += direct[t - 1]
        along[t - 1] = z[t - 1] * along[t]
    np.testing.assert_allclose(lane.states, along, rtol=1e-12)


def test_the_horizon_is_where_less_than_a_hundredth_is_left_for_good() -> None:
    assert lasting_horizon(np.array([1.0, 0.001, 0.001, 1.0])) is None
    assert lasting_horizon(np.array([0.0, 0.5, 0.0001, 1.0])) == 2.0
    assert lasting_horizon(np.array([1e-4, 1.0, 1e-4, 1.0])) == pytest.approx(2.5)
    assert lasting_horizon(np.array([0.5, np.nan, 1.0])) is None
    frame = back_at(1)
    assert frame.gradient.half_life is None
    assert frame.gradient.loop is not None
    assert value(frame, "loop_horizon") == frame.gradient.loop.horizon
    kept = frame.gradient.loop.norms[1] / frame.gradient.norms[6]
    assert value(frame, "loop_kept[1]") == pytest.approx(kept)
    assert value(frame, "kept[1]") == pytest.approx(frame.gradient.norms[1] / frame.gradient.norms[6])
    linear = back_at(1, readout="linear")
    assert value(linear, "loop_kept[1]") == value(linear, "kept[1]")


def test_the_weights_of_the_row_are_those_of_the_step_in_view() -> None:
    player = Player(Experiment(**{**SMALL, "readout": "additive"}))
    assert step_in_view(player.frame) == 0
    frame = player.do(Seek(3))
    assert step_in_view(frame) == 3
    own = weights(frame.scene, 3)
    np.testing.assert_allclose(own, frame.scene.trace.attention(3)[:, 0])
    assert own.sum() == pytest.approx(1)
    score = draw(frame, 80, 20, Palette()).plain()
    (row,) = [line for line in score if line.startswith("weight α")]
    assert f"α₃ {own[2]:.3g} of y₃" in row
    frame = player.do(Go("loss"))
    assert step_in_view(frame) == 6
    assert value(frame, "attention[2]") == pytest.approx(weights(frame.scene, 6)[1])
    assert not any(
        line.startswith("weight α") for line in draw(back_at(2, readout="linear"), 80, 20, Palette()).plain()
    )


def test_the_panel_names_whose_weights_they_are() -> None:
    heads = {
        kind: BY_ID["attention"].draw(back_at(2, readout=kind), View(), 80, 14, Palette()).plain()[0]
        for kind in ("linear", "attention", "additive")
    }
    assert "softmax( h₆ · hₜ / √H ): the weight of hₜ in Σ αₜ hₜ" in heads["linear"]
    assert "softmax( W_q h₆ · W_k hₜ / √H ): the weight of hₜ in what y₆ reads" in heads["attention"]
    assert "softmax( v · tanh( W_q h₆ + W_k hₜ ) ): the weight of hₜ in what y₆ reads" in heads["additive"]


def test_the_ledger_lists_each_way() -> None:
    frame = back_at(2)
    scene = prepare(frame.scene, Measure("ledger", 6))
    table = scene.known[Measure("ledger", 6)]
    assert table.is_attended
    for row in table.rows:
        assert row.loop + row.value + row.score + row.readout == pytest.approx(row.norm, rel=1e-12)
    first, *others = table.rows
    assert first.loop == 0 != first.readout
    assert not any(row.readout for row in others)
    assert table.rate.slope is None
    assert all(np.isnan((row.slope, row.weight)).all() for row in table.rows)
    said = " ".join(ledger_in_lines(replace(frame, scene=prepare(scene, Measure("gain"))), Open()))
    assert "it adds up from" in said
    assert "slope" not in said
    assert "could keep" not in said
    lines = BY_ID["ledger"].draw(replace(frame, scene=scene), View(), 80, 12, Palette()).plain()
    assert "Each row is a sum: loop, from the next h; value, α held; score, through α." in lines[0]
    assert all(word in "".join(lines[1:3]) for word in ("= loop", "+ value", "+ score", "+ readout", "left"))


def test_a_cut_loop_leaves_the_direct_way() -> None:
    player = Player(Experiment(**{**SMALL, "readout": "attention"}))
    player.do(Cut())
    frame = player.do(Go("backward", 1))
    row = frame.gradient
    assert row.norms[1] > 0
    assert row.loop is not None
    assert row.loop.norms[1] == 0
    why = zero_because(frame.scene.trace, row, 1, "loop")
    assert why is not None
    assert clause(why) == "W_hh is 0"
    why = zero_because(frame.scene.trace, row, 0)
    assert why is not None
    assert clause(why) == "W_hh is 0, and attention sends nothing"
    first, second = narrate(frame, Voice(78, {}))
    assert first.startswith("The loop is cut: 5 steps back")
    assert "by attention alone" in first
    assert second.startswith("α₁ = ")
    reach = of_frame(frame)
    assert reach is not None
    assert reach.arrives > 0


def test_the_words_name_both_ways() -> None:
    frame = back_at(2)
    first, second = narrate(frame, Voice(78, {}))
    assert first.startswith("4 steps back, ")
    assert "through the loop alone" in first
    assert second.startswith(f"α₂ = {weights(frame.scene, 6)[1]:.2g}")
    assert "each earlier h through attention" in narrate(back_at(6), Voice(78, {}))[0]
    assert "only the loop leads there" in narrate(back_at(0), Voice(78, {}))[1]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
def test_the_figures_in_the_words_are_those_of_the_gradient(cell: str, gain: float) -> None:
    player = Player(Experiment(**{**SMALL, "readout": "additive", "cell": cell, "gain": gain}))
    for t in range(6):
        frame = player.do(Go("backward", t))
        loop, norms = frame.gradient.loop, frame.gradient.norms
        assert loop is not None
        for room in (78, 60):
            first, second = narrate(frame, Voice(room, {}))
            assert len(first) <= 78
            figures = re.findall(r"(\d[\d.]*(?:e[+-]\d+)?) ?(%|times)?", first.partition("back")[2])
            for (figure, unit), way in zip(figures, (norms, loop.norms), strict=True):
                kept = float(figure) / (100 if unit == "%" else 1)
                assert kept == pytest.approx(float(way[t] / norms[6]), rel=0.06)
                assert (unit == "times") == (kept > 1)
            if t:
                assert float(second.split()[2].rstrip(":.")) == pytest.approx(weights(frame.scene, 6)[t - 1], rel=0.06)


def test_a_moved_state_is_one_of_those_that_the_output_looks_back_at() -> None:
    frame = back_at(2, seed=3)
    scene = prepare(frame.scene, Measure("perturbed", 2, (1, 100)))
    found = perturbation.known(scene, 2, (1, 100))
    assert found is not None
    trace, task = scene.trace, scene.task
    other = trace_of(scene.model, task, found.other)
    states, params = trace.h[1:].copy(), trace.params
    states[1] = other.h[2]
    for t in range(3, trace.T + 1):
        pre = trace.x[t - 1] @ params["rnn.weight_ih_l0"].T + params["rnn.bias_ih_l0"]
        states[t - 1] = np.tanh(pre + states[t - 2] @ params["rnn.weight_hh_l0"].T)
    y = read_out(trace.spec, params, states)[-1]
    assert found.answers[1] == task.answers(y)[0]
    np.testing.assert_allclose(found.sizes[1, 2:], np.linalg.norm(states[1:, 0] - trace.h[2:, 0], axis=1), rtol=1e-10)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"truncate": "2,2"}, "truncate: attention sends each error straight to all earlier steps"),
        ({"task": "sine", "lag": None, "samples": None, "carry": True}, "carry: attention sees the states of one"),
        ({"bidirectional": True}, "readout: attention looks back from each step, and a bidirectional layer also reads"),
    ],
)
def test_what_it_is_not_combined_with_is_refused_in_one_line(changes: dict[str, Any], why: str) -> None:
    experiment = Experiment(**{**SMALL, "readout": "attention", **changes})
    with pytest.raises(InputError, match=why) as error:
        resolved(experiment)
    assert "\n" not in str(error.value)
    (name,) = {"truncate", "carry", "bidirectional"} & changes.keys()
    plain = resolved(Experiment(**{**SMALL, "readout": "attention"}))
    assert SETTINGS[name].why_not(plain) is not None
    assert SETTINGS["readout"].why_not(plain) is None


def test_there_is_no_short_program() -> None:
    experiment = resolved(Experiment(**{**SMALL, "readout": "attention"}))
    assert "choose a linear readout" in (programs.cannot(build_task(experiment), experiment) or "")
    assert programs.cannot(build_task(experiment), experiment.with_(readout="linear")) is None


def test_a_text_goes_on_from_all_that_was_read() -> None:
    from rnnviz.experiment.evaluate import continue_text

    experiment = resolved(Experiment(task="characters", seq_len=6, hidden_size=4, readout="attention"))
    task = build_task(experiment)
    model = build_model(experiment, task)
    text = continue_text(model, task, 0, length=5)
    x, rng = task.x[0, :, None], np.random.default_rng(0)
    for character in text:
        p = np.exp(model.forward(x)[-1, 0])
        assert task.labels[int(rng.choice(len(p), p=p / p.sum()))] == character
        x = np.concatenate([x, np.eye(task.input_size)[None, None, task.labels.index(character)]])


def test_the_diagnosis_does_not_judge_it_as_a_product_of_factors() -> None:
    """What is small at one step may be large at an earlier one."""
    from rnnviz.diagnosis.diagnose import diagnose
    from rnnviz.diagnosis.from_experiment import examine
    from rnnviz.experiment.run import Run

    found = examine(Run(Experiment(task="recall", lag=30, hidden_size=6, gain=0.5, samples=20, epochs=1)))
    assert found.now is not None
    (layer,) = found.now.layers
    attended = replace(layer, ways=tuple(replace(way, is_attended=True) for way in layer.ways))
    of_attention = replace(found, moments=(replace(found.now, layers=(attended,)),))
    rules = [{finding.rule for finding in diagnose(evidence).findings} for evidence in (found, of_attention)]
    assert [("vanishing-gradient" in some) for some in rules] == [True, False]
