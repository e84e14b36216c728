"""Whether a training is long enough for the compiled engine to pay.

The default recipe takes less time in NumPy than numba takes to be imported. So the compiled engine is prepared,
beside a training that has already begun in NumPy, only where that will go on for some seconds; the training
goes on in it, with the same numbers, from the epoch after it is ready.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

from rnnviz.nn import Training

PAYS_FROM = 3.0  # seconds of training in NumPy; importing numba takes about one
STEP = 60e-6  # seconds of one step of one layer, forward and back, however small (NumPy's own overhead)
RATE = 4e9  # multiplications and additions a second in NumPy's products, at sizes like these


def seconds_in_numpy(training: Training, epochs: int) -> float:
    """About how long `epochs` epochs take in NumPy: STEP and RATE were measured on two cores."""
    spec = training.spec
    B, T = min(training.batch_size, len(training.train)), int(training.train.x.shape[1])
    width = spec.hidden_size * len(spec.gates)
    one_step = STEP + 6 * B * width * (spec.hidden_size + spec.input_size) / RATE
    return epochs * training.batches_per_epoch * T * spec.num_layers * one_step


@contextmanager
def compiled_meanwhile(training: Training, epochs: int) -> Iterator[None]:
    """Prepare the compiled engine while the body trains, if that pays. Whatever goes wrong, NumPy trains on."""
    preparing = None
    if seconds_in_numpy(training, epochs) >= PAYS_FROM:
        with suppress(Exception):
            preparing = import_module("rnnviz.nn.compile").start(lambda *_: None)
    try:
        yield
    finally:
        if preparing is not None:
            with suppress(Exception):
                preparing.stop()
