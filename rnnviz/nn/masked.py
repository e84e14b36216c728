"""Masked steps: a step that is padding is not read, and the state is copied through it.

    mask    1    1    0    0            h₁ = φ(W x₁ + …), h₂ = φ(W x₂ + …), h₃ = h₂, h₄ = h₂
    back    ∂L/∂h₄ = ∂L/∂h₃ = ∂L/∂h₂    the factor of a masked step is 1, and it sends nothing to the weights

Keras does this with the mask of a Masking or Embedding layer. PyTorch's packed sequence stops at the length, so its h_n
is the copy without the copying: losses and gradients of the weights are the same numbers. A mask may leave out any
steps of any sequence.

The pass forward is several passes without a mask, each over the steps between two changes of the mask and over the
sequences that read there, so that it is the same in every engine. The pass back asks `MaskedCell`, the cell's own
equations with the identity at masked steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np

from rnnviz.nn.cell import Cell
from rnnviz.nn.equations import Equations, equations
from rnnviz.nn.records import LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array

#: (spec, weights, inputs (T, B, I), h_0 and c_0 (B, H) or None for zeros) -> the layer's record
LayerPass = Callable[[ModelSpec, LayerWeights, Array, Array | None, Array | None], LayerForward]


def masked_layer(
    layer_pass: LayerPass,
    spec: ModelSpec,
    w: LayerWeights,
    x: Array,
    h0: Array | None,
    c0: Array | None,
    mask: Array,
) -> LayerForward:
    """One layer's record of x (T, B, I), read where mask (T, B) is True; h0, c0 (B, H) or None for zeros.

    layer_pass: an engine's. At a masked step the pre-activations are 0, and of the gates the one that keeps the old
    state is fully open, the others closed.
    """
    T, B, H, cell = *x.shape[:2], spec.hidden_size, spec.about_cell
    width = H * len(spec.gates)
    h, c = np.zeros((T + 1, B, H), x.dtype), np.zeros((T + 1, B, H), x.dtype) if spec.has_cell_state else None
    pre, gates, rec = (np.zeros((T, B, n), x.dtype) for n in (width, width, H))
    if cell.carry is not None and not cell.carry.is_inverted:
        at = spec.gates.index(cell.carry.gate)
        gates[..., at * H : (at + 1) * H] = 1.0
    h[0] = 0.0 if h0 is None else h0
    if c is not None:
        c[0] = 0.0 if c0 is None else c0
    for start, stop in pairwise([0, *(np.flatnonzero((mask[1:] != mask[:-1]).any(axis=1)) + 1).tolist(), T]):
        reads = mask[start]
        for state in (h, c):
            if state is not None:
                state[start + 1 : stop + 1] = state[start]
        if not reads.any():
            continue
        begin = [None if state is None else state[start, reads] for state in (h, c)]
        part = layer_pass(spec, w, np.ascontiguousarray(x[start:stop, reads]), *begin)
        h[start + 1 : stop + 1, reads] = part.h[1:]
        pre[start:stop, reads] = part.pre
        gates[start:stop, reads] = part.gates
        if c is not None and part.c is not None:
            c[start + 1 : stop + 1, reads] = part.c[1:]
        if part.rec_n is not None:
            rec[start:stop, reads] = part.rec_n
    return LayerForward(
        x=x,
        h=h,
        c=c,
        pre=pre,
        gates=gates if cell.gates else h[1:],
        rec_n=rec if cell.has_reset else None,
        mask=mask,
        own=w.own,
    )


def equations_of_layer(cell: Cell, layer: LayerForward) -> Equations:
    """The cell's equations; of a layer that was read with a mask, the identity where it is False."""
    own = equations(cell)
    return own if layer.mask is None else cast(Equations, MaskedCell(own))


@dataclass(frozen=True)
class MaskedCell:
    """The equations of a cell where some steps are masked: see nn/equations.py. The mask, 1 or 0, is the last of its
    slopes, so that it goes wherever they go."""

    cell: Equations

    @property
    def forward(self) -> Callable[[ModelSpec, LayerWeights, Array, Array, Array | None], LayerForward]:
        return self.cell.forward

    def slopes(self, spec: ModelSpec, layer: LayerForward) -> tuple[Array, ...]:
        assert layer.mask is not None
        return (*self.cell.slopes(spec, layer), layer.mask[..., None].astype(layer.h.dtype))

    def backward_step(self, w: LayerWeights, at_t: tuple[Array, ...], grad_h: Array, grad_c: Array | None) -> StepBack:
        """At a masked step h_t and c_t are copies of those before, each of its own: the gradient of each passes on."""
        *own, mask = at_t
        reads = mask != 0
        step = self.cell.backward_step(w, tuple(own), grad_h, grad_c)
        passed_c = 0.0 if grad_c is None else grad_c
        return StepBack(
            np.where(reads, step.grad_pre, 0.0),
            np.where(reads, step.grad_rec, 0.0),
            None if step.grad_c_now is None else np.where(reads, step.grad_c_now, passed_c),
            np.where(reads, step.grad_h, grad_h),
            None if step.grad_c is None else np.where(reads, step.grad_c, passed_c),
        )

    def paths(self, at_t: tuple[Array, ...]) -> Paths:
        *own, mask = at_t
        reads = mask != 0
        found = self.cell.paths(tuple(own))
        return Paths(
            np.where(reads[..., None], found.blocks, 0.0),
            None if found.carry is None else np.where(reads, found.carry, 1.0),
            None if found.h_by_c is None else np.where(reads, found.h_by_c, 0.0),
        )

    def tangent_step(
        self, w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
    ) -> tuple[Array, Array | None]:
        *own, mask = at_t
        reads = mask != 0
        moved, moved_c = self.cell.tangent_step(w, tuple(own), h, c, x)
        stayed: Any = 0.0 if c is None else c
        return np.where(reads, moved, h), None if moved_c is None else np.where(reads, moved_c, stayed)

    def jacobian(self, w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
        *own, mask = at_t
        reads = (mask != 0)[..., None]
        by_state, by_input = self.cell.jacobian(w, tuple(own))
        return np.where(reads, by_state, np.eye(by_state.shape[-1])), np.where(reads, by_input, 0.0)
