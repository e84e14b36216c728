"""Metrics of the gradient, of its way back, and of a state moved a little."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rnnviz.views.metrics.registry import if_unknown, metric, prepared

if TYPE_CHECKING:
    from rnnviz.scene.commands import Measure
    from rnnviz.scene.frame import Frame

# the gradient of the last loss step
metric("grad_norm", "‖∂L_K/∂h_t‖: the last loss step's gradient at step t", ".1e", "state", low=0)(
    lambda f, t: _last(f).norms[t]
)

metric("total_norm", "‖∂L/∂h_t‖: the total over all loss steps, at step t", ".1e", "state", low=0)(
    lambda f, t: f.scene.gradient(None).norms[t] if f.scene.has_loss else None
)

metric("shown_norm", "the gradient on the screen, at step t", ".1e", "state", low=0)(lambda f, t: f.gradient.norms[t])

metric("direct_norm", "what the loss sends straight into h_t, not through a later state (of a recording)",
        ".1e", "step", low=0)(
    lambda f, t: _direct(f, t)
)  # fmt: skip

metric("agreement", "largest relative difference of recorded and computed weight gradients (of a recording)", ".0e",
        needs=lambda f: None if f.scene.prove is None else if_unknown("evidence")(f), low=0)(
    lambda f: None if (found := prepared(f, "evidence")) is None else found.agreement
)  # fmt: skip

metric("kept", "part of the gradient left at step t: ‖∂L_K/∂h_t‖ / ‖∂L_K/∂h_K‖; above 1 it has grown",
        ".1e", "state", low=0)(
    lambda f, t: _kept(f, t)
)  # fmt: skip

metric("grad_ratio", "part that arrives at step 1: ‖∂L_K/∂h₁‖ / ‖∂L_K/∂h_K‖; above 1 it has grown", ".1e",
        low=0)(lambda f: _kept(f, 1))  # fmt: skip

metric("half_life", "steps back after which half of it is gone; none if it does not fade evenly", ".1f", low=0)(
    lambda f: _last(f).half_life
)

metric("horizon", "steps back after which 99 % of the gradient is gone; none if more is always left", ".1f", low=0)(
    lambda f: _last(f).horizon
)

metric("reach", "the horizon, or all K steps if more than 1 % is always left", ".1f", low=0)(lambda f: _reach(f))

metric("needed_lag", "steps back to the farthest input an answer depends on", "d", low=1)(lambda f: f.scene.task.lag)

metric("reach_lag", "steps back from step K to the earliest input that this sequence's answer depends on", "d", low=0)(
    lambda f: _reached(f, "lag")
)

metric("reach_arrives", "part of step K's gradient that arrives at that input; above 1 it has grown",
        ".1e", low=0)(
    lambda f: _there(_reached(f, "arrives"))
)  # fmt: skip

metric("reach_share", "share of the weights' gradient that comes from that step", ".1e", low=0, high=1)(
    lambda f: _reached(f, "share")
)

metric("reach_near", "share of the weights' gradient that comes from the last loss step itself", ".0%", low=0, high=1)(
    lambda f: _reached(f, "near")
)

metric("first_used", "the first step that the weight update uses: later than 1 if truncated", "d", low=1)(
    lambda f: _reached(f, "first_used")
)

metric("learnt", "1 if the answers show that the task is learnt, else 0; none with fewer than 10", "d",
        needs=if_unknown("outcome"), low=0, high=1)(
    lambda f: _reached(f, "learnt")
)  # fmt: skip

metric("factor", "part of the gradient that the step from t+1 back to t keeps", ".2f", "state", low=0)(
    lambda f, t: _last(f).factors[t] if t < f.scene.last_loss_step else None
)

metric("mean_factor", "part that a step back keeps on average, from step K to step 1", ".2f", low=0)(
    lambda f: mean_factor(f)
)

metric("cell_factor", "part of c's gradient that the step from t+1 back to t keeps (LSTM)", ".2f", "state", low=0)(
    lambda f, t: _along_c(f, t, "all")
)

metric("forget_share", "part of the gradient on c that f alone keeps, from t+1 back to t (LSTM)", ".2f", "state",
        low=0, high=1)(
    lambda f, t: _along_c(f, t, "carried")
)  # fmt: skip


def _along_c(frame: Frame, t: int, which: str) -> float | None:
    from rnnviz.nn.metrics import norm

    trace, k, lane = frame.scene.trace, frame.scene.last_loss_step, _last(frame).highway
    if lane is None or lane.along != "c" or t >= k:
        return None
    grad_c = lane.states
    start = float(norm(grad_c[t + 1]))
    carry = trace.spec.about_cell.carry
    assert carry is not None
    there = float(norm(grad_c[t] if which == "all" else carry.share(trace.gates[carry.gate][t]) * grad_c[t + 1]))
    return there / start if start > 0 and math.isfinite(start) else None


metric("border_lost", "length of the part of the weights' gradient that carried state cuts off, / that of all",
        ".2f", low=0)(
    lambda f: _lost_share(f)
)  # fmt: skip


def _lost_share(frame: Frame) -> float | None:
    from rnnviz.views.border import lost_share

    return lost_share(frame.scene)


metric("underflows", "steps whose gradient is exactly 0", "d", low=0)(
    lambda f: int((_last(f).norms[: f.scene.last_loss_step + 1] == 0).sum())
)

metric("state_gain", "largest singular value of ∂h_t/∂h_(t-1): the most that step can keep", ".2f", "step",
        needs=if_unknown("gain"), low=0)(
    lambda f, t: None if (gain := prepared(f, "gain")) is None else gain[t - 1]
)  # fmt: skip

metric("gain_max", "the largest state_gain of all steps", ".2f", needs=if_unknown("gain"), low=0)(
    lambda f: None if (gain := prepared(f, "gain")) is None else gain.max()
)

metric("gain_mean", "the mean state_gain of all steps", ".2f", needs=if_unknown("gain"), low=0)(
    lambda f: None if (gain := prepared(f, "gain")) is None else gain.mean()
)

metric("slope", "mean slope of the activation at step t", ".2f", "step", needs=if_unknown("ledger"), low=0)(
    lambda f, t: _figure(f, "slope", t)
)

metric("slope_mean", "mean slope of the activation over steps 1..K", ".2f", needs=if_unknown("ledger"), low=0)(
    lambda f: (
        None
        if (table := prepared(f, "ledger")) is None
        else table.figures.slope[f.scene.read][: int(f.scene.read[: f.scene.last_loss_step].sum())].mean()
    )
)

metric("slope_share", "part of the gradient that the slope keeps at step t (simple RNN)", ".2f", "step",
        needs=if_unknown("ledger"), low=0)(
    lambda f, t: _figure(f, "slope_share", t)
)  # fmt: skip

metric("weight_share", "factor of W_hh after the slope at step t (simple RNN)", ".2f", "step",
        needs=if_unknown("ledger"), low=0)(
    lambda f, t: _figure(f, "weight_share", t)
)  # fmt: skip


for _name, _about in (
    ("loop", "what comes from h_(t+1)"), ("value", "what attention sends to it as a value, α_t of ∂L_K/∂c"),
    ("score", "what attention sends through the weights α"),
):  # fmt: skip
    metric(f"by_{_name}", f"{_about}, as a part of ‖∂L_K/∂h_t‖", ".1e", "state", needs=if_unknown("ledger"))(
        lambda f, t, name=_name: _way(f, name, t)
    )


def _way(frame: Frame, name: str, t: int) -> float | None:
    table = prepared(frame, "ledger")
    at = None if table is None else table.row_of(t)
    return None if table is None or at is None else _there(getattr(table.rows[at], name))


def _figure(frame: Frame, name: str, t: int) -> float | None:
    table = prepared(frame, "ledger")
    return None if table is None else _there(getattr(table.figures, name)[t - 1])


def _there(entry: float | None) -> float | None:
    """An entry of the ledger: nan says that it has none for this cell or step."""
    return None if entry is None or math.isnan(entry) else entry


def _reached(frame: Frame, what: str) -> Any:
    from rnnviz.views.reach import of_frame

    found = of_frame(frame)
    return None if found is None else getattr(found, what)


def _direct(frame: Frame, t: int) -> float | None:
    from rnnviz.nn.metrics import norm

    return None if frame.scene.prove is None else float(norm(frame.scene.trace.grad_y[t - 1, 0]))


def _last(frame: Frame) -> Any:
    return frame.scene.gradient(frame.scene.last_loss_step)


def _by_loop(frame: Frame) -> Any:
    row = _last(frame)
    return row if row.loop is None else row.loop


def _kept(frame: Frame, t: int, *, loop: bool = False) -> float | None:
    k, norms = frame.scene.last_loss_step, (_by_loop(frame) if loop else _last(frame)).norms
    start, here = float(norms[k]), float(norms[t])
    return here / start if t <= k and start > 0 and math.isfinite(start) else None


def _reach(frame: Frame) -> float | None:
    k, gradient = frame.scene.last_loss_step, _last(frame)
    if gradient.horizon is not None:
        return float(gradient.horizon)
    norms = [float(v) for v in gradient.norms[: k + 1]]
    return float(k) if all(map(math.isfinite, norms)) and norms[-1] > 0 else None


def mean_factor(frame: Frame) -> float | None:
    """The part that a step back keeps on average, from the last loss step to step 1."""
    kept, steps = _kept(frame, 1), frame.scene.last_loss_step - 1
    return None if kept is None or steps < 1 else kept ** (1 / steps)


# the state moved at step t, by per cent of the way to the state of a sequence with another answer
def _perturb(name: str, about: str, form: str, read: Callable[[Any, int], Any], **limits: Any) -> None:
    def found(frame: Frame, t: int, percent: int) -> Any:
        from rnnviz.views import perturbation

        parts = perturbation.parts_with(percent)
        known = perturbation.known(frame.scene, t, parts)
        return None if known is None else read(known, known.at(percent))

    def missing(frame: Frame, t: int, percent: int) -> Measure | None:
        from rnnviz.views import perturbation

        return perturbation.needs(frame.scene, t, perturbation.parts_with(percent))

    metric(name, about, form, "step", "percent", needs=missing, **limits)(found)


_perturb(
    "perturb_left", "what is left at step K of moving h_t by p % of the way to another answer's state", ".1e",
    lambda found, p: _there(float(found.left[p])), low=0,
)  # fmt: skip

_perturb(
    "perturb_way", "how far off h_K then is, against what the whole way makes of it", ".0%",
    lambda found, p: _there(float(found.way[p, found.last])), low=0,
)  # fmt: skip

_perturb(
    "perturb_flips", "1 if the answer at step K is then another, else 0", "d",
    lambda found, p: found.answers[p] != found.answer, low=0, high=1,
)  # fmt: skip

_perturb(
    "perturb_answer", "what the network then answers at step K, as a word", "s",
    lambda found, p: found.answers[p], is_text=True,
)  # fmt: skip

metric("loop_kept", "part of the gradient that the loop alone brings to step t: without attention all of it", ".1e",
        "state", low=0)(
    lambda f, t: _kept(f, t, loop=True)
)  # fmt: skip

metric("loop_horizon", "steps back after which 99 % of what the loop alone brings is gone", ".1f", low=0)(
    lambda f: _by_loop(f).horizon
)

metric("attention", "weight of h_t in Σ α_t h_t at step K, the network's own or softmax(h_K·h_t/√H)", ".2g", "step",
        low=0, high=1)(
    lambda f, t: _attention(f, t)
)  # fmt: skip


def _attention(frame: Frame, t: int) -> float | None:
    from rnnviz.views.attention import weights

    k = frame.scene.last_loss_step
    return float(weights(frame.scene, k)[t - 1]) if t <= k else None
