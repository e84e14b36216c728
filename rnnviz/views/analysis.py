"""What takes more than a moment to know about a sequence, and how it is worked out in parts.

    triangle  ‖∂L_k/∂h_t‖ for every loss step k and time step t     T²·H² multiplications
    gain      the most any gradient can keep in each step           T singular values (nn/gain.py)
    checked   this trace's gradients against central differences    some dozens of forward passes

The scene has what was prepared of it (see prepare.py), and None of what was not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn import gain as gains
from rnnviz.nn.types import Array, ReadOnly, frozen
from rnnviz.numbers import exponent
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Scene

What = Literal["triangle", "gain"]
#: (done, of how many), after each part; it ends the work by an exception.
OnPart = Callable[[int, int], None]

#: Beyond this many steps a triangle would need more memory than the rest of the app.
LONGEST = 2000
#: Multiplications beyond which nobody would wait for a triangle: some minutes.
MOST = 5_000_000_000_000
#: A right gradient differs from a central difference by less than this, relative to the largest gradient.
AGREES = 1e-6
NO_POWER = -9999
_TRIANGLE_PARTS = 8


@dataclass(frozen=True, eq=False)
class Triangle(ReadOnly):
    """norms   (T+1, T+1): [k, t] = ‖∂L_k/∂h_t‖, as Trace.triangle
    powers  (T+1, T+1) whole numbers: the power of ten of each, as numbers.exponent tells it; NO_POWER of what has none
            (0, inf, nan)
    span    the powers of ten between which the whole triangle lies
    """

    norms: Array
    powers: Array
    span: tuple[float, float]


def cost(trace: Trace, what: What) -> int:
    """Multiplications, roughly."""
    if what == "gain":
        return int(trace.T * trace.B * (trace.spec.state_size * trace.L) ** 3)
    if not trace.has_loss:
        return int(trace.T**2 * trace.H**2 * (trace.H * len(trace.spec.gates) + 400) // 2)
    return int(len(trace.loss_steps) * trace.T * trace.B * trace.H**2 * len(trace.spec.gates) // 2)


def triangle(scene: Scene) -> Triangle | None:
    """None while it is not known."""
    return scene.known.get(Measure("triangle"))


def gain(scene: Scene) -> Array | None:
    """(T,): the largest singular value of ∂s_t/∂s_{t-1}, as Trace.gain; None while it is not known."""
    return scene.known.get(Measure("gain"))


def checked(scene: Scene) -> float | None:
    """The figure of the gradient check (see Trace.check); None if nobody asked for it."""
    return scene.known.get(Measure("checked"))


def make_triangle(trace: Trace, on_part: OnPart) -> Triangle:
    """Some of the rows at a time. What comes after a loss has no part in it, and is not walked."""
    whole = np.zeros((trace.T + 1, trace.T + 1))
    parts = np.array_split(trace.loss_steps, min(_TRIANGLE_PARTS, len(trace.loss_steps)))
    for number, some in enumerate(parts, start=1):
        rows = [int(k) for k in some]
        end = rows[-1]
        whole[: end + 1, : end + 1] += trace.triangle_rows(rows)
        on_part(number, len(parts))
    return in_powers(whole)


def make_gain(trace: Trace, on_part: OnPart) -> Array:
    return frozen(gains.gains(trace.spec, trace.params, trace.forward, on_part))


def in_powers(norms: Array) -> Triangle:
    """The triangle of these norms."""
    usable = np.isfinite(norms) & (norms > 0)
    logs = np.log10(np.where(usable, norms, 1.0))
    power = np.floor(logs).astype(int)
    # where the logarithm rounds to the other side of a whole number, ask the number as it is written
    close = usable & (np.abs(logs - np.rint(logs)) < 1e-12)
    for at in zip(*np.nonzero(close), strict=True):
        power[at] = exponent(float(norms[at]))
    powers = np.where(usable, power, NO_POWER)
    inside = logs[usable] if usable.any() else np.zeros(1)
    return Triangle(frozen(norms), frozen(powers), (float(inside.min()), float(inside.max())))


def agrees(figure: float) -> bool:
    return figure <= AGREES
