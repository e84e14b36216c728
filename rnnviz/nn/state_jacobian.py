"""The Jacobian ∂s_t/∂s_{t-1} of the full state: its products with vectors, and the matrix itself.

Its product with a vector is one tangent step of the cell, and the product with its transpose is one step of the cell
backwards. Neither forms it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.cells.activations import product
from rnnviz.nn.equations import Equations
from rnnviz.nn.masked import equations_of_layer
from rnnviz.nn.records import Forward, LayerWeights, layer_weights
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, ParamsLike


@dataclass(frozen=True)
class StateJacobian:
    """∂s_t/∂s_{t-1} of N = T·B steps and sequences, time first. s is the full state: layers bottom first, each (h)
    or (h, c). A layer's new state depends on its own old one directly, and on the lower layers' old states through the
    input it reads at the same step.
    """

    cell: Equations
    size: int  # of one layer's state
    hidden: int
    weights: tuple[LayerWeights, ...]
    slopes: tuple[tuple[Array, ...], ...]  # of each layer: its local derivatives, (N, …) each

    @classmethod
    def of(cls, spec: ModelSpec, params: ParamsLike, forward: Forward) -> StateJacobian:
        cell = equations_of_layer(CELLS[spec.cell], forward.layers[0])
        weights = tuple(layer_weights(spec, params, index) for index in range(spec.num_layers))
        slopes = tuple(
            tuple(np.ascontiguousarray(s.reshape(-1, *s.shape[2:])) for s in cell.slopes(spec, layer))
            for layer in forward.layers
        )
        return cls(cell, spec.state_size, spec.hidden_size, weights, slopes)

    @property
    def N(self) -> int:
        return len(self.slopes[0][0])

    @property
    def S(self) -> int:
        return self.size * len(self.weights)

    def at(self, rows: Array | slice) -> StateJacobian:
        """The Jacobians of some rows."""
        slopes = tuple(tuple(s[rows] for s in layer) for layer in self.slopes)
        return StateJacobian(self.cell, self.size, self.hidden, self.weights, slopes)

    @property
    def in_float32(self) -> StateJacobian:
        weights = tuple(w.astype(np.float32) for w in self.weights)
        slopes = tuple(tuple(s.astype(np.float32) for s in layer) for layer in self.slopes)
        return StateJacobian(self.cell, self.size, self.hidden, weights, slopes)

    @property
    def is_finite(self) -> Array:
        """(N,) bool: whether all local derivatives of a row are finite."""
        out = np.ones(self.N, bool)
        for slope in (s for layer in self.slopes for s in layer):
            out &= np.isfinite(slope).reshape(self.N, -1).all(axis=1)
        return out

    def times(self, v: Array) -> Array:
        """J v of each row: v, (N, S), is the change of s_{t-1}, the result the change of s_t."""
        out, moved_x = np.empty_like(v), None
        for h, c, w, at_t in self._layers(v, out):
            moved_x, moved_c = self.cell.tangent_step(w, at_t, h[0], None if c is None else c[0], moved_x)
            h[1][...] = moved_x
            if c is not None:
                c[1][...] = moved_c
        return out

    def transposed_times(self, u: Array) -> Array:
        """Jᵀ u of each row: u, (N, S), is the gradient on s_t, the result the gradient on s_{t-1}."""
        out, from_above = np.empty_like(u), None
        for h, c, w, at_t in reversed(list(self._layers(u, out))):
            grad_h = h[0] if from_above is None else h[0] + from_above
            back = self.cell.backward_step(w, at_t, grad_h, None if c is None else c[0])
            h[1][...] = back.grad_h
            if c is not None:
                c[1][...] = back.grad_c
            from_above = product(back.grad_pre, w.W_ih) if w is not self.weights[0] else None
        return out

    def _layers(self, v: Array, out: Array) -> Iterator[tuple]:  # type: ignore[type-arg]
        """For each layer: its h in v and in out, its c in both (None without a cell state), weights and slopes."""
        for index, (w, at_t) in enumerate(zip(self.weights, self.slopes, strict=True)):
            low, middle, high = index * self.size, index * self.size + self.hidden, (index + 1) * self.size
            c = None if middle == high else (v[:, middle:high], out[:, middle:high])
            yield (v[:, low:middle], out[:, low:middle]), c, w, at_t

    def formed(self) -> Array:
        """(N, S, S). ∂s_t^l/∂s_{t-1}^m = ∂s_t^l/∂x_t^l · ∂h_t^{l-1}/∂s_{t-1}^m for m < l."""
        size = self.size
        if len(self.weights) == 1:
            only: Array = self.cell.jacobian(self.weights[0], self.slopes[0])[0]
            return only
        J = np.zeros((self.N, self.S, self.S))
        for index, (w, at_t) in enumerate(zip(self.weights, self.slopes, strict=True)):
            own, from_input = self.cell.jacobian(w, at_t)
            low, high = index * size, (index + 1) * size
            J[..., low:high, low:high] = own
            if index:
                below = J[..., low - size : low - size + self.hidden, :low]
                J[..., low:high, :low] = from_input @ below
        return J
