"""Trace: the complete record of one forward and one backward pass.

    >>> trace = model.trace(x, targets)       # x (T, B, I), targets (T, B, O)
    >>> trace.h[3], trace.grad_h[3]           # (B, H): the state after step 3, and dL/dh_3
    >>> trace.triangle[10, 3]                 # ‖∂L_10/∂h_3‖: how much of step 10's error reaches step 3

T steps, B sequences, I inputs, H units, O outputs, G gates. States have T+1 entries: entry t is time t,
entry 0 is before the first input. Everything else has T entries: entry t-1 belongs to step t.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks, gradcheck, levels, losses, metrics, readout, shares
from rnnviz.nn import engine as engines
from rnnviz.nn import gain as gains
from rnnviz.nn import ledger as ledgers
from rnnviz.nn import sensitivity as sensitivities
from rnnviz.nn.both_directions import Whole
from rnnviz.nn.records import Backward, Forward
from rnnviz.nn.spec import ModelSpec, whole_number
from rnnviz.nn.trace_parts import Item, LayerTrace, alone
from rnnviz.nn.types import Array, ParamsLike, ReadOnly, frozen


@dataclass(frozen=True, eq=False, repr=False)
class Trace(ReadOnly):
    """One forward and one backward pass, in float64 whatever the model's dtype. All arrays are read-only.

    Model.trace makes it; its spec has float64, too. h, c, pre, gates, grad_h and grad_c at this level are the top
    layer's; `layers` has all layers, bottom first. Definitions of the gradients, where L is the whole loss and L_k
    step k's share of it:

    grad_y[t-1]     dL/dy_t
    grad_h[t]       dL/dh_t, total: over all paths and all loss steps. The change of L when h_t alone moves
                    (an LSTM's c_t stays) and everything after it follows
    grad_c[t]       dL/dc_t, total: c_t moves; h_t and everything after it follow (at t = 0, h_0 stays)
    grad_x[t-1]     dL/dx_t, total: x_t moves, and everything after it follows
    grads[name]     dL/d(parameter)
    triangle[k, t]  ‖∂L_k/∂h_t‖, the loss of step k alone

    Without a loss (has_loss is False: Model.trace without targets) grad_h, grad_c and grad_x raise InputError, grad_y
    and grads are 0, and what goes back from step k is the state itself: grad_norm(k)[t], the rows of the triangle,
    half-life, horizon and ledger are of ‖∂h_k/∂h_t‖, its largest singular value, and every step can be k. There is no
    total, and no item. See sensitivity.py.
    """

    spec: ModelSpec
    params: ParamsLike
    x: Array  # (T, B, I)
    y: Array  # (T, B, O)
    targets: Array  # (T, B, O), or (T, B) ints for cross-entropy; 0 where a step carries no loss; "direct": dL/dy
    loss_name: str
    loss_mask: Array  # (T, B) bool
    loss: float  # the whole loss, L = Σ_k L_k
    step_loss: Array  # (T,): L_k, step k's share
    grad_y: Array  # (T, B, O)
    direct_c: Array | None  # (T, B, H): with the loss "direct", what it sends straight into c_t; None: nothing
    grads: ParamsLike
    layers: tuple[LayerTrace, ...]
    forward: Forward = field(repr=False)
    backward: Backward = field(repr=False)
    engine: engines.Engine = field(repr=False)
    whole: Whole | None = field(default=None, repr=False)  # a bidirectional model, of which this is one direction
    _items: dict[int | None, Item] = field(default_factory=dict, init=False, repr=False)
    _norms: dict[int | None, Array] = field(default_factory=dict, init=False, repr=False)
    _ledgers: dict[int | None, ledgers.Ledger] = field(default_factory=dict, init=False, repr=False)
    _sensitivities: dict[int, sensitivities.Sensitivity] = field(default_factory=dict, init=False, repr=False)

    def __repr__(self) -> str:
        steps = self.loss_steps
        where = f"step {steps[0]}" if len(steps) == 1 else f"{len(steps)} steps"
        sizes = f"T={self.T}, B={self.B}, I={self.I}, H={self.H}, O={self.O}, L={self.L}"
        if not self.has_loss:
            return f"<Trace: {self.spec.cell}, {sizes}, no loss>"
        return f"<Trace: {self.spec.cell}, {sizes}, {self.loss_name} {self.loss:.6g} at {where}>"

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: an engine is a module, which cannot be pickled, so its name is stored."""
        return {**self.__dict__, "engine": engines.name_of(self.engine)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "engine": engines.resolve(state["engine"])})

    @property
    def rest(self) -> Array | None:
        """(T, B, O): what the other direction of a bidirectional model adds to y; None of another model."""
        return None if self.whole is None else self.whole.rest

    @property
    def has_loss(self) -> bool:
        return self.loss_name != losses.NO_LOSS

    # -- sizes ---------------------------------------------------------------------------------------

    @property
    def T(self) -> int:
        return len(self.x)

    @property
    def B(self) -> int:
        return int(self.x.shape[1])

    @property
    def I(self) -> int:  # noqa: E743
        return self.spec.input_size

    @property
    def H(self) -> int:
        return self.spec.hidden_size

    @property
    def O(self) -> int:  # noqa: E743
        return self.spec.output_size

    @property
    def L(self) -> int:
        return self.spec.num_layers

    # -- the top layer -------------------------------------------------------------------------------

    @property
    def top(self) -> LayerTrace:
        return self.layers[-1]

    @property
    def h(self) -> Array:
        """(T+1, B, H): hidden states."""
        return self.top.h

    @property
    def c(self) -> Array | None:
        """(T+1, B, H): cell states of an LSTM."""
        return self.top.c

    @property
    def pre(self) -> Array:
        """(T, B, G*H): pre-activations, blocks in the order of spec.gates."""
        return self.top.pre

    @property
    def gates(self) -> Mapping[str, Array]:
        """Name -> (T, B, H): activated gates {i f g o} or {r z n}; {} for a simple RNN."""
        return self.top.gates

    @property
    def grad_h(self) -> Array:
        """(T+1, B, H): the total dL/dh_t."""
        self._need_loss("grad_h")
        return self.top.grad_h

    @property
    def grad_c(self) -> Array | None:
        """(T+1, B, H): the total dL/dc_t of an LSTM."""
        self._need_loss("grad_c")
        return self.top.grad_c

    # -- what the loss sends, and what arrives at the input -------------------------------------------

    @cached_property
    def direct(self) -> Array:
        """(T, B, H): entry t-1 is the direct part of dL/dh_t, what the loss sends into h_t through the readout alone
        (with attention that of later steps, too), before anything comes back through the recurrence."""
        self._need_loss("direct")
        with np.errstate(all="ignore"):
            return frozen(self.ways(None).direct.view())

    def ways(self, k: int | None) -> readout.Ways:
        """The direct part of ∂L_k/∂h_t of loss step k (1..T) alone (None: of all), by the way that it comes: through
        the readout of step t itself; with attention also as a value and through the scores."""
        k = self._step(k)
        self._need_loss("ways")
        errors = self.grad_y if k is None else alone(self.grad_y, k, self.T)
        with np.errstate(all="ignore"):
            return readout.ways(self.spec, self.params, self.top.h[1:], errors, self.forward.mask)

    def attention(self, k: int) -> Array:
        """(k, B): the weights α of the states h_1 .. h_k in the sum that the output of step k reads. Raises InputError
        if the readout is linear."""
        step = self._step(k) or self.T
        return frozen(readout.weights(self.spec, self.params, self.top.h[1:], step, self.forward.mask))

    @cached_property
    def grad_x(self) -> Array:
        """(T, B, I): entry t-1 is the total dL/dx_t, the change of L when the input of step t alone moves, over all
        paths (through both directions of a bidirectional model) and all loss steps."""
        self._need_loss("grad_x")
        if self.whole is not None:
            return self.whole.grad_x()
        with np.errstate(all="ignore"):
            grad_pre = self.backward.layers[0].grad_pre
            return frozen(levels.input_gradient(self.spec, self.params, self.forward.layers[0], grad_pre))

    def grad_x_of(self, k: int | None) -> Array:
        """(T, B, I): entry t-1 is ∂L_k/∂x_t of loss step k (1..T) alone; None: the total. 0 for t > k in one direction.
        Raises InputError without a loss."""
        k = self._step(k)
        if not self.has_loss:
            raise InputError("grad_x_of: this trace has no loss")
        if k is None or self.loss_steps == (k,):
            return self.grad_x
        if self.whole is not None:
            return self.whole.grad_x_of(alone(self.grad_y, k, self.T), self.engine.backward)
        grad_pre = self._backward_of(k).layers[0].grad_pre
        with np.errstate(all="ignore"):
            bottom = self.forward.window(0, k).layers[0]
            grad_x = levels.input_gradient(self.spec, self.params, bottom, grad_pre)
            return frozen(np.pad(grad_x, ((0, self.T - k), (0, 0), (0, 0))))

    # -- gradients by loss step ----------------------------------------------------------------------

    @cached_property
    def loss_steps(self) -> tuple[int, ...]:
        """The steps k (1-based) that carry loss in at least one sequence; without a loss: every step."""
        return tuple(int(k) + 1 for k in np.flatnonzero(self.loss_mask.any(axis=1)))

    @cached_property
    def triangle(self) -> Array:
        """(T+1, T+1): [k, t] = ‖∂L_k/∂h_t‖ over (B, H); 0 for t > k and for steps k without loss.

        Time O(T²·B·H²), memory O(T² + T·B·H). Raises InputError if it would take too much memory.
        """
        needed = 8 * ((self.T + 1) ** 2 + 12 * len(self.loss_steps) * self.B * self.H)
        checks.memory("triangle", needed, f"T={self.T}, B={self.B}, H={self.H}")
        rows = self.triangle_rows(self.loss_steps)
        return frozen(np.pad(rows, (0, self.T + 1 - len(rows))))

    def triangle_rows(self, steps: Sequence[int]) -> Array:
        """(n+1, n+1): the rows of `triangle` for some loss steps, the last of which is n. What comes after step n has
        no part in them, and is not walked."""
        end = max(steps)
        if not self.has_loss:
            rows = np.zeros((end + 1, end + 1))
            for k in steps:
                rows[k] = self.grad_norm(k)[: end + 1]
            return rows
        run = self.forward.window(0, end)
        direct_c = None if self.direct_c is None else self.direct_c[:end]
        return self.engine.triangle(self.spec, self.params, run, self.grad_y[:end], steps, direct_c)

    def item(self, k: int | None) -> Item:
        """∂L_k/∂h_t and ∂L_k/∂c_t of loss step k (1..T) alone; None: the total. Zero for t > k. Raises InputError
        without a loss."""
        k = self._step(k)
        if not self.has_loss:
            raise InputError("item: this trace has no loss; sensitivity_of has the norms of ∂h_k/∂h_t")
        if k not in self._items:
            self._items[k] = self._make_item(k)
        return self._items[k]

    def grad_norm(self, k: int | None = None) -> Array:
        """(T+1,): ‖∂L_k/∂h_t‖ over (B, H); None: the norm of the total dL/dh_t. Without a loss ‖∂h_k/∂h_t‖, the
        largest singular value; and InputError for the total."""
        k = self._step(k)
        if not self.has_loss:
            if k is None:
                raise InputError("k: without a loss there is no total; choose a step")
            return self.sensitivity_of(k).h.largest
        if k not in self._norms:
            self._norms[k] = frozen(metrics.norm(self.item(k).grad_h, axis=(1, 2)))
        return self._norms[k]

    def sensitivity_of(self, k: int, report: sensitivities.Report | None = None) -> sensitivities.Sensitivity:
        """The norms of ∂h_k/∂h_t and ∂h_k/∂c_t, t = 0..T, of a trace with a loss or without; see sensitivity.py. For a
        large state it is slow: report(done, k) is called from time to time and may raise an exception to stop."""
        step = self._step(k) or self.T
        if step not in self._sensitivities:
            found = sensitivities.sensitivity(self.spec, self.params, self.forward, step, report)
            self._sensitivities[step] = found
        return self._sensitivities[step]

    @property
    def half_life(self) -> float | None:
        """Lag at which the last loss step's gradient falls below 50 %, if defined; see metrics.half_life."""
        last = self.loss_steps[-1]
        return None if readout.attends(self.spec) else metrics.half_life(self.grad_norm(last)[: last + 1])

    @property
    def horizon(self) -> float | None:
        """Lag at which the last loss step's gradient falls below 1 %, with attention for good; see metrics.horizon."""
        last, of = self.loss_steps[-1], metrics.lasting_horizon if readout.attends(self.spec) else metrics.horizon
        return of(self.grad_norm(last)[: last + 1])

    # -- why it shrinks ------------------------------------------------------------------------------

    @property
    def ledger(self) -> ledgers.Ledger:
        """The ledger of the last loss step."""
        return self.ledger_of(self.loss_steps[-1])

    def ledger_of(self, k: int | None) -> ledgers.Ledger:
        """The ledger of loss step k (None: of the total): the factors of each step; see Ledger."""
        k = self._step(k)
        if k not in self._ledgers:
            self._ledgers[k] = ledgers.make_ledger(
                self.spec,
                self.params,
                self.forward,
                self.gain,
                grad_h=self.item(k).grad_h if self.has_loss else None,
                norms=self.grad_norm(k),
                start=self.loss_steps[-1] if k is None else k,
            )
        return self._ledgers[k]

    @cached_property
    def gain(self) -> Array:
        """(T,): per step the largest singular value of ∂s_t/∂s_{t-1}, s the full state, over the batch."""
        return self.measure_gain()

    def measure_gain(self, report: gains.Report | None = None) -> Array:
        """`gain`, with progress: report(done, T) is called from time to time and may raise an exception to stop."""
        if "gain" not in vars(self):
            self.__dict__["gain"] = frozen(gains.gains(self.spec, self.params, self.forward, report))
        return self.gain

    def share(self, name: str) -> Array:
        """(T, *shape): each step's contribution to grads[name]. Raises InputError for an unknown name."""
        if not isinstance(name, str) or name not in self.params:
            raise InputError(f"share: {short_repr(name)} is not a parameter; choose from {', '.join(self.params)}")
        checks.memory(f"share of {name}", 8 * self.T * self.params[name].size, f"{self.T} steps")
        with np.errstate(all="ignore"):
            return frozen(shares.of_parameter(self.spec, self.params, name, self.forward, self.backward, self.grad_y))

    def sent(self, k: int) -> Array:
        """(k,): the contribution of each step t = 1..k to the gradient of L_k on the recurrent layers' weights (W_ih,
        W_hh and biases of all layers): the norm of that gradient for the weights used at step t alone.

        Time O(T·B·H²). Raises InputError if k is not a step, or without a loss.
        """
        k = self._step(k) or self.T
        if not self.has_loss:
            raise InputError("sent: this trace has no loss, so nothing is sent to the weights")
        run = self.forward.window(0, k)
        back = self.backward if self.loss_steps == (k,) else self._backward_of(k)
        with np.errstate(all="ignore"):
            return frozen(shares.norms(self.spec, self.params, run, back, k))

    def check(self, seed: int = 0) -> float:
        """The gradient check: the largest error of the gradients against central differences; see gradcheck. Without a
        loss they are those of u·y_T, for a random u."""
        if not self.has_loss:
            return self._with_random_loss(whole_number("seed", seed, low=0)).check(seed)
        return gradcheck.check(self, whole_number("seed", seed, low=0))

    def _with_random_loss(self, seed: int) -> Trace:
        grad_y = np.zeros_like(self.y)
        grad_y[-1] = np.random.default_rng(seed).standard_normal(grad_y.shape[1:])
        back = self.engine.backward(self.spec, self.params, self.forward, grad_y, None)
        return replace(
            self,
            loss_name="direct",
            targets=grad_y,
            loss_mask=(grad_y != 0).any(axis=2),
            grad_y=grad_y,
            grads=back.grads,
            layers=tuple(
                replace(own, grad_h=b.grad_h, grad_c=b.grad_c) for own, b in zip(self.layers, back.layers, strict=True)
            ),
            backward=back,
        )

    # -- inside --------------------------------------------------------------------------------------

    def _need_loss(self, name: str) -> None:
        if not self.has_loss:
            raise InputError(f"{name}: this trace has no loss, and so no gradient; pass the targets to trace")

    def _step(self, k: int | None) -> int | None:
        if k is None:
            return None
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= self.T:
            raise InputError(f"k: {short_repr(k)} is not a step of this trace; steps are 1..{self.T}")
        return int(k)

    def _make_item(self, k: int | None) -> Item:
        if k is None:
            return Item(self.grad_h, self.grad_c)
        if self.loss_steps == (k,) and k == self.T:  # L_k is the whole loss
            return Item(self.grad_h, self.grad_c)
        # Steps after k do not affect L_k, so only the first k steps are needed.
        back = self._backward_of(k).layers[-1]
        later = ((0, self.T - k), (0, 0), (0, 0))
        return Item(
            frozen(np.pad(back.grad_h, later)),
            None if back.grad_c is None else frozen(np.pad(back.grad_c, later)),
        )

    def _backward_of(self, k: int) -> Backward:
        """The backward pass of L_k alone, from step k."""
        direct_c = None if self.direct_c is None else alone(self.direct_c, k, k)
        errors = alone(self.grad_y, k, k)
        return self.engine.backward(self.spec, self.params, self.forward.window(0, k), errors, direct_c)
