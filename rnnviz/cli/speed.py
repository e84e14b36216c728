"""Whether a training is long enough for the compiled engine to pay.

The default recipe takes less time in NumPy than numba takes to be imported. So the compiled engine is prepared,
beside a training that has already begun in NumPy, only where that will go on for some seconds; the training
goes on in it, with the same numbers, from the epoch after it is ready.
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
    """About how long `epochs` epochs take in NumPy."""
    data = training.train
    batch = min(training.batch_size, len(data))
    return Size(training.spec, len(data), len(data), int(data.x.shape[1]), batch, 0, False).seconds(epochs)


@contextmanager
def compiled_meanwhile(training: Training, epochs: int) -> Iterator[None]:
    """Prepare the compiled engine while the body trains, if that pays. Whatever goes wrong, NumPy trains on; a line on
    stderr says so at the end."""
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
