"""PyTorch's names and shapes of the weights of a recurrent layer: any levels, both directions, 0, 1 or 2 biases.

    weight_ih_l0 (G*H, I), weight_hh_l0 (G*H, H), bias_ih_l0 (G*H,), bias_hh_l0 (G*H,)

G blocks, I inputs, H units. Above level 0 the inputs are the outputs of the level below, of both directions side by
side. Names of the backward direction end in _reverse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.directions import BACKWARD as BACKWARD
from rnnviz.nn.directions import DIRECTIONS as DIRECTIONS
from rnnviz.nn.directions import FORWARD as FORWARD
from rnnviz.nn.directions import SUFFIX as SUFFIX
from rnnviz.nn.types import HasShape

NAME = re.compile(r"(weight_ih|weight_hh|bias_ih|bias_hh)_l(0|[1-9][0-9]{0,2})(_reverse)?\Z")


def levels_of(names: Mapping[str, object]) -> int:
    """The number of stacked levels of a complete layer."""
    return sum(name.startswith("weight_ih_") and not name.endswith("_reverse") for name in names)


def directions_of(names: Mapping[str, object]) -> tuple[str, ...]:
    """FORWARD, or both."""
    return DIRECTIONS if "weight_ih_l0_reverse" in names else DIRECTIONS[:1]


def check(cell: str, weights: Mapping[str, HasShape], inputs: int | None = None) -> None:
    """inputs: how many numbers level 0 must read; None: as many as its weights do.

    Raises InputError for a name that is none of PyTorch's, a weight that the cell does not have, one that a level
    lacks, and a shape that does not fit the others."""
    about = CELLS[cell]
    _complete(tuple(weights), cell)
    first, blocks = weights["weight_ih_l0"], len(about.blocks)
    checks.fit_shape("weights: weight_ih_l0", first, (None, None), "(blocks * hidden_size, input_size)")
    width, inputs = first.shape[0], first.shape[1] if inputs is None else inputs
    if width % blocks:
        raise InputError(
            f"weights: weight_ih_l0 has {width} rows, but {about.noun} has {blocks} blocks of equal height"
        )
    H, directions = width // blocks, directions_of(weights)
    if about.diagonal and H % about.diagonal.units:
        raise InputError(f"weights: weight_ih_l0 has {width} rows, but {about.noun} pairs its units")
    for level in range(levels_of(weights)):
        for direction in directions:
            suffix = f"_l{level}{SUFFIX[direction]}"
            read = inputs if level == 0 else H * len(directions)
            hidden = about.hh_shape(H)
            shapes = {"weight_ih": (width, read), "weight_hh": hidden, "bias_ih": (width,), "bias_hh": (width,)}
            for kind, shape in shapes.items():
                weight = weights.get(kind + suffix)
                if weight is not None and weight.shape != shape:
                    checks.fit_shape(f"weights: {kind}{suffix}", weight, shape, "the cell's shape")


@lru_cache  # a training is recorded step by step, always with the same names
def _complete(weights: tuple[str, ...], cell_name: str) -> None:
    cell, found = CELLS[cell_name], set()
    for name in weights:
        match = NAME.match(name)
        if match is None:
            raise InputError(f"weights: {short_repr(name)} is not one of weight_ih_l0, weight_hh_l0, bias_ih_l0, …")
        found.add((int(match[2]), match[3] or ""))
    if (0, "") not in found:
        raise InputError("weights: weight_ih_l0 is missing")
    levels = 1 + max(level for level, _ in found)
    suffixes = {suffix for _, suffix in found}
    kinds = ("weight_ih", "weight_hh") if cell.recurrent else ("weight_ih",)
    given = {name.partition("_l")[0] for name in weights}
    biases = [kind for kind in ("bias_ih", "bias_hh") if kind in given]
    if cell.biases == 1 and (other := given - {*kinds, "bias_ih"}):
        raise InputError(f"weights: {min(other)}: {cell.noun} has none")
    for level in range(levels):
        for suffix in sorted(suffixes):
            for kind in (*kinds, *biases):
                if f"{kind}_l{level}{suffix}" not in weights:
                    raise InputError(f"weights: {kind}_l{level}{suffix} is missing")
