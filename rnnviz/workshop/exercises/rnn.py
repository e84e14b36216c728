"""The simple recurrent network: forward, loss, and back through time."""

from __future__ import annotations

import numpy as np

from rnnviz.nn import losses
from rnnviz.workshop.exercise import Case, Exercise, Quantity, Sizes, mistake
from rnnviz.workshop.exercises.networks import network, one, step_back


def _forward(sizes: Sizes, rng: np.random.Generator) -> Case:
    net = network("rnn", sizes.in_one_step, rng)
    given = {"W_ih": net.W_ih, "W_hh": net.W_hh, "b": net.b_ih, "x_t": net.x[0], "h_before": net.h_0}
    return Case(given, {"a": one(net.trace.pre)[0], "h": one(net.trace.h)[1]}, sizes)


FORWARD = Exercise(
    "01_forward",
    "one step forward",
    "forward_step",
    (Quantity("a", "a"), Quantity("h", "h")),
    (("a",), ("h",)),
    _forward,
    (
        mistake("W_hh were transposed", ("W_hh @", "W_hh.T @")),
        mistake("the bias b were missing", (" + b\n", "\n")),
        mistake("the last state were missing: W_hh h_before", (" + W_hh @ h_before", "")),
        mistake("the input were missing: W_ih x_t", ("W_ih @ x_t + ", "")),
        mistake("b had the opposite sign", ("+ b", "- b")),
        mistake("W_hh h_before had the opposite sign", ("+ W_hh", "- W_hh")),
        mistake("tanh were applied to the last state first", ("@ h_before", "@ np.tanh(h_before)")),
        mistake("W_hh multiplied number by number (*), and not as a matrix (@)", ("W_hh @ h_before", "(W_hh * h_before).sum(axis=0)")),
        mistake("a were tanh of the sum: tanh belongs to h", ("+ b\n", "+ b\n    a = np.tanh(a)\n")),
        mistake("tanh were missing", ("np.tanh(a)", "a")),
        mistake("the function were σ in place of tanh", ("np.tanh(a)", "1 / (1 + np.exp(-a))")),
        mistake("the function were relu in place of tanh", ("np.tanh(a)", "np.maximum(a, 0)")),
        mistake("tanh were applied twice", ("np.tanh(a)", "np.tanh(np.tanh(a))")),
        mistake("it were tan in place of tanh", ("np.tanh(a)", "np.tan(a)")),
        mistake("it were the slope of tanh in place of tanh", ("np.tanh(a)", "1 - np.tanh(a) ** 2")),
        mistake("h_before were added after tanh", ("np.tanh(a)", "np.tanh(a) + h_before")),
    ),
    (
        "A product of a matrix and a vector is W @ v in NumPy; W * v multiplies number by number.",
        "The shapes decide the order: W_ih (H, I) @ x_t (I,) gives (H,), as W_hh (H, H) @ h_before (H,) does. Add "
        "them and b.",
        "a = W_ih @ x_t + W_hh @ h_before + b, and then h = np.tanh(a).",
    ),
    "A recurrent network is a layer that also reads its own last output: W_hh h_before is all its memory.",
)  # fmt: skip


def _unroll(sizes: Sizes, rng: np.random.Generator) -> Case:
    net = network("rnn", sizes, rng)
    given = {
        "W_ih": net.W_ih, "W_hh": net.W_hh, "b": net.b_ih, "W_out": net.W_out, "b_out": net.b_out, "x": net.x,
        "h_0": net.h_0,
    }  # fmt: skip
    return Case(given, {"h": one(net.trace.h), "y": one(net.trace.y)}, sizes)


UNROLL = Exercise(
    "02_unroll",
    "the whole sequence",
    "unroll",
    (Quantity("h", "h", 0), Quantity("y", "ŷ", 1)),
    (("h", "y"),),
    _unroll,
    (
        mistake("h_0 were 0 in place of the state that was given", ("h[0] = h_0", "h[0] = 0")),
        mistake("W_hh were transposed", ("W_hh @", "W_hh.T @")),
        mistake("every step read h₀, and not the state before it", ("@ h[t - 1]", "@ h[0]")),
        mistake("the last state were missing: W_hh h_{t-1}", (" + W_hh @ h[t - 1]", "")),
        mistake("the bias b were missing", (" + b)", ")")),
        mistake("the input were one step late: x[t - 2] for x[t - 1]", ("x[t - 1]", "x[t - 2]")),
        mistake("the input were one step early: x[t] for x[t - 1]", ("x[t - 1]", "x[t % T]")),
        mistake("every step read the first input, x[0]", ("x[t - 1]", "x[0]")),
        mistake("the inputs were read from the last to the first", ("x[t - 1]", "x[T - t]")),
        mistake("the last step were left out: range(1, T) ends before T", ("range(1, T + 1)", "range(1, T)")),
        mistake("the state read were of the same step, which is still 0", ("@ h[t - 1]", "@ h[t]")),
        mistake("tanh were missing", ("h[t] = np.tanh(", "h[t] = (")),
        mistake("ŷ came from the state before: h[t - 1] for h[t]", ("W_out @ h[t]", "W_out @ h[t - 1]")),
        mistake("tanh were applied to the output", ("W_out @ h[t] + b_out", "np.tanh(W_out @ h[t] + b_out)")),
        mistake("b_out were missing", (" + b_out", "")),
        mistake("W_out read the input in place of the state: a state of zeros", ("W_out @ h[t] + b_out", "b_out")),
    ),
    (
        "One step is what you wrote in 01: with x[t - 1] as x_t, and with h[t - 1] as h_before.",
        "The output reads the new state: W_out (O, H) @ h[t] (H,), plus b_out. It has no tanh.",
        "h[t] = np.tanh(W_ih @ x[t - 1] + W_hh @ h[t - 1] + b), and y[t - 1] = W_out @ h[t] + b_out.",
    ),
    "Unrolled over time the network is T layers deep, and all of them have the same weights.",
)  # fmt: skip


def _loss(sizes: Sizes, rng: np.random.Generator) -> Case:
    y, target = rng.normal(size=(2, sizes.T, sizes.O))
    value = losses.evaluate("mse", y[:, None], target[:, None], np.ones((sizes.T, 1), bool))
    exact = {"step_loss": value.step_loss, "L": np.asarray(value.loss), "grad_y": one(value.grad_y)}
    return Case({"y": y, "target": target}, exact, sizes)


LOSS = Exercise(
    "03_loss",
    "the loss and its derivative",
    "loss",
    (Quantity("step_loss", "L", 1), Quantity("L", "L"), Quantity("grad_y", "∂L/∂ŷ", 1)),
    (("step_loss",), ("L",), ("grad_y",)),
    _loss,
    (
        mistake("it were a sum in place of a mean: N were 1", ("y.size", "1")),
        mistake("the mean were over the T steps alone: N were T", ("y.size", "len(y)")),
        mistake("the mean were over the outputs alone: N were O", ("y.size", "y.shape[1]")),
        mistake("it were a sum in place of a mean: / N is missing", ("axis=1) / N", "axis=1)")),
        mistake("each share were the mean of its own step: divided by O, not by N", ("axis=1) / N", "axis=1) / y.shape[1]")),
        mistake("the shares were divided by T and not by N", ("axis=1) / N", "axis=1) / len(y)")),
        mistake("the error were not squared", ("np.sum(error**2", "np.sum(error")),
        mistake("the absolute error were in place of its square", ("np.sum(error**2", "np.sum(abs(error)")),
        mistake("there were a factor 1/2", ("axis=1) / N", "axis=1) / (2 * N)")),
        mistake("the squared sum were in place of the sum of squares", ("np.sum(error**2, axis=1)", "np.sum(error, axis=1) ** 2")),
        mistake("L were the mean of the shares, and not their sum", ("np.sum(step_loss)", "np.mean(step_loss)")),
        mistake("L were the root of the mean", ("np.sum(step_loss)", "np.sqrt(np.sum(step_loss))")),
        mistake("L were the sum of all squares, not divided by N", ("np.sum(step_loss)", "np.sum(error**2)")),
        mistake("L were the mean over the steps of the sums: divided by T, not by N", ("np.sum(step_loss)", "np.sum(error**2) / len(y)")),
        mistake("L were the last share alone", ("np.sum(step_loss)", "step_loss[-1]")),
        mistake("the factor 2 were missing", ("2 * error", "error")),
        mistake("the error were target − ŷ: the opposite sign", ("2 * error / N", "-2 * error / N")),
        mistake("it were not divided by N", ("2 * error / N", "2 * error")),
        mistake("it were divided by T and not by N", ("2 * error / N", "2 * error / len(y)")),
        mistake("it were divided by O and not by N", ("2 * error / N", "2 * error / y.shape[1]")),
        mistake("only the sign of the error were left", ("2 * error / N", "np.sign(error) / N")),
        mistake("it were the squared error itself", ("2 * error / N", "error**2 / N")),
    ),
    (
        "y and target have the same shape (T, O): y - target is all errors at once, and y.size is N.",
        "A sum along one axis leaves the other: np.sum(…, axis=1) of (T, O) is (T,), one number for each step.",
        "error = y - target; step_loss = np.sum(error**2, axis=1) / y.size; L = step_loss.sum(); "
        "grad_y = 2 * error / y.size.",
    ),
    "The factor 1/N is in every gradient from here on: a mean over more numbers makes each gradient smaller.",
)  # fmt: skip


def _backward_step(sizes: Sizes, rng: np.random.Generator) -> Case:
    net = network("rnn", sizes.in_one_step, rng)
    grad_h = rng.normal(size=sizes.H)
    back, (slope,) = step_back(net, grad_h, None)
    exact = {"slope": slope[0], "grad_a": back.grad_pre[0], "grad_h_before": back.grad_h[0]}
    return Case({"W_hh": net.W_hh, "h_t": one(net.trace.h)[1], "grad_h": grad_h}, exact, sizes)


BACKWARD_STEP = Exercise(
    "04_backward_step",
    "one step back in time",
    "backward_step",
    (Quantity("slope", "slope"), Quantity("grad_a", "∂L/∂aₜ"), Quantity("grad_h_before", "∂L/∂hₜ₋₁")),
    (("slope",), ("grad_a",), ("grad_h_before",)),
    _backward_step,
    (
        mistake("h were not squared: 1 − h", ("1 - h_t**2", "1 - h_t")),
        mistake("1 − were missing: h²", ("1 - h_t**2", "h_t**2")),
        mistake("the sign were +: 1 + h²", ("1 - h_t**2", "1 + h_t**2")),
        mistake("tanh were applied to h again: h is already tanh(a)", ("1 - h_t**2", "1 - np.tanh(h_t) ** 2")),
        mistake("the slope were that of σ: h (1 − h)", ("1 - h_t**2", "h_t * (1 - h_t)")),
        mistake("the slope were the derivative of h²: −2 h", ("1 - h_t**2", "-2 * h_t")),
        mistake("the slope were 1", ("1 - h_t**2", "np.ones_like(h_t)")),
        mistake("the slope 1 − h² were missing", ("slope * grad_h", "grad_h")),
        mistake("it were multiplied by h and not by the slope 1 − h²", ("slope * grad_h", "h_t * grad_h")),
        mistake("it were divided by the slope", ("slope * grad_h", "grad_h / slope")),
        mistake("slope and gradient were added", ("slope * grad_h", "slope + grad_h")),
        mistake("it were a product of vectors (@), one number, and not number by number (*)", ("slope * grad_h", "np.full_like(grad_h, slope @ grad_h)")),
        mistake("W_hh were already here", ("grad_a = slope * grad_h", "grad_a = W_hh.T @ (slope * grad_h)")),
        mistake("W_hh were not transposed", ("W_hh.T @", "W_hh @")),
        mistake("W_hh were missing", ("W_hh.T @ grad_a", "grad_a")),
        mistake("the slope 1 − h² were missing: W_hhᵀ ∂L/∂hₜ", ("W_hh.T @ grad_a", "W_hh.T @ grad_h")),
        mistake("the slope came after W_hhᵀ, and not before it", ("W_hh.T @ grad_a", "slope * (W_hh.T @ grad_h)")),
        mistake("the slope were there twice", ("W_hh.T @ grad_a", "slope * (W_hh.T @ grad_a)")),
        mistake("∂L/∂hₜ were added", ("W_hh.T @ grad_a", "W_hh.T @ grad_a + grad_h")),
        mistake("W_hh multiplied number by number (*), and not as a matrix (@)", ("W_hh.T @ grad_a", "(W_hh.T * grad_a).sum(axis=0)")),
    ),
    (
        "h_t is already tanh(a_t): the slope needs no tanh, only 1 - h_t**2.",
        "Forward, row i of W_hh makes unit i. Backward, unit j sent its value along column j: so W_hh is transposed.",
        "slope = 1 - h_t**2; grad_a = slope * grad_h; grad_h_before = W_hh.T @ grad_a.",
    ),
    "Each step back multiplies by a slope of at most 1 and by W_hhᵀ. Over many steps that product vanishes or explodes "
    "(lessons 6 and 7).",
)  # fmt: skip


def _bptt(sizes: Sizes, rng: np.random.Generator) -> Case:
    net = network("rnn", sizes, rng, targets=rng.normal(size=(sizes.T, sizes.O)))
    trace = net.trace
    given = {
        "W_ih": net.W_ih, "W_hh": net.W_hh, "W_out": net.W_out, "x": net.x, "h": one(trace.h),
        "grad_y": one(trace.grad_y),
    }  # fmt: skip
    exact = {
        "grad_h": one(trace.grad_h),
        "grad_a": one(trace.backward.layers[0].grad_pre),
        "grad_W_ih": np.asarray(trace.grads["rnn.weight_ih_l0"]),
        "grad_W_hh": np.asarray(trace.grads["rnn.weight_hh_l0"]),
        "grad_b": np.asarray(trace.grads["rnn.bias_ih_l0"]),
    }
    return Case(given, exact, sizes)


_COMES_BACK = "grad_h[t] += W_hh.T @ grad_a[t]"
BPTT = Exercise(
    "05_bptt",
    "backpropagation through time",
    "bptt",
    (
        Quantity("grad_h", "∂L/∂h", 0), Quantity("grad_a", "∂L/∂a", 1), Quantity("grad_W_ih", "∂L/∂W_ih"),
        Quantity("grad_W_hh", "∂L/∂W_hh"), Quantity("grad_b", "∂L/∂b"),
    ),
    (("grad_h", "grad_a"), ("grad_W_ih",), ("grad_W_hh",), ("grad_b",)),
    _bptt,
    (
        mistake("W_hh were not transposed", (_COMES_BACK, _COMES_BACK.replace(".T", ""))),
        mistake("the slope 1 − h² were missing in what comes back: W_hhᵀ ∂L/∂hₜ₊₁", (_COMES_BACK, "grad_h[t] += W_hh.T @ grad_h[t + 1]")),
        mistake("W_hh were missing in what comes back", (_COMES_BACK, "grad_h[t] += grad_a[t]")),
        mistake("the direct part were missing at every step but the last", (_COMES_BACK, "grad_h[t] = W_hh.T @ grad_a[t]")),
        mistake("nothing came back from the step after it", (_COMES_BACK, "pass")),
        mistake("the part that comes back had the opposite sign", (_COMES_BACK, "grad_h[t] -= W_hh.T @ grad_a[t]")),
        mistake("the direct part came from the step before: grad_y[t - 2]", ("W_out.T @ grad_y[t - 1]", "W_out.T @ grad_y[t - 2]")),
        mistake("the direct part came from the step after: grad_y[t]", ("W_out.T @ grad_y[t - 1]", "W_out.T @ grad_y[t % T]")),
        mistake("every step had the direct part of the last", ("W_out.T @ grad_y[t - 1]", "W_out.T @ grad_y[-1]")),
        mistake("what comes back skipped a step", (_COMES_BACK, "grad_h[t] += W_hh.T @ grad_a[min(t + 1, T - 1)]")),
        mistake("the slope 1 − h² were missing", ("(1 - h[t] ** 2) * ", "")),
        mistake("h were not squared in the slope: 1 − h", ("1 - h[t] ** 2", "1 - h[t]")),
        mistake("tanh were applied to h again: h is already tanh(a)", ("h[t] ** 2", "np.tanh(h[t]) ** 2")),
        mistake("the slope were that of the state before: h[t - 1]", ("1 - h[t] ** 2", "1 - h[t - 1] ** 2")),
        mistake("∂L/∂h₀ were left out", ("grad_h[0] = W_hh.T @ grad_a[0]", "")),
        mistake("the slope were missing: W_hhᵀ ∂L/∂h₁", ("W_hh.T @ grad_a[0]", "W_hh.T @ grad_h[1]")),
        mistake("h₀ had a direct part: it has no output", ("W_hh.T @ grad_a[0]", "W_hh.T @ grad_a[0] + W_out.T @ grad_y[0]")),
        mistake("W_hh were not transposed", ("W_hh.T @ grad_a[0]", "W_hh @ grad_a[0]")),
        mistake("it were a mean over the steps in place of a sum", ("grad_a.T @ x", "grad_a.T @ x / T")),
        mistake("only the last step counted", ("grad_a.T @ x", "np.outer(grad_a[-1], x[-1])")),
        mistake("only the first step counted", ("grad_a.T @ x", "np.outer(grad_a[0], x[0])")),
        mistake("it were computed from ∂L/∂h, without the slope 1 − h²", ("grad_a.T @ x", "grad_h[1:].T @ x")),
        mistake("x were one step late", ("grad_a.T @ x", "grad_a[1:].T @ x[:-1]")),
        mistake("it were the gradient of a transposed matrix", ("grad_a.T @ x", "x.T @ grad_a")),
        mistake("the state were of the same step: hₜ in place of hₜ₋₁", ("h[:-1]", "h[1:]")),
        mistake("it were transposed: the rows belong to ∂L/∂a", ("grad_a.T @ h[:-1]", "h[:-1].T @ grad_a")),
        mistake("it were a mean over the steps in place of a sum", ("grad_a.T @ h[:-1]", "grad_a.T @ h[:-1] / T")),
        mistake("the first step were left out, the one from h₀", ("grad_a.T @ h[:-1]", "grad_a[1:].T @ h[1:-1]")),
        mistake("only the last step counted", ("grad_a.T @ h[:-1]", "np.outer(grad_a[-1], h[-2])")),
        mistake("only the first step counted", ("grad_a.T @ h[:-1]", "np.outer(grad_a[0], h[0])")),
        mistake("it were computed from ∂L/∂h, without the slope 1 − h²", ("grad_a.T @ h[:-1]", "grad_h[1:].T @ h[:-1]")),
        mistake("it were a mean over the steps in place of a sum", ("grad_a.sum(axis=0)", "grad_a.mean(axis=0)")),
        mistake("it were computed from ∂L/∂h, without the slope 1 − h²", ("grad_a.sum(axis=0)", "grad_h[1:].sum(axis=0)")),
        mistake("only the first step counted", ("grad_a.sum(axis=0)", "grad_a[0]")),
        mistake("only the last step counted", ("grad_a.sum(axis=0)", "grad_a[-1]")),
    ),
    (
        "Go back from t = T. At t = T there is no step after it: W_out.T @ grad_y[t - 1] is the whole gradient.",
        "What comes back from step t + 1 is W_hhᵀ times ∂L/∂a of that step. Python counts from 0: the ∂L/∂a of step "
        "t + 1 is grad_a[t].",
        "np.outer(u, v) is u ⊗ v. The sum over all steps of np.outer(grad_a[t - 1], x[t - 1]) is grad_a.T @ x, and for "
        "W_hh grad_a.T @ h[:-1], the states without the last.",
        "In the loop: grad_h[t] = W_out.T @ grad_y[t - 1]; if t < T: grad_h[t] += W_hh.T @ grad_a[t]; then "
        "grad_a[t - 1] = (1 - h[t] ** 2) * grad_h[t]. After it: grad_h[0] = W_hh.T @ grad_a[0].",
    ),
    "That is all of backpropagation through time: one loop back, and sums over the steps. rnnviz draws exactly this "
    "∂L/∂h in its gradient row.",
    backward=True,
)  # fmt: skip
