"""A recording: the bytes of a record, and how long it takes to write, to open and to trace. Prints a table.

    python benchmarks/watch.py                 # a minute; compiles the LSTM's kernels at the first run

The layer is an LSTM with B 8, T 200, I 64, H 256 in float32, and a direct gradient at every step. Writing includes the
wait until the disk has it. The score needs the trace; the instruments are the triangle with all of its 200 rows and the
gain of every step, which is what a ledger needs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from timing import median_seconds

from rnnviz import LayerRecord, Recorder, Recording
from rnnviz.nn import engine, gain
from rnnviz.recordings import passes

B, T, I, H = 8, 200, 64, 256  # noqa: E741
RECORDS = 1000


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


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.2f} ms"


def main() -> None:
    engine.load_numba()
    with tempfile.TemporaryDirectory() as place:
        for part in (record, thousand):
            for what, figure in part(Path(place)):
                print(f"{what:30}{figure:>16}", flush=True)


if __name__ == "__main__":
    main()
