"""Decide whether a training run is long enough for the compiled engine to save time.

The default recipe takes less time in NumPy than the import of numba. So the compiled engine is prepared only for a run
of some seconds, while the run has already begun in NumPy; from the epoch after it is ready the run continues in the
compiled engine, with the same numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from rnnviz.experiment.cost import Size
from rnnviz.nn import Training, compiler_errors

PAYS_FROM = 3.0  # seconds of training in NumPy; importing numba takes about one


def seconds_in_numpy(training: Training, epochs: int) -> float:
    """Roughly how many seconds `epochs` epochs take in NumPy."""
    data = training.train
    batch = min(training.batch_size, len(data))
    return Size(training.spec, len(data), len(data), int(data.x.shape[1]), batch, 0, False).seconds(epochs)


@contextmanager
def compiled_meanwhile(training: Training, epochs: int) -> Iterator[None]:
    """Prepare the compiled engine while the body trains, if that saves time. If it fails, NumPy continues and a line on
    stderr reports it at the end."""
    preparing, notes = None, list[str]()
    if seconds_in_numpy(training, epochs) >= PAYS_FROM:
        try:
            preparing = import_module("rnnviz.nn.loading").start(on_note=notes.append)
        except Exception as error:
            compiler_errors.keep(error)
            notes.append(compiler_errors.UNAVAILABLE)
    try:
        yield
    finally:
        if preparing is not None:
            preparing.stop()
        for note in notes:
            print(f"rnnviz: {note}", file=sys.stderr)
