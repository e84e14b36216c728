"""Model: stacked recurrent layers and a readout, with parameters under PyTorch's names and shapes.

>>> model = Model.create(cell="rnn", input_size=1, hidden_size=20, output_size=1, biases=1)
>>> model.parameter_count
461
>>> model.forward(x).shape, model.trace(x, targets).grad_h.shape        # x, targets (10, 8, 1)
((10, 8, 1), (11, 8, 20))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn import checks, initialise
from rnnviz.nn import engine as engines
from rnnviz.nn.directions import FORWARD
from rnnviz.nn.make_trace import make_trace, states_trace
from rnnviz.nn.spec import ModelSpec
from rnnviz.nn.trace import Trace
from rnnviz.nn.types import Array, Params, ReadOnly, frozen


class SummaryRow(NamedTuple):
    """A row of Keras' model.summary()."""

    name: str
    kind: str
    output_shape: tuple[str | int, ...]
    parameters: int


@dataclass(frozen=True, eq=False, repr=False)
class Model(ReadOnly):
    """A recurrent network: `spec` describes it, `params` holds its weights (read-only arrays by name)."""

    spec: ModelSpec
    params: Params

    def __post_init__(self) -> None:
        params = checks.parameters(self.spec, self.params)
        for a in params.values():
            frozen(a)
        object.__setattr__(self, "params", params)

    @classmethod
    def create(
        cls,
        cell: str = "rnn",
        input_size: int = 1,
        hidden_size: int = 20,
        output_size: int = 1,
        *,
        num_layers: int = 1,
        activation: str = "tanh",
        init: str = "keras",
        gain: float = 1.0,
        spectral_radius: float | None = None,
        forget_bias: float | None = None,
        max_lag: int = 100,
        biases: int = 2,
        dtype: str = "float64",
        seed: int = 0,
        bidirectional: bool = False,
        readout: str = "linear",
    ) -> Model:
        """A new model; the same arguments always give the same weights.

        cell ... activation, biases, dtype, bidirectional, readout   see ModelSpec
        init             "keras", "pytorch", "identity", "orthogonal", "chrono": see rnnviz.nn.initialise
        gain             multiplies the recurrent weights
        spectral_radius  rescales, after that, each gate's W_hh to this largest |eigenvalue|
        forget_bias      forget-gate bias of an LSTM, in place of the initialiser's; other cells have none
        max_lag          chrono: the longest memory, in steps, for which the gate biases are drawn

        Raises InputError for unknown names, sizes below 1 and numbers that are not finite.
        """
        spec = ModelSpec(
            cell, input_size, hidden_size, output_size, num_layers, activation, biases, dtype, bidirectional, readout
        )
        width = spec.hidden_size * len(spec.gates)
        checks.memory("model", 8 * spec.parameter_count, f"{spec.parameter_count} parameters, {width} rows a layer")
        params = initialise.initial_params(
            spec,
            init,
            gain=gain,
            spectral_radius=spectral_radius,
            forget_bias=forget_bias,
            max_lag=max_lag,
            seed=seed,
        )
        return cls(spec, params)

    @classmethod
    def load(
        cls,
        path: str | Path,
        layer: str | None = None,
        readout: str | None = None,
        activation: str | None = None,
    ) -> Model:
        """A recurrent layer of a file of weights, with the linear layer that reads it. Nothing in the file is run;
        docs/weights.md lists the formats.

        layer       its name in the file, if there are several
        readout     the name of the linear layer; None: the only one that fits; "none", and if none fits: an identity,
                    so that y = h
        activation  of a simple RNN in a file that does not contain it: "relu", …; tanh if not given

        Raises InputError naming what is wrong with the file, or what cannot be a Model.
        """
        model: Model = _files().load(path, layer, readout, activation)
        return model

    def save(self, path: str | Path) -> None:
        """Write the parameters by PyTorch's names, as .safetensors or .npz, all or nothing. Model.load gives the same
        model; PyTorch loads what safetensors reads as a state_dict. Raises InputError if it cannot be written."""
        _files().save(self, path)

    def with_params(self, params: Mapping[str, Any]) -> Model:
        """The same model with other weights. Names and shapes must fit; nan and inf are allowed."""
        return Model(self.spec, checks.parameters(self.spec, params))

    def __repr__(self) -> str:
        s = self.spec
        layers = " -> ".join(map(str, (s.input_size, *[s.hidden_size] * s.num_layers, s.output_size)))
        both = " in both directions" if s.bidirectional else "" if s.readout == "linear" else f" with {s.readout}"
        return f"<Model: {s.cell} {layers}{both}, {s.parameter_count} parameters, {s.dtype}>"

    @property
    def in_float64(self) -> Model:
        """The same weights in double precision. Traces use it, whatever the precision of training."""
        if self.spec.dtype == "float64":
            return self
        return Model(replace(self.spec, dtype="float64"), self.params)

    @property
    def parameter_count(self) -> int:
        return self.spec.parameter_count

    def summary(self) -> list[SummaryRow]:
        """One row per layer, as in Keras."""
        shapes = self.spec.parameter_shapes
        rows, kind = [], self.spec.about_cell.keras.layer
        kind = f"Bidirectional({kind})" if self.spec.bidirectional else kind
        for layer in range(self.spec.num_layers):
            ends = (f"_l{layer}", f"_l{layer}_reverse")
            count = sum(int(np.prod(shape)) for name, shape in shapes.items() if name.endswith(ends))
            rows.append(SummaryRow(f"rnn_l{layer}", kind, ("B", "T", self.spec.read_size), count))
        count = sum(int(np.prod(shape)) for name, shape in shapes.items() if name.startswith("readout."))
        kinds = {"linear": "Dense", "attention": "Attention", "additive": "Additive"}
        rows.append(SummaryRow("readout", kinds[self.spec.readout], ("B", "T", self.spec.output_size), count))
        return rows

    def forward(self, x: Any, h0: Any = None, c0: Any = None, *, mask: Any = None) -> Array:
        """x (T, B, I) -> y (T, B, O), in the model's dtype.

        h0 and c0 are (L, B, H), or (B, H) for one layer; zeros if not given. Each direction of a bidirectional layer
        counts as one, in PyTorch's order. mask: see trace. Raises InputError for wrong shapes, nan or inf.
        """
        x = checks.numbers("x", x, (None, None, self.spec.input_size), "(T, B, input_size)", self.spec.dtype)
        T, B = x.shape[0], x.shape[1]
        width = self.spec.forward_width
        checks.memory("forward", 8 * T * B * width, f"T={T}, B={B}, {width} numbers a step")
        h, c = checks.initial_state(self.spec, B, h0, c0)
        run = engines.current().forward(self.spec, self.params, x, h, c, checks.step_mask(mask, T, B))
        return run.y

    def trace(
        self,
        x: Any,
        targets: Any = None,
        loss: str = "mse",
        loss_at: Any = "every",
        *,
        h0: Any = None,
        c0: Any = None,
        mask: Any = None,
        engine: str | engines.Engine | None = None,
        direction: str = FORWARD,
    ) -> Trace:
        """Run one forward and one backward pass through time in float64, and record everything. Without targets there
        is no loss: the states, and how later ones depend on earlier ones (Trace.has_loss is False).

        x        (T, B, I)
        targets  "mse": (T, B, O); "cross_entropy": whole numbers (T, B). For loss_at="last" also (B, O), (B,)
                 "direct": (T, B, O), dL/dy itself
        loss_at  the steps that carry loss: "every", "last", step numbers 1..T, or a bool array (T, B)
        mask     (T, B) bool: the steps that are read; through the others the state is copied, as by a mask in Keras
                 (rnnviz.nn.masked). None: all
        direction  which direction of a bidirectional model's top layer the trace shows. Its steps are in the order in
                 which that direction reads: step 1 of "backward" is the last of the sequence. Trace.whole has the rest

        Raises InputError for bad input, and if the trace would take too much memory, O(T·B·H) per layer.
        """
        exact = self.in_float64
        if targets is None:
            x = checks.numbers("x", x, (None, None, self.spec.input_size), "(T, B, input_size)", "float64").copy()
            h, c = checks.initial_state(exact.spec, x.shape[1], h0, c0)
            return states_trace(exact.spec, exact.params, x, h0=h, c0=c, engine=engine, direction=direction)
        return make_trace(exact.spec, exact.params, x, targets, loss, loss_at, h0=h0, c0=c0, mask=mask, engine=engine,
                          direction=direction)  # fmt: skip

    def copy_params(self) -> Params:
        """Writable copies of the parameters."""
        return {name: a.copy() for name, a in self.params.items()}


def _files() -> Any:
    """The room that reads and writes files lies above this one; it is imported when a file is."""
    return import_module("rnnviz.weights.models")
