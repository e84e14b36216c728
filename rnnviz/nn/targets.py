"""Targets of one pass, and which of its steps carry loss: checked, and in the shape that a loss reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnnviz.errors import InputError, short_repr
from rnnviz.nn import checks
from rnnviz.nn.spec import one_of
from rnnviz.nn.types import Array


def loss_mask(loss_at: Any, T: int, B: int) -> Array:
    """`loss_at` as a bool array (T, B): "every", "last", step numbers 1..T, or such an array."""
    mask = np.zeros((T, B), bool)
    if isinstance(loss_at, str):
        one_of("loss_at", loss_at, ("every", "last"))
        mask[-1 if loss_at == "last" else slice(None)] = True
        return mask
    wanted = f"'every', 'last', step numbers 1..{T} or a bool array (T, B)"
    try:
        given = checks.as_array("loss_at", loss_at, "steps")
    except InputError:
        raise InputError(f"loss_at: {short_repr(loss_at)} is not {wanted}") from None
    if given.dtype == bool:
        checks.fit_shape("loss_at", given, (T, B), "(T, B)")
        if not given.any():
            raise InputError("loss_at: no step carries loss; at least one position must be True")
        return given.copy()
    if given.ndim != 1 or given.dtype.kind not in "iu" or not given.size or given.min() < 1 or given.max() > T:
        raise InputError(f"loss_at: {short_repr(loss_at)} is not {wanted}")
    mask[given.astype(int) - 1] = True
    return mask


def checked_targets(loss: str, targets: Any, mask: Array, outputs: int, loss_at: Any) -> Array:
    """Targets as a loss reads them: (T, B, O) numbers, 0 where none are judged, or (T, B) class numbers."""
    T, B = mask.shape
    only_last = isinstance(loss_at, str) and loss_at == "last"
    targets = checks.as_array("targets", targets, "numbers")
    if loss != "cross_entropy":
        if only_last and targets.ndim == 2:
            last = checks.numbers("targets", targets, (B, outputs), "(B, output_size)", "float64")
            full = np.zeros((T, B, outputs))
            full[-1] = last
            return full
        full = checks.numbers("targets", targets, (T, B, outputs), "(T, B, output_size)", "float64", finite=False)
        return checks.numbers("targets", np.where(mask[..., None], full, 0.0), full.shape, "", "float64")
    if only_last and targets.ndim == 1:
        last = checks.classes("targets", targets, mask[-1], outputs, "(B,)")
        targets = np.concatenate([np.zeros((T - 1, B), int), last[None]])
    return checks.classes("targets", targets, mask, outputs, "(T, B)")
