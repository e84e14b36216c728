"""Data: sequences to train on, checked when they are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.errors import InputError
from rnnviz.nn import carry, checks, losses
from rnnviz.nn.spec import ModelSpec, one_of
from rnnviz.nn.types import Array, ReadOnly


@dataclass(frozen=True, eq=False)
class Data(ReadOnly):
    """N sequences of T steps, sample-major.

    x          (N, T, I)
    targets    "mse": (N, T, O); "cross_entropy": whole class numbers (N, T)
    loss_mask  (N, T) bool: the steps that carry loss; None: every step. At least one in each sequence
    loss       "mse" or "cross_entropy"
    previous   (N,): the earlier sequence that each one continues, from whose last state it begins; -1: it begins from
               zeros. None: all begin from zeros. See carry.py
    read       (N, T) bool: the steps that are read, see masked.py; None: all

    Raises InputError for wrong shapes, and for nan or inf at a step that carries loss.
    """

    x: Array
    targets: Array
    loss_mask: Array | None = None
    loss: str = "mse"
    previous: Array | None = None
    read: Array | None = None

    def __post_init__(self) -> None:
        one_of("loss", self.loss, losses.LOSSES)
        given_x = checks.as_array("x", self.x, "real numbers of shape (N, T, input_size)")
        dtype = "float32" if given_x.dtype == np.float32 else "float64"
        x = checks.numbers("x", given_x, (None, None, None), "(N, T, input_size)", dtype)
        N, T = x.shape[:2]
        mask = np.ones((N, T), bool) if self.loss_mask is None else self.loss_mask
        mask = checks.as_array("loss_mask", mask, "True and False of shape (N, T)", kinds="b")
        checks.fit_shape("loss_mask", mask, (N, T), "(N, T)")
        if not mask.any(axis=1).all():
            bare = int(np.flatnonzero(~mask.any(axis=1))[0])
            raise InputError(f"loss_mask: sequence {bare} carries no loss; each needs at least one step")
        if self.loss == "mse":
            given: Any = checks.numbers("targets", self.targets, (N, T, None), "(N, T, output_size)", dtype, False)
            targets = checks.numbers("targets", np.where(mask[..., None], given, 0), given.shape, "", dtype)
        else:
            targets = checks.classes("targets", self.targets, mask, None, "(N, T)")
            if targets.min() < 0:
                raise InputError("targets: class numbers start at 0")
        arrays = [("x", x), ("targets", targets), ("loss_mask", np.ascontiguousarray(mask))]
        if self.previous is not None:
            given = checks.as_array("previous", self.previous, "whole numbers of shape (N,)", kinds="iu")
            arrays.append(("previous", carry.checked(given, N)))
        if self.read is not None:
            read = checks.as_array("read", self.read, "True and False of shape (N, T)", kinds="b")
            checks.fit_shape("read", read, (N, T), "(N, T)")
            arrays.append(("read", np.ascontiguousarray(read)))
        for name, array in arrays:
            view = array.view()  # read-only here; the caller may still write to the array
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.x)

    @property
    def mask(self) -> Array:
        """(N, T) bool: loss_mask, always an array."""
        assert self.loss_mask is not None
        return self.loss_mask

    def select(self, which: Any) -> Data:
        """A part of the sequences, by slice or by an array of numbers."""
        previous = None if self.previous is None else carry.of_part(self.previous, which)
        read = None if self.read is None else self.read[which]
        return Data(self.x[which], self.targets[which], self.mask[which], self.loss, previous, read)

    def time_major(self, which: Array | slice) -> tuple[Array, Array, Array]:
        """(T, B, ...) copies of x, targets and mask of some sequences, as an engine needs them."""
        x, targets, mask = self.x[which], self.targets[which], self.mask[which]
        return (
            np.ascontiguousarray(x.swapaxes(0, 1)),
            np.ascontiguousarray(targets.swapaxes(0, 1)),
            np.ascontiguousarray(mask.swapaxes(0, 1)),
        )

    def read_by(self, which: Array | slice) -> Array | None:
        """(T, B): the steps of some sequences that are read, as an engine needs it; None: all."""
        return None if self.read is None else np.ascontiguousarray(self.read[which].swapaxes(0, 1))

    def fitted(self, spec: ModelSpec, what: str = "data") -> Data:
        """This data in the model's precision; raises InputError if its sizes do not fit the model's."""
        if self.x.shape[2] != spec.input_size:
            raise InputError(f"{what}: x has {self.x.shape[2]} inputs per step, the model reads {spec.input_size}")
        if self.loss == "mse" and self.targets.shape[2] != spec.output_size:
            raise InputError(f"{what}: targets have {self.targets.shape[2]} values, the model {spec.output_size}")
        if self.loss == "cross_entropy" and self.targets.max() >= spec.output_size:
            raise InputError(f"{what}: class {self.targets.max()} needs more than {spec.output_size} outputs")
        if self.x.dtype == spec.dtype:
            return self
        targets = self.targets if self.loss == "cross_entropy" else self.targets.astype(spec.dtype)
        return Data(self.x.astype(spec.dtype), targets, self.mask, self.loss, self.previous, self.read)
