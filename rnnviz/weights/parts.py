"""Recurrent layers of one level each, as Keras and ONNX have them, joined into layers of several levels as PyTorch has
them.

    >>> joined([Part("first", "lstm", sides), Part("second", "lstm", sides, below="first")])
    ([Layer(name="first+second", …)], {"second": "first+second"})        # two levels

Two parts are levels of one layer if the upper reads nothing but the lower's states, and both have the same cell, units,
directions, biases and activation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.contents import Decisions, Doubt, Layer
from rnnviz.weights.stored import Stored


@dataclass(frozen=True, eq=False)
class Part:
    """One level.

    sides   of each direction: weight_ih, weight_hh, bias_ih, bias_hh, so far as there are biases, in our layout
    below   the part whose states it reads, unchanged; None if it is not known or there is none
    path    its name in the program that made the file, if levels of one layer share it
    """

    name: str
    cell: str
    sides: tuple[Mapping[str, Stored], ...]
    activation: str = "tanh"
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    below: str | None = None
    path: str = ""

    @property
    def kind(self) -> tuple[object, ...]:
        """What levels of one layer have in common."""
        first = self.sides[0]
        return self.cell, self.activation, len(self.sides), tuple(first), first["weight_hh"].shape

    @property
    def width(self) -> int:
        """Numbers that it gives at each step."""
        return self.sides[0]["weight_hh"].shape[1] * len(self.sides)


def joined(parts: Sequence[Part]) -> tuple[list[Layer], dict[str, str]]:
    """The parts in their order, levels of one layer as one; and the name of each layer by that of its top part. Raises
    InputError for weights that do not fit."""
    by_name = {part.name: part for part in parts}
    readers: dict[str, list[Part]] = {}
    for part in parts:
        if part.below in by_name:
            readers.setdefault(part.below, []).append(part)
    above = {
        name: found[0] for name, found in readers.items()
        if len(found) == 1 and _fits(by_name[name], found[0])
    }  # fmt: skip
    upper = {part.name for part in above.values()}
    layers, taken = [], set[str]()
    for part in parts:
        if part.name in upper or part.name in taken:
            continue
        levels = [part]
        while (following := above.get(levels[-1].name)) is not None and following not in levels:
            levels.append(following)
        taken |= {one.name for one in levels}
        layers.append(levels)
    paths = [_path(levels) for levels in layers]
    names = [
        path if path and paths.count(path) == 1 else "+".join(part.name for part in levels)
        for path, levels in zip(paths, layers, strict=True)
    ]
    made = [_layer(name, levels) for name, levels in zip(names, layers, strict=True)]
    return made, {levels[-1].name: name for name, levels in zip(names, layers, strict=True)}


def _fits(lower: Part, upper: Part) -> bool:
    return lower.kind == upper.kind and upper.sides[0]["weight_ih"].shape[1] == lower.width


def _path(levels: Iterable[Part]) -> str:
    found = {part.path for part in levels}
    return found.pop() if len(found) == 1 else ""


def _layer(name: str, levels: Sequence[Part]) -> Layer:
    weights = {
        f"{kind}_l{level}{suffix}": array
        for level, part in enumerate(levels)
        for side, suffix in zip(part.sides, ("", "_reverse"), strict=False)
        for kind, array in side.items()
    }
    notes = dict.fromkeys(note for part in levels for note in part.notes)
    doubts = dict.fromkeys(doubt for part in levels for doubt in part.doubts)
    first = levels[0]
    return Layer(name, first.cell, weights, first.activation, tuple(notes), tuple(doubts))


def activation_of(cell: str, known: str | None, decisions: Decisions) -> tuple[str, tuple[Doubt, ...]]:
    """The activation of a layer, and what is in doubt. known: what the file says; None for nothing."""
    if CELLS[cell].activation is not None:
        return "tanh", ()
    chosen = decisions.activation
    if known is not None:
        if chosen not in (None, known):
            raise InputError(f"--activation {chosen}: the file itself says {known}.")
        return known, ()
    if chosen is not None:
        return chosen, ()
    return "tanh", (Doubt("The file does not contain the activation.", "tanh", "--activation relu"),)
