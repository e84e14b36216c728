"""One training step beside PyTorch, JAX and Keras: forward, back-propagation through time, SGD. Prints one table.

    python benchmarks/training.py                       # what is installed; some minutes on two cores
    python benchmarks/training.py --cells lstm --sizes 8,10,20 --seconds 5
    pip install torch==2.13.0 keras jax                 # the peers (the CPU build of PyTorch)

Each library works in a process of its own, on the same shapes: float32, one input, one output, the squared error of
every step, plain SGD. They take turns, so that a busy moment of the machine meets all of them; the figure of
each is the median over its steps in its best turn. The readout is Linear(H, 1) everywhere.

Every library is taken at its best. PyTorch is run eager and compiled, Keras by train_on_batch on both backends, and JAX
in two ways: the batches of an epoch in one jitted call, by a scan over batches and in it a scan over time, unrolled as
far as is best here (UNROLL, printed beside the figure), and one jitted call a step. rnnviz trains by epochs of 64
batches in one call, fewer where a batch alone takes long, as the app does; JAX' epochs are as long. Single steps,
called one at a time, have columns of their own.

"of sgemm" is how much of this machine's matrix product rate (NumPy's, float32, 1536 × 1536) the step reaches,
counting only its products.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from timing import median_seconds

CELLS = ("rnn", "lstm", "gru")
SIZES = ((8, 10, 20), (32, 100, 64), (32, 200, 128), (64, 200, 256))
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
#: How many times as fast as the best peer the step is meant to be, by size; of all cells.
TO_REACH = {(8, 10, 20): 4.0, (32, 100, 64): 2.0, (32, 200, 128): 2.0, (64, 200, 256): 2.0}
#: Time steps in one turn of JAX' loop over time.
UNROLL = (1, 2, 5, 10)
EPOCH = 64  # batches in an epoch
LEARNING_RATE = 0.01

Step = Callable[[], Any]
#: (steps in one call, the call)
Work = tuple[int, Step]
#: microseconds a step, and how
Figure = tuple[float, str]


def batches_of(B: int, T: int, H: int) -> int:
    """Batches in an epoch: 64, fewer where a batch alone takes long."""
    return min(EPOCH, max(1, 4_000_000 // (B * T * H)))


# -- what each library does in its own process ---------------------------------------------------------


def rnnviz_epoch(cell: str, B: int, T: int, H: int) -> Work:
    training = _rnnviz(cell, B, T, H)
    return training.batches_per_epoch, training.run_epoch


def rnnviz_single(cell: str, B: int, T: int, H: int) -> Work:
    return 1, _rnnviz(cell, B, T, H).run_batch


def _rnnviz(cell: str, B: int, T: int, H: int) -> Any:
    import numpy as np

    from rnnviz.nn import Data, Model, Optimizer, Training, engine

    engine.select("numba")
    x, y = (np.tile(a, (batches_of(B, T, H), 1, 1)) for a in _sequences(B, T))
    model = Model.create(cell=cell, input_size=1, hidden_size=H, output_size=1, dtype="float32", seed=0)
    rule = Optimizer("sgd", learning_rate=LEARNING_RATE)
    return Training(model, Data(x, y), optimizer=rule, batch_size=B)


def pytorch_eager(cell: str, B: int, T: int, H: int) -> Work:
    return 1, _pytorch(cell, B, T, H, compiled=False)


def pytorch_compiled(cell: str, B: int, T: int, H: int) -> Work:
    return 1, _pytorch(cell, B, T, H, compiled=True)


def _pytorch(cell: str, B: int, T: int, H: int, compiled: bool) -> Step:
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count() or 1)
    layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.readout = layer(1, H), nn.Linear(H, 1)

        def forward(self, x: Any) -> Any:
            return self.readout(self.rnn(x)[0])

    network: Any = Network()
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    x, y = (torch.from_numpy(a.swapaxes(0, 1).copy()) for a in _sequences(B, T))
    called = torch.compile(network) if compiled else network

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss = ((called(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()

    return step


def _jax(cell: str, B: int, T: int, H: int, unroll: int) -> Any:
    """(parameters, x, y, one update of the parameters)"""
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng, G = np.random.default_rng(0), GATES[cell]
    bound = 1 / np.sqrt(H)
    shapes = {"W_ih": (1, G * H), "W_hh": (H, G * H), "b_ih": (G * H,), "b_hh": (G * H,), "W": (H, 1), "b": (1,)}
    params = {name: jnp.asarray(rng.uniform(-bound, bound, s), jnp.float32) for name, s in shapes.items()}
    x, y = (jnp.asarray(a.swapaxes(0, 1)) for a in _sequences(B, T))

    def cell_step(p: Any, state: Any, read: Any) -> Any:
        if cell == "rnn":
            h = jnp.tanh(read + state @ p["W_hh"])
            return h, h
        if cell == "lstm":
            h, c = state
            i, f, g, o = jnp.split(read + h @ p["W_hh"], 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h
        r_x, z_x, n_x = jnp.split(read, 3, axis=-1)
        r_h, z_h, n_h = jnp.split(state @ p["W_hh"] + p["b_hh"], 3, axis=-1)
        r, z = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(z_x + z_h)
        h = (1 - z) * jnp.tanh(n_x + r * n_h) + z * state
        return h, h

    def loss(p: Any, x: Any, y: Any) -> Any:
        read = x @ p["W_ih"] + p["b_ih"] + (0 if cell == "gru" else p["b_hh"])
        start = jnp.zeros((B, H), jnp.float32)
        state = (start, start) if cell == "lstm" else start
        _, h = jax.lax.scan(lambda s, r: cell_step(p, s, r), state, read, unroll=min(unroll, T))
        return jnp.mean((h @ p["W"] + p["b"] - y) ** 2)

    def update(p: Any, x: Any, y: Any) -> Any:
        gradients = jax.grad(loss)(p, x, y)
        return jax.tree.map(lambda a, g: a - LEARNING_RATE * g, p, gradients)

    return params, x, y, update


def jax_single(cell: str, B: int, T: int, H: int) -> Work:
    import jax

    params, x, y, update = _jax(cell, B, T, H, unroll=1)
    jitted = jax.jit(update, donate_argnums=0)

    def step() -> None:
        nonlocal params
        params = jax.block_until_ready(jitted(params, x, y))

    return 1, step


def jax_epoch(unroll: int, cell: str, B: int, T: int, H: int) -> Work:
    """All batches of an epoch in one jitted call: a scan over batches, and in each a scan over time."""
    import jax
    import jax.numpy as jnp

    params, x, y, update = _jax(cell, B, T, H, unroll)
    batches = batches_of(B, T, H)
    xs, ys = (jnp.tile(a[None], (batches, 1, 1, 1)) for a in (x, y))
    epoch = jax.jit(
        lambda p, xs, ys: jax.lax.scan(lambda p, batch: (update(p, *batch), None), p, (xs, ys))[0], donate_argnums=0
    )

    def run() -> None:
        nonlocal params
        params = jax.block_until_ready(epoch(params, xs, ys))

    return batches, run


def keras_torch(cell: str, B: int, T: int, H: int) -> Work:
    return _keras("torch", cell, B, T, H)


def keras_jax(cell: str, B: int, T: int, H: int) -> Work:
    return _keras("jax", cell, B, T, H)


def _keras(backend: str, cell: str, B: int, T: int, H: int) -> Work:
    os.environ["KERAS_BACKEND"] = backend
    import keras

    layer = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell]
    model = keras.Sequential([keras.Input((T, 1)), layer(H, return_sequences=True), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(LEARNING_RATE), loss="mse")
    x, y = _sequences(B, T)
    return 1, lambda: model.train_on_batch(x, y)


Make = Callable[[str, int, int, int], Work]
JAX, JAX_SINGLE, OWN, OWN_SINGLE = "JAX", "JAX, single", "rnnviz", "rnnviz, single"
#: name -> (the package it needs, what makes its step)
PEERS: dict[str, tuple[str, Make]] = {
    "PyTorch": ("torch", pytorch_eager),
    "PyTorch compiled": ("torch", pytorch_compiled),
    JAX: ("jax", partial(jax_epoch, UNROLL[0])),
    JAX_SINGLE: ("jax", jax_single),
    "Keras on torch": ("keras", keras_torch),
    "Keras on JAX": ("keras", keras_jax),
}
OURS: dict[str, tuple[str, Make]] = {
    OWN: ("rnnviz", rnnviz_epoch),
    OWN_SINGLE: ("rnnviz", rnnviz_single),
}


def _sequences(B: int, T: int) -> tuple[Any, Any]:
    """x, y (B, T, 1) float32: a noisy sine and its next value."""
    import numpy as np

    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 6, (B, 1)) + 0.3 * np.arange(T + 1)
    series = (np.sin(phase) + 0.1 * rng.standard_normal(phase.shape)).astype("float32")[..., None]
    return np.ascontiguousarray(series[:, :-1]), np.ascontiguousarray(series[:, 1:])


def measured(who: str, cell: str, B: int, T: int, H: int, seconds: float) -> Figure:
    """Microseconds a step, and how far the best of JAX' loops is unrolled."""
    if who != JAX:
        steps, call = (OURS | PEERS)[who][1](cell, B, T, H)
        return median_seconds(call, seconds) / steps * 1e6, ""
    figures = []
    for unroll in UNROLL:
        steps, call = jax_epoch(unroll, cell, B, T, H)
        figures.append((median_seconds(call, seconds / 2) / steps * 1e6, str(unroll)))
    return min(figures)


def sgemm_rate() -> float:
    """Multiplications and additions a second (two each) of NumPy's float32 product, best of several."""
    import numpy as np

    a = np.random.default_rng(0).random((1536, 1536), np.float32)
    best = float("inf")
    for _ in range(12):
        began = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - began)
    return 2 * 1536**3 / best


# -- the table -----------------------------------------------------------------------------------------


def elsewhere(who: str, cell: str, size: tuple[int, int, int], seconds: float) -> Figure | None:
    """`measured` in a process of its own; None if it does not run here."""
    words = [who, cell, *map(str, size), str(seconds)]
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment = {**os.environ, "PYTHONPATH": here, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, __file__, "--worker", *words], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        print(f"  {who}: {(done.stderr.strip().splitlines() or ['did not run'])[-1][:100]}", file=sys.stderr)
        return None
    time_of, how = json.loads(done.stdout.splitlines()[-1])
    return float(time_of), str(how)


def product_work(cell: str, B: int, T: int, H: int) -> float:
    """Operations of a step's matrix products: three with W_hh a time step, as many with W_ih, six with the readout."""
    from rnnviz.nn import cell_table

    described = cell_table.CELLS[cell]
    width = len(described.blocks) * H
    return 6.0 * B * T * width * (H * described.recurrent + 1) - 2.0 * B * T * width + 6.0 * B * T * H


def rows(cells: Sequence[str], sizes: Sequence[tuple[int, int, int]], seconds: float, turns: int) -> Iterator[str]:
    peers = [who for who, (package, _) in PEERS.items() if find_spec(package) is not None]
    rate = sgemm_rate()
    yield f"sgemm of this machine: {rate / 1e9:.0f} GFLOP/s.  µs a step, [JAX' unroll], the best peer's over ours:"
    head = f"{'(B, T, H)':<15} {'cell':<5}" + "".join(f"{who:>18}" for who in peers)
    yield head + f"{OWN_SINGLE:>16}{OWN:>10}{'of sgemm':>10}{'× best':>8}{'to reach':>10}"
    for size in sizes:
        for cell in cells:
            best: dict[str, Figure] = {}
            broken: set[str] = set()
            for _ in range(turns):
                for who in [*OURS, *peers]:
                    if who in broken:
                        continue
                    figure = elsewhere(who, cell, size, seconds)
                    if figure is None:
                        broken.add(who)
                    else:
                        best[who] = min(figure, best.get(who, figure))
            ours = best[OWN][0]
            line = f"{size!s:<15} {cell:<5}"
            for who in peers:
                value, how = best.get(who, (None, ""))
                shown = "-" if value is None else f"{value:,.1f}" + (f" [{how}]" if how else "")
                line += f"{shown:>18}"
            share = product_work(cell, *size) / (ours * 1e-6) / rate
            line += f"{best[OWN_SINGLE][0]:>16,.1f}{ours:>10,.1f}{share:>10.0%}"
            rivals = [best[who][0] for who in peers if who in best]
            if rivals:
                ratio, wanted = min(rivals) / ours, TO_REACH.get(size)
                verdict = "" if wanted is None else f"{wanted:>10}  {'ok' if ratio >= wanted else 'under'}"
                line += f"{ratio:>8.2f}{verdict}"
            yield line


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["--worker"]:
        who, cell, B, T, H, seconds = arguments[1:]
        print(json.dumps(measured(who, cell, int(B), int(T), int(H), float(seconds))))
        return
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", default=",".join(CELLS), help="default rnn,lstm,gru")
    parser.add_argument("--sizes", nargs="+", default=[",".join(map(str, s)) for s in SIZES], help="B,T,H each")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each library in each turn (default 2)")
    parser.add_argument("--turns", type=int, default=2, help="(default 2)")
    options = parser.parse_args(arguments)
    sizes = [tuple(map(int, size.split(","))) for size in options.sizes]
    for row in rows(options.cells.split(","), sizes, options.seconds, options.turns):
        print(row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
