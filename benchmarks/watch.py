"""A recording: the bytes of a record, and how long it takes to write, to open and to trace; and, if PyTorch is
installed, how much longer a training takes while it is watched. Prints a table.

    python benchmarks/watch.py                 # minutes; compiles the LSTM's kernels at the first run
    python benchmarks/watch.py overhead        # or record, thousand: one part

The layer is an LSTM with B 8, T 200, I 64, H 256 in float32, and a direct gradient at every step. Writing includes the
wait until the disk has it. The score needs the trace; the instruments are the triangle with all of its 200 rows and the
gain of every step, which is what a ledger needs.

The overhead is that of a training step (an LSTM and a linear layer at every time step, Adam) of B sequences, T steps,
H units and 16 inputs with keep=8. Watched and unwatched blocks of steps of two equal models take turns; it is the
median over the turns of (watched / unwatched - 1), what the writer's thread takes of the processors included.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from timing import median_seconds

import rnnviz
from rnnviz import LayerRecord, Recorder, Recording
from rnnviz.nn import engine, gain
from rnnviz.recordings import passes

B, T, I, H = 8, 200, 64, 256  # noqa: E741
RECORDS = 1000
#: (B, T, H), and how often the blocks take turns
OVERHEAD = (((100, 32, 64), 15), ((32, 200, 256), 5))


def lstm(steps: int = T, units: int = H) -> LayerRecord:
    rng = np.random.default_rng(0)

    def draw(*shape: int, scale: float = 1.0) -> Any:
        return (scale * rng.standard_normal(shape)).astype(np.float32)

    scale = units**-0.5
    weights = {"weight_ih_l0": draw(4 * units, I, scale=scale), "weight_hh_l0": draw(4 * units, units, scale=scale),
               "bias_ih_l0": draw(4 * units, scale=scale), "bias_hh_l0": draw(4 * units, scale=scale)}  # fmt: skip
    return LayerRecord(cell="lstm", weights=weights, grads=weights, x=draw(steps, B, I), direct=draw(steps, B, units))


def record(folder: Path) -> Iterator[tuple[str, str]]:
    layer = lstm()
    with Recorder(folder / "large", limit="4 GB") as recorder:
        writing = median_seconds(lambda: recorder.add(step=0, loss=0.5, layers={"lstm": layer}), 1.0)
    recording = Recording.open(folder / "large")
    yield "bytes of a record", f"{(recording[0].path).stat().st_size:,}"
    yield "write it", milliseconds(writing)
    yield "read the layer", milliseconds(median_seconds(lambda: recording[0].layer(), 1.0))
    yield "trace a sequence", milliseconds(median_seconds(lambda: recording[0].trace(), 2.0))
    yield "agreement of the whole batch", milliseconds(median_seconds(lambda: passes.agreement(layer), 2.0, 1))
    trace = recording[0].trace()
    yield "triangle", milliseconds(median_seconds(lambda: trace.triangle_rows(trace.loss_steps), 2.0, 1))
    yield "gain", milliseconds(median_seconds(lambda: gain.gains(trace.spec, trace.params, trace.forward), 2.0, 1))


def thousand(folder: Path) -> Iterator[tuple[str, str]]:
    layer = lstm(steps=5, units=4)
    with Recorder(folder / "long") as recorder:
        for step in range(RECORDS):
            recorder.add(step=step, loss=0.5, layers={"lstm": layer})

    def losses() -> list[float | None]:
        return [record.loss for record in Recording.open(folder / "long")]

    yield f"open {RECORDS:,} records", milliseconds(median_seconds(lambda: Recording.open(folder / "long"), 1.0))
    yield "and read each loss", milliseconds(median_seconds(losses, 1.0))


def overhead(folder: Path) -> Iterator[tuple[str, str]]:
    if find_spec("torch") is None:
        yield "overhead of watch", "no PyTorch"
        return
    for sizes, turns in OVERHEAD:
        for every in (1, 10, 100):
            step, share, processors = _overhead(folder / f"{sizes}{every}", sizes, every, turns)
            what = f"watch {sizes}, every={every}"
            yield what, f"{100 * share:+.2f} % of {milliseconds(step)}; of processor time {100 * processors:+.2f} %"


def _overhead(path: Path, sizes: tuple[int, int, int], every: int, turns: int) -> tuple[float, float, float]:
    import torch

    B, T, H = sizes

    def training() -> Any:
        torch.manual_seed(0)
        model = torch.nn.ModuleDict({"lstm": torch.nn.LSTM(16, H), "out": torch.nn.Linear(H, 1)})
        return model, torch.optim.Adam(model.parameters())

    x, y = torch.randn(T, B, 16), torch.randn(T, B, 1)

    def block(model: Any, optimizer: Any, watch: Any) -> tuple[float, float]:
        began = time.perf_counter(), time.process_time()
        for _ in range(steps):
            loss = (model["out"](model["lstm"](x)[0]) - y).square().mean()
            loss.backward()
            if watch is not None:
                watch.step(loss)
            optimizer.step()
            optimizer.zero_grad()
        return (time.perf_counter() - began[0]) / steps, (time.process_time() - began[1]) / steps

    plain, watched, steps = training(), training(), max(every, 10)
    found = []
    with rnnviz.watch(watched[0], path, every=every) as watch:
        block(*plain, None), block(*watched, watch)  # the first record is always compared with the whole batch
        for _ in range(turns):
            found.append((*block(*plain, None), *block(*watched, watch)))
    return (
        median(without for without, _, _, _ in found),
        median(with_ / without for without, _, with_, _ in found) - 1,
        median(with_ / without for _, without, _, with_ in found) - 1,
    )


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms"


def main() -> None:
    wanted = sys.argv[1:]
    if wanted != ["overhead"]:
        engine.load_numba()
    with tempfile.TemporaryDirectory() as place:
        for part in (record, thousand, overhead):
            if wanted and part.__name__ not in wanted:
                continue
            for what, figure in part(Path(place)):
                print(f"{what:30}{figure:>16}", flush=True)


if __name__ == "__main__":
    main()
