"""The weights of the top layer, and two properties of W_hh: its largest singular value and its spectral radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.equations import in_full
from rnnviz.nn.records import layer_weights
from rnnviz.nn.types import Array


@dataclass(frozen=True)
class Weights:
    """Of the top layer of a simple RNN.

    sigma_max        largest singular value of W_hh
    spectral_radius  largest |eigenvalue|
    """

    sigma_max: float
    spectral_radius: float


def weights(trace: Trace) -> Weights | None:
    """None for another cell, and where W_hh is not finite."""
    from rnnviz.nn.dynamics.spectrum import spectrum  # not above: the first paint does not need it

    W = recurrent_weights(trace)
    found = None if W is None else spectrum(W)
    return None if found is None else Weights(found.plain(found.sigma_max), found.plain(float(found.sizes[0])))


def recurrent_weights(trace: Trace) -> Array | None:
    """(H, H): W_hh of the top layer; None for a cell that has several, or none."""
    cell = trace.spec.about_cell
    if not cell.splits or not cell.recurrent:
        return None
    return matrix(trace)


def matrix(trace: Trace) -> Array:
    """(G*H, H): W_hh of the top layer, as the matrix that it acts as."""
    cell, w = trace.spec.about_cell, layer_weights(trace.spec, trace.params, trace.L - 1)
    return np.asarray(in_full(cell, w).W_hh, np.float64)


@dataclass(frozen=True, eq=False)
class Block:
    """values: (units that receive, inputs or units that send)."""

    name: str
    values: Array
    is_recurrent: bool = False


def blocks(trace: Trace) -> list[Block]:
    """W_ih, W_hh as the matrix that it acts as, and b of the top layer, from left to right as they stand in its
    equation; of a gated cell W_hh alone, or W_ih where it has none, in a block for each gate."""
    params, layer, H = trace.params, trace.L - 1, trace.H
    kinds = {
        kind: params[f"rnn.weight_{kind}_l{layer}"] for kind in ("ih", "hh") if f"rnn.weight_{kind}_l{layer}" in params
    }
    if trace.spec.about_cell.diagonal:
        kinds["hh"] = matrix(trace)
    gates = trace.spec.about_cell.gates
    if gates:
        kind = "hh" if "hh" in kinds else "ih"
        parts = zip(gates, np.split(kinds[kind], len(kinds[kind]) // H), strict=True)
        return [Block(f"W_{kind} {gate}", part, kind == "hh") for gate, part in parts]
    found = [Block(f"W_{kind}", values, kind == "hh") for kind, values in kinds.items()]
    biases = [params[name] for name in (f"rnn.bias_ih_l{layer}", f"rnn.bias_hh_l{layer}") if name in params]
    return [*found, Block("b", np.sum(biases, axis=0)[:, None])] if biases else found


def largest(found: list[Block]) -> float:
    """The largest size of a weight; 1 where all are 0, nan if one is."""
    return float(np.max([(block.values.max(), -block.values.min()) for block in found])) or 1.0
