"""Attention: how much of each state is in the weighted sum that an output reads; or, where the readout is linear, would
be, if it looked back.

    linear readout   α_t = softmax over t = 1..k of ( h_k · h_t / √H )          c = Σ α_t h_t

Scaled dot-product attention (Vaswani et al. 2017, eq. 1) with the state of step k as the query and the states
themselves as keys and values: nothing is trained or added. With the weights held fixed ∂c/∂h_t = α_t I, so of the
gradient on c a share α_t reaches h_t in one step; what the weights themselves depend on comes on top. A network whose
readout has attention has weights of its own, and they are shown in their place (nn/readout.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.scene.cursor import Phase

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene


def attends(scene: Scene) -> bool:
    """Whether the network's own readout looks back."""
    return scene.trace.spec.readout != "linear" and scene.task.has_readout


def step_in_view(frame: Frame) -> int:
    """The step whose output looks back: while the network reads, the one just read; from the loss on, the loss step in
    view (of the total the last). 0 before the first."""
    if frame.cursor.phase is Phase.FORWARD:
        return frame.cursor.t if attends(frame.scene) else frame.scene.last_loss_step
    return frame.loss_step if frame.loss_step is not None and attends(frame.scene) else frame.scene.last_loss_step


def weights(scene: Scene, k: int) -> Array:
    """(k,): the network's own α of step k; with a linear readout those that it would have, `similarity`."""
    if attends(scene):
        own: Array = scene.trace.attention(k)[:, 0]
        return own
    return similarity(scene.trace.h[1 : k + 1, 0])


def similarity(states: Array) -> Array:
    """states (k, H): h_1 .. h_k, the last one the query. The weights (k,) add up to 1; all nan if a state is."""
    h = np.asarray(states, np.float64)
    with np.errstate(all="ignore"):
        scores = h @ h[-1] / np.sqrt(h.shape[1])
        powers = np.exp(scores - scores.max())
        return np.asarray(powers / powers.sum())
