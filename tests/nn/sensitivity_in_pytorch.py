"""What PyTorch's autograd says of ∂h_T/∂h_t and ∂h_T/∂c_t: python tests/nn/sensitivity_in_pytorch.py OUT.npz

Needs torch and numpy alone. Each layer is written as a loop of cells, so that a state can be a variable of its own.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import torch
from torch.autograd.functional import jacobian

STEPS, INPUTS, UNITS = 9, 3, 7
LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def step(cell: str, w: dict[str, torch.Tensor], x: torch.Tensor, h: torch.Tensor, c: torch.Tensor):
    a, b = w["weight_ih_l0"] @ x + w["bias_ih_l0"], w["weight_hh_l0"] @ h + w["bias_hh_l0"]
    if cell == "rnn":
        return torch.tanh(a + b), c, None
    if cell == "gru":
        (ar, az, an), (br, bz, bn) = a.chunk(3), b.chunk(3)
        z = torch.sigmoid(az + bz)
        return (1 - z) * torch.tanh(an + torch.sigmoid(ar + br) * bn) + z * h, c, None
    i, f, g, o = (a + b).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c, torch.sigmoid(o)


def last(cell: str, w: dict, x: torch.Tensor, t: int, h: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """h_T, from the states of time t on."""
    for s in range(t, STEPS):
        h, c, _ = step(cell, w, x[s], h, c)
    return h


def of_layer(cell: str, w: dict, x: torch.Tensor) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    h, c, o = torch.zeros(UNITS), torch.zeros(UNITS), None
    for t in range(STEPS + 1):
        found[f"{cell}.h.{t}"] = jacobian(partial(of_h, cell, w, x, t, c), h).numpy()
        if cell == "lstm":  # c moves, and h with it
            found[f"{cell}.c.{t}"] = jacobian(partial(of_c, w, x, t, h, o), c).numpy()
        if t < STEPS:
            h, c, o = step(cell, w, x[t], h, c)
    return found


def of_h(cell, w, x, t, c, h):
    return last(cell, w, x, t, h, c)


def of_c(w, x, t, h, o, c):
    return last("lstm", w, x, t, h if o is None else o * torch.tanh(c), c)


def main(out: str) -> None:
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    found: dict[str, np.ndarray] = {}
    for cell, make in LAYERS.items():
        layer = make(INPUTS, UNITS)
        w, x = {name: p.detach() * 2 for name, p in layer.named_parameters()}, torch.randn(STEPS, INPUTS)
        found |= of_layer(cell, w, x)
        found |= {f"{cell}.{name}": p.numpy() for name, p in w.items()}
        found[f"{cell}.x"] = x.numpy()
    np.savez(out, **found)


if __name__ == "__main__":
    main(sys.argv[1])
