"""What is written into a file: a recurrent layer, and what is in front of it and behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.nn.layer_layout import SUFFIX
from rnnviz.nn.types import Array
from rnnviz.weights.contents import Embedding, Layer, Linear


@dataclass(frozen=True, eq=False)
class Network:
    """layer: with what it reads and what reads it, if there are such."""

    layer: Layer
    embedding: Embedding | None = None
    readout: Linear | None = None

    @property
    def dtype(self) -> str:
        """Of the numbers in a new file: "float32", or "float64" if some are stored so."""
        parts = (self.layer, self.embedding, self.readout)
        return "float64" if any("float64" in part.dtype for part in parts if part is not None) else "float32"

    def sides(self, level: int) -> list[dict[str, Array]]:
        """weight_ih, weight_hh, bias_ih, bias_hh of each direction of a level, so far as there are biases."""
        return [self.side(level, direction) for direction in self.layer.directions]

    def side(self, level: int, direction: str) -> dict[str, Array]:
        suffix, weights = f"_l{level}{SUFFIX[direction]}", self.layer.weights
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        return {kind: weights[kind + suffix] for kind in kinds if kind + suffix in weights}


@dataclass(frozen=True)
class Written:
    """What a writer gives.

    content  of the file
    notes    how it differs from what it was written from, in whole sentences
    names    of its parts, in their order, where the file has such names
    """

    content: bytes
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def identifier(name: str) -> str:
    """The name with letters, digits and underscores alone."""
    plain = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_")
    return plain if plain[:1].isalpha() else f"layer_{plain}".rstrip("_")


def name_of(layer: Layer) -> str:
    """The layer's name; of several layers that are levels of one, the first's: lstm_0+lstm_1 -> lstm."""
    first, _, others = layer.name.partition("+")
    return first.removesuffix("_0") if others else first


def distinct(names: list[str]) -> list[str]:
    """The names, with a number behind those that come again."""
    found: list[str] = []
    for name in names:
        at, new = 2, name
        while new in found:
            at, new = at + 1, f"{name}_{at}"
        found.append(new)
    return found


def two_biases(side: Mapping[str, Array]) -> bool:
    """Whether there are two, and both count."""
    return "bias_hh" in side and bool(np.any(side["bias_hh"]))
