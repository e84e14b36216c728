"""A value that a learner's function returned, as its process describes it (child.py), and as an array."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rnnviz.nn.types import Array
from rnnviz.workshop.mistakes import same


class Value(NamedTuple):
    """array   its numbers; None if it has none that could be compared
    wrong   what is wrong with its form, in words that follow its name: "is None: …"; "" if nothing is
    as_if   the mistake that gives this form
    """

    array: Array | None
    wrong: str = ""
    as_if: str = ""


UNWRITTEN = Value(None, "is not written yet")


def value(described: Mapping[str, Any], exact: Array) -> Value:
    """The value, and whether its form is that of the exact one. Raises KeyError, TypeError or ValueError for a
    description that is none."""
    kind = described["kind"]
    if kind == "unwritten":
        return UNWRITTEN
    if kind == "None":
        return Value(None, "is None: nothing was computed, or a function in it returns nothing")
    if kind == "dict":
        return Value(None, "is a dict, and should be an array")
    if kind == "other":
        return Value(None, f"is a {str(described['type'])[:40]}, and should be an array of numbers")
    shape = tuple(int(n) for n in described["shape"])
    if described["numbers"] is None:
        return Value(None, f"has the shape {_shape(shape)}, and should have {_shape(exact.shape)}")
    if math.prod(shape) != len(described["numbers"]):
        raise ValueError("numbers and shape do not fit")
    array = np.array(described["numbers"], dtype=np.float64).reshape(shape)
    if exact.shape == () and array.size == 1:
        array = array.reshape(())
    if array.shape != exact.shape:
        return Value(None, _wrong_shape(array, exact), _transposed(array, exact))
    return Value(array, _wrong_dtype(str(described["dtype"]), array, exact))


def _wrong_dtype(dtype: str, array: Array, exact: Array) -> str:
    """Of an array of the right shape: numbers that were rounded."""
    if same(array, exact):
        return ""
    if dtype in ("float32", "float16") and same(array, exact, 1e-5 if dtype == "float32" else 1e-2):
        digits = "7" if dtype == "float32" else "3"
        return f"is right to {digits} digits only: it has the dtype {dtype}, and should have float64"
    if dtype.startswith(("int", "uint", "bool")) and array.size > 1:
        return (
            f"has whole numbers only: an array of dtype {dtype} cuts off what is behind the point. Make it with "
            "np.zeros(…) of floats"
        )
    return ""


def _wrong_shape(array: Array, exact: Array) -> str:
    """`has the shape (3, 1), and should have (3,)`, with a reason that is certain."""
    text = f"has the shape {_shape(array.shape)}, and should have {_shape(exact.shape)}"
    if array.size == exact.size and same(array.reshape(-1), exact.reshape(-1)):
        return f"{text}. Its numbers are right: remove the additional axis"
    if exact.ndim and array.ndim == exact.ndim and array.shape[1:] == exact.shape[1:]:
        missing = exact.shape[0] - array.shape[0]
        for part, which in ((exact[1:], "first"), (exact[:-1], "last")):
            if missing == 1 and same(array, part):
                return f"{text}. The {which} row is missing"
    if array.size == 1:
        return f"{text}. It is one number: @ of two vectors, or a sum, makes one of many"
    return text


def _transposed(array: Array, exact: Array) -> str:
    if array.ndim == 2 and array.T.shape == exact.shape:
        return "it were transposed" if same(array.T, exact) else ""
    return ""


def _shape(shape: tuple[int, ...]) -> str:
    return str(shape) if shape else "of one number, ()"
