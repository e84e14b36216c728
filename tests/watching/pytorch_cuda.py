"""Layers on a graphics card: their records are as good as those of the processor. Without a card nothing is checked."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from checks import run
from torch import nn

import rnnviz
from rnnviz.recordings.recording import Recording

CARD = "cuda"


class Net(nn.Module):
    def __init__(self, kind: Any = nn.LSTM, **form: Any) -> None:
        super().__init__()
        self.rnn = kind(3, 16, **form)
        self.out = nn.Linear(16 * (1 + self.rnn.bidirectional), 1)

    def forward(self, x: Any) -> Any:
        output, _ = self.rnn(x)
        if hasattr(output, "batch_sizes"):
            output, _ = nn.utils.rnn.pad_packed_sequence(output)
        return self.out(output.mean(0)).square().mean()


def recorded(model: nn.Module, forward: Any, steps: int = 1, scaler: Any = None, **options: Any) -> tuple[Any, str]:
    """The last record of so many steps of a training, and what stderr received."""
    errors = io.StringIO()
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(errors):
        path = Path(folder) / "r"
        with rnnviz.watch(model, path, **{"every": 1, "keep": 99, "scaler": scaler, **options}) as watch:
            for _ in range(steps):
                loss = forward()
                (loss if scaler is None else scaler.scale(loss)).backward()
                watch.step(loss)
                (optimizer if scaler is None else scaler).step(*(() if scaler is None else (optimizer,)))
                if scaler is not None:
                    scaler.update()
                optimizer.zero_grad()
        record = Recording.open(path)[-1]
        assert len(record.layers) == 1, errors.getvalue()
        (name,) = record.layers
        found = record.layer(name), record.agreement(name), record.is_proved(name), " ".join(record.notes(name))
    return found, errors.getvalue()


def forms() -> Any:
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        for form in ({}, {"num_layers": 2, "bidirectional": True}, {"bias": False}):
            for packed in (False, True):
                yield kind, form, packed


def data(packed: bool, T: int = 9) -> Any:
    if packed:
        parts = [torch.randn(n, 3, device=CARD) for n in (4, T, 2, 6)]
        return nn.utils.rnn.pack_sequence(parts, enforce_sorted=False)
    return torch.randn(T, 4, 3, device=CARD)


def check_every_form_proves_itself_in_full_precision() -> None:
    torch.backends.cudnn.allow_tf32 = False
    for kind, form, packed in forms():
        model, x = Net(kind, **form).to(CARD), data(packed)
        (layer, agreement, proved, notes), errors = recorded(model, lambda: model(x))  # noqa: B023
        assert proved, (kind, form, packed, agreement)
        assert (notes, errors) == ("", "")
        assert layer.direct.any()


def check_tensor_cores_are_named_as_the_reason() -> None:
    """By default cuDNN multiplies in TF32, with 10 bits behind the point."""
    torch.backends.cudnn.allow_tf32 = True
    worst = 0.0
    for kind, form, packed in forms():
        model, x = Net(kind, **form).to(CARD), data(packed)
        (_, agreement, _, notes), _ = recorded(model, lambda: model(x))  # noqa: B023
        worst = max(worst, agreement)
        assert "TF32" in notes
    print("largest difference in TF32:", worst)
    assert worst < 0.1
    model, x = Net().double().to(CARD), data(False).double()
    (_, agreement, proved, notes), _ = recorded(model, lambda: model(x))
    assert proved, agreement
    assert notes == ""


def check_a_training_is_the_same_with_and_without() -> None:
    torch.backends.cudnn.allow_tf32 = False
    losses: dict[bool, list[float]] = {}
    states = {}
    for is_watched in (False, True):
        torch.manual_seed(3)
        model = Net(num_layers=2, dropout=0.2).to(CARD)
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        with tempfile.TemporaryDirectory() as folder:
            watch = rnnviz.watch(model, Path(folder) / "r", every=2, keep=2) if is_watched else None
            for _ in range(20):
                loss = model(torch.randn(9, 4, 3, device=CARD))
                loss.backward()
                if watch:
                    watch.step(loss)
                optimizer.step()
                optimizer.zero_grad()
                losses.setdefault(is_watched, []).append(loss.item())
            if watch:
                watch.close()
        states[is_watched] = torch.cuda.get_rng_state()
    assert losses[False] == losses[True]
    assert torch.equal(states[False], states[True])


def check_half_precision_and_scaled_losses() -> None:
    for dtype in (torch.float16, torch.bfloat16):
        for kind in (nn.RNN, nn.LSTM, nn.GRU):
            model, x = Net(kind).to(CARD), data(False)
            scaler = torch.amp.GradScaler(CARD, init_scale=1024.0) if dtype is torch.float16 else None

            def forward() -> Any:
                with torch.autocast(CARD, dtype=dtype):  # noqa: B023
                    return model(x)  # noqa: B023

            (layer, agreement, _, notes), _ = recorded(model, forward, steps=3, scaler=scaler)
            assert "Autocast computed this layer in" in notes
            assert agreement < 0.1, (dtype, kind, agreement, layer.direct, layer.grads, layer.weights)


def check_cells_in_a_loop() -> None:
    torch.backends.cuda.matmul.allow_tf32 = False
    for kind in (nn.RNNCell, nn.LSTMCell, nn.GRUCell):
        model = kind(3, 16).to(CARD)

        def forward() -> Any:
            state = None
            for value in torch.randn(7, 4, 3, device=CARD):
                state = model(value, state)  # noqa: B023
            return (state[0] if isinstance(state, tuple) else state).square().sum()

        (layer, agreement, proved, _), errors = recorded(model, forward, steps=2)
        assert proved, (kind, agreement, errors)
        assert layer.T == 7
        assert [t for t in range(7) if layer.direct[t].any()] == [6]


def check_a_fused_layer_called_once_a_step() -> None:
    torch.backends.cudnn.allow_tf32 = False
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        model = kind(3, 16).to(CARD)

        def forward() -> Any:
            state, outputs = None, []
            for value in torch.randn(7, 1, 4, 3, device=CARD):
                output, state = model(value, state)  # noqa: B023
                outputs.append(output)
            return outputs[-1].square().sum() + outputs[2].sum()

        (layer, agreement, proved, _), errors = recorded(model, forward)
        assert proved, (kind, agreement, errors)
        assert [t for t in range(7) if layer.direct[t].any()] == [2, 6]


def check_compiled_models() -> None:
    """A layer inside a compiled model is recorded, or the reason is given; the training goes on in either case."""
    model, x = Net().to(CARD), data(False)
    compiled = torch.compile(model)
    errors = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(errors):
        with rnnviz.watch(model, Path(folder) / "r", every=1, keep=99) as watch:
            for _ in range(3):
                loss = compiled(x)
                loss.backward()
                watch.step(loss)
        recording = Recording.open(Path(folder) / "r")
        print("compiled: records", len(recording), [r.agreement(r.layers[0]) for r in recording], errors.getvalue())
        assert len(recording) == 3 or "torch.compile" in errors.getvalue()


def check_what_is_written_is_what_the_card_held() -> None:
    """Inputs and weights are copied in the stream that computes them, before the update changes them."""
    torch.backends.cudnn.allow_tf32 = False
    model = Net(nn.GRU).to(CARD)
    x = torch.randn(200, 64, 3, device=CARD)
    with tempfile.TemporaryDirectory() as folder:
        kept, optimizer = [], torch.optim.SGD(model.parameters(), 0.5)
        with rnnviz.watch(model, Path(folder) / "r", every=1, keep=99) as watch:
            for _ in range(5):
                loss = model(x)
                loss.backward()
                kept.append((x.cpu().numpy(), model.rnn.weight_hh_l0.detach().cpu().numpy()))
                watch.step(loss)
                optimizer.step()
                optimizer.zero_grad()
                x.mul_(1.01)
        for record, (inputs, weight) in zip(Recording.open(Path(folder) / "r"), kept, strict=True):
            layer = record.layer("rnn")
            assert np.array_equal(layer.x, inputs)
            assert np.array_equal(layer.weights["weight_hh_l0"], weight)
            assert record.is_proved("rnn"), record.agreement("rnn")


def check_the_newer_switch_of_tensor_cores_is_read() -> None:
    """The last check: from now on the older switch cannot be read."""
    for precision in ("ieee", "tf32"):
        torch.backends.cudnn.rnn.fp32_precision = precision
        model, x = Net().to(CARD), data(False)
        (_, agreement, proved, notes), errors = recorded(model, lambda: model(x))  # noqa: B023
        assert ("TF32" in notes) == (precision == "tf32"), (precision, notes, errors)
        assert proved or precision == "tf32", agreement


if __name__ == "__main__":
    if torch.cuda.is_available():
        run(globals())
    print("no graphics card")
