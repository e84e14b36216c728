"""Readout: what comes between the top layer's states and the outputs, forward and back.

    linear      y_t = W_hy h_t + b
    attention   y_t = W_hy h_t + W_cy c_t + b        c_t = Σ_s α_{t,s} h_s,  s = 1 .. t
                α_t = softmax over s of the scores   e_{t,s} = (W_q h_t) · (W_k h_s) / √H
    additive    the same with the scores             e_{t,s} = v · tanh(W_q h_t + W_k h_s)

    states [1, 0], [0, 2], [1, 0], W_q = W_k = 1, t = 3:   e = 0.71, 0, 0.71;  α = 0.40, 0.20, 0.40;  c = [0.80, 0.40]

So the loss of step k reaches an earlier h_s in two ways: through the states between them, and directly, as a value of
the sum (α_{k,s} W_cyᵀ ∂L/∂y_k) and through its score. h_0, which is given, has no weight, and steps that a mask leaves
out have none, either.

The scaled dot product is Vaswani et al. 2017 (arXiv:1706.03762, eq. 1) with the states as values; without √H it is the
score "general" of Luong, Pham & Manning 2015 (arXiv:1508.04025, eq. 8), whose W_a is W_qᵀ W_k. The additive score is
Bahdanau, Cho & Bengio 2015 (arXiv:1409.0473, A.1.2) with H hidden units. Theirs are decoders that look at an encoder;
here one recurrence looks back at its own states, so that every task has a use for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike

#: Numbers of tanh(W_q h_t + W_k h_s) that are held at once.
_AT_ONCE = 2**20


class Ways(NamedTuple):
    """The direct part of ∂L/∂h_s (T, B, H), by the way it comes: they add up to it.

    readout  W_hyᵀ ∂L/∂y_s, of the loss of step s itself
    value    Σ_t α_{t,s} W_cyᵀ ∂L/∂y_t: as a term of the sum, the weights held
    score    through the weights: as a key of e_{t,s}, and as the query of step s
    """

    readout: Array
    value: Array | None = None
    score: Array | None = None

    @property
    def direct(self) -> Array:
        if self.value is None or self.score is None:
            return self.readout
        return self.readout + self.value + self.score


@dataclass(frozen=True, eq=False)
class _Looks:
    """What some steps see when they look back. B sequences, n steps that look, S steps before or at them."""

    steps: Array  # (n,): of each that looks, from 0
    h: Array  # (B, S, H)
    weights: Array  # (B, n, S)


def attends(spec: ModelSpec) -> bool:
    return spec.readout != "linear"


def numbers(spec: ModelSpec, T: int) -> int:
    """Roughly how many numbers attention holds for a sequence of T steps, forward and back, all steps looking back."""
    return 4 * T * T if attends(spec) else 0


def read_out(
    spec: ModelSpec, params: ParamsLike, h: Array, mask: Array | None = None, needed: Array | None = None
) -> Array:
    """h (T, B, H), the states of the top layer (2 H in both directions), mask (T, B) or None -> y (T, B, O).

    needed: (T,) bool, the steps whose output is used; those of others lack what attention adds. None: all
    """
    weight = params["readout.weight"]
    out: Array = (h if _is_identity(weight) else h @ weight.T) + params["readout.bias"]
    if attends(spec):
        looks = _looks(spec, params, h, mask, None if needed is None else np.flatnonzero(needed))
        out[looks.steps] += (_context(looks) @ params["readout.context"].T).swapaxes(0, 1)
    return out


def weights(spec: ModelSpec, params: ParamsLike, h: Array, k: int, mask: Array | None = None) -> Array:
    """(k, B): α of step k (from 1), given the states h (T, B, H). Raises InputError if the readout is linear."""
    if not attends(spec):
        raise InputError("attention: the readout of this network is linear; choose readout attention or additive")
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(_looks(spec, params, h, mask, np.array([k - 1])).weights[:, 0].T)


def ways(spec: ModelSpec, params: ParamsLike, h: Array, grad_y: Array, mask: Array | None = None) -> Ways:
    """What the loss with grad_y (T, B, O) = dL/dy sends straight into the states h (T, B, H), by the way it comes."""
    if not attends(spec):
        return Ways(sent_by_own_step(params, grad_y))
    return back(spec, params, h, grad_y, mask)[0]


def back(
    spec: ModelSpec, params: ParamsLike, h: Array, grad_y: Array, mask: Array | None = None
) -> tuple[Ways, Params]:
    """grad_y (T, B, O) = dL/dy -> what the loss sends straight into the states h (T, B, H), and dL/d(the readout's
    weights)."""
    grads: Params = {"readout.weight": flat(grad_y).T @ flat(h), "readout.bias": grad_y.sum(axis=(0, 1))}
    own = sent_by_own_step(params, grad_y)
    if not attends(spec):
        return Ways(own), grads
    looks = _looks(spec, params, h, mask, np.flatnonzero((grad_y != 0).any(axis=(1, 2))))
    value, score = np.zeros_like(h), np.zeros_like(h)
    sent = grad_y[looks.steps].swapaxes(0, 1)  # (B, n, O)
    grads["readout.context"] = flat(sent).T @ flat(_context(looks))
    grad_context = sent @ params["readout.context"]
    by_weight = grad_context @ looks.h.swapaxes(1, 2)
    grad_scores = looks.weights * (by_weight - (looks.weights * by_weight).sum(axis=2, keepdims=True))
    S = looks.h.shape[1]
    value[:S] = (looks.weights.swapaxes(1, 2) @ grad_context).swapaxes(0, 1)
    as_key, as_query, of_weights = _through_scores(spec, params, looks, grad_scores)
    score[:S] = as_key.swapaxes(0, 1)
    score[looks.steps] += as_query.swapaxes(0, 1)
    return Ways(own, value, score), grads | of_weights


def sent_by_own_step(params: ParamsLike, grad_y: Array) -> Array:
    """W_hyᵀ dL/dy: what the loss of step t sends straight into h_t, past any attention."""
    weight = params["readout.weight"]
    return grad_y if _is_identity(weight) else grad_y @ weight


def _looks(spec: ModelSpec, params: ParamsLike, h: Array, mask: Array | None, steps: Array | None = None) -> _Looks:
    """What these steps see (None: every step); the states after the last of them are left out."""
    steps = np.arange(len(h)) if steps is None else steps
    seen = h[: steps[-1] + 1 if len(steps) else 0].swapaxes(0, 1)
    S = seen.shape[1]
    is_seen = np.arange(S) <= steps[:, None]
    if mask is not None:
        is_seen = is_seen & mask[:S].T[:, None]
    scores = np.where(is_seen, _scores(spec, params, seen, steps), -np.inf)
    highest = scores.max(axis=2, keepdims=True, initial=-np.inf)
    powers = np.exp(scores - np.where(highest == -np.inf, 0, highest))  # a step that sees nothing has no weights
    total = powers.sum(axis=2, keepdims=True)
    return _Looks(steps, seen, powers / np.where(total == 0, 1, total))


def _context(looks: _Looks) -> Array:
    """c (B, n, H)."""
    if np.isfinite(looks.h).all():
        out: Array = looks.weights @ looks.h
        return out
    # 0 · inf: a state that has exploded is nan in the sums of earlier steps, which do not see it
    terms = np.where(looks.weights[..., None] == 0, 0, looks.weights[..., None] * looks.h[:, None])
    return np.asarray(terms.sum(axis=2))


def _scores(spec: ModelSpec, params: ParamsLike, h: Array, steps: Array) -> Array:
    """e (B, n, S): of each step that looks, its score for every state."""
    if spec.readout == "attention":
        queries, keys = h[:, steps] @ params["readout.query"].T, h @ params["readout.key"].T
        out: Array = queries @ keys.swapaxes(1, 2) / _scale(spec)
        return out
    out = np.empty((len(h), len(steps), h.shape[1]), h.dtype)
    for some, hidden in _hidden(params, h, steps):
        out[:, some] = hidden @ params["readout.score"][0]
    return out


def _through_scores(
    spec: ModelSpec, params: ParamsLike, looks: _Looks, grad_scores: Array
) -> tuple[Array, Array, Params]:
    """dL/de (B, n, S) -> dL/d(states) as keys (B, S, H) and as queries (B, n, H), dL/d(the weights of the scores)."""
    h, asked = looks.h, looks.h[:, looks.steps]
    if spec.readout == "attention":
        scaled = grad_scores / _scale(spec)
        queries, keys = asked @ params["readout.query"].T, h @ params["readout.key"].T
        of_keys, of_queries = scaled.swapaxes(1, 2) @ queries, scaled @ keys
        found = {"readout.query": flat(of_queries).T @ flat(asked), "readout.key": flat(of_keys).T @ flat(h)}
        return of_keys @ params["readout.key"], of_queries @ params["readout.query"], found
    v = params["readout.score"][0]
    of_keys, of_queries = np.zeros_like(h), np.zeros_like(asked)
    of_v = np.zeros_like(v)
    for some, hidden in _hidden(params, h, looks.steps):
        grad = grad_scores[:, some, :, None]
        of_v += (grad * hidden).sum(axis=(0, 1, 2))
        grad_hidden = grad * (v * (1 - hidden * hidden))
        of_keys += grad_hidden.sum(axis=1)
        of_queries[:, some] = grad_hidden.sum(axis=2)
    found = {
        "readout.query": flat(of_queries).T @ flat(asked),
        "readout.key": flat(of_keys).T @ flat(h),
        "readout.score": of_v[None],
    }
    return of_keys @ params["readout.key"], of_queries @ params["readout.query"], found


def _hidden(params: ParamsLike, h: Array, steps: Array) -> Iterator[tuple[slice, Array]]:
    """tanh(W_q h_t + W_k h_s) (B, some, S, H), some of the steps that look at a time."""
    B, S, H = h.shape
    queries, keys = h[:, steps] @ params["readout.query"].T, h @ params["readout.key"].T
    at_once = max(1, _AT_ONCE // max(1, B * S * H))
    for first in range(0, len(steps), at_once):
        some = slice(first, first + at_once)
        yield some, np.tanh(queries[:, some, None] + keys[:, None])


def _scale(spec: ModelSpec) -> float:
    return math.sqrt(spec.hidden_size)


def _is_identity(weight: Array) -> bool:
    """The readout of a recording. A product with it would make one inf or nan (0 · inf) a nan in every unit."""
    square = weight.shape[0] == weight.shape[1] and weight[0, 0] == weight[-1, -1] == 1
    return square and np.array_equal(weight, np.eye(len(weight)))


def flat(a: Array) -> Array:
    """(T, B, N) -> (T*B, N)."""
    return a.reshape(-1, a.shape[-1])
