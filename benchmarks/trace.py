"""A trace with its triangle and its ledger: how long, how it grows, and beside PyTorch's autograd. Prints three tables.

    python benchmarks/trace.py                 # half a minute; with PyTorch installed the comparison as well

The first table is one sequence in float64: forward, backward, triangle and ledger with compiled kernels, medians. The
app shows a frame every 16 ms at most, so at 100 steps of 20 units all of it should fit into one.

The second table holds the triangle alone, and how it grows with the steps: its cost is O(T² · B · H²), so twice the
steps cost about four times as much. PyTorch's autograd is asked for the same norms: one pass back for each loss
step, to every hidden state before it. At least 50 × is meant to be reached.

The third table holds the gain, by products alone and of the formed Jacobians.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from timing import median_seconds

from rnnviz.nn import CELLS, Model, engine, gain

FRAME = 16.0  # ms
TIMES = 50


def milliseconds(call: Callable[[], Any]) -> float:
    return median_seconds(call, 1.0) * 1000


def example(cell: str, T: int, H: int, layers: int = 1) -> tuple[Model, Any, Any]:
    model = Model.create(cell=cell, input_size=1, hidden_size=H, output_size=1, num_layers=layers, seed=0)
    series = np.sin(0.3 * np.arange(T + 1))
    return model, series[:-1].reshape(T, 1, 1), series[1:].reshape(T, 1, 1)


def whole(cell: str, T: int, H: int) -> Callable[[], Any]:
    model, x, y = example(cell, T, H)

    def call() -> None:
        trace = model.trace(x, y)
        _ = trace.triangle, trace.ledger

    return call


def triangle(cell: str, T: int, H: int) -> Callable[[], Any]:
    model, x, y = example(cell, T, H)

    def call() -> Any:
        return model.trace(x, y).triangle

    return call


def autograd(cell: str, T: int, H: int) -> Callable[[], Any]:
    """The same norms by PyTorch; the states are made one by one, so that each can be asked for its gradient."""
    import torch

    model, x, y = example(cell, T, H)
    layer: Any = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell](1, H)
    layer, readout = layer.double(), torch.nn.Linear(H, 1).double()
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(torch.from_numpy(model.params[f"rnn.{name}_l0"].copy()))
        for name, parameter in readout.named_parameters():
            parameter.copy_(torch.from_numpy(model.params[f"readout.{name}"].copy()))
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)

    def call() -> Any:
        state: Any = torch.zeros(1, H, dtype=torch.float64, requires_grad=True)
        h = [state]
        if cell == "lstm":
            state = (state, torch.zeros(1, H, dtype=torch.float64))
        for t in range(T):
            state = layer(inputs[t], state)
            h.append(state[0] if cell == "lstm" else state)
        norms = np.zeros((T + 1, T + 1))
        for k in range(1, T + 1):
            loss = ((readout(h[k]) - targets[k - 1]) ** 2).sum() / T
            for t, gradient in enumerate(torch.autograd.grad(loss, h[: k + 1], retain_graph=True)):
                norms[k, t] = float(gradient.norm())
        return norms

    return call


def main() -> None:
    engine.select("numba")
    print("ms for forward, backward, triangle and ledger")
    print(f"{'cell':<6}" + "".join(f"{f'T {T} H {H}':>14}" for T, H in SIZES) + f"{'one frame':>12}")
    for cell in CELLS:
        times = [milliseconds(whole(cell, T, H)) for T, H in SIZES]
        verdict = "ok" if times[0] <= FRAME else "over"
        print(f"{cell:<6}" + "".join(f"{value:>14.2f}" for value in times) + f"{FRAME:>9g} ms  {verdict}", flush=True)
    print("\nms for forward, backward and triangle, H 20")
    lengths = (50, 100, 200)
    head = f"{'cell':<6}" + "".join(f"{f'T {T}':>10}" for T in lengths)
    print(head + f"{'PyTorch T 100':>16}{'×':>7}{'to reach':>10}")
    for cell in CELLS:
        times = [milliseconds(triangle(cell, T, 20)) for T in lengths]
        line = f"{cell:<6}" + "".join(f"{value:>10.2f}" for value in times)
        if find_spec("torch") is not None:
            np.testing.assert_allclose(autograd(cell, 20, 20)(), triangle(cell, 20, 20)(), rtol=1e-9, atol=1e-18)
            theirs = milliseconds(autograd(cell, 100, 20))
            ratio = theirs / times[1]
            line += f"{theirs:>16.0f}{ratio:>7.0f}{TIMES:>10}  {'ok' if ratio >= TIMES else 'under'}"
        print(line, flush=True)
    gain_table()


def gain_table() -> None:
    """The largest singular values by products alone (nn/gain.py) and of the formed Jacobians, in one run."""
    print("\nms for the gain of every step; S: numbers in the state. CPU time, so that other work counts less")
    print(f"{'cell':<6}{'layers':>7}{'H':>6}{'S':>6}{'T':>7}{'products':>11}{'formed':>10}{'×':>7}{'error':>10}")
    for cell, layers, H, T in GAINS:
        model, x, y = example(cell, T, H, layers)
        trace = model.trace(x, y)
        S = trace.spec.state_size * layers
        times, values = [], []
        some = min(T, max(2, 2 * 10**8 // S**3))  # of the large ones only some steps are formed
        for limit, steps in ((0, T), (10**6, some)):
            gain.IMPLICIT_FROM = limit
            forward = trace.forward.window(0, steps)
            began = time.process_time()
            values.append(gain.gains(trace.spec, trace.params, forward))
            times.append((time.process_time() - began) * 1000 * T / steps)
        error = np.abs(values[0][:some] / values[1] - 1).max()
        figures = f"{times[0]:>11.1f}{times[1]:>10.1f}{times[1] / times[0]:>7.1f}{error:>10.1e}"
        print(f"{cell:<6}{layers:>7}{H:>6}{S:>6}{T:>7}" + figures, flush=True)


GAINS = (
    *((cell, 1, H, 200) for H in (20, 32, 48, 64, 96) for cell in CELLS),
    ("lstm", 1, 64, 10_000),
    ("gru", 2, 256, 200),
    ("lstm", 2, 256, 200),
    ("lstm", 1, 512, 200),
)
SIZES = ((100, 20), (100, 64), (200, 20), (500, 20), (100, 128))

if __name__ == "__main__":
    main()
