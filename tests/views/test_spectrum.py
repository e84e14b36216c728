"""The dynamics of a frame: which matrices there are where, and what the sentences say only where it is so."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.dynamics.spectrum import growth, product, spectrum
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Go, Measure, Seek, ShowGradient
from rnnviz.scene.frame import Frame
from rnnviz.views import metrics, weights
from rnnviz.views import spectrum as views
from rnnviz.views.prepare import likewise, prepare
from rnnviz.views.spectrum import Found, Matrix, matrices
from rnnviz.words import spectrum as words

SMALL = Experiment(hidden_size=6, seq_len=8, loss_at="last")


def at(player: Player, phase: str, t: int) -> Frame:
    return player.do(Go(phase, t))


def of(A: np.ndarray) -> Found:
    found = spectrum(A)
    assert found is not None
    return Found(found, growth(A) if found.log_radius < 0 else None)


WEIGHTS, STEP = Matrix("weights"), Matrix("step", 3, 4)
ROTATION = np.array([[0.0, -1.0], [1.0, 0.0]])
#: Matrix -> what is said of it, and of no other kind.
SAID = {
    "stays": (ROTATION, "every change would keep its length"),
    "shrinks": (0.5 * ROTATION, "no change could grow, since σ_max ≤ 1, and each would die out"),
    "transient": (np.array([[0.5, 4.0], [0.0, 0.5]]), "to × 4.06 after 1 step: transient growth. In the end"),
    "grows": (1.5 * ROTATION, "some change would grow by × 1.50 a step"),
    "hardly grows": (1.0001 * ROTATION, "some change would grow by × 1 + 1e-04 a step"),
    "stays, transient": (np.array([[1.0, 3.0], [0.0, 0.5]]), "its |λ| = 1; another could grow, since σ_max > 1."),
    "stays, one": (np.diag([1.0, 0.5]), "neither grow nor shrink in the long run, since its |λ| = 1."),
    "zero": (np.zeros((2, 2)), "nothing would be left after it."),
    "nilpotent": (np.array([[0.0, 3.0], [0.0, 0.0]]), "to × 3.00 after 1 step: transient growth"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAID)
@pytest.mark.parametrize("matrix", [WEIGHTS, STEP], ids=["weights", "step"])
def test_what_follows_is_said_of_that_kind_alone(kind: str, matrix: Matrix) -> None:
    text = words.follows(matrix, of(SAID[kind][0]))
    assert SAID[kind][1] in text
    assert [other for other in SAID if SAID[other][1] in text] == [kind]
    assert ("W_hh" in text) == (matrix is WEIGHTS)


def test_a_growth_without_end_is_not_called_one_at_first() -> None:
    """Two layers of W_hh = 1 are a Jordan block: its powers grow by the same number at each step, though |λ| = 1."""
    A = np.array([[1.0, 0.0], [1.0, 1.0]])
    assert np.linalg.norm(np.linalg.matrix_power(A, 100), 2) > 100
    text = words.follows(STEP, of(A))
    assert "first" not in text
    assert "another could grow" in text


def test_growth_that_was_not_followed_to_its_end_is_at_least_that() -> None:
    A = np.array([[0.999, 50.0], [0.0, 0.999]])
    found = replace(of(A), growth=growth(A, powers=3))
    assert "to at least × 149.7 after 3 steps: transient growth" in words.follows(WEIGHTS, found)
    assert "a change could grow at first, since σ_max > 1: transient" in words.follows(
        WEIGHTS, replace(found, growth=None)
    )


@pytest.mark.parametrize(("gamma", "said"), [
    (1e-3, "Less than float64 can hold after 200 steps: at most × 10^-600, which is × 1e-03 a step."),
    (1e3, "More than float64 can hold after 200 steps: at most × 10^600, which is × 1e+03 a step."),
    (0.5, "After 200 steps a change has at most × 6e-61 of its length, which is × 0.50 a step."),
    (0.0, "After 200 steps nothing is left of any change."),
])  # fmt: skip
def test_a_product_beyond_the_range_says_so(gamma: float, said: str) -> None:
    found = Found(spectrum(*product([gamma * ROTATION] * 200, 2), rounded=200))
    assert words.follows(Matrix("product", 0, 200), found) == said
    assert found.spectrum is not None
    if gamma == 1e-3:
        assert words.entries(found.spectrum) == ["10^-600 0°", "10^-600 0°"]


def test_entries_are_sizes_and_angles() -> None:
    angle = math.radians(40)
    turn = 0.9 * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    A = np.zeros((5, 5))
    A[:2, :2], A[2, 2], A[3, 3] = turn, -0.5, 0.25
    assert words.entries(of(A).spectrum) == ["0.90 ±40°", "0.50 180°", "0.25 0°", "1 × 0 within rounding"]  # type: ignore[arg-type]


def test_nothing_is_said_of_numbers_that_are_none() -> None:
    assert words.follows(STEP, Found(None)) == words.NONE_FOUND


@pytest.mark.parametrize("cell", CELLS)
def test_which_matrices_there_are(cell: str) -> None:
    player = Player(SMALL.with_(cell=cell))
    weights_too = [Matrix("weights")] if CELLS[cell].splits and CELLS[cell].recurrent else []
    expected: dict[tuple[str, int], list[tuple[int, int]]] = {
        ("forward", 0): [], ("forward", 1): [(0, 1), (0, 1)], ("forward", 5): [(4, 5), (0, 5)],
        ("backward", 8): [(7, 8), (7, 8)], ("backward", 7): [(7, 8), (7, 8)], ("backward", 3): [(3, 4), (3, 8)],
        ("backward", 0): [(0, 1), (0, 8)],
    }  # fmt: skip
    for (phase, t), steps in expected.items():
        both = [Matrix(kind, *step) for kind, step in zip(("step", "product"), steps, strict=False)]
        assert list(matrices(at(player, phase, t))) == [*weights_too, *both]


def test_of_an_earlier_loss_the_product_still_begins_at_the_last() -> None:
    player = Player(SMALL.with_(loss_at="every"))
    player.do(ShowGradient(5))
    assert matrices(at(player, "backward", 3))[2] == Matrix("product", 3, 8)


@pytest.mark.parametrize("cell", CELLS)
def test_metrics_agree_with_the_trace(cell: str) -> None:
    frame = at(Player(SMALL.with_(cell=cell)), "forward", 4)
    trace = frame.scene.trace
    assert metrics.value(frame, "spectral_radius_of_step") <= trace.gain[3] * (1 + 1e-9)  # type: ignore[operator]
    if trace.spec.state_size == trace.H:
        norms = Player(SMALL.with_(cell=cell)).frame.scene.trace.sensitivity_of(8).h.largest
        assert metrics.value(frame, "product_sigma[2]") == pytest.approx(norms[2] ** (1 / 6), rel=1e-9)
        assert metrics.value(frame, "lyapunov_factor") == pytest.approx(norms[1] ** (1 / 7), rel=1e-3)
        assert metrics.value(frame, "log_mean_factor") <= metrics.value(frame, "lyapunov") + 1e-3  # type: ignore[operator]
    assert metrics.value(frame, "product_radius[8]") is None
    assert (metrics.value(frame, "departure") is None) == (weights.recurrent_weights(trace) is None)


def test_weights_and_spectrum_have_one_owner() -> None:
    frame = Player(SMALL.with_(init="pytorch", gain=2.0)).frame
    W = frame.scene.trace.params["rnn.weight_hh_l0"]
    assert metrics.value(frame, "spectral_radius") == pytest.approx(np.abs(np.linalg.eigvals(W)).max(), rel=1e-12)
    assert metrics.value(frame, "sigma_max") == pytest.approx(np.linalg.norm(W, 2), rel=1e-12)
    assert metrics.value(frame, "growth") is None or metrics.value(frame, "spectral_radius") < 1  # type: ignore[operator]


def test_the_ghost_s_are_worked_out_beside_the_present_ones() -> None:
    player = Player(SMALL)
    player.do(Seek(4))
    frame = player.do(Change((("gain", 0.5), ("seq_len", 6))))
    step = matrices(frame)[1]
    for measure in views.all_needed(frame):
        frame = player.do(measure)
    assert frame.ghost is not None
    now, before = views.known(frame.scene, step), views.known(frame.ghost.scene, step)
    assert now is not None and before is not None and now.spectrum is not None and before.spectrum is not None  # noqa: PT018
    assert before.spectrum.sigma_max > now.spectrum.sigma_max
    frame = player.do(views.of_steps(0, 8))
    assert frame.scene.known[views.of_steps(0, 8)] is None, "it has no step 8"
    assert frame.ghost is not None
    assert frame.ghost.scene.known[views.of_steps(0, 8)].spectrum is not None


def test_a_changed_run_keeps_those_of_the_cursor_alone() -> None:
    scene = Player(SMALL).frame.scene
    here = [Measure("spectrum", None), views.of_steps(3, 4), views.of_steps(0, 4), views.of_steps(4, 8)]
    there = [views.of_steps(2, 3), views.of_steps(0, 7)]
    assert likewise(prepare(scene, *here, *there), [*here, *there], 4) == here


def test_a_state_too_large_says_so() -> None:
    frame = Player(SMALL).frame
    from rnnviz.words.no_panel import no_eigenvalues

    assert no_eigenvalues(frame) is None
    lstm = Player(SMALL.with_(cell="lstm"))
    assert re.match("Read a step: an LSTM has no single W_hh", no_eigenvalues(lstm.frame) or "")
    assert no_eigenvalues(lstm.do(Seek(1))) is None


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnviz.words.no_panel import no_eigenvalues

    monkeypatch.setattr(views, "LARGEST", 4)
    assert no_eigenvalues(Player(SMALL).frame) == (
        "The eigenvalues of a state of 6 numbers would take too long; 4 are the most."
    )
