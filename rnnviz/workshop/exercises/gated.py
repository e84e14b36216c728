"""The gated cells: a step of an LSTM, the way back through it, and a step of a GRU."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.workshop.exercise import Case, Exercise, Mistake, Quantity, Sizes, mistake
from rnnviz.workshop.exercises.networks import network, one, step_back


def _lstm_step(sizes: Sizes, rng: np.random.Generator) -> Case:
    net = network("lstm", sizes.in_one_step, rng)
    assert net.c_0 is not None
    given = {
        "W_ih": net.W_ih,
        "W_hh": net.W_hh,
        "b": net.b_ih,
        "x_t": net.x[0],
        "h_before": net.h_0,
        "c_before": net.c_0,
    }
    exact = {name: one(net.trace.gates[name])[0] for name in "ifgo"}
    return Case(given, {**exact, "c": one(net.trace.c)[1], "h": one(net.trace.h)[1]}, sizes)


_BLOCKS = {"i": "[:H]", "f": "[H : 2 * H]", "g": "[2 * H : 3 * H]", "o": "[3 * H :]"}


def _order(order: str) -> Mistake:
    """The rows of the weights in another order of the gates."""
    places = dict(zip(order, _BLOCKS.values(), strict=True))
    changes = tuple(
        (f"{name} = {'np.tanh' if name == 'g' else 'sigmoid'}(a{_BLOCKS[name]}", f"{name} = {'np.tanh' if name == 'g' else 'sigmoid'}(a{place}")
        for name, place in places.items() if place != _BLOCKS[name]
    )  # fmt: skip
    return Mistake(f"the order of the blocks were {', '.join(order)} and not i, f, g, o", changes)


LSTM_STEP = Exercise(
    "07_lstm_step",
    "one step of an LSTM",
    "lstm_step",
    tuple(Quantity(name, name) for name in "ifgoch"),
    tuple((name,) for name in "ifgoch"),
    _lstm_step,
    (
        mistake("f and i were swapped: the first block is i, the second f", ("i = sigmoid(a[:H])", "i = sigmoid(a[H : 2 * H])"), ("f = sigmoid(a[H : 2 * H])", "f = sigmoid(a[:H])")),
        *(_order(order) for order in ("ifog", "iofg", "figo", "gifo", "ofgi", "fiog", "igfo", "ogif")),
        mistake("the bias b were missing", (" + b\n", "\n")),
        mistake("the last state were missing: W_hh h_before", (" + W_hh @ h_before", "")),
        mistake("the input were missing: W_ih x_t", ("W_ih @ x_t + ", "")),
        mistake("W_hh read the cell in place of the state: c_before for h_before", ("@ h_before", "@ c_before")),
        mistake("the gates had tanh in place of σ", ("1 / (1 + np.exp(-a))", "np.tanh(a)")),
        mistake("the sign in σ were missing: 1 / (1 + e^a)", ("np.exp(-a)", "np.exp(a)")),
        mistake("σ were missing", ("1 / (1 + np.exp(-a))", "a")),
        mistake("g had σ in place of tanh", ("np.tanh(a[2", "sigmoid(a[2")),
        mistake("tanh were missing", ("np.tanh(a[2 * H : 3 * H])", "a[2 * H : 3 * H]")),
        mistake("the old cell were kept whole: f is missing", ("f * c_before", "c_before")),
        mistake("the old cell were missing: f ⊙ c_before", ("f * c_before + ", "")),
        mistake("i were missing: all of g is written", ("i * g", "g")),
        mistake("f and i were swapped", ("f * c_before + i * g", "i * c_before + f * g")),
        mistake("nothing were written: i ⊙ g is missing", (" + i * g", "")),
        mistake("1 − f took the place of i, as in a GRU", ("i * g", "(1 - f) * g")),
        mistake("f kept the state and not the cell: h_before for c_before", ("f * c_before", "f * h_before")),
        mistake("tanh were applied to c already here: it belongs to h", ("c = f * c_before + i * g", "c = np.tanh(f * c_before + i * g)")),
        mistake("tanh(c) were missing: o ⊙ c", ("o * np.tanh(c)", "o * c")),
        mistake("o were missing", ("o * np.tanh(c)", "np.tanh(c)")),
        mistake("o were inside tanh", ("o * np.tanh(c)", "np.tanh(o * c)")),
        mistake("h came from the cell before: c_before for c", ("o * np.tanh(c)", "o * np.tanh(c_before)")),
        mistake("σ were in place of tanh", ("o * np.tanh(c)", "o * sigmoid(c)")),
        mistake("o multiplied g and not tanh(c)", ("o * np.tanh(c)", "o * np.tanh(g)")),
    ),
    (
        "Compute all 4 H sums at once: a = W_ih @ x_t + W_hh @ h_before + b. Then cut it into four blocks.",
        "a[:H] is the block of i, a[H : 2 * H] that of f, then g and o. i, f and o get σ, g gets tanh.",
        "NumPy has no σ: write def sigmoid(a): return 1 / (1 + np.exp(-a)). Then c = f * c_before + i * g and "
        "h = o * np.tanh(c).",
    ),
    "c is a sum: what f keeps plus what i writes. PyTorch orders the blocks i, f, g, o; Keras has i, f, c, o, where its "
    "c is g.",
)  # fmt: skip


def _lstm_backward(sizes: Sizes, rng: np.random.Generator) -> Case:
    net = network("lstm", sizes.in_one_step, rng)
    assert net.c_0 is not None
    grad_h, grad_c = rng.normal(size=(2, sizes.H))
    back, _ = step_back(net, grad_h, grad_c)
    assert back.grad_c_now is not None
    assert back.grad_c is not None
    gates: dict[str, Array | float] = {name: one(net.trace.gates[name])[0] for name in "ifgo"}
    given = {
        "W_hh": net.W_hh,
        **gates,
        "c_before": net.c_0,
        "c": one(net.trace.c)[1],
        "grad_h": grad_h,
        "grad_c_carried": grad_c,
    }
    exact = {
        "grad_c": back.grad_c_now[0], "grad_a": back.grad_pre[0], "grad_h_before": back.grad_h[0],
        "grad_c_before": back.grad_c[0],
    }  # fmt: skip
    return Case(given, exact, sizes)


_SLOPES = {"i * (1 - i)": "i", "f * (1 - f)": "f", "o * (1 - o)": "o"}
_ALL = "[grad_i, grad_f, grad_g, grad_o]"

LSTM_BACKWARD = Exercise(
    "08_lstm_backward",
    "one step back through an LSTM",
    "lstm_backward_step",
    (
        Quantity("grad_c", "∂L/∂cₜ"), Quantity("grad_a", "∂L/∂aₜ"), Quantity("grad_h_before", "∂L/∂hₜ₋₁"),
        Quantity("grad_c_before", "∂L/∂cₜ₋₁"),
    ),
    (("grad_c",), ("grad_a",), ("grad_h_before",), ("grad_c_before",)),
    _lstm_backward,
    (
        mistake("the carry were forgotten: grad_c_carried is missing", ("grad_c_carried + grad_h", "grad_h")),
        mistake("the way through h were forgotten: only the carry is left", (" + grad_h * o * (1 - tanh_c**2)", "")),
        mistake("o were missing", ("grad_h * o * (1 - tanh_c**2)", "grad_h * (1 - tanh_c**2)")),
        mistake("the slope 1 − tanh(c)² were missing", ("grad_h * o * (1 - tanh_c**2)", "grad_h * o")),
        mistake("tanh were missing in the slope: 1 − c²", ("(1 - tanh_c**2)", "(1 - c**2)")),
        mistake("the square were missing in the slope: 1 − tanh(c)", ("(1 - tanh_c**2)", "(1 - tanh_c)")),
        mistake("the slope were that of the cell before: c_before for c", ("(1 - tanh_c**2)", "(1 - np.tanh(c_before) ** 2)")),
        mistake("tanh(c) were in place of its slope", ("grad_h * o * (1 - tanh_c**2)", "grad_h * o * tanh_c")),
        mistake("the slope of o were there, too", ("grad_h * o * (1 - tanh_c**2)", "grad_h * o * (1 - o) * (1 - tanh_c**2)")),
        mistake("f were already here: f ⊙ ∂L/∂cₜ goes to the step before", ("grad_c = grad_c_carried", "grad_c = f * grad_c_carried")),
        mistake("the slopes of the gates were missing: i (1 − i), f (1 − f), o (1 − o)", (" * i * (1 - i)", ""), (" * f * (1 - f)", ""), (" * o * (1 - o)", "")),
        *(mistake(f"the slope of {name} were missing: {name} (1 − {name})", (f" * {slope}", "")) for slope, name in _SLOPES.items()),
        mistake("the slope of g were missing: 1 − g²", (" * (1 - g**2)", "")),
        mistake("all four slopes were missing", (" * i * (1 - i)", ""), (" * f * (1 - f)", ""), (" * o * (1 - o)", ""), (" * (1 - g**2)", "")),
        mistake("g had the slope of σ: g (1 − g)", ("(1 - g**2)", "g * (1 - g)")),
        mistake("the gates had the slope of tanh: 1 − i² and so on", ("i * (1 - i)", "(1 - i**2)"), ("f * (1 - f)", "(1 - f**2)"), ("o * (1 - o)", "(1 - o**2)")),
        mistake("f and i were swapped", (_ALL, "[grad_f, grad_i, grad_g, grad_o]")),
        mistake("g and o were swapped: the order is i, f, g, o", (_ALL, "[grad_i, grad_f, grad_o, grad_g]")),
        mistake("the order of the blocks were f, i, o, g", (_ALL, "[grad_f, grad_i, grad_o, grad_g]")),
        mistake("the order of the blocks were o, f, i, g", (_ALL, "[grad_o, grad_f, grad_i, grad_g]")),
        mistake("i were multiplied by i in place of g", ("grad_c * g * i * (1 - i)", "grad_c * i * i * (1 - i)")),
        mistake("f saw the new cell in place of the old one: c for c_before", ("grad_c * c_before", "grad_c * c")),
        mistake("g were multiplied by g in place of i", ("grad_c * i * (1 - g**2)", "grad_c * g * (1 - g**2)")),
        mistake("o came from ∂L/∂c in place of ∂L/∂h", ("grad_h * tanh_c", "grad_c * tanh_c")),
        mistake("tanh(c) were missing in o: c alone", ("grad_h * tanh_c", "grad_h * c")),
        mistake("all four came from ∂L/∂h", ("grad_c * g", "grad_h * g"), ("grad_c * c_before", "grad_h * c_before"), ("grad_c * i", "grad_h * i")),
        mistake("the carry were left out of i, f and g", ("grad_c * g", "(grad_c - grad_c_carried) * g"), ("grad_c * c_before", "(grad_c - grad_c_carried) * c_before"), ("grad_c * i", "(grad_c - grad_c_carried) * i")),
        mistake("only the last block of W_hh were there", ("W_hh.T @ grad_a", "W_hh[-len(i) :].T @ grad_o")),
        mistake("only the first block of W_hh were there", ("W_hh.T @ grad_a", "W_hh[: len(i)].T @ grad_i")),
        mistake("each block of W_hh were not transposed", ("W_hh.T @ grad_a", "np.sum([W @ part for W, part in zip(W_hh.reshape(4, len(i), -1), grad_a.reshape(4, -1))], axis=0)")),
        mistake("the rows of W_hh were in the order i, f, o, g", ("W_hh.T @ grad_a", "W_hh.T @ np.concatenate([grad_i, grad_f, grad_o, grad_g])")),
        mistake("f were missing: the whole of ∂L/∂cₜ", ("f * grad_c", "grad_c")),
        mistake("i were in place of f", ("f * grad_c\n", "i * grad_c\n")),
        mistake("only the carry went on: grad_c_carried in place of ∂L/∂cₜ", ("f * grad_c\n", "f * grad_c_carried\n")),
        mistake("the carry were left out: only the way through h", ("f * grad_c\n", "f * (grad_c - grad_c_carried)\n")),
        mistake("the slope of f were there, too: f (1 − f)", ("f * grad_c\n", "f * (1 - f) * grad_c\n")),
    ),
    (
        "tanh_c = np.tanh(c) is used twice: in the slope 1 - tanh_c**2 on the way into c, and in ∂L/∂a_o.",
        "Write four arrays, grad_i, grad_f, grad_g and grad_o, one for each formula; grad_a = np.concatenate([grad_i, "
        "grad_f, grad_g, grad_o]).",
        "grad_c = grad_c_carried + grad_h * o * (1 - tanh_c**2); grad_h_before = W_hh.T @ grad_a; "
        "grad_c_before = f * grad_c.",
    ),
    "On the way along c a step back is one factor, f. With f near 1 the gradient travels far: that is what an LSTM is "
    "for (lesson 9).",
)  # fmt: skip


def _gru_step(sizes: Sizes, rng: np.random.Generator) -> Case:
    net = network("gru", sizes.in_one_step, rng, biases=2)
    assert net.b_hh is not None
    given = {
        "W_ih": net.W_ih,
        "W_hh": net.W_hh,
        "b_ih": net.b_ih,
        "b_hh": net.b_hh,
        "x_t": net.x[0],
        "h_before": net.h_0,
    }
    return Case(given, {**{name: one(net.trace.gates[name])[0] for name in "rzn"}, "h": one(net.trace.h)[1]}, sizes)


_NEW = "np.tanh(a[2 * H :] + r * u[2 * H :])"
_MIX = "(1 - z) * n + z * h_before"

GRU_STEP = Exercise(
    "09_gru",
    "one step of a GRU",
    "gru_step",
    tuple(Quantity(name, name) for name in "rznh"),
    tuple((name,) for name in "rznh"),
    _gru_step,
    (
        mistake("r and z were swapped: the first block is r (Keras has z first)", ("r = sigmoid(a[:H] + u[:H])", "r = sigmoid(a[H : 2 * H] + u[H : 2 * H])"), ("z = sigmoid(a[H : 2 * H] + u[H : 2 * H])", "z = sigmoid(a[:H] + u[:H])")),
        mistake("b_hh were missing", (" + b_hh", "")),
        mistake("b_ih were missing", (" + b_ih", "")),
        mistake("both biases were missing", (" + b_ih", ""), (" + b_hh", "")),
        mistake("the last state were missing: W_hh h_before", ("W_hh @ h_before + ", "")),
        mistake("the input were missing: W_ih x_t", ("W_ih @ x_t + ", "")),
        mistake("the gates had tanh in place of σ", ("1 / (1 + np.exp(-a))", "np.tanh(a)")),
        mistake("the sign in σ were missing: 1 / (1 + e^a)", ("np.exp(-a)", "np.exp(a)")),
        mistake("σ were missing", ("1 / (1 + np.exp(-a))", "a")),
        mistake("z came from the block of r", ("a[H : 2 * H] + u[H : 2 * H]", "a[:H] + u[:H]")),
        mistake("z came from the block of n", ("a[H : 2 * H] + u[H : 2 * H]", "a[2 * H :] + u[2 * H :]")),
        mistake("r came before the product: W_hn (r ⊙ h_before), as in the paper of 2014", (_NEW, "np.tanh(a[2 * H :] + W_hh[2 * H :] @ (r * h_before) + b_hh[2 * H :])")),
        mistake("b_hn were outside the reset", (_NEW, "np.tanh(a[2 * H :] + r * (u[2 * H :] - b_hh[2 * H :]) + b_hh[2 * H :])")),
        mistake("b_hn were missing", (_NEW, "np.tanh(a[2 * H :] + r * (u[2 * H :] - b_hh[2 * H :]))")),
        mistake("r were missing", (_NEW, "np.tanh(a[2 * H :] + u[2 * H :])")),
        mistake("z were in place of r", (_NEW, "np.tanh(a[2 * H :] + z * u[2 * H :])")),
        mistake("r multiplied the input side, too", (_NEW, "np.tanh(r * (a[2 * H :] + u[2 * H :]))")),
        mistake("1 − r were in place of r", (_NEW, "np.tanh(a[2 * H :] + (1 - r) * u[2 * H :])")),
        mistake("n had σ in place of tanh", (_NEW, _NEW.replace("np.tanh", "sigmoid"))),
        mistake("tanh were missing", (_NEW, _NEW.replace("np.tanh", ""))),
        mistake("z and 1 − z were swapped, as in Chung et al. 2014", (_MIX, "z * n + (1 - z) * h_before")),
        mistake("the old state were missing: z ⊙ h_before", (_MIX, "(1 - z) * n")),
        mistake("1 − z were missing: all of n is written", (_MIX, "n + z * h_before")),
        mistake("z were missing: all of h_before is kept", (_MIX, "(1 - z) * n + h_before")),
        mistake("both had the factor z", (_MIX, "z * n + z * h_before")),
        mistake("r were in place of z", (_MIX, "(1 - r) * n + r * h_before")),
        mistake("h were n alone", (_MIX, "n")),
        mistake("tanh were applied again", (_MIX, f"np.tanh({_MIX})")),
    ),
    (
        "Keep the two sides apart: a = W_ih @ x_t + b_ih and u = W_hh @ h_before + b_hh, 3 H numbers each.",
        "The blocks are a[:H] for r, a[H : 2 * H] for z and a[2 * H :] for n, and of u the same.",
        "r = sigmoid(a[:H] + u[:H]); n = np.tanh(a[2 * H :] + r * u[2 * H :]): r multiplies all of u's block, with its "
        "bias.",
    ),
    "z = 1 copies the old state, and the gradient goes back unchanged. Two gates and one state do what an LSTM does with "
    "three and two.",
)  # fmt: skip
