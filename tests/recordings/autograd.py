"""What PyTorch's autograd says of nn.RNN, nn.LSTM and nn.GRU, and of the same layers written as a loop of cells.

    python tests/recordings/autograd.py OUT.npz SEED COUNT

Needs torch and numpy alone. Of each of COUNT layers of random shapes and options: what a LayerRecord holds, from the
fused layer; and the gradient of every state and input, which only the loop can tell.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


class LSTMCell(torch.nn.LSTMCell):
    """h from c, so that the gradient of c holds what goes through h: in PyTorch's own both are outputs of one node."""

    def forward(self, x, state):
        h, c = state
        a = self.weight_ih @ x + self.weight_hh @ h
        if self.bias:
            a = a + self.bias_ih + self.bias_hh
        i, f, g, o = a.chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


CELLS = {"rnn": torch.nn.RNNCell, "lstm": LSTMCell, "gru": torch.nn.GRUCell}


def options(rng: np.random.Generator, number: int) -> dict:
    cell = list(LAYERS)[number % 3]
    T, B = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    return {
        "cell": cell, "T": T, "B": B, "I": int(rng.integers(1, 5)), "H": int(rng.integers(1, 6)),
        "levels": int(rng.integers(1, 4)), "bidirectional": bool(rng.integers(2)), "bias": bool(rng.integers(4)),
        "activation": str(rng.choice(["tanh", "relu"])) if cell == "rnn" else "tanh",
        "states": bool(rng.integers(2)), "dtype": ["float64", "float32"][number // 3 % 2],
        "lengths": [int(n) for n in rng.integers(1, T + 1, B)] if rng.integers(2) else None,
        "head": str(rng.choice(["every", "last", "states", "attention"])),
    }  # fmt: skip


def head(kind: str, output: torch.Tensor, states: list[torch.Tensor], w: torch.Tensor) -> torch.Tensor:
    """A loss that is no sum over steps."""
    if kind == "every":
        return (torch.tanh(output @ w) ** 2).mean()
    if kind == "last":
        return torch.logsumexp(output[-1] @ w, 0)
    if kind == "states":
        return sum((torch.sin(state) ** 2).sum() for state in states)
    return torch.log1p(((torch.softmax(output @ w, 0)[..., None] * output).sum(0) ** 2).sum())


def fused(layer, o, x, h0, c0, w, record):
    states = None if h0 is None else (h0, c0) if o["cell"] == "lstm" else h0
    if o["lengths"] is None:
        output, last = layer(x, states)
    else:
        packed, last = layer(pack_padded_sequence(x, o["lengths"], enforce_sorted=False), states)
        output, _ = pad_packed_sequence(packed, total_length=o["T"])
    last = list(last) if o["cell"] == "lstm" else [last]
    for tensor in (output, *last):
        tensor.retain_grad()
    head(o["head"], output, last, w).backward()
    names = ("direct", "direct_h", "direct_c")
    for name, tensor in zip(names[: 1 + len(last)], (output, *last), strict=True):
        if tensor.grad is not None:
            record[name] = tensor.grad
    record.setdefault("direct", torch.zeros_like(output))
    for name, weight in layer.named_parameters():
        record[f"grads.{name}"] = weight.grad


def loop(layer, o, x, h0, c0, w, found):
    """One cell after the other, one sequence after the other."""
    T, B, H, D = o["T"], o["B"], o["H"], 1 + o["bidirectional"]
    weights = {name: weight.detach().clone() for name, weight in layer.named_parameters()}
    outputs = torch.zeros(T, B, H * D, dtype=x.dtype)
    kept, last = {}, {}
    for b in range(B):
        steps = T if o["lengths"] is None else o["lengths"][b]
        inputs = [x[t, b].clone().requires_grad_() for t in range(steps)]
        for level in range(o["levels"]):
            sides = []
            for side in range(D):
                end, at = f"_l{level}{'_reverse' if side else ''}", level * D + side
                cell = CELLS[o["cell"]](len(inputs[0]), H, bias=o["bias"], dtype=x.dtype)
                if o["activation"] == "relu":
                    cell.nonlinearity = "relu"
                for name in list(dict(cell.named_parameters())):
                    getattr(cell, name).data = weights[name + end]
                h = torch.zeros(H, dtype=x.dtype) if h0 is None else h0[at, b].detach().clone()
                c = torch.zeros(H, dtype=x.dtype) if c0 is None else c0[at, b].detach().clone()
                hs, cs, read = [h.requires_grad_()], [c.requires_grad_()], []
                for value in inputs[::-1] if side else inputs:
                    value = value + 0.0  # a node of its own for this direction
                    value.retain_grad()
                    read.append(value)
                    if o["cell"] == "lstm":
                        h, c = cell(value, (h, c))
                        c.retain_grad()
                        cs.append(c)
                    else:
                        h = cell(value, h)
                    h.retain_grad()
                    hs.append(h)
                kept[level, side, b] = hs, cs, read
                last.setdefault(at, []).append((h, c))
                sides.append(hs[1:][::-1] if side else hs[1:])
            inputs = [torch.cat(both) for both in zip(*sides, strict=True)]
        rows = torch.zeros(T, H * D, dtype=x.dtype)
        rows = torch.cat([torch.stack(inputs), rows[steps:]])
        outputs = torch.cat([outputs[:, :b], rows[:, None], outputs[:, b + 1 :]], 1)
    states = [torch.stack([torch.stack([pair[i] for pair in last[at]]) for at in sorted(last)])
              for i in range(2 if o["cell"] == "lstm" else 1)]  # fmt: skip
    head(o["head"], outputs, states, w).backward()

    def gradients(tensors):
        return torch.stack([torch.zeros_like(t) if t.grad is None else t.grad for t in tensors])

    for (level, side, b), (hs, cs, read) in kept.items():
        where = f"{level}.{side}.{b}"
        found[f"h.{where}"], found[f"x.{where}"] = gradients(hs), gradients(read)
        if o["cell"] == "lstm":
            found[f"c.{where}"] = gradients(cs)


def main(out: str, seed: int, count: int) -> None:
    torch.manual_seed(seed)
    rng, arrays = np.random.default_rng(seed), {}
    for number in range(count):
        o = options(rng, number)
        dtype = getattr(torch, o["dtype"])
        more = {"nonlinearity": o["activation"]} if o["cell"] == "rnn" else {}
        layer = LAYERS[o["cell"]](o["I"], o["H"], o["levels"], bias=o["bias"], bidirectional=o["bidirectional"],
                                  dtype=dtype, **more)  # fmt: skip
        for weight in layer.parameters():
            torch.nn.init.normal_(weight, std=0.6)
        size = (o["levels"] * (1 + o["bidirectional"]), o["B"], o["H"])
        x = torch.randn(o["T"], o["B"], o["I"], dtype=dtype)
        h0 = torch.randn(size, dtype=dtype) if o["states"] else None
        c0 = torch.randn(size, dtype=dtype) if o["states"] and o["cell"] == "lstm" else None
        w = torch.randn(o["H"] * (1 + o["bidirectional"]), dtype=dtype)
        record = {"x": x} | ({} if h0 is None else {"h0": h0}) | ({} if c0 is None else {"c0": c0})
        record |= {f"weights.{name}": weight for name, weight in layer.named_parameters()}
        found: dict = {}
        fused(layer, o, x, h0, c0, w, record)
        loop(layer, o, x, h0, c0, w, found)
        arrays[f"{number}/options"] = np.array(json.dumps(o))
        arrays |= {f"{number}/record/{name}": tensor.detach().numpy() for name, tensor in record.items()}
        arrays |= {f"{number}/found/{name}": tensor.detach().numpy() for name, tensor in found.items()}
    np.savez_compressed(out, **arrays)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
