"""Padded steps in every instrument: a unit's sums, why a gradient is 0, the network, a moved state, the words."""

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.spec import CELLS
from rnnviz.plain.rows import named
from rnnviz.player.player import Player
from rnnviz.scene.commands import Measure, Seek, ShowSample, TypeSequence
from rnnviz.scene.cursor import Phase
from rnnviz.tasks.catalog import PAD
from rnnviz.tui import score
from rnnviz.tui.palette import Palette
from rnnviz.tui.voice import VOICE
from rnnviz.views import neuron
from rnnviz.views.diagram import node_at
from rnnviz.views.metrics import needs, parse, value
from rnnviz.views.perturbation import known
from rnnviz.views.prepare import prepare
from rnnviz.views.zero_gradients import zero_because
from rnnviz.words.narration import narrate, subjects
from rnnviz.words.spoken import spoken
from rnnviz.words.zero_gradients import clause, short

RECALL = Experiment(task="recall", seq_len=10, shortest=5, samples=20, hidden_size=4, seed=1)


def frame_of(**settings):
    return Player(RECALL.with_(**settings)).frame


def back(frame, t):
    return replace(frame, cursor=replace(frame.cursor, phase=Phase.BACKWARD, t=t))


@pytest.mark.parametrize("padding", ["after", "before"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_sums_of_a_unit_add_up_to_its_values_through_the_padding(cell, padding):
    frame = frame_of(cell=cell, mask="copy", padding=padding)
    scene = frame.scene
    assert any(scene.copies(t) for t in range(1, scene.T + 1))
    for t in range(scene.T + 1):
        ahead = neuron.forward(scene.trace, t, 2) if t else ()
        behind = neuron.backward(scene.trace, t, 2, frame.gradient)
        for equation in (*ahead, *behind):
            assert sum(term.product for term in equation.terms) == pytest.approx(equation.total, rel=1e-9, abs=1e-15)
        if scene.copies(t):
            assert ahead[-1].value == float(scene.trace.h[t, 0, 2])
            assert all("copies" in equation.about for equation in ahead)


@pytest.mark.parametrize("mask", ["copy", "none"])
def test_the_narration_says_what_happens_at_a_padded_step(mask):
    frame = frame_of(mask=mask)
    padded = [t for t in range(1, frame.T + 1) if frame.scene.is_padding(t)]
    assert padded[-1] == frame.T
    for t in padded:
        read = replace(frame, cursor=replace(frame.cursor, t=t))
        first, _ = narrate(read, VOICE)
        assert first.startswith(f"Step {t} is padding")
        assert "state" in subjects(read), "hidden while a question asks what becomes of h"
        assert ("copies" in first) == (mask == "copy")
        assert ("reads zeros" in first) == (mask == "none")
        first, second = narrate(back(frame, t - 1), VOICE)
        assert first.startswith(f"Step {t} is padding")
        assert ("with factor 1" in first) == (mask == "copy")
        assert "back, " in second
        assert max(map(len, (first, second))) <= 78
    assert narrate(back(frame, frame.T), VOICE)[1].endswith("a copy: the factor is 1.") == (mask == "copy")
    assert "padding" not in narrate(back(frame, 1), VOICE)[0]
    early = replace(frame, cursor=replace(frame.cursor, t=2))
    assert "padding" not in narrate(early, VOICE)[0]
    assert "state" not in subjects(early)


def test_a_packed_sequence_ends_at_its_own_end():
    frame = frame_of()
    assert frame.T == frame.scene.task.lengths[0] < 10
    assert not any(frame.scene.is_padding(t) for t in range(1, frame.T + 1))


def test_no_gradient_goes_to_the_cell_state_through_a_copy_of_h():
    """Which a loss at the end reads; at the sequence's own end h comes of c again."""
    frame = frame_of(cell="lstm", mask="copy")
    gradient, (_, last) = frame.gradient, frame.scene.task.span(0)
    zero = zero_because(frame.scene.trace, gradient, last + 1, along="c")
    assert (zero.kind, zero.t) == ("padding", 10)
    assert clause(zero) == "step 10 is padding, and its h is a copy"
    assert short(zero) == "h is a copy at t = 10"
    assert zero_because(frame.scene.trace, gradient, last, along="c") is None


def test_a_mean_gate_is_that_of_the_steps_that_are_read():
    packed, masked = (Player(RECALL.with_(cell="lstm", mask=mask)).do(Seek(9)) for mask in ("packed", "copy"))
    for name in ("forget_mean", "input_mean", "gate_steps"):
        assert value(packed, name) == pytest.approx(value(masked, name), rel=1e-12)
    assert value(masked, "forget_gate[9, 0]") is None
    packed, masked = (Player(RECALL.with_(mask=mask)) for mask in ("packed", "copy"))
    slopes = [player.do(needs(player.frame, [parse("slope_mean")])) for player in (packed, masked)]
    assert value(slopes[0], "slope_mean") == pytest.approx(value(slopes[1], "slope_mean"), rel=1e-12)


def test_no_weight_acts_in_the_network_where_the_state_is_copied():
    frame = Player(RECALL.with_(mask="copy")).do(Seek(10))
    node = node_at(frame, 10)
    assert (node.x, node.from_before, node.from_below) == (PAD, None, None)
    assert node_at(frame, 2).from_before is not None
    node = node_at(Player(RECALL.with_(mask="none")).do(Seek(10)), 10)
    assert node.x == PAD
    assert node.from_before is not None


def test_a_moved_state_is_copied_through_the_padding():
    """As in the packed sequence, and then it stays what it is."""
    packed, masked = (
        known(prepare(frame_of(mask=mask).scene, Measure("perturbed", 2, (50, 100))), 2, (50, 100))
        for mask in ("packed", "copy")
    )
    n = packed.sizes.shape[1] - 1
    if packed.other == masked.other:
        np.testing.assert_allclose(packed.sizes[:, 2:], masked.sizes[:, 2 : n + 1], rtol=1e-9)
    assert (masked.sizes[:, n:] == masked.sizes[:, n : n + 1]).all()
    assert masked.sizes[0, n] > 0


def test_a_padded_step_is_spoken():
    assert named(PAD) == "padding"
    assert spoken(f"x {PAD}") == "x padding"


@pytest.mark.parametrize("colors", ["truecolor", "none"])
@pytest.mark.parametrize(
    "settings",
    [{"task": "recall"}, {"task": "sine"}, {"task": "adding"}, {"task": "recall", "cell": "lstm"}, {"data": "table"}],
    ids=str,
)
def test_the_score_marks_padding_with_a_sign_of_its_own(settings, colors, tmp_path):
    if "data" in settings:  # several numbers a step: a heatmap
        rows = np.random.default_rng(0).standard_normal((40, 3))
        lines = ["a,b,c", *(",".join(f"{value:.3f}" for value in row) for row in rows)]
        (tmp_path / "table.csv").write_text("\n".join(lines))
        settings = {"data": str(tmp_path / "table.csv")}
    samples = {"samples": 20} if settings.get("task") in ("recall", "adding") else {}
    player = Player(Experiment(seq_len=8, shortest=3, mask="copy", hidden_size=4, seed=1, **samples, **settings))
    sample = int(np.argmin(player.frame.scene.task.own_steps[:, 1]))
    player.do(ShowSample(sample))
    frame = player.do(Seek(8))
    _, last = frame.scene.task.span(frame.scene.sample)
    assert last < 8
    lines = score.draw(frame, 80, 20, Palette(colors)).plain()
    marked = {line.split()[0] for line in lines if PAD in line}
    assert "input" in marked
    assert ("forget" in marked) == ("cell" in settings)
    (row,) = (line for line in lines if line.startswith("input x"))
    assert row[:56].count(PAD) == 8 - last
    assert "padding" in "".join(line[56:] for line in lines[:3]) or "data" in settings


@pytest.mark.parametrize("mask", ["copy", "none"])
def test_an_input_typed_at_a_padded_step_changes_something_only_without_a_mask(mask):
    player = Player(RECALL.with_(mask=mask))
    before = player.frame.scene
    t = before.task.span(0)[1] + 2
    after = player.do(TypeSequence(f"{t} = B")).scene
    assert after.task.tokens(0)[t - 1] == "B"
    assert after.is_padding(t)
    assert not after.is_blank(t)
    assert np.array_equal(before.trace.h, after.trace.h) == (mask == "copy")
    whole = player.do(TypeSequence("Dxxy? = D")).scene
    assert (whole.T, whole.is_padding(5)) == (5, False)
