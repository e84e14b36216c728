"""Metrics of the recurrence as a dynamical system: eigenvalues, transient growth, Lyapunov exponents."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rnnviz.views.metrics.gradients import mean_factor
from rnnviz.views.metrics.registry import if_unknown, metric, prepared

if TYPE_CHECKING:
    from rnnviz.scene.commands import Measure
    from rnnviz.scene.frame import Frame


def _of_weights(name: str, about: str, form: str, read: Callable[[Any], Any], **limits: Any) -> None:
    def missing(frame: Frame) -> Measure | None:
        from rnnviz.views.spectrum import WEIGHTS

        return None if WEIGHTS in frame.scene.known else WEIGHTS

    def found(frame: Frame) -> Any:
        from rnnviz.views.spectrum import WEIGHTS

        known = frame.scene.known.get(WEIGHTS)
        return None if known is None or known.spectrum is None else read(known)

    metric(name, about, form, needs=missing, **limits)(found)


_of_weights(
    "departure", "how far W_hh is from normal: Henrici's departure / ‖W_hh‖_F (simple RNN)", ".0%",
    lambda found: found.spectrum.relative_departure, low=0, high=1,
)  # fmt: skip

_of_weights(
    "growth", "the largest ‖W_hhᵏ‖, where every |eigenvalue| < 1: 1 if no power grows (simple RNN)", ".2f",
    lambda found: None if found.growth is None else found.growth.most, low=1,
)  # fmt: skip

_of_weights(
    "growth_at", "the number k of steps after which that is reached", "d",
    lambda found: None if found.growth is None else found.growth.at, low=0,
)  # fmt: skip


def _of_steps(
    name: str, about: str, form: str, axis: str, steps: Callable[[Frame, int], tuple[int, int]],
    read: Callable[[Any, int], float], **limits: Any,
) -> None:  # fmt: skip
    """steps: (frame, index) -> the states between which the Jacobians are multiplied."""

    def wanted(frame: Frame, t: int) -> Measure | None:
        from rnnviz.views.spectrum import of_steps

        start, stop = steps(frame, t)
        return of_steps(start, stop) if stop > start else None

    def missing(frame: Frame, t: int) -> Measure | None:
        measure = wanted(frame, t)
        return None if measure is None or measure in frame.scene.known else measure

    def found(frame: Frame, t: int) -> float | None:
        measure = wanted(frame, t)
        known = None if measure is None else frame.scene.known.get(measure)
        if measure is None or known is None or known.spectrum is None:
            return None
        start, stop = steps(frame, t)
        return read(known.spectrum, stop - start)

    metric(name, about, form, axis, needs=missing, **limits)(found)


_of_steps(
    "spectral_radius_of_step", "largest |eigenvalue| of ∂s_t/∂s_(t-1), s the full state: h, or h and c", ".2f", "step",
    lambda f, t: (t - 1, t), lambda found, steps: found.plain(float(found.sizes[0])), low=0,
)  # fmt: skip

_of_steps(
    "departure_of_step", "how far ∂s_t/∂s_(t-1) is from normal: Henrici's departure / its Frobenius norm", ".0%",
    "step", lambda f, t: (t - 1, t), lambda found, steps: found.relative_departure, low=0, high=1,
)  # fmt: skip

_of_steps(
    "product_radius", "largest |eigenvalue| of ∂s_K/∂s_t, as a factor for each of its K - t steps", ".2f", "state",
    lambda f, t: (t, f.scene.last_loss_step), lambda found, steps: math.exp(found.log_radius / steps), low=0,
)  # fmt: skip

_of_steps(
    "product_sigma", "largest singular value of ∂s_K/∂s_t, as a factor for each of its K - t steps", ".2f", "state",
    lambda f, t: (t, f.scene.last_loss_step), lambda found, steps: math.exp(found.log_sigma_max / steps), low=0,
)  # fmt: skip

metric("lyapunov", "largest Lyapunov exponent from s_1 to s_K: ln of what a step keeps of the change that lasts best",
        "+.2f", needs=if_unknown("lyapunov"))(
    lambda f: _exponent(f)
)  # fmt: skip

metric("lyapunov_factor", "the factor that belongs to it: e to the power lyapunov", ".2f", needs=if_unknown("lyapunov"),
        low=0)(
    lambda f: None if (found := _exponent(f)) is None else math.exp(found)
)  # fmt: skip

metric("log_mean_factor", "ln of the mean factor of the gradient: what lyapunov is compared with", "+.2f")(
    lambda f: None if not (found := mean_factor(f)) else math.log(found)
)


def _exponent(frame: Frame) -> float | None:
    found = prepared(frame, "lyapunov")
    return None if found is None or math.isnan(found.exponents[0]) else float(found.exponents[0])
