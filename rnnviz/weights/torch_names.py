"""Arrays by PyTorch's names, as a state_dict has them, sorted into recurrent layers, linear layers and embeddings.

    >>> from_names("model.npz", "NumPy", {"lstm.weight_ih_l0": …, "lstm.weight_hh_l0": …, "fc.weight": …}, Decisions())

The cell follows from the shape of weight_hh, (G*H, H): four blocks are an LSTM, three a GRU, one a simple RNN, whose
activation no array contains. Prefixes that wrappers add (DataParallel, torch.compile) are removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rnnviz.errors import InputError
from rnnviz.nn.cell_table import CELLS
from rnnviz.weights.contents import Decisions, Doubt, Embedding, Layer, Linear, Refused, WeightFile
from rnnviz.weights.stored import DTYPES, Stored, stored

_LONGEST_NAME = 500
_MOST_ARRAYS = 100_000
#: Of one array of a recurrent layer: weight_ih_l0_reverse; without a level in nn.LSTMCell and its siblings.
_OF_LAYER = re.compile(r"(?:(.*)\.)?((?:weight|bias)_(?:ih|hh|hr))(_l[0-9]{1,3}(?:_reverse)?)?\Z", re.DOTALL)
#: The same array where weight_norm and its siblings keep what it is computed from.
_COMPUTED = re.compile(
    r"(?:(.*?)\.)?(?:parametrizations\.)?(weight_(?:ih|hh)(?:_l[0-9]{1,3}(?:_reverse)?)?)"
    r"(?:_g|_v|_orig|_u|_raw|_mask|\.original[01]?)\Z",
    re.DOTALL,
)
#: Blocks in weight_hh -> cell, of PyTorch's own layers.
_BY_BLOCKS = {len(cell.blocks): name for name, cell in CELLS.items() if not cell.torch.source}
_COMPILED, _PARALLEL = "_orig_mod.", "module."


@dataclass(frozen=True)
class Module:
    """What a file says of a module beside its arrays.

    cell        of a recurrent layer; None: unknown
    activation  of a simple RNN; None: unknown
    kind        "linear", "embedding" or "" for unknown
    reason      why the layer cannot be computed rightly, in a sentence; "" if it can
    notes       in whole sentences
    """

    cell: str | None = None
    activation: str | None = None
    kind: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()


def from_names(
    path: str,
    format: str,
    arrays: Mapping[str, Any],
    decisions: Decisions,
    *,
    modules: Mapping[str, Module] | None = None,
    notes: tuple[str, ...] = (),
) -> WeightFile:
    """The content of a file.

    arrays   name -> array or Stored, in the file's order; those that are neither in a recurrent layer, nor in a linear
             layer, nor an embedding are left out
    modules  name of a module -> what the file says of it, names as in `arrays`
    """
    if len(arrays) > _MOST_ARRAYS:
        raise InputError(f"{path}: it has {len(arrays):,} arrays, more than {_MOST_ARRAYS:,}")
    is_parallel = _is_parallel(name.replace(_COMPILED, "") for name in arrays)
    arrays, known = _plain(arrays, is_parallel), _plain(modules or {}, is_parallel)
    groups: dict[str, dict[str, Any]] = {}
    computed: dict[str, str] = {}
    others: dict[str, Any] = {}
    for name, value in arrays.items():
        if len(name) > _LONGEST_NAME:
            continue
        if match := _OF_LAYER.match(name):
            groups.setdefault(match[1] or "", {})[match[2] + (match[3] or "_l0")] = value
        elif match := _COMPUTED.match(name):
            groups.setdefault(match[1] or "", {})
            computed.setdefault(match[1] or "", match[2])
        else:
            others[name] = value
    foreign = _foreign(groups, others)
    layers: list[Layer] = []
    refused: list[Refused] = []
    for prefix, group in groups.items():
        about = known.get(prefix, Module())
        if prefix in computed:
            about = Module(reason=f"its {computed[prefix]} is computed from other arrays (weight_norm or similar).")
        elif not about.reason and prefix in foreign:
            about = Module(reason=f"it also has {foreign[prefix]}, so its equations are not those of PyTorch's layers.")
        try:
            layers.append(_layer(prefix, group, about, decisions))
        except InputError as error:
            refused.append(Refused(prefix or "the file's layer", _sentence(str(error))))
    linears, embeddings = _others(others, known, layers)
    return WeightFile(path, format, tuple(layers), linears, embeddings, notes, tuple(refused))


def layer_of(name: str) -> str | None:
    """The recurrent layer that an array of this name belongs to, "" for one saved by itself; None: to none."""
    match = _OF_LAYER.match(name)
    return (match[1] or "") if match else None


def _is_parallel(names: Iterable[str]) -> bool:
    """Whether the names of all recurrent layers begin with the prefix of DataParallel."""
    layers = [name for name in names if layer_of(name) is not None]
    return bool(layers) and all(name.startswith(_PARALLEL) for name in layers)


def _plain(names: Mapping[str, Any], is_parallel: bool) -> dict[str, Any]:
    """Without the prefixes of wrappers: `_orig_mod.` anywhere, `module.` where every recurrent layer has it."""
    plain = {name.replace(_COMPILED, ""): value for name, value in names.items()}
    return {name.removeprefix(_PARALLEL): value for name, value in plain.items()} if is_parallel else plain


def _foreign(prefixes: Mapping[str, object], others: Iterable[str]) -> dict[str, str]:
    """prefix -> an array of the same module, or of one inside it, that PyTorch's recurrent layers do not have. A layer
    that was saved by itself has modules beside it."""
    found: dict[str, str] = {}
    for name in others:
        prefix = name
        while (at := prefix.rfind(".")) > 0:
            prefix = prefix[:at]
            if prefix in prefixes:
                found.setdefault(prefix, name)
        if "" in prefixes and "." not in name and name.startswith(("weight", "bias")):
            found.setdefault("", name)
    return found


def _layer(prefix: str, group: Mapping[str, Any], about: Module, decisions: Decisions) -> Layer:
    """Raises InputError with the reason for which it is refused."""
    if about.reason:
        raise InputError(about.reason)
    if any(name.startswith("weight_hr") for name in group):
        raise InputError("it has proj_size: each state is projected to fewer numbers, which rnnviz does not compute.")
    weights = {name: _checked(name, value) for name, value in group.items()}
    cell = about.cell or _cell(weights)
    no_doubts: tuple[Doubt, ...] = ()
    activation, doubts = "tanh", no_doubts
    if CELLS[cell].activation is None:
        activation, doubts = _activation(about, decisions)
    name = prefix or cell
    return Layer(name, cell, weights, activation, about.notes, doubts)


def _checked(name: str, value: Any) -> Stored:
    if isinstance(value, Stored) and value.dtype not in DTYPES:
        raise InputError(f"its {name} is stored as {value.dtype}, not as one of {', '.join(DTYPES)}.")
    return stored(value)


def _cell(weights: Mapping[str, Stored]) -> str:
    hidden = weights.get("weight_hh_l0")
    if hidden is None:
        raise InputError("its weight_hh_l0 is missing.")
    rows, columns = hidden.shape if hidden.ndim == 2 else (0, 0)
    cell = _BY_BLOCKS.get(rows // columns) if columns and rows % columns == 0 else None
    if cell is None:
        raise InputError(
            f"its weight_hh_l0 has shape {hidden.shape}; a simple RNN, GRU or LSTM of H units has (H, H), (3 H, H) "
            "or (4 H, H)."
        )
    return cell


def _activation(about: Module, decisions: Decisions) -> tuple[str, tuple[Doubt, ...]]:
    chosen = decisions.activation
    if about.activation is not None:
        if chosen not in (None, about.activation):
            raise InputError(f"--activation {chosen}: the file itself says {about.activation}.")
        return about.activation, ()
    if chosen is not None:
        return chosen, ()
    return "tanh", (Doubt("The file does not contain the activation.", "tanh", "--activation relu"),)


def _others(
    others: Mapping[str, Any], known: Mapping[str, Module], layers: list[Layer]
) -> tuple[tuple[Linear, ...], tuple[Embedding, ...]]:
    """Two-dimensional weights. A table without a bias is an embedding if it is called so, or if its vectors fit the
    input of a recurrent layer and no layer's states; if they fit both, as in a language model, it is one beside a
    linear layer of the same shape with a bias."""
    linears: list[Linear] = []
    embeddings: list[Embedding] = []
    inputs, outputs = {one.input_size for one in layers}, {one.output_size for one in layers}
    biased = {
        tuple(value.shape)
        for name, value in others.items()
        if name.endswith(".weight") and f"{name.removesuffix('weight')}bias" in others
    }
    for name, value in others.items():
        prefix, _, kind = name.rpartition(".")
        if kind != "weight" or len(value.shape) != 2 or 0 in value.shape or not _is_float(value):
            continue
        bias = others.get(f"{prefix}.bias" if prefix else "bias")
        if bias is not None and (tuple(bias.shape) != tuple(value.shape[:1]) or not _is_float(bias)):
            continue
        said = known.get(prefix, Module()).kind
        width = value.shape[1]
        is_called_so = "emb" in prefix.lower()
        fits = width in inputs and (width not in outputs or tuple(value.shape) in biased)
        if said == "embedding" or (not said and bias is None and (is_called_so or fits)):
            embeddings.append(Embedding(prefix or "embedding", value))
        else:
            linears.append(Linear(prefix or "linear", value, bias))
    return tuple(linears), tuple(embeddings)


def _is_float(value: Any) -> bool:
    return str(value.dtype) in DTYPES


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
