"""What takes more than a moment to know about a sequence: measured on request, kept with its scene.

    triangle  ‖∂L_k/∂h_t‖ for every loss step k and time step t     T²·H² multiplications
    gain      the most any gradient can keep in each step           T singular values (nn/gain.py)
    checked   this trace's gradients against central differences    some dozens of forward passes
    perturbed the state moved at one step (perturbation.py)              seven forward passes

A small network's are there at once. A large one's are None until a Measure command has worked
them out, in parts, so that it can tell how far it is and be stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.types import Array
from rnnviz.words.numbers import exponent, scientific

if TYPE_CHECKING:
    from rnnviz.scene.frame import Progress, Scene

What = Literal["triangle", "gain"]

#: Multiplications that pass for a moment: a few milliseconds.
AT_ONCE = 1_000_000
#: Beyond this many steps a triangle would need more memory than the rest of the app.
LONGEST = 2000
#: A right gradient differs from a central difference by less than this, relative to the largest gradient.
AGREES = 1e-6
NO_POWER = -9999
_TRIANGLE_PARTS = 8


def cost(trace: Trace, what: What) -> int:
    """Multiplications, roughly."""
    if what == "gain":
        return int(trace.T * trace.B * (trace.spec.state_size * trace.L) ** 3)
    return int(len(trace.loss_steps) * trace.T * trace.B * trace.H**2 * len(trace.spec.gates) // 2)


def triangle(scene: Scene) -> Array | None:
    """(T+1, T+1): [k, t] = ‖∂L_k/∂h_t‖, as Trace.triangle; None while it is not known."""
    if "triangle" not in scene.measured and cost(scene.trace, "triangle") <= AT_ONCE:
        scene.measured["triangle"] = scene.trace.triangle
    return scene.measured.get("triangle")


def powers(scene: Scene) -> Array | None:
    """(T+1, T+1) whole numbers: the power of ten of each norm of the triangle, as numbers.exponent tells it.
    What has none (0, inf, nan) is marked NO_POWER."""
    known = triangle(scene)
    if known is not None and "powers" not in scene.measured:
        usable = np.isfinite(known) & (known > 0)
        sure = np.where(usable, known, 1.0)
        power = np.floor(np.log10(sure)).astype(int)
        # where the logarithm rounds to the other side of a whole number, ask the number as it is written
        close = usable & (np.abs(np.log10(sure) - np.rint(np.log10(sure))) < 1e-12)
        for at in zip(*np.nonzero(close), strict=True):
            power[at] = exponent(float(known[at]))
        scene.measured["powers"] = np.where(usable, power, NO_POWER)
    return scene.measured.get("powers")


def span(scene: Scene) -> tuple[float, float]:
    """The powers of ten between which the whole triangle lies."""
    known = triangle(scene)
    if known is None:
        return 0.0, 0.0
    if "span" not in scene.measured:
        inside = known[np.isfinite(known) & (known > 0)]
        logs = np.log10(inside) if inside.size else np.zeros(1)
        scene.measured["span"] = float(logs.min()), float(logs.max())
    found: tuple[float, float] = scene.measured["span"]
    return found


def gain(scene: Scene) -> Array | None:
    """(T,): the largest singular value of ∂s_t/∂s_{t-1}, as Trace.gain; None while it is not known."""
    if "gain" not in scene.measured and cost(scene.trace, "gain") <= AT_ONCE:
        scene.measured["gain"] = scene.trace.gain
    return scene.measured.get("gain")


def accuracy(scene: Scene) -> float | None:
    """Scene.accuracy; None while it is not known."""
    is_known = "accuracy" in vars(scene)
    if not is_known and judged(scene) * scene.task.seq_len * scene.model.parameter_count > AT_ONCE:
        return None
    return scene.accuracy


def error(scene: Scene) -> float | None:
    """Scene.error; None while it is not known, and where answers are classes."""
    if scene.task.loss != "mse":
        return None
    is_known = "error" in vars(scene)
    if not is_known and judged(scene) * scene.task.seq_len * scene.model.parameter_count > AT_ONCE:
        return None
    return scene.error


def judged(scene: Scene) -> int:
    """How many sequences that is a share of."""
    return len(scene.task) - scene.task.n_train or len(scene.task)


def checked(scene: Scene) -> float | None:
    """The figure of the gradient check (see Trace.check); None if nobody asked for it."""
    return scene.measured.get("checked")


def work(scene: Scene, what: What, report: Callable[[Progress], None], is_cancelled: Callable[[], bool]) -> None:
    """Measure it and keep it with the scene, unless cancelled on the way."""
    from rnnviz.scene.frame import Progress

    def on_part(done: int, total: int, unit: str) -> None:
        if is_cancelled():
            raise _CancelledError
        report(Progress(f"measuring the {what}", done, total, unit=unit))

    try:
        if what == "gain":
            scene.measured[what] = scene.trace.measure_gain(lambda done, total: on_part(done, total, "steps"))
        else:
            scene.measured[what] = _triangle_in_parts(scene.trace, lambda done, total: on_part(done, total, "parts"))
            _ = powers(scene), span(scene)
    except _CancelledError:
        return


class _CancelledError(Exception):
    pass


def _triangle_in_parts(trace: Trace, on_part: Callable[[int, int], None]) -> Array:
    """(T+1, T+1), some of the rows at a time. What comes after a loss has no part in it, and is not walked."""
    whole = np.zeros((trace.T + 1, trace.T + 1))
    parts = np.array_split(trace.loss_steps, min(_TRIANGLE_PARTS, len(trace.loss_steps)))
    for number, some in enumerate(parts, start=1):
        rows = [int(k) for k in some]
        end = rows[-1]
        whole[: end + 1, : end + 1] += trace.engine.triangle(
            trace.spec, trace.params, trace.forward.window(0, end), trace.grad_y[:end], rows
        )
        on_part(number, len(parts))
    whole.flags.writeable = False
    return whole


def check(scene: Scene, report: Callable[[Progress], None]) -> str:
    """Check the gradients of this trace, keep the figure with the scene, and say what it means."""
    from rnnviz.scene.frame import Progress

    report(Progress("checking against central differences", 0, 1, unit=""))
    figure = scene.trace.check()
    scene.measured["checked"] = figure
    return verdict_of(figure)


def agrees(figure: float) -> bool:
    return figure <= AGREES


def verdict_of(figure: float) -> str:
    if agrees(figure):
        return f"Checked: nudge any weight or state, and the loss moves as told, to {scientific(figure, 0)}."
    if figure != figure:
        return "This cannot be checked: something in this sequence is not finite."
    return f"Central differences are {scientific(figure, 0)} off the largest gradient; a kink of relu does that."
