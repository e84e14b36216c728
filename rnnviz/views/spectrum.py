"""The recurrence as a dynamical system: eigenvalues of W_hh, of one step's Jacobian and of the product of many, and the
Lyapunov exponents of the sequence.

    >>> [matrix.kind for matrix in matrices(frame)]          # a simple RNN that has read 12 steps
    ['weights', 'step', 'product']
    >>> matrices(frame)[2]                                   # ∂s_12/∂s_0
    Matrix('product', 0, 12)

s is the full state: h, or h and c, of all layers. While the network reads, the step is the last one read, and the
product goes from it back to the start. On the way back the step is the one that was gone back last, and the product is
what the gradient of the last loss step has passed through so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.dynamics import lyapunov as exponents
from rnnviz.nn.dynamics import spectrum as spectra
from rnnviz.nn.dynamics.lyapunov import Lyapunov
from rnnviz.nn.dynamics.spectrum import Growth, Spectrum
from rnnviz.scene.commands import Measure
from rnnviz.scene.scene import Scene
from rnnviz.views.analysis import OnPart
from rnnviz.views.weights import recurrent_weights

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

#: Numbers of a state beyond which nobody would wait for its eigenvalues.
LARGEST = 2048
#: Multiplications that the powers of one matrix may take.
_FOR_POWERS = 400_000_000


#: Two lengths count as equal if their logarithms differ by less.
SAME = 1e-9


@dataclass(frozen=True)
class Matrix:
    """kind: "weights" for W_hh of the top layer, "step", or "product". start, stop: of ∂s_stop/∂s_start."""

    kind: str
    start: int = 0
    stop: int = 0

    @property
    def measure(self) -> Measure:
        return WEIGHTS if self.kind == "weights" else of_steps(self.start, self.stop)

    @property
    def steps(self) -> int:
        """Of how many Jacobians it is the product; 1 for W_hh."""
        return max(1, self.stop - self.start)


WEIGHTS = Measure("spectrum", None)
LYAPUNOV = Measure("lyapunov")


def of_steps(start: int, stop: int) -> Measure:
    return Measure("spectrum", stop, (start,))


@dataclass(frozen=True, eq=False)
class Found:
    """spectrum: None where the matrix is not finite. growth: of its powers, where every |λ| < 1; None of a product."""

    spectrum: Spectrum | None
    growth: Growth | None = None


def state_size(trace: Trace) -> int:
    return trace.spec.state_size * trace.L


def matrices(frame: Frame) -> tuple[Matrix, ...]:
    """Those that there are here. A gated cell has no single W_hh, and before the first step there is no Jacobian."""
    scene, t = frame.scene, frame.cursor.t
    weights = (Matrix("weights"),) if recurrent_weights(scene.trace) is not None else ()
    if frame.reached is None:
        step, product = (t - 1, t), (0, t)
    else:
        last = max(scene.last_loss_step, t + 1) if t < scene.T else t
        step, product = (min(t, last - 1), min(t + 1, last)), (min(t, last - 1), last)
    if step[1] < 1:
        return weights
    return (*weights, Matrix("step", *step), Matrix("product", *product))


def known(scene: Scene, matrix: Matrix) -> Found | None:
    """None while it is not known."""
    return scene.known.get(matrix.measure)


def all_needed(frame: Frame) -> list[Measure]:
    """All that the panel shows, as far as it is not known yet."""
    wanted = [*(matrix.measure for matrix in matrices(frame)), *([LYAPUNOV] if has_exponents(frame.scene) else [])]
    return [measure for measure in wanted if measure not in frame.scene.known]


def needs(frame: Frame) -> Measure | None:
    """The first of them."""
    return next(iter(all_needed(frame)), None)


def has_exponents(scene: Scene) -> bool:
    """Whether there is a step between the first state and the last loss step."""
    return scene.last_loss_step > 1


def make(scene: Scene, measure: Measure, on_part: OnPart) -> Found | None:
    """None of steps that this sequence does not have: a ghost's may be shorter."""
    trace = scene.trace
    if measure.t is None:
        W = recurrent_weights(trace)
        return None if W is None else _of_one(spectra.spectrum(W), W)
    (start,) = measure.parts
    if not 0 <= start < measure.t <= trace.T:
        return None
    found = spectra.of_steps(trace.spec, trace.params, trace.forward, start, measure.t, report=on_part)
    if measure.t > start + 1:
        return Found(found)
    return _of_one(found, spectra.jacobian(trace.spec, trace.params, trace.forward, start))


def _of_one(found: Spectrum | None, matrix: np.ndarray) -> Found:
    if found is None or found.log_radius > -SAME:
        return Found(found)
    powers = min(spectra.MOST_POWERS, max(1, _FOR_POWERS // len(matrix) ** 3))
    return Found(found, spectra.growth(matrix, powers))


def make_lyapunov(scene: Scene, on_part: OnPart) -> Lyapunov | None:
    """Over the steps from s_1 to the last loss step: those over which the mean factor is measured."""
    trace, last = scene.trace, scene.last_loss_step
    if not has_exponents(scene) or last > trace.T:
        return None
    return exponents.lyapunov(trace.spec, trace.params, trace.forward, 1, last, report=on_part)


def cost(scene: Scene, measure: Measure) -> int:
    """Multiplications, roughly."""
    trace = scene.trace
    if measure.t is None:
        return 60 * trace.H**3
    return (60 + measure.t - measure.parts[0]) * state_size(trace) ** 3


def cost_of_lyapunov(scene: Scene) -> int:
    return 40 * scene.last_loss_step * state_size(scene.trace) ** 3


def lyapunov(scene: Scene) -> Lyapunov | None:
    """None while they are not known."""
    return scene.known.get(LYAPUNOV)
