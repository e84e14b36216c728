"""Watch a training in Lightning: a callback that records the recurrent layers of the module that `fit` trains.

    trainer = lightning.Trainer(callbacks=[rnnviz.lightning.Watch("runs/names", every=100)])
    trainer.fit(module, loader)

    rnnviz runs/names       # in another terminal, while it trains

It is rnnviz.watch with the loss, the optimizer and the gradient scaler that Lightning has. It works with both names of
the package, lightning and pytorch_lightning.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from rnnviz.nn.spec import whole_number
from rnnviz.watching import pytorch

__all__ = ["Watch"]

_MODULES = ("lightning.pytorch", "pytorch_lightning")


def _bases() -> tuple[type, ...]:
    """Callback, of each of the two modules that is imported already; else of the one that can be."""
    imported = [sys.modules[name] for name in _MODULES if name in sys.modules]
    if not imported:
        try:
            imported = [import_module(_MODULES[0])]
        except ModuleNotFoundError as error:
            if error.name not in ("lightning", _MODULES[0]):
                raise
            imported = [import_module(_MODULES[1])]
    return tuple(module.Callback for module in imported)


class Watch(*_bases()):  # type: ignore[misc]
    """Records the recurrent layers while a Trainer fits a module; see rnnviz.watch for what, and how it is checked.

    path    the folder of the recording; see rnnviz.Recorder, which also explains limit and append
    every   record each every-th backward pass, from the first; with accumulate_grad_batches each batch has one
    keep    sequences of the batch that are written
    layers  names of the layers, as in module.named_modules(); None: all

    `fit` raises InputError before its first step if the module has no layer that can be recorded, or if the folder
    cannot be used. After that nothing is raised.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        every: int = 100,
        keep: int = 8,
        layers: Sequence[str] | None = None,
        limit: str | int = "1 GB",
        append: bool = False,
    ) -> None:
        super().__init__()
        self._path, self._layers, self._limit, self._append = path, layers, limit, append
        self._every, self._keep = whole_number("every", every, low=1), whole_number("keep", keep, low=1)
        self._watch: pytorch.Watch | None = None
        self._loss: Any = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        optimizers = trainer.optimizers
        self._watch = pytorch.watch(
            pl_module,
            self._path,
            self._every,
            self._keep,
            self._layers,
            self._limit,
            self._append,
            optimizer=optimizers[0] if len(optimizers) == 1 else None,
            scaler=getattr(trainer.precision_plugin, "scaler", None),
        )
        self._append = True  # for another fit

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        self._loss = loss.detach()

    def on_after_backward(self, trainer: Any, pl_module: Any) -> None:
        if self._watch is not None:
            self._watch.step(self._loss)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        self._close()

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        self._close()

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = self._loss = None
