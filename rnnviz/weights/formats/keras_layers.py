"""Layers of Keras from a config and the arrays of each, in our layout.

An array of Keras belongs to a layer by class and order: two GRUs named "encoder" and "decoder" are stored as `gru` and
`gru_1`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rnnviz.errors import InputError
from rnnviz.nn import keras_layout
from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.contents import Decisions, Embedding, Linear, Refused, WeightFile
from rnnviz.weights.formats.keras_config import ACTIVATIONS, Entry, function, mapping, source_of, text
from rnnviz.weights.parts import Part, activation_of, joined
from rnnviz.weights.stored import DTYPES, Stored

#: Keras' own classes of recurrent layers and cells -> our name of the cell.
CELLS_OF = {
    f"{cell.keras.layer}{suffix}": name
    for name, cell in CELLS.items()
    if not cell.keras.source
    for suffix in ("", "Cell")
}
#: A class whose name contains one of these is taken for recurrent: ConvLSTM2D.
_WORDS = tuple(cell.keras.layer for cell in CELLS.values() if not cell.keras.source)
_MASKS = "Keras skips masked steps; here every step of a sequence is read, so leave the padding out."


class Store(Protocol):
    """Where the arrays of a model's layers are."""

    def arrays(self, entry: Entry) -> list[Stored]:
        """Of a layer in the order of its get_weights(); [] if there are none."""

    def inside(self, entry: Entry) -> Store:
        """That of a model within the model."""


@dataclass
class _Collected:
    parts: list[Part] = field(default_factory=list)
    linears: list[tuple[Linear, str | None]] = field(default_factory=list)  # and the part that it reads
    embeddings: list[Embedding] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)


def weight_file(path: str, format: str, layers: Sequence[Entry], store: Store, decisions: Decisions) -> WeightFile:
    """The content of a file. layers: those of the model's config."""
    found = _Collected()
    names = [entry.name for entry in _all(layers)]
    _collect(layers, store, decisions, found, {name for name in names if names.count(name) > 1})
    joint, names_of = joined(found.parts)
    for linear, part in found.linears:
        linear.reads = part if part is None else names_of.get(part, "")
    linears = tuple(linear for linear, _ in found.linears)
    notes, refused = tuple(found.notes), tuple(found.refused)
    return WeightFile(path, format, tuple(joint), linears, tuple(found.embeddings), notes, refused)


def _all(layers: Sequence[Entry]) -> Iterator[Entry]:
    for entry in layers:
        yield entry
        yield from _all(entry.inside)


def _collect(
    layers: Sequence[Entry], store: Store, decisions: Decisions, found: _Collected, ambiguous: set[str]
) -> None:
    by_name = {entry.name: entry for entry in layers}
    for entry in layers:
        name = "/".join(entry.path) if entry.name in ambiguous else entry.name
        if entry.inside:
            _collect(entry.inside, store.inside(entry), decisions, found, ambiguous)
        elif _is_recurrent(entry):
            try:
                below = source_of(entry, by_name)
                found.parts += _parts(name, entry, store.arrays(entry), decisions, _hands_on(below))
            except InputError as error:
                found.refused.append(Refused(name, str(error)))
        elif entry.is_own and entry.class_name == "Embedding":
            tables = [array for array in store.arrays(entry) if array.ndim == 2 and array.dtype in DTYPES]
            found.embeddings += [Embedding(name, tables[0])] if len(tables) == 1 else []
            if entry.config.get("mask_zero") is True:
                found.notes[f"{name} masks step 0 (mask_zero). {_MASKS}".replace("step 0", "the index 0")] = None
        elif entry.is_own and entry.class_name == "Masking":
            found.notes[f"{name} masks steps. {_MASKS}"] = None
        elif entry.is_own:
            _dense(name, entry, store, found, _read_by(entry, by_name, found.parts))


def _read_by(entry: Entry, by_name: Mapping[str, Entry], parts: Sequence[Part]) -> str | None:
    """The part whose states a layer reads; "" for other numbers, None if it is not known."""
    below = source_of(entry, by_name)
    if below is None or below.inside:
        return None
    own = [part.name for part in parts if part.name == below.name or part.name.startswith(f"{below.name}/")]
    return own[-1] if own and _is_recurrent(below) else ""


def _dense(name: str, entry: Entry, store: Store, found: _Collected, reads: str | None) -> None:
    class_name, config = entry.class_name, entry.config
    if class_name == "TimeDistributed":
        class_name, config = text(mapping(config, "layer"), "class_name"), mapping(mapping(config, "layer"), "config")
    if class_name != "Dense":
        return
    arrays = store.arrays(entry)
    linear = linear_of(name, arrays)
    if linear is None or (len(arrays) == 2) != (config.get("use_bias", True) is True):
        return
    found.linears.append((linear, reads))
    activation = function(config.get("activation"))
    if activation != "linear":
        found.notes[f"{name} applies {activation} to its sums; as a readout it gives the sums."] = None


def linear_of(name: str, arrays: Sequence[Stored]) -> Linear | None:
    """From kernel (I, O) and perhaps a bias (O,); None for other arrays."""
    if not arrays or len(arrays) > 2 or any(array.dtype not in DTYPES for array in arrays):
        return None
    kernel, *bias = arrays
    if kernel.ndim != 2 or 0 in kernel.shape or (bias and bias[0].shape != kernel.shape[1:]):
        return None
    weight = Stored(kernel.shape[::-1], kernel.dtype, lambda: kernel.load().T)
    return Linear(name, weight, bias[0] if bias else None)


# -- recurrent layers -------------------------------------------------------------------------------------------------


def _is_recurrent(entry: Entry) -> bool:
    if entry.class_name == "Bidirectional":
        return entry.is_own
    return bool(mapping(entry.config, "cell")) or any(word in entry.class_name for word in _WORDS)


def _hands_on(entry: Entry | None) -> str | None:
    """The name of a recurrent layer if all of its states, both directions side by side, are what it gives."""
    if entry is None or not _is_recurrent(entry):
        return None
    config = entry.config
    if entry.class_name == "Bidirectional":
        if config.get("merge_mode", "concat") != "concat":
            return None
        config = mapping(mapping(config, "layer"), "config")
    return entry.name if config.get("return_sequences") is True else None


@dataclass(frozen=True)
class _Cell:
    """A cell in a config, and what of its layer matters."""

    class_name: str
    config: Mapping[str, Any]

    @property
    def biases(self) -> bool:
        return self.config.get("use_bias", True) is True

    @property
    def name(self) -> str:
        return CELLS_OF[self.class_name]

    def refusal(self) -> str:
        """Why it cannot be computed rightly; "" if it can."""
        if self.class_name not in CELLS_OF:
            return f"its class, {self.class_name}, is not one that rnnviz computes: {', '.join(_WORDS)}."
        about = CELLS[self.name]
        activation = function(self.config.get("activation", "tanh"))
        allowed = ("tanh",) if about.activation is not None else tuple(ACTIVATIONS)
        if activation not in allowed:
            return f"its activation is {activation}, not {' or '.join(allowed)}."
        if about.gates:
            gate = function(self.config.get("recurrent_activation", "hard_sigmoid"))
            if gate != "sigmoid":
                return f"its recurrent_activation is {gate}, not sigmoid."
        if about.has_reset and self.config.get("reset_after", False) is not True:
            return RESET_BEFORE
        return ""


RESET_BEFORE = "it was made with reset_after=False, another equation: the reset gate acts before the product with W_hh."


def _parts(name: str, entry: Entry, arrays: Sequence[Stored], decisions: Decisions, below: str | None) -> list[Part]:
    """The levels of one layer of Keras. Raises InputError with the reason if it cannot be computed rightly."""
    if not entry.is_own:
        raise InputError(f"its class, {entry.class_name}, is the program's own, so its equations are not known.")
    sides, notes = _sides(entry)
    if len(entry.inputs) > 1:
        below = None
        notes.append("Another layer gives its first states; here they are 0 unless you give others.")
    cells = [cell for side in sides for cell in side]
    for cell in cells:
        if reason := cell.refusal():
            raise InputError(reason)
    if len(sides) > 1 and len({(c.name, function(c.config.get("activation")), c.biases) for c in cells}) > 1:
        raise InputError("its directions differ in cell, activation or bias.")
    wanted = sum(3 if cell.biases else 2 for cell in cells)
    if len(arrays) != wanted:
        raise InputError(f"the file has {len(arrays)} arrays for it, but its config describes {wanted}.")
    of_cells, at = [], 0
    for cell in cells:
        count = 3 if cell.biases else 2
        of_cells.append(side_of(cell.name, arrays[at : at + count]))
        at += count
    if len(sides) > 1:
        of_levels = [(cells[0], tuple(of_cells))]
    else:
        of_levels = [(cell, (side,)) for cell, side in zip(cells, of_cells, strict=True)]
    parts: list[Part] = []
    for level, (cell, of_level) in enumerate(of_levels):
        known = ACTIVATIONS.get(function(cell.config.get("activation", "tanh")))
        activation, doubts = activation_of(cell.name, known, decisions)
        own = f"{name}/{text(cell.config, 'name') or level}" if len(of_levels) > 1 else name
        last = parts[-1].name if parts else below
        path = name if len(of_levels) > 1 else ""
        parts.append(Part(own, cell.name, of_level, activation, tuple(notes), doubts, last, path))
    return parts


def _sides(entry: Entry) -> tuple[list[list[_Cell]], list[str]]:
    """The cells of each direction, and what a person should know."""
    config, notes = entry.config, list[str]()
    if entry.class_name != "Bidirectional":
        if config.get("go_backwards") is True:
            raise InputError("it reads a sequence from the end to the beginning alone (go_backwards).")
        return [_cells(entry.class_name, config)], notes + _notes(config)
    forward = mapping(config, "layer")
    backward = mapping(config, "backward_layer")
    turned = {**mapping(forward, "config"), "go_backwards": True}
    backward = backward or {"class_name": forward.get("class_name"), "config": turned}
    pair = [(text(one, "class_name"), mapping(one, "config")) for one in (forward, backward)]
    if [one.get("go_backwards") is True for _, one in pair] != [False, True]:
        raise InputError("its two layers do not read from the beginning and from the end.")
    sides = [_cells(*one) for one in pair]
    if any(len(side) != 1 for side in sides):
        raise InputError("its directions have stacked cells, which do not read each other's other direction.")
    merge = config.get("merge_mode", "concat")
    if merge != "concat":
        notes.append(f"Keras merges both directions (merge_mode={merge!r:.20}); here they are side by side.")
    elif pair[0][1].get("return_sequences") is not True:
        notes.append(
            "Keras hands on the last state of each direction, the backward one that of step 1; here each step has both."
        )
    return sides, notes + _notes(pair[0][1])


def _cells(class_name: str, config: Mapping[str, Any]) -> list[_Cell]:
    cell = mapping(config, "cell")
    if not cell:
        return [_Cell(class_name, config)]
    listed = mapping(cell, "config").get("cells") if text(cell, "class_name") == "StackedRNNCells" else [cell]
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not found:
        raise InputError("its config does not describe its cell.")
    return [_Cell(text(one, "class_name"), mapping(one, "config")) for one in found]


def _notes(config: Mapping[str, Any]) -> list[str]:
    notes = []
    if config.get("stateful") is True:
        notes.append("It is stateful: Keras begins a batch with the last states of the one before, rnnviz with 0.")
    policy = config.get("dtype")
    dtype = policy if isinstance(policy, str) else text(mapping(policy, "config"), "name")
    if "float16" in dtype:
        notes.append(f"Keras computes it in {dtype.removeprefix('mixed_')}, rnnviz with full precision.")
    return notes


def side_of(cell: str, arrays: Sequence[Stored]) -> dict[str, Stored]:
    """kernel, recurrent kernel and perhaps a bias, in our layout, each read when it is used. Raises InputError for
    arrays that are not those of the cell."""
    if any(array.dtype not in DTYPES for array in arrays):
        raise InputError("its arrays are not stored as floating-point numbers.")
    (kernel, recurrent, *biases), blocks = arrays, len(CELLS[cell].blocks)
    H = recurrent.shape[0] if recurrent.ndim == 2 else 0
    shapes = ", ".join(str(array.shape) for array in arrays)
    if not H or recurrent.shape != (H, blocks * H) or kernel.ndim != 2 or kernel.shape[1] != blocks * H:
        raise InputError(f"its arrays have the shapes {shapes}, not those of {CELLS[cell].noun}.")

    def matrix(array: Stored) -> Stored:
        return Stored(array.shape[::-1], array.dtype, lambda: keras_layout.matrix_to_ours(cell, array.load()))

    side = {"weight_ih": matrix(kernel), "weight_hh": matrix(recurrent)}
    for array in biases:
        rows = 2 if CELLS[cell].has_reset else 1
        if array.shape != ((2, blocks * H) if rows == 2 else (blocks * H,)):
            if rows == 2 and array.shape == (blocks * H,):
                raise InputError(RESET_BEFORE)
            raise InputError(f"its arrays have the shapes {shapes}, not those of {CELLS[cell].noun}.")
        for row, kind in zip(range(rows), ("bias_ih", "bias_hh"), strict=False):
            side[kind] = _bias(cell, array, row)
    return side


def _bias(cell: str, array: Stored, row: int) -> Stored:
    return Stored(array.shape[-1:], array.dtype, lambda: keras_layout.biases_to_ours(cell, array.load())[row])
