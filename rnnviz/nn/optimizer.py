"""Optimizers: the update of the weights from their gradients.

sgd, learning_rate 0.1, momentum 0.9, g = 1 at each step:  buffer 1, 1.9, 2.71; w = -0.1, -0.29, -0.561
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.spec import OPTIMIZERS, one_of, real_number
from rnnviz.nn.types import Array, Params, ParamsLike

ADAM_BETAS = (0.9, 0.999)


class Convention(NamedTuple):
    """The constants in which two frameworks differ for an optimizer of the same name."""

    epsilon: float  # default of adam and rmsprop
    alpha: float  # rmsprop: the share of the mean of g² that remains (Keras: rho)
    clip_epsilon: float  # added to the gradient's norm when clipping by it


#: torch.optim and torch.nn.utils.clip_grad_norm_; keras.optimizers with global_clipnorm.
CONVENTIONS = {"pytorch": Convention(1e-8, 0.99, 1e-6), "keras": Convention(1e-7, 0.9, 0.0)}


@dataclass(frozen=True)
class Optimizer:
    """An update rule of torch.optim or keras.optimizers: SGD, Adam and RMSprop with their default betas.

    convention  "pytorch" or "keras": whose adam, rmsprop and clipping. Keras adds epsilon before Adam's bias
                correction and under RMSprop's root, PyTorch after both; Keras' RMSprop forgets faster (0.9 of the
                mean remains, 0.99 in PyTorch). sgd is the same in both
    epsilon     of adam and rmsprop. None: the convention's, 1e-8 for pytorch and 1e-7 for keras
    clip_value  first each element of the gradient is limited to ± this
    clip_each   then the gradient of each weight array is scaled to at most this norm, its own (clip_grad_norm_ called
                for each parameter; Keras' clipnorm, for which the two biases of a GRU are one array)
    clip_norm   then the whole gradient is scaled to at most this norm, that of all parameters together
                (torch.nn.utils.clip_grad_norm_, which adds 1e-6 to the norm; Keras' global_clipnorm)

    Raises InputError for an unknown name or a number out of range.
    """

    name: str = "sgd"
    learning_rate: float = 0.01
    momentum: float = 0.0  # sgd only
    epsilon: float | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    convention: str = "pytorch"
    clip_each: float | None = None

    def __post_init__(self) -> None:
        one_of("optimizer", self.name, OPTIMIZERS)
        one_of("convention", self.convention, tuple(CONVENTIONS))
        for name in ("learning_rate", "momentum", "epsilon", "clip_norm", "clip_value", "clip_each"):
            if getattr(self, name) is not None or name in ("learning_rate", "momentum"):
                object.__setattr__(self, name, real_number(name, getattr(self, name)))
        if self.learning_rate < 0:
            raise InputError(f"learning_rate: {self.learning_rate!r} is not a number of at least 0")
        if not 0 <= self.momentum < 1:
            raise InputError(f"momentum: {self.momentum!r} is out of range; it must be at least 0 and less than 1")
        if self.momentum and self.name != "sgd":
            raise InputError(f"momentum: only sgd has momentum, not {self.name}; leave it 0")
        for name in ("epsilon", "clip_norm", "clip_value", "clip_each"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{name}: {value!r} is out of range; it must be more than 0")

    @property
    def eps(self) -> float:
        """The epsilon in use."""
        return CONVENTIONS[self.convention].epsilon if self.epsilon is None else self.epsilon

    @property
    def alpha(self) -> float:
        """The share of its mean of g² that rmsprop keeps in an update."""
        return CONVENTIONS[self.convention].alpha


@dataclass
class OptimizerState:
    """The memory of an optimizer between updates; `update` changes it in place.

    first    momentum buffer of sgd, or Adam's mean of g; empty when the rule needs none
    second   mean of g² of adam and rmsprop
    step     number of updates so far
    """

    first: Params = field(default_factory=dict)
    second: Params = field(default_factory=dict)
    step: int = 0

    @classmethod
    def start(cls, optimizer: Optimizer, params: ParamsLike) -> OptimizerState:
        def zeros(wanted: bool) -> Params:
            return {name: np.zeros_like(p) for name, p in params.items()} if wanted else {}

        return cls(
            zeros(optimizer.name == "adam" or optimizer.momentum > 0),
            zeros(optimizer.name in ("adam", "rmsprop")),
        )

    def copy(self) -> OptimizerState:
        return OptimizerState(
            {name: a.copy() for name, a in self.first.items()},
            {name: a.copy() for name, a in self.second.items()},
            self.step,
        )


def clip(optimizer: Optimizer, grads: Params) -> Params:
    """The gradients after clipping by value, then by the norm of each array, then by the norm of all."""
    if optimizer.clip_value is not None:
        limit = optimizer.clip_value
        grads = {name: np.clip(g, -limit, limit) for name, g in grads.items()}
    if optimizer.clip_each is not None:
        arrays = ({name: grads[name] for name in names} for names in _arrays(optimizer, grads))
        grads = {name: g for array in arrays for name, g in _clip_norm(optimizer, array, optimizer.clip_each).items()}
    if optimizer.clip_norm is not None:
        grads = _clip_norm(optimizer, grads, optimizer.clip_norm)
    return grads


def _clip_norm(optimizer: Optimizer, grads: Params, most: float) -> Params:
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in grads.values()))
    norm += CONVENTIONS[optimizer.convention].clip_epsilon
    if norm <= most:
        return grads
    return {name: g * g.dtype.type(most / norm) for name, g in grads.items()}  # a nan norm, too


def _arrays(optimizer: Optimizer, grads: Params) -> list[list[str]]:
    """The names of the parameters that are one array in the convention's framework."""
    if optimizer.convention != "keras":
        return [[name] for name in grads]
    found: dict[str, list[str]] = {}
    for name in grads:
        found.setdefault(name.replace("bias_hh", "bias_ih"), []).append(name)
    return list(found.values())


def update(optimizer: Optimizer, params: Params, state: OptimizerState, grads: Params) -> None:
    """One update of `params` and `state`, in place."""
    grads = clip(optimizer, grads)
    state.step += 1
    for name, w in params.items():
        RULES[optimizer.name](optimizer, w, grads[name], name, state)


def _sgd(optimizer: Optimizer, w: Array, g: Array, name: str, state: OptimizerState) -> None:
    # b = momentum b + g;  w = w - lr b
    if optimizer.momentum:
        b = state.first[name]
        b *= optimizer.momentum
        b += g
        g = b
    w -= optimizer.learning_rate * g


def _adam(optimizer: Optimizer, w: Array, g: Array, name: str, state: OptimizerState) -> None:
    # m = β1 m + (1-β1) g;  v = β2 v + (1-β2) g²;  w = w - lr m̂ / (√v̂ + ε), m̂ and v̂ without the bias of their start at 0
    # Kingma & Ba 2015, algorithm 1 (arXiv:1412.6980)
    (beta1, beta2), m, v = ADAM_BETAS, state.first[name], state.second[name]
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * (g * g)
    # Keras: w = w - lr m / (√v + ε) · correction of both, which is ε / correction of √v here
    step_size, correction = optimizer.learning_rate / (1 - beta1**state.step), math.sqrt(1 - beta2**state.step)
    epsilon = optimizer.eps if optimizer.convention == "pytorch" else optimizer.eps / correction
    w -= step_size * m / (np.sqrt(v) / correction + epsilon)


def _rmsprop(optimizer: Optimizer, w: Array, g: Array, name: str, state: OptimizerState) -> None:
    # v = α v + (1-α) g²;  w = w - lr g / (√v + ε)          Keras: w = w - lr g / √(v + ε)
    v, epsilon = state.second[name], optimizer.eps
    v *= optimizer.alpha
    v += (1 - optimizer.alpha) * (g * g)
    root = np.sqrt(v) + epsilon if optimizer.convention == "pytorch" else np.sqrt(v + epsilon)
    w -= optimizer.learning_rate * g / root


RULES = {"sgd": _sgd, "adam": _adam, "rmsprop": _rmsprop}
