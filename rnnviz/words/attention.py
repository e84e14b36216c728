"""Attention in words: whose weights are shown, and the two ways of a gradient where the network looks back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.numbers import is_whole, percent, scientific, subscript

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.words.voice import Voice

_SCORES = {
    "linear": "{k} · hₜ / √H",
    "attention": "W_q {k} · W_k hₜ / √H",
    "additive": "v · tanh( W_q {k} + W_k hₜ )",
}


def formula(frame: Frame, k: int) -> str:
    """`αₜ = softmax( h₂₁ · hₜ / √H )`: the formula of the weights that are shown."""
    kind = frame.scene.trace.spec.readout
    return f"αₜ = softmax( {_SCORES[kind].format(k=f'h{subscript(k)}')} )"


def meaning(frame: Frame, k: int) -> str:
    """What the weights are: those of the network, or those that it would have."""
    from rnnviz.views.attention import attends

    if attends(frame.scene):
        return f"{formula(frame, k)}: the weight of hₜ in what y{subscript(k)} reads"
    return f"{formula(frame, k)}: the weight of hₜ in Σ αₜ hₜ"


def at_the_loss(frame: Frame, k: int) -> str:
    """Where the error of step k comes in."""
    return f"The error of step {k} reaches h{subscript(k)} through the readout, and each earlier h through attention."


def going_back(frame: Frame, voice: Voice, many: str) -> tuple[str, str]:
    """What is left of the gradient of one loss step with both ways, and what the loop alone would leave. many: how far
    back, in words; the gradient of the loss step is no 0."""
    from rnnviz.views.attention import weights

    t, k, gradient = frame.cursor.t, frame.loss_step or frame.T, frame.gradient
    assert gradient.loop is not None
    start = float(gradient.norms[k])
    both, alone = (_part(float(way.norms[t]) / start) for way in (gradient, gradient.loop))
    first = voice.longest(
        f"{many}, {both} of the gradient arrives; through the loop alone it would be {alone}.",
        f"{many}, {both} of it arrives; through the loop alone: {alone}.",
        f"{many}: {both}; through the loop alone: {alone}.",
    )
    if frame.cut:
        first = voice.longest(f"The loop is cut: {many}, {both} arrives, by attention alone.", f"{many}: {both}.")
    if t == 0:
        return first, "h₀ is given and has no weight: only the loop leads there. [ledger]: both ways in figures."
    alpha = f"α{subscript(t)} = {float(weights(frame.scene, k)[t - 1]):.2g}"
    return first, voice.longest(
        f"{alpha}: this share of ∂L/∂c reaches h{subscript(t)} in one step. [ledger]: each way.",
        f"{alpha} of ∂L/∂c reaches h{subscript(t)} in one step. [ledger]: each way.",
        f"{alpha}. [ledger]: each way in figures.",
    )


def _part(kept: float) -> str:
    """`41 %`, `2.1e-07`, `1.3 times as much`: how much of it, as a subject."""
    if not math.isfinite(kept):
        return scientific(kept)
    if kept > 1 and not is_whole(kept):
        return f"{kept:.3g} times as much"
    if 0 < kept < 0.001:
        return scientific(kept)
    return percent(kept) if kept >= 0.995 else f"{100 * kept:.2g} %"
