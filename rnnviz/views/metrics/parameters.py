"""Metrics of the weights, the gates, the update and the settings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.nn.cell import Block
from rnnviz.nn.cell_table import CELLS
from rnnviz.views.metrics.language import value
from rnnviz.views.metrics.registry import METRICS, Metric, if_unknown, metric, prepared

if TYPE_CHECKING:
    from rnnviz.nn import Trace
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.scene import Scene

# the weights
metric("parameters", "number of trainable parameters", "d", low=1)(
    lambda f: sum(w.size for w in f.scene.parameters.values())
)

metric("parameter_sum", "the parameters by matrix and vector: 20 + 400 + 20 + 20 + 1", "s", is_text=True)(
    lambda f: " + ".join(str(w.size) for w in f.scene.parameters.values())
)

metric("w_in", "weight from an input to a unit (simple RNN)", "+.3f", "unit", "input")(
    lambda f, unit, i: _weight(f, "weight_ih", unit, i)
)

metric("w_rec", "weight from a unit (second number) to a unit (first): W_hh (simple RNN)", "+.3f", "unit", "from")(
    lambda f, unit, source: _weight(f, "weight_hh", unit, source)
)

metric("bias", "bias of a unit (simple RNN)", "+.3f", "unit")(lambda f, unit: _bias(f, unit))

metric("w_out", "weight from a unit to an output", "+.3f", "output", "unit")(
    lambda f, o, unit: f.scene.trace.params["readout.weight"][o, unit] if f.scene.task.has_readout else None
)

metric("sigma_max", "largest singular value of W_hh (simple RNN)", ".2f", needs=if_unknown("weights"), low=0)(
    lambda f: None if (found := prepared(f, "weights")) is None else found.sigma_max
)

metric("spectral_radius", "largest |eigenvalue| of W_hh (simple RNN)", ".2f", needs=if_unknown("weights"), low=0)(
    lambda f: None if (found := prepared(f, "weights")) is None else found.spectral_radius
)

metric("weights_norm", "Frobenius norm of W_hh: the square root of the sum of its squares", ".2f", low=0)(
    lambda f: _norm_of_W_hh(f.scene.trace) if f.scene.trace.spec.about_cell.recurrent else None
)


def _norm_of_W_hh(trace: Trace) -> float:
    from rnnviz.views.weights import matrix

    return math.sqrt(float((matrix(trace) ** 2).sum()))


def _weight(frame: Frame, name: str, unit: int, source: int) -> float | None:
    trace = frame.scene.trace
    if not trace.spec.about_cell.splits:
        return None
    if name == "weight_hh":
        from rnnviz.views.weights import matrix

        return float(matrix(trace)[unit, source])
    return float(trace.params["rnn.weight_ih_l0"][unit, source])


def _bias(frame: Frame, unit: int) -> float | None:
    trace = frame.scene.trace
    if not trace.spec.about_cell.splits:
        return None
    names = (f"rnn.bias_ih_l{trace.L - 1}", f"rnn.bias_hh_l{trace.L - 1}")
    return sum(float(trace.params[name][unit]) for name in names if name in trace.params)


# the gates
def _gate(name: str, blocks: dict[str, Block]) -> None:
    """The metrics of the gates of this name, of whichever cells have one."""

    def own(frame: Frame) -> Any:
        trace = frame.scene.trace
        return trace.gates[blocks[trace.spec.cell].name] if trace.spec.cell in blocks else None

    def read(frame: Frame, t: int, unit: int) -> float | None:
        gate = own(frame)
        return None if gate is None or frame.scene.copies(t) else float(gate[t - 1, 0, unit])

    def mean(frame: Frame) -> float | None:
        gate = own(frame)
        return None if gate is None else float(gate[frame.scene.read].mean())

    symbol = next(iter(blocks.values())).name
    cells = "; ".join(
        CELLS[cell].title + (f": {block.meaning}" if block.meaning else "") for cell, block in blocks.items()
    )
    metric(f"{name}_gate", f"{name} gate {symbol} of a unit at step t ({cells})", ".2f", "step", "unit", low=0, high=1)(
        read
    )
    metric(f"{name}_mean", f"{name} gate {symbol}, mean over all steps and units ({cells})", ".2f", low=0, high=1)(mean)


for _name in dict.fromkeys(block.metric for cell in CELLS.values() for block in cell.blocks if block.metric):
    _gate(_name, {cell.name: block for cell in CELLS.values() for block in cell.blocks if block.metric == _name})

# how long a mean gate keeps a value on its own
metric("gate_steps", "steps that 1/(1 − mean gate) keeps a value, by f (LSTM) or z (GRU) alone", ".1f", low=1)(
    lambda f: None if (kept := _mean_carry(f)) is None or kept >= 1 else 1 / (1 - kept)
)

metric("gate_half_life", "steps after which half of a value is left, by the mean f (LSTM) or z (GRU) alone", ".1f",
        low=0)(
    lambda f: None if (kept := _mean_carry(f)) is None or not 0 < kept < 1 else math.log(0.5) / math.log(kept)
)  # fmt: skip


def _mean_carry(frame: Frame) -> float | None:
    trace = frame.scene.trace
    carry = trace.spec.about_cell.carry
    return None if carry is None else float(carry.share(trace.gates[carry.gate])[frame.scene.read].mean())


# the update
metric("weight_grad", "norm of the gradient on all weights, from the sequence in view", ".2g", low=0)(
    lambda f: _weight_grad(f.scene) if f.scene.has_loss else None
)

metric("clipped", "1 if clip_norm shortens weight_grad, else 0", "d", low=0, high=1)(
    lambda f: None if f.experiment is None else _is_clipped(f, f.experiment.clip_norm)
)


metric("clip_turn", "angle in degrees between the gradient on all weights and what clipping leaves of it", ".0f", low=0,
        high=180)(
    lambda f: _clip_turn(f) if f.scene.has_loss and f.experiment is not None else None
)  # fmt: skip


def _clip_turn(frame: Frame) -> float | None:
    from rnnviz.experiment.build import build_optimizer
    from rnnviz.nn.metrics import norm
    from rnnviz.nn.optimizer import clip

    assert frame.experiment is not None
    grads = frame.scene.trace.grads
    left = clip(build_optimizer(frame.experiment), dict(grads))
    lengths = math.hypot(*map(norm, grads.values())) * math.hypot(*map(norm, left.values()))
    if not 0 < lengths < math.inf:
        return None
    product = sum(float((g * left[name]).sum()) for name, g in grads.items())
    return math.degrees(math.acos(min(product / lengths, 1.0)))


def _is_clipped(frame: Frame, most: float | None) -> bool:
    return most is not None and float(value(frame, "weight_grad") or 0.0) > most


def _weight_grad(scene: Scene) -> float:
    from rnnviz.nn.metrics import norm

    return math.hypot(*(float(norm(g)) for g in scene.trace.grads.values()))


# the settings, under their own names
def _setting(name: str) -> Callable[[Frame], Any]:
    return lambda frame: getattr(frame.experiment, name, None)


for _name, _one in SETTINGS.items():
    if _name not in METRICS:
        _form = {int: "d", float: "g", bool: "d", str: "s"}[_one.kind]
        METRICS[_name] = Metric(
            _name,
            f"setting: {_one.help}",
            _form,
            _setting(_name),
            setting=_name,
            is_text=_one.kind is str,
        )
