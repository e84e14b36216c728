"""Watched layers of random shapes and options under every kind of head: the gradients of the record are those that
autograd gives when the same layer is written as a loop over time steps, one sequence at a time."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from checks import run
from torch import nn

import rnnviz
from rnnviz.recordings.recording import Recording

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}


def one_step(cell: str, relu: bool, w: dict[str, Any], x: Any, h: Any, c: Any) -> tuple[Any, Any]:
    """The equations of torch.nn's documentation."""
    i = w["weight_ih"] @ x + w.get("bias_ih", 0)
    r = w["weight_hh"] @ h + w.get("bias_hh", 0)
    if cell == "rnn":
        return (torch.relu if relu else torch.tanh)(i + r), c
    if cell == "lstm":
        gates = (i + r).chunk(4)
        c = torch.sigmoid(gates[1]) * c + torch.sigmoid(gates[0]) * torch.tanh(gates[2])
        return torch.sigmoid(gates[3]) * torch.tanh(c), c
    (ir, iz, i_n), (hr, hz, hn) = i.chunk(3), r.chunk(3)
    reset, update = torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)
    return (1 - update) * torch.tanh(i_n + reset * hn) + update * h, c


class Loop:
    """The layer as a loop, with every state kept for its gradient. states[level, direction][b][t]."""

    def __init__(self, layer: nn.RNNBase, x: Any, lengths: list[int], h0: Any, c0: Any) -> None:
        cell, D, H = layer.mode.lower().split("_")[0], 1 + layer.bidirectional, layer.hidden_size
        relu = layer.mode == "RNN_RELU"
        T, B, _ = x.shape
        self.states: dict[tuple[int, int], list[list[Any]]] = {}
        self.cells: dict[tuple[int, int], list[list[Any]]] = {}
        h_n, c_n = {}, {}
        inputs = [[x[t, b] for t in range(lengths[b])] for b in range(B)]
        for level in range(layer.num_layers):
            for d in range(D):
                end = f"_l{level}{'_reverse' if d else ''}"
                w = {n.removesuffix(end): p for n, p in layer.named_parameters() if n.endswith(end)}
                hs, cs = self.states.setdefault((level, d), []), self.cells.setdefault((level, d), [])
                for b in range(B):
                    h, c = h0[level * D + d, b], c0[level * D + d, b]
                    hs.append([])
                    cs.append([])
                    for value in inputs[b][:: -1 if d else 1]:
                        h, c = one_step(cell, relu, w, value, h, c)
                        h.retain_grad()
                        hs[b].append(h)
                        cs[b].append(c)
                        if cell == "lstm":
                            c.retain_grad()
                    h_n[level * D + d, b], c_n[level * D + d, b] = h, c
            inputs = [
                [torch.cat([self.states[level, d][b][-1 - t if d else t] for d in range(D)]) for t in range(lengths[b])]
                for b in range(B)
            ]
        nothing = torch.zeros(D * H, dtype=x.dtype)
        self.output = torch.stack(
            [torch.stack([inputs[b][t] if t < lengths[b] else nothing for b in range(B)]) for t in range(T)]
        )
        rows = range(layer.num_layers * D)
        self.h_n = torch.stack([torch.stack([h_n[i, b] for b in range(B)]) for i in rows])
        self.c_n = torch.stack([torch.stack([c_n[i, b] for b in range(B)]) for i in rows])


class Head(nn.Module):
    """From output (T, B, D*H), h_n and c_n to losses; deterministic, with weights of its own."""

    KINDS = ("last", "every", "attention", "norm", "two", "states", "decoder")

    def __init__(self, kind: str, width: int, H: int) -> None:
        super().__init__()
        self.kind = kind
        self.score, self.norm = nn.Linear(width, 1), nn.LayerNorm(width)
        self.decoder, self.out = nn.LSTMCell(1, H), nn.Linear(H, 1)

    def forward(self, output: Any, h_n: Any, c_n: Any, lengths: list[int]) -> list[Any]:
        T, B, _ = output.shape
        mask = torch.arange(T)[:, None] < torch.tensor(lengths)
        ends = output[torch.tensor(lengths) - 1, torch.arange(B)]
        if self.kind == "last":
            return [self.score(ends).square().mean()]
        if self.kind == "every":
            return [(self.score(output)[..., 0] * mask - 0.3).square().mean()]
        if self.kind == "attention":
            weights = self.score(output)[..., 0].masked_fill(~mask, -torch.inf).softmax(0)
            return [(weights[..., None] * output).sum(0).square().mean()]
        if self.kind == "norm":
            return [(self.norm(output) * mask[..., None]).tanh().sum() / B]
        if self.kind == "two":
            return [self.score(ends).square().mean(), (output * mask[..., None]).pow(3).mean()]
        if self.kind == "states":
            return [(h_n * 2).tanh().sum() + c_n.square().sum() + self.score(output[0]).sum()]
        h, c, total = h_n[-1], c_n[0], 0
        for _ in range(3):
            h, c = self.decoder(torch.ones(B, 1, dtype=h.dtype), (h, c))
            total = total + self.out(h).square().mean()
        return [total]


class Model(nn.Module):
    def __init__(self, layer: nn.Module, head: Head) -> None:
        super().__init__()
        self.encoder = nn.ModuleDict({"deep": layer})
        self.head = head


def drawn(seed: int) -> SimpleNamespace:
    d = random.Random(seed)
    s = SimpleNamespace(seed=seed, cell=("rnn", "lstm", "gru")[seed % 3], head=Head.KINDS[seed // 3 % 7])
    s.dtype = torch.float32 if d.random() < 0.3 else torch.float64
    s.form = d.choice(("time first", "batch first", "packed", "packed unsorted", "unbatched"))
    s.T, s.B = d.randint(1, 9), 1 if s.form == "unbatched" else d.randint(1, 5)
    s.I, s.H, s.levels, s.two = d.randint(1, 4), d.randint(1, 6), d.randint(1, 3), d.random() < 0.4
    s.H += 2 * (s.head == "norm")  # of two numbers LayerNorm leaves the signs, and a gradient of rounding errors
    s.bias, s.relu, s.start, s.packed_first = (d.random() < p for p in (0.7, 0.3, 0.5, 0.5))
    s.lengths = [s.T] * s.B
    if "packed" in s.form:
        s.lengths = [d.randint(1, s.T) for _ in range(s.B)]
        s.lengths = s.lengths if "unsorted" in s.form else sorted(s.lengths, reverse=True)
        s.T = max(s.lengths)
    return s


def compare(s: SimpleNamespace, folder: Path) -> None:
    torch.manual_seed(s.seed)
    torch.set_default_dtype(s.dtype)
    form = dict(num_layers=s.levels, bidirectional=s.two, bias=s.bias)
    form["batch_first"] = s.form == "batch first" or ("packed" in s.form and s.packed_first)
    if s.cell == "rnn" and s.relu:
        form["nonlinearity"] = "relu"
    layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[s.cell](s.I, s.H, **form)
    D = 1 + s.two
    model = Model(layer, Head(s.head, D * s.H, s.H))
    x = torch.randn(s.T, s.B, s.I)
    h0 = torch.randn(s.levels * D, s.B, s.H) * s.start
    c0 = torch.randn(s.levels * D, s.B, s.H) * (s.start and s.cell == "lstm")

    loop = Loop(layer, x, s.lengths, h0, c0)
    sum(model.head(loop.output, loop.h_n, loop.c_n, s.lengths)).backward()
    expected = {name: p.grad for name, p in layer.named_parameters()}
    model.zero_grad()

    with rnnviz.watch(model, folder, every=1, keep=s.B, layers=["encoder.deep"]) as watch:
        state = (h0, c0) if s.cell == "lstm" else h0
        given, first = x, form["batch_first"]
        if "packed" in s.form:
            padded = x.transpose(0, 1) if first else x
            lengths = torch.tensor(s.lengths)
            given = nn.utils.rnn.pack_padded_sequence(padded, lengths, first, enforce_sorted="unsorted" not in s.form)
        elif s.form == "unbatched":
            given, state = x[:, 0], (h0[:, 0], c0[:, 0]) if s.cell == "lstm" else h0[:, 0]
        elif first:
            given = x.transpose(0, 1)
        output, last = layer(given, state) if s.start else layer(given)
        h_n, c_n = last if s.cell == "lstm" else (last, torch.zeros_like(last))
        if "packed" in s.form:
            output, _ = nn.utils.rnn.pad_packed_sequence(output, first)
        if s.form == "unbatched":
            output, h_n, c_n = output[:, None], h_n[:, None], c_n[:, None]
        elif first:
            output = output.transpose(0, 1)
        losses = model.head(output, h_n, c_n, s.lengths)
        for loss in losses:
            loss.backward(retain_graph=True)
        watch.step(sum(losses))

    (record,) = Recording.open(folder)
    assert record.layers == ("encoder.deep",)
    assert abs(record.loss - sum(losses).item()) <= 1e-12
    assert record.is_proved("encoder.deep"), record.agreement("encoder.deep")
    assert record.notes("encoder.deep") == ()
    kept = record.layer("encoder.deep")
    for name, grad in expected.items():
        near(kept.grads[name], grad.numpy(), s.dtype, name)
    for level in range(s.levels):
        for d in range(D):
            for b in range(s.B):
                trace = record.trace("encoder.deep", b, level, ("forward", "backward")[d])
                for found, states in ((trace.grad_h, loop.states), (trace.grad_c, loop.cells)):
                    if found is None:
                        continue
                    grads = [torch.zeros(s.H) if h.grad is None else h.grad for h in states[level, d][b]]
                    near(found[1:, 0], torch.stack(grads).numpy(), s.dtype, f"{level} {d} {b}")


def near(found: Any, expected: Any, dtype: Any, what: str) -> None:
    assert found.shape == expected.shape, (what, found.shape, expected.shape)
    largest = max(np.abs(expected).max(), 1e-3)
    assert np.abs(found - expected).max() <= TOLERANCE[dtype] * largest, (what, np.abs(found - expected).max(), largest)


def check_every_head_and_option_over_random_shapes() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(42):
            s = drawn(seed)
            try:
                compare(s, Path(folder) / str(seed))
            except Exception as error:
                raise AssertionError(s) from error


if __name__ == "__main__":
    run(globals())
