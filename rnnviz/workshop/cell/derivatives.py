"""A person's cell as the engine asks for it (nn/equations.py): nothing is known of it but its step.

Its derivatives are exact: by a complex step, in which the imaginary part that a small i·ε has become is the derivative,
without a difference and so without its rounding (Squire & Trapp 1998, 10.1137/S003614459631241X). Where the step is not
made for complex numbers, they are central differences, right to about 9 digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.equations import Verdict
from rnnviz.nn.records import LayerForward, LayerWeights, Paths, StepBack
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.types import Array, Params, ParamsLike
from rnnviz.workshop.cell.connection import Connection

Check = Callable[["Derivatives", int, int], None]
Judge = Callable[["Derivatives", LayerForward, Array], Verdict]


class Derivatives:
    """by: "complex" or "differences"; see checks.py, which chooses. slopes are (∂h_t/∂h_{t-1}, ∂h_t/∂x_t)."""

    def __init__(self, connection: Connection, check: Check, judge: Judge) -> None:
        """check(self, I, H) tries the cell with these sizes before it is used, and sets `by`; judge: see `verdict`."""
        self.connection, self.by, self._check, self._judge = connection, "complex", check, judge
        self._shapes: dict[tuple[int, int], dict[str, tuple[int, ...]]] = {}
        self._checked: set[tuple[int, int]] = set()

    # -- its parameters --------------------------------------------------------------------------------------

    def parameters(self, I: int, H: int, seed: int) -> Params:  # noqa: E741
        return self.connection.ask("parameters", I=I, H=H, seed=seed)

    def shapes(self, H: int, I: int) -> Mapping[str, tuple[int, ...]]:  # noqa: E741
        if (H, I) not in self._shapes:
            self._shapes[H, I] = {name: w.shape for name, w in self.parameters(I, H, seed=0).items()}
        return self._shapes[H, I]

    def initial(self, spec: ModelSpec, seed: int) -> Params:
        """Raises InputError for a cell that cannot be used with these sizes, or at all."""
        I, H = spec.input_size, spec.hidden_size  # noqa: E741
        if (H, I) not in self._checked:
            self._check(self, I, H)
            self._checked.add((H, I))
        params, shapes = self.parameters(I, H, seed), self.shapes(H, I)
        if {name: w.shape for name, w in params.items()} != shapes:
            raise InputError(f"{self.connection.path}: parameters returns other names or shapes for another rng")
        return params

    # -- its steps -------------------------------------------------------------------------------------------

    def steps(self, params: ParamsLike, x: Array, h: Array) -> Array:
        """x (N, I), h (N, H) -> the new states (N, H)."""
        given = {**_named(params), "x": x[None], "h": h}
        new: Array = self.connection.ask("forward", given, {"h": (2, *h.shape)})["h"][1]
        return new

    def jacobians(self, params: ParamsLike, x: Array, h: Array, new: Array | None = None) -> tuple[Array, Array]:
        """x (N, I), h (N, H) and, where it is known, the new state (N, H) -> ∂h_t/∂h_{t-1} (N, H, H) and ∂h_t/∂x_t
        (N, H, I). With the new states many rows may be computed at once."""
        known = {} if new is None else {"new": new}
        wants = {"h": (*h.shape, h.shape[1]), "x": (*h.shape, x.shape[1])}
        found = self.connection.ask("jacobians", {**_named(params), "x": x, "h": h, **known}, wants, by=self.by)
        return found["h"], found["x"]

    def along(self, params: ParamsLike, x: Array, h: Array, moves: ParamsLike) -> Params:
        """The derivative of h_t (N, H) along a move of each parameter by itself."""
        given = {**_named(params), **{f"moves.{name}": move for name, move in moves.items()}, "x": x, "h": h}
        return self.connection.ask("along", given, dict.fromkeys(params, h.shape), by=self.by)

    def backward(self, params: ParamsLike, x: Array, h: Array, grad_h: Array) -> Params:
        """What the file's own backward_step returns, (N, …) each: grad_h_before, grad_x, grad_params[NAME]. A name that
        begins with `wrong.` says what has no right form."""
        return self.connection.ask("backward", {**_named(params), "x": x, "h": h, "grad_h": grad_h})

    # -- what the engine asks ----------------------------------------------------------------------------------

    def forward(self, spec: ModelSpec, w: LayerWeights, x: Array, h0: Array, c0: Array | None) -> LayerForward:
        """x (T, B, I), h0 (B, H) -> states h (T+1, B, H). The one block is the new state itself."""
        assert w.own is not None
        wants = {"h": (len(x) + 1, *h0.shape)}
        h = self.connection.ask("forward", {**_named(w.own), "x": x, "h": h0}, wants)["h"]
        return LayerForward(x, h, None, pre=h[1:], gates=h[1:], rec_n=None, own=w.own)

    def slopes(self, spec: ModelSpec | None, layer: LayerForward) -> tuple[Array, ...]:
        assert layer.own is not None
        T, B = layer.x.shape[:2]
        found = self.jacobians(layer.own, *(a.reshape(T * B, -1) for a in (layer.x, layer.h[:-1], layer.h[1:])))
        return tuple(J.reshape(T, B, *J.shape[1:]) for J in found)

    def backward_step(self, w: LayerWeights, at_t: tuple[Array, ...], grad_h: Array, grad_c: Array | None) -> StepBack:
        # dL/dh_{t-1} = (∂h_t/∂h_{t-1})ᵀ dL/dh_t
        return StepBack(grad_h, grad_h, None, np.einsum("...ij,...i->...j", at_t[0], grad_h), None)

    def tangent_step(
        self, w: LayerWeights, at_t: tuple[Array, ...], h: Array, c: Array | None, x: Array | None
    ) -> tuple[Array, Array | None]:
        moved = np.einsum("...ij,...j->...i", at_t[0], h)
        return (moved if x is None else moved + np.einsum("...ij,...j->...i", at_t[1], x)), None

    def jacobian(self, w: LayerWeights, at_t: tuple[Array, ...]) -> tuple[Array, Array]:
        return at_t[0], at_t[1]

    def paths(self, at_t: tuple[Array, ...]) -> Paths:
        """No path is known by itself."""
        return Paths(at_t[0][..., :0, :], None, None)

    def shares(self, layer: LayerForward, grad_h: Array) -> Mapping[str, Array]:
        assert layer.own is not None
        return self.shares_of(layer.own, layer.x, layer.h[:-1], layer.h[1:], grad_h)

    def shares_of(self, params: ParamsLike, x: Array, h: Array, new: Array, grad_h: Array) -> Params:
        """x (T, B, I), h (T, B, H) before each step and new after it, grad_h of that -> each step's share of the
        gradients of the parameters."""
        rows = {"x": x, "h": h, "new": new, "grad_h": grad_h}
        wants = {name: (len(x), *value.shape) for name, value in params.items()}
        return self.connection.ask("shares", {**_named(params), **rows}, wants, by=self.by)

    def verdict(self, layer: LayerForward, grad_h: Array) -> Verdict:
        return self._judge(self, layer, grad_h)

    def sums(self, layer: LayerForward, grad_h: Array) -> Mapping[str, Array]:
        assert layer.own is not None
        rows = {"x": layer.x, "h": layer.h[:-1], "new": layer.h[1:], "grad_h": grad_h}
        wants = {name: value.shape for name, value in layer.own.items()}
        return self.connection.ask("sums", {**_named(layer.own), **rows}, wants, by=self.by)

    def grad_x(self, layer: LayerForward, grad_h: Array) -> Array:
        out: Array = np.einsum("tbij,tbi->tbj", self.slopes(None, layer)[1], grad_h)
        return out


def _named(params: ParamsLike) -> Params:
    return {f"params.{name}": np.asarray(value) for name, value in params.items()}
