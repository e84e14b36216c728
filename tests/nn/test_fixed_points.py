"""Fixed points: those that are known in closed form, and of any network what a fixed point is by its definition."""

from typing import Any

import numpy as np
import pytest

from rnnviz.nn import Model
from rnnviz.nn.dynamics.fixed_points import (
    FIXED,
    SLOW,
    FixedPoints,
    fixed_points,
    starts_of,
    states_after,
)

Array = np.ndarray


def model(seed: int = 0, scale: float = 1.0, **settings: Any) -> Model:
    """With weights that are drawn wide enough for several fixed points, if scale is large."""
    made = Model.create(**{"input_size": 1, "output_size": 2, "biases": 1, "seed": seed, **settings})
    rng = np.random.default_rng(seed)
    return made.with_params({
        name: scale * rng.standard_normal(w.shape) / np.sqrt(w.shape[-1]) for name, w in made.params.items()
    })  # fmt: skip


def one_unit(w: float, b: float = 0.0, activation: str = "tanh") -> Model:
    made = Model.create(hidden_size=1, biases=1, activation=activation)
    return made.with_params({
        "rnn.weight_ih_l0": [[1.0]], "rnn.weight_hh_l0": [[w]], "rnn.bias_ih_l0": [b],
        "readout.weight": [[3.0]], "readout.bias": [0.0],
    })  # fmt: skip


def found(made: Model, x: float = 0.0, spread: float = 1.0, count: int = 90) -> FixedPoints:
    S = made.spec.state_size * made.spec.num_layers
    visited = np.random.default_rng(3).uniform(-spread, spread, (200, S))
    return fixed_points(made.spec, made.params, np.full(made.spec.input_size, x), starts_of(visited, count))


def after(made: Model, x: Array, states: Array, steps: int = 1) -> Array:
    for _ in range(steps):
        states = states_after(made.spec, made.params, x, states)
    return states


# -- closed forms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("w", "count"), [(0.3, 1), (0.99, 1), (1.05, 3), (2.0, 3), (30.0, 3)])
def test_one_tanh_unit_has_three_fixed_points_from_w_1_on(w: float, count: int) -> None:
    points = found(one_unit(w))
    assert len(points) == count
    h = points.states[:, 0]
    assert np.tanh(w * h) == pytest.approx(h, abs=1e-9)
    assert points.eigenvalues[:, 0].real == pytest.approx(w * (1 - h * h), abs=1e-6)
    if count == 1:
        assert points.kinds == ("attractor",)
    else:
        assert points.kinds == ("attractor", "attractor", "repeller")
        assert h == pytest.approx([-h[1], h[1], 0.0], abs=1e-9)
        assert points.outputs[:, 0] == pytest.approx(3 * h)


def test_an_input_tips_the_unit_over_and_leaves_one_of_the_three() -> None:
    w = 2.0
    h = np.sqrt(1 - 1 / w)
    tips = np.arctanh(h) - w * h  # where the two upper points meet, at h
    assert len(found(one_unit(w), x=0.9 * tips)) == 3
    beyond = found(one_unit(w), x=tips - 0.005)
    assert beyond.kinds == ("attractor", "slow")
    drift = np.tanh(w * beyond.states[1, 0] + tips - 0.005) - beyond.states[1, 0]
    assert beyond.states[1, 0] == pytest.approx(h, abs=0.05)
    assert beyond.speeds[1] == pytest.approx(drift * drift / 2)
    assert FIXED < beyond.speeds[1] < SLOW
    assert found(one_unit(w), x=3 * tips).kinds == ("attractor",), "far beyond it nothing is slow"


def test_a_unit_that_flips_its_sign_has_one_fixed_point_which_repels() -> None:
    points = found(one_unit(-2.0))
    assert points.kinds == ("repeller",)
    assert points.states == pytest.approx(np.zeros((1, 1)), abs=1e-9)
    assert points.eigenvalues[0, 0] == pytest.approx(-2.0)


def test_with_w_1_the_linear_part_does_not_decide() -> None:
    points = found(one_unit(1.0))
    assert set(points.kinds) == {"marginal"}
    assert np.abs(points.states).max() < 0.01


def test_a_linear_cell_has_the_fixed_point_of_algebra() -> None:
    made = model(2, 0.6, hidden_size=5, activation="identity")
    points = found(made, x=0.7)
    W, b = made.params["rnn.weight_hh_l0"], made.params["rnn.bias_ih_l0"]
    at = np.linalg.solve(np.eye(5) - W, b + 0.7 * made.params["rnn.weight_ih_l0"][:, 0])
    assert len(points) == 1
    assert points.states[0] == pytest.approx(at, abs=1e-9)
    assert points.eigenvalues[0] == pytest.approx(np.array(sorted(np.linalg.eigvals(W), key=lambda z: -abs(z))))


def test_where_every_state_stays_every_start_is_a_point() -> None:
    points = found(one_unit(1.0, activation="identity"), count=12)
    assert set(points.kinds) == {"marginal"}
    assert points.reached.sum() == 12
    assert len(found(one_unit(1.0, b=0.5, activation="identity"))) == 0, "and where every state moves none is"


# -- brute force -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_one_unit_of_any_bias_agrees_with_the_changes_of_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = one_unit(rng.uniform(-3, 5), rng.uniform(-1, 1))
    grid = np.linspace(-1.001, 1.001, 20_001)[:, None]
    sign = np.sign(after(made, np.zeros(1), grid) - grid)[:, 0]
    roots = grid[np.flatnonzero(np.diff(sign)), 0]
    points = found(made)
    fixed = sorted(h for h, kind in zip(points.states[:, 0], points.kinds, strict=True) if kind != "slow")
    assert fixed == pytest.approx(roots.tolist(), abs=2e-4)


@pytest.mark.parametrize("seed", range(4))
def test_two_units_agree_with_a_fine_grid(seed: int) -> None:
    made = model(seed, 2.0, hidden_size=2)
    x, side = np.zeros(1), np.linspace(-1, 1, 41)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    for _ in range(40):  # Newton's method by differences, from each point of the grid
        here = after(made, x, grid) - grid
        J = np.stack([(after(made, x, grid + d) - (grid + d) - here) / 1e-6 for d in 1e-6 * np.eye(2)], axis=-1)
        with np.errstate(all="ignore"):
            step = np.linalg.solve(J + 1e-12 * np.eye(2), -here[:, :, None])[:, :, 0]
        grid = grid + np.clip(step, -0.2, 0.2)
    ends = grid[np.abs(after(made, x, grid) - grid).max(axis=1) < 1e-9]
    roots = np.unique(np.round(ends, 5), axis=0)
    points = found(made)
    fixed = points.states[[kind != "slow" for kind in points.kinds]]
    far = np.abs(roots[:, None] - fixed[None]).max(axis=2)
    assert (far.min(axis=1) < 1e-4).all(), "none is missed"
    assert (far.min(axis=0) < 1e-4).all(), "and none invented"


# -- what a fixed point is ---------------------------------------------------------------------------------

NETWORKS: list[dict[str, Any]] = [
    {"cell": "rnn", "hidden_size": 6}, {"cell": "gru", "hidden_size": 4, "biases": 2},
    {"cell": "lstm", "hidden_size": 3}, {"cell": "mingru", "hidden_size": 4},
    {"cell": "indrnn", "hidden_size": 4}, {"cell": "lru", "hidden_size": 4},
    {"cell": "rnn", "hidden_size": 3, "num_layers": 2}, {"cell": "lstm", "hidden_size": 2, "num_layers": 2},
    {"cell": "rnn", "hidden_size": 4, "activation": "relu"}, {"cell": "rnn", "hidden_size": 4, "dtype": "float32"},
]  # fmt: skip


@pytest.mark.parametrize("settings", NETWORKS, ids=lambda s: "-".join(map(str, s.values())))
def test_every_point_stays_and_small_moves_follow_its_eigenvalues(settings: dict[str, Any]) -> None:
    made = model(5, 1.5, **settings).in_float64
    x = np.array([0.3])
    points = found(made, x=0.3)
    assert len(points)
    for p, kind in enumerate(points.kinds):
        s = points.states[p]
        if kind == "slow":
            continue
        assert after(made, x, s[None])[0] == pytest.approx(s, abs=1e-8)
        d = 1e-6
        moved = after(made, x, s + d * np.eye(len(s)))
        J = ((moved - after(made, x, s - d * np.eye(len(s)))) / (2 * d)).T
        assert np.abs(np.sort_complex(np.linalg.eigvals(J)) - np.sort_complex(points.eigenvalues[p])).max() < 1e-4
        assert points.unstable[p] == (np.abs(np.linalg.eigvals(J)) > 1 + 1e-4).sum()
        if kind == "attractor":
            nearby = s + 1e-4 * np.random.default_rng(p).standard_normal((8, len(s)))
            steps = min(3000, int(20 / -np.log(max(points.radius[p], 1e-9))) + 20)
            assert np.abs(after(made, x, nearby, steps) - s).max() < 1e-6
        if kind in ("saddle", "repeller"):
            values, vectors = np.linalg.eig(J)
            away = 1e-6 * vectors[:, np.abs(values).argmax()].real
            gone = after(made, x, (s + away)[None], 60)[0] - s
            assert np.linalg.norm(gone) > 2 * np.linalg.norm(away)


@pytest.mark.parametrize("settings", NETWORKS[:4], ids=lambda s: str(s["cell"]))
def test_the_readout_and_the_states_are_those_of_the_network(settings: dict[str, Any]) -> None:
    made = model(5, 1.5, **settings)
    points = found(made, x=0.3)
    W, b = made.params["readout.weight"], made.params["readout.bias"]
    assert points.outputs == pytest.approx(points.hidden @ W.T + b, abs=1e-2)
    assert np.array_equal(points.hidden, points.states[:, : made.spec.hidden_size])
    assert points.reached.sum() <= points.starts == 90


def test_the_same_starts_give_the_same_points_in_the_same_order() -> None:
    made = model(1, 2.0, hidden_size=3)
    one, other = found(made), found(made)
    assert np.array_equal(one.states, other.states)
    visited = np.random.default_rng(3).uniform(-1, 1, (200, 3))
    assert np.array_equal(starts_of(visited, 90), starts_of(visited, 90))
    assert not np.array_equal(starts_of(visited, 90), starts_of(visited, 90, seed=1))
    another = fixed_points(made.spec, made.params, np.zeros(1), starts_of(visited, 120, seed=1))
    assert another.states == pytest.approx(one.states, abs=1e-6), "nor do they depend on where the search begins"
    assert another.kinds == one.kinds


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e200, 0.0])
def test_weights_that_are_no_numbers_give_no_points_and_no_error(value: float) -> None:
    made = Model.create(hidden_size=3)
    made = made.with_params({name: np.full(w.shape, value) for name, w in made.params.items()})
    points = found(made)
    assert (len(points) == 1) == (value == 0.0) or value == 1e200
    assert np.isfinite(points.states).all()


def test_a_search_that_is_not_over_invents_no_slow_point(monkeypatch: pytest.MonkeyPatch) -> None:
    made, start = one_unit(2.0), np.array([[0.012]])
    assert fixed_points(made.spec, made.params, np.zeros(1), start).kinds == ("repeller",)
    monkeypatch.setattr("rnnviz.nn.dynamics.fixed_points.MOST_STEPS", 1)
    assert len(fixed_points(made.spec, made.params, np.zeros(1), start)) == 0, "slow as it is, on its way to 0"


def test_no_state_that_is_finite_is_one_start_at_zero() -> None:
    assert starts_of(np.full((4, 3), np.nan)).tolist() == [[0.0, 0.0, 0.0]]


def test_it_says_how_far_it_is() -> None:
    made, seen = model(1, 1.0, hidden_size=3), []
    fixed_points(made.spec, made.params, np.zeros(1), np.zeros((2, 3)), lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert seen == sorted(seen)
