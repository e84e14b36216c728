"""Parameters, gradients and the optimizer's memory as flat vectors, as the kernels take them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from rnnviz.nn.kernels.buffer_sizes import Rates
from rnnviz.nn.machine_code import Kernels
from rnnviz.nn.optimizer import ADAM_BETAS, CONVENTIONS, Optimizer, OptimizerState, clip
from rnnviz.nn.spec import OPTIMIZERS, ModelSpec
from rnnviz.nn.types import Array, Params


class FlatParameters:
    """The parameters and the optimizer's memory as flat vectors for the kernels; put back at the end."""

    def __init__(self, spec: ModelSpec, params: Params, rule: Optimizer, state: OptimizerState) -> None:
        self._params, self._state, self.rule = params, state, rule
        self.names = list(spec.parameter_shapes)
        self.w = self._joined(params)
        self.first, self.second = (self._joined(g) if g else np.empty_like(self.w) for g in (state.first, state.second))
        self.grads = np.empty_like(self.w)
        self.rates = np.array(
            Rates(
                learning_rate=rule.learning_rate,
                momentum=rule.momentum,
                epsilon=rule.eps,
                # the kernel knows one norm only, that of all parameters
                clip_norm=0.0 if rule.clip_each is not None else rule.clip_norm or 0.0,
                clip_value=0.0 if rule.clip_each is not None else rule.clip_value or 0.0,
                clip_epsilon=CONVENTIONS[rule.convention].clip_epsilon,
                beta1=ADAM_BETAS[0],
                beta2=rule.alpha if rule.name == "rmsprop" else ADAM_BETAS[1],
                keras=float(rule.convention == "keras"),
            ),
            np.float64,
        )
        self.dtype = self.w.dtype

    def _joined(self, group: Params) -> Array:
        return np.concatenate([group[name].reshape(-1) for name in self.names])

    def __enter__(self) -> FlatParameters:
        return self

    def __exit__(self, *error: object) -> None:
        for group, flat in ((self._params, self.w), (self._state.first, self.first), (self._state.second, self.second)):
            for name, part in self.parts(flat) if group else ():
                group[name][...] = part

    def parts(self, flat: Array) -> Iterator[tuple[str, Array]]:
        """Name -> view of a flat vector, for every parameter."""
        at = 0
        for name in self.names:
            shape = self._params[name].shape
            size = math.prod(shape)
            yield name, flat[at : at + size].reshape(shape)
            at += size

    @property
    def vectors(self) -> dict[str, Array]:
        return {"rates": self.rates, "params": self.w, "grads": self.grads, "first": self.first, "second": self.second}

    @property
    def updates(self) -> int:
        return self._state.step

    @updates.setter
    def updates(self, value: int) -> None:
        self._state.step = value

    def update(self, kernels: Kernels) -> None:
        """One update by `grads`. Clipping each array by its own norm is done here, and with it all of the clipping."""
        if self.rule.clip_each is not None:
            clipped = clip(self.rule, dict(self.parts(self.grads)))
            self.grads = np.concatenate([clipped[name].reshape(-1) for name in self.names])
        self.updates += 1
        kernels.call("update", rule=OPTIMIZERS.index(self.rule.name), updates=self.updates, **self.vectors)
