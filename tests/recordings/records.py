"""Layer records of every kind, drawn at random: what the tests of this folder look at."""

from __future__ import annotations

import numpy as np

from rnnviz.nn.cell_table import CELLS
from rnnviz.recordings.layer_record import LayerRecord


def random_record(
    cell="lstm",
    *,
    T=5,
    B=3,
    I=2,  # noqa: E741
    H=3,
    levels=1,
    directions=1,
    biases=2,
    lengths=None,
    states=False,
    last=False,
    activation="tanh",
    dtype=np.float64,
    seed=0,
    **more,
):
    """states: with h0 and c0; last: with a direct gradient on the last states."""
    rng = np.random.default_rng([seed, T, B, H, levels])
    about = CELLS[cell]
    H += H % about.diagonal.units if about.diagonal else 0
    width = H * len(about.blocks)

    def draw(*shape, scale=1.0):
        return (scale * rng.standard_normal(shape)).astype(dtype)

    weights = {}
    for level in range(levels):
        for suffix in ("", "_reverse")[:directions]:
            end = f"_l{level}{suffix}"
            weights["weight_ih" + end] = draw(width, I if level == 0 else H * directions, scale=0.6)
            if about.recurrent:
                weights["weight_hh" + end] = draw(*about.hh_shape(H), scale=0.6)
            for kind in ("bias_ih", "bias_hh")[: about.biases or biases]:
                weights[kind + end] = draw(width, scale=0.3)
    shape = (levels * directions, B, H)
    has_c = about.has_cell_state
    return LayerRecord(
        cell=cell,
        weights=weights,
        x=draw(T, B, I),
        direct=draw(T, B, H * directions),
        direct_h=draw(*shape) if last else None,
        direct_c=draw(*shape) if last and has_c else None,
        h0=draw(*shape) if states else None,
        c0=draw(*shape) if states and has_c else None,
        lengths=lengths,
        activation=activation,
        **more,
    )


def replaced(record, **changes):
    """The record with some fields changed."""
    return LayerRecord(**{name: getattr(record, name) for name in record.__dataclass_fields__} | changes)
