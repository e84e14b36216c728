"""rnnviz.lightning.Watch under a Trainer of either module: argv[1], lightning.pytorch or pytorch_lightning."""

from __future__ import annotations

import importlib
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from checks import run
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

L = importlib.import_module(os.environ["LIGHTNING"])
import rnnviz  # noqa: E402
import rnnviz.lightning  # noqa: E402
from rnnviz.recordings.recording import Recording  # noqa: E402

warnings.filterwarnings("ignore")
logging.getLogger(os.environ["LIGHTNING"]).setLevel(logging.ERROR)


class Module(L.LightningModule):  # type: ignore[misc,name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"lstm": nn.LSTM(2, 5, batch_first=True)})
        self.head = nn.Linear(5, 1)
        self.breaks_at = -1
        self.losses: list[float] = []

    def forward(self, x: Any) -> Any:
        return self.head(self.encoder["lstm"](x)[0][:, -1])

    def training_step(self, batch: Any, number: int) -> Any:
        if number == self.breaks_at:
            raise RuntimeError("broken on purpose")
        x, y = batch
        loss = nn.functional.mse_loss(self(x), y)
        self.losses.append(loss.item())
        return loss

    def validation_step(self, batch: Any, number: int) -> None:
        self(batch[0])

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), 0.01)


def fit(callbacks: list[Any], module: Module | None = None, **options: Any) -> Module:
    torch.manual_seed(0)
    x, y = torch.randn(24, 6, 2), torch.randn(24, 1)
    made = module or Module()
    trainer = L.Trainer(
        max_epochs=2, callbacks=callbacks, logger=False, accelerator="cpu", enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, **options,
    )  # fmt: skip
    loader = DataLoader(TensorDataset(x, y), batch_size=8, shuffle=True)
    trainer.fit(made, loader, DataLoader(TensorDataset(x, y), batch_size=8))
    return made


def check_the_training_is_the_same_and_recorded() -> None:
    alone = fit([])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        watched = fit([rnnviz.lightning.Watch(path, every=2)])
        recording = Recording.open(path)
        assert recording.steps == (0, 2, 4)
        for record in recording:
            assert record.layers == ("encoder.lstm",)
            assert record.is_proved("encoder.lstm"), record.agreement("encoder.lstm")
            assert abs(record.loss - watched.losses[record.step]) < 1e-7
            assert record.extra["learning_rate"] == 0.01
    assert alone.losses == watched.losses
    for one, other in zip(alone.parameters(), watched.parameters(), strict=True):
        assert torch.equal(one, other)
    assert not watched.encoder["lstm"]._forward_hooks


def check_clipping_and_batches_that_accumulate() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        fit([rnnviz.lightning.Watch(path, every=1)], gradient_clip_val=0.01, accumulate_grad_batches=3)
        recording = Recording.open(path)
        assert len(recording) == 6
        for record in recording:
            assert record.is_proved("encoder.lstm") or record.notes("encoder.lstm")


def check_hooks_are_gone_after_an_exception() -> None:
    with tempfile.TemporaryDirectory() as folder:
        module = Module()
        module.breaks_at = 1
        try:
            fit([rnnviz.lightning.Watch(Path(folder) / "r", every=1)], module)
        except RuntimeError:
            pass
        else:
            raise AssertionError("the training's own exception was lost")
        assert not module.encoder["lstm"]._forward_hooks
        assert Recording.open(Path(folder) / "r").steps == (0,)


def check_what_cannot_be_watched_is_refused() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for options, reason in (({"layers": ["nowhere"]}, "nowhere"), ({"every": 0}, "every")):
            message = ""
            try:
                fit([rnnviz.lightning.Watch(Path(folder) / "r", **options)])
            except rnnviz.InputError as error:
                message = str(error)
            assert reason in message


def check_a_second_fit_goes_on_in_the_same_recording() -> None:
    with tempfile.TemporaryDirectory() as folder:
        watch = rnnviz.lightning.Watch(Path(folder) / "r", every=3)
        fit([watch])
        first = Recording.open(Path(folder) / "r").steps
        fit([watch])
        steps = Recording.open(Path(folder) / "r").steps
        assert len(steps) == 2 * len(first)
        assert list(steps) == sorted(set(steps)), steps
        assert np.isfinite(Recording.open(Path(folder) / "r")[-1].loss)


if __name__ == "__main__":
    assert isinstance(rnnviz.lightning.Watch("unused"), L.Callback)
    assert ("pytorch_lightning" in sys.modules) == (os.environ["LIGHTNING"] == "pytorch_lightning")
    run(globals())
