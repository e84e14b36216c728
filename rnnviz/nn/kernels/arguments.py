"""The arguments of every entry: the one table against which callers, C functions and kernels are checked.

    signatures("lstm", "float64")["update"].pack({"rule": 0, "params": w, …})      bytes for C, or ArgumentError

The C functions are generated from it (c_api.py), the kernels' parameters are compared with it when they are compiled,
and what a caller passes is compared with it at every call, by name. Does not import numba.

An axis is a size by name (T steps, B sequences, I inputs, H units, O outputs, G blocks of H rows, R rows and D columns
of W_hh, P parameters, N sequences of data), or a formula: "T+1", "G*H". All arrays of a call must agree on them.
"panels_size..." means at least that size of buffer_sizes.py.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn.cell import Cell
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.kernels.buffer_sizes import Plan, Rates, make_plan
from rnnviz.nn.spec import LOSSES, ModelSpec
from rnnviz.nn.types import Array


class ArgumentError(TypeError):
    """An array that a kernel would misread, or write where it must not."""


class Argument(NamedTuple):
    """An array, or what is passed by value: "int" a number, "plan" the numbers of a Plan."""

    name: str
    dtype: str  # "model" (the model's), "float64", "int64", "bool"; "int", "plan"
    axes: str = ""
    writes: bool = False  # filled, changed, or scratch
    when: str = ""  # needed where the cell has it (optional), or by this loss; elsewhere it is None


def optional(cell: Cell) -> frozenset[str]:
    """Of the arguments that only some cells have, those of this cell."""
    has = {
        "c": cell.has_cell_state,
        "gates": bool(cell.gates),
        "extra": cell.has_cell_state or cell.has_reset,
    }
    return frozenset(name for name, here in has.items() if here)


_ACTIVATION = Argument("activation", "int")
_WEIGHTS = (
    Argument("W_ih", "model", "G*H I"),
    Argument("W_hh", "model", "R D"),  # (G*H, H), (0, H) or, of a diagonal recurrence, a few rows: Cell.hh_shape
    Argument("b_ih", "model", "G*H"),
    Argument("b_hh", "model", "G*H"),
)
_PANELS = Argument("panels", "model", "panels_size...", writes=True)
_SCRATCH = (
    _PANELS,
    Argument("room", "model", "room_size...", writes=True),
    Argument("step", "model", "step_size...", writes=True),
)
_RUN = (
    Argument("x", "model", "T B I"),
    Argument("h", "model", "T+1 B H"),
    Argument("c", "model", "T+1 B H", when="c"),
    Argument("pre", "model", "T B G*H"),
    Argument("gates", "model", "T B G*H", when="gates"),
    Argument("extra", "model", "T B H", when="extra"),
)
_RATES = Argument("rates", "float64", str(len(Rates._fields)))
_VECTORS = tuple(Argument(name, "model", "P", writes=True) for name in ("params", "grads", "first", "second"))

#: entry -> its arguments, in order.
ENTRIES: dict[str, tuple[Argument, ...]] = {
    # run.h[0] and run.c[0] are given, the rest is filled
    "forward": (_ACTIVATION, *_WEIGHTS, *_SCRATCH, _RUN[0], *(one._replace(writes=True) for one in _RUN[1:])),
    "backward": (
        *(_ACTIVATION, *_WEIGHTS, *_SCRATCH, *_RUN),
        Argument("grad_h", "model", "T+1 B H", writes=True),  # [1:] holds what reaches h_t from above
        Argument("grad_c", "model", "T+1 B H", writes=True, when="c"),
        Argument("grad_pre", "model", "T B G*H", writes=True),
        Argument("grad_rec", "model", "T B G*H", writes=True),  # grad_pre again, except in a gru
        *(one._replace(name=f"grad_{one.name}", writes=True) for one in _WEIGHTS),
    ),
    "triangle": (
        *(_ACTIVATION, Argument("W_hh", "model", "M H"), _PANELS, *_RUN),  # as a full matrix: nn.equations.in_full
        Argument("direct", "model", "T B H"),  # ∂L_k/∂h_k of every step k
        Argument("steps", "int64", "K"),  # the steps k that carry loss, latest first
        Argument("grad_h", "model", "K B H", writes=True),
        Argument("grad_c", "model", "K B H", writes=True),
        Argument("out", "model", "K B G*H", writes=True),
        Argument("norms", "float64", "T+1 T+1", writes=True),
    ),
    "train": (
        *(Argument("plan", "plan"), Argument("updates", "int"), Argument("positions", "int"), _RATES, *_VECTORS),
        Argument("x", "model", "N T I"),
        Argument("targets", "model", "N T O", when="mse"),
        Argument("classes", "int64", "N T", when="cross_entropy"),
        Argument("mask", "bool", "N T"),
        Argument("order", "int64", "batches B"),
        Argument("work", "model", "work_size...", writes=True),
        Argument("out", "float64", "batches", writes=True),
    ),
    "update": (Argument("rule", "int"), Argument("updates", "int"), _RATES, *_VECTORS),
}

_CONTIGUOUS, _WRITEABLE = 0x1, 0x400  # NPY_ARRAY_C_CONTIGUOUS and NPY_ARRAY_WRITEABLE of NumPy's C API
_MOST_REMEMBERED = 1000
_BYTE: Any = ctypes.c_char
_AXES = {"steps": "T", "batch_size": "B", "inputs": "I", "hidden": "H"}


class Signature:
    """The arguments of one entry for one cell and dtype."""

    def __init__(self, entry: str, cell: str, dtype: str) -> None:
        self.entry, self.arguments = entry, ENTRIES[entry]
        self._cell, self._gates, self._has = cell, len(CELLS[cell].blocks), optional(CELLS[cell])
        self._blocks = {"G": self._gates}
        self._rows = list[
            tuple[Argument, Any, int, Any]
        ]()  # with its dtype, its flags and the array that replaces None
        for argument in self.arguments:
            kind = nothing = None
            if argument.dtype not in ("int", "plan"):
                kind = np.dtype(dtype if argument.dtype == "model" else argument.dtype)
                nothing = np.zeros((1,) * len(argument.axes.split()), kind)
            flags = _CONTIGUOUS | (_WRITEABLE if argument.writes else 0)
            self._rows.append((argument, kind, flags, nothing))
        self._fitting: set[tuple[Any, ...]] = set()

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """What the entry takes, in order and checked; a small array for what this cell or loss does not have.

        Raises ArgumentError. Which sizes fit together is remembered, so that a call costs some microseconds.
        """
        values, sizes = list[Any](), list[Any]()
        for argument, kind, flags, nothing in self._rows:
            if argument.name not in given:
                raise self._error(argument, "is missing")
            value: Any = given[argument.name]
            if kind is None:
                if type(value) is not (Plan if argument.dtype == "plan" else int):
                    raise self._error(argument, f"is a {type(value).__name__}, expected {argument.dtype}")
                if isinstance(value, Plan):
                    sizes.append(value)
            elif value is None:
                value = nothing
                sizes.append(None)
            else:
                if type(value) is not np.ndarray:
                    raise self._error(argument, f"is a {type(value).__name__}, expected an array")
                if value.dtype is not kind and value.dtype != kind:
                    raise self._error(argument, f"is {value.dtype}, expected {kind}")
                if value.flags.num & flags != flags:
                    wrong = "writeable" if value.flags.c_contiguous else "C-contiguous"
                    raise self._error(argument, f"is not {wrong}")
                sizes.append(value.shape)
            values.append(value)
        if len(given) != len(values):
            unknown = sorted(given.keys() - {argument.name for argument in self.arguments})
            raise ArgumentError(f"kernel {self.entry}: {', '.join(unknown)} unknown")
        if (key := tuple(sizes)) not in self._fitting:
            self._check_sizes(given)
            if len(self._fitting) >= _MOST_REMEMBERED:
                self._fitting.clear()
            self._fitting.add(key)
        return values

    def pack(self, given: Mapping[str, Any]) -> bytes:
        """The int64 table of a C entry: of each array its address and then its shape, of an int or Plan its numbers.
        The arrays must outlive the call."""
        words = list[int]()
        for value in self.values(given):
            kind = type(value)
            if kind is np.ndarray:
                words.append(_address(value))
                words.extend(value.shape)
            elif kind is int:
                words.append(value)
            else:
                words.extend(value)
        return struct.pack(f"{len(words)}q", *words)

    def _check_sizes(self, given: Mapping[str, Any]) -> None:
        plan: Plan | None = given.get("plan")
        sizes = dict(self._blocks) if plan is None else self._planned(plan)
        has = self._has if plan is None else self._has | {LOSSES[plan.loss]}
        arrays = list[tuple[Argument, Array]]()
        for argument in self.arguments:
            value = given[argument.name]
            used = not argument.when or argument.when in has
            if used != (value is not None):
                raise self._error(argument, "is missing" if used else "is not used here, expected None")
            if isinstance(value, np.ndarray):
                axes = argument.axes.split()
                if len(axes) != value.ndim:
                    raise self._misfit(argument, value, sizes)
                for axis, size in zip(axes, value.shape, strict=True):
                    if axis.isalpha():
                        sizes.setdefault(axis, size)
                arrays.append((argument, value))
        if "I" in sizes and plan is None:
            room = {"outputs": 1, "layers": 1, "gates": self._gates, "biases": 1}
            sizes |= make_plan(**room, **{name: sizes[axis] for name, axis in _AXES.items()})._asdict()
        if "H" in sizes:
            about = CELLS[self._cell]
            sizes["R"], sizes["D"] = about.hh_shape(sizes["H"])
            sizes["M"] = len(about.blocks) * sizes["H"] if about.recurrent else 0
        for argument, value in arrays:
            for axis, size in zip(argument.axes.split(), value.shape, strict=True):
                wanted = _size(axis, sizes)
                if size != wanted and not (axis.endswith("...") and size > wanted):
                    raise self._misfit(argument, value, sizes)

    def _planned(self, plan: Plan) -> dict[str, int]:
        """The sizes that a Plan promises. Raises ArgumentError if it is another cell's, or its room is too small."""
        names = list(signature(make_plan).parameters)
        made = make_plan(**{name: getattr(plan, name) for name in names} | {"gates": self._gates})
        try:
            spec = ModelSpec(self._cell, plan.inputs, plan.hidden, plan.outputs, plan.layers, biases=plan.biases)
            sizes = {"P": spec.parameter_count, "O": plan.outputs, "work_size": plan.work_size, **self._blocks}
        except InputError:
            sizes = {}
        if plan != made or not sizes or plan.loss not in range(len(LOSSES)):
            raise ArgumentError(f"kernel {self.entry}: {plan} is not a plan for this cell")
        return sizes | {axis: getattr(plan, name) for name, axis in _AXES.items()}

    def _misfit(self, argument: Argument, value: Array, sizes: Mapping[str, int]) -> ArgumentError:
        axes = argument.axes.split()
        known = [all(n in sizes or n.isdigit() for n in _factors(axis)) for axis in axes]
        wanted = [str(_size(axis, sizes)) if here else "any" for axis, here in zip(axes, known, strict=True)]
        return self._error(argument, f"has shape {value.shape}, expected ({', '.join(axes)}) = ({', '.join(wanted)})")

    def _error(self, argument: Argument, problem: str) -> ArgumentError:
        return ArgumentError(f"kernel {self.entry}: {argument.name} {problem}")


def entries_of(cell: str) -> tuple[str, ...]:
    """The entries of a cell: where the recurrence is a diagonal, the triangle is NumPy's (numba_engine.py)."""
    return tuple(entry for entry in ENTRIES if entry != "triangle" or CELLS[cell].diagonal is None)


def signatures(cell: str, dtype: str) -> dict[str, Signature]:
    return {entry: Signature(entry, cell, dtype) for entry in entries_of(cell)}


def check_parameters(entry: str, function: Callable[..., Any]) -> None:
    """Raises TypeError unless the parameters of a kernel are the entry's arguments, in order."""
    code = getattr(function, "py_func", function).__code__
    names = tuple(argument.name for argument in ENTRIES[entry])
    found = code.co_varnames[: code.co_argcount]
    if found != names:
        raise TypeError(f"the kernel of {entry} takes {', '.join(found)}; its table says {', '.join(names)}")


def _factors(axis: str) -> list[str]:
    return axis.removesuffix("...").partition("+")[0].split("*")


def _size(axis: str, sizes: Mapping[str, int]) -> int:
    more = int(axis.partition("+")[2] or 0)
    return more + math.prod(int(name) if name.isdigit() else sizes[name] for name in _factors(axis))


def _address(array: Array) -> int:
    """The address of the first number. For a writeable array the buffer protocol is four times as fast."""
    if array.size and array.flags.writeable:
        address: int = ctypes.addressof(_BYTE.from_buffer(array))
        return address
    address = array.__array_interface__["data"][0]
    return address
