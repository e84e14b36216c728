"""The Keras recipe (a noisy sine, windows of 10, SimpleRNN(20), Dense(1), SGD 0.01, batches of 8, 20 epochs) watched:
the horizon after each epoch is that of our own training from the same weights in the same batches."""

from __future__ import annotations

import tempfile
from pathlib import Path

import keras
import numpy as np
from checks import run
from keras import layers

import rnnviz
from rnnviz.nn import Data, Model, Optimizer, Training
from rnnviz.nn.keras_layout import to_ours
from rnnviz.recordings.recording import Recording
from rnnviz.views.horizon_history import profile

EXACT = keras.backend.backend() == "tensorflow"  # on PyTorch and JAX Keras' own products are those of float32
TOLERANCE = 1e-9 if EXACT else 1e-4
if EXACT:
    keras.backend.set_floatx("float64")


def check_the_horizon_is_that_of_our_own_training() -> None:
    assert set(horizons(gain=1.0)) == {None}  # more than 1 % reaches back through all ten steps
    found = horizons(gain=0.4)
    assert None not in found
    assert len({round(value, 2) for value in found}) > 20


def horizons(gain: float) -> list[float | None]:
    """Of the last step of eight sequences after each epoch, from recurrent weights times `gain`; compared with ours."""
    series = np.sin(np.linspace(-2 * np.pi, 2 * np.pi, 50)) + 0.1 * np.random.default_rng(0).standard_normal(50)
    windows = np.stack([series[i : i + 11] for i in range(40)])[..., None]
    x, y = windows[:, :-1], windows[:, 1:]
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [layers.Input((10, 1)), layers.SimpleRNN(20, return_sequences=True, name="rnn"), layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(0.01), "mse")
    recurrent, dense = model.layers
    kernel, loop, bias = recurrent.get_weights()
    recurrent.set_weights([kernel, gain * loop, bias])
    weight, bias = dense.get_weights()
    params = {f"rnn.{name}_l0": array for name, array in to_ours("rnn", recurrent.get_weights()).items()}
    params |= {"readout.weight": weight.T, "readout.bias": bias}
    with tempfile.TemporaryDirectory() as folder:
        watch = rnnviz.keras.Watch(Path(folder) / "r", x[:8], y[:8])
        done = model.fit(x[:36], y[:36], batch_size=8, epochs=20, shuffle=False, verbose=0, callbacks=[watch])
        recording = Recording.open(Path(folder) / "r")
        assert recording.steps == tuple(range(21))
        ours = Model.create("rnn", 1, 20, 1, biases=1).with_params(params)
        training = Training(ours, Data(x[:36], y[:36]), None, Optimizer("sgd", 0.01), batch_size=8, shuffle=False)
        found: list[float | None] = []
        for record in recording:
            assert record.is_proved("rnn")
            for sample in range(8):
                own = training.model.trace(x[None, sample].swapaxes(0, 1), y[None, sample].swapaxes(0, 1))
                watched = profile(record.trace("rnn", sample=sample))
                np.testing.assert_allclose(watched.kept, profile(own).kept, rtol=TOLERANCE)
                assert (watched.horizon is None) == (profile(own).horizon is None)
                if watched.horizon is not None:
                    np.testing.assert_allclose(watched.horizon, profile(own).horizon, rtol=TOLERANCE)
                found.append(watched.horizon)
            whole = training.model.trace(x[:8].swapaxes(0, 1), y[:8].swapaxes(0, 1))
            np.testing.assert_allclose(record.loss, whole.loss, rtol=TOLERANCE)
            for sample in range(8):
                states = record.trace("rnn", sample=sample).grad_h[:, 0]
                wanted = whole.grad_h[:, sample]
                np.testing.assert_allclose(states, wanted, rtol=0, atol=TOLERANCE * np.abs(wanted).max())
            training.run_epoch()
        np.testing.assert_allclose(done.history["loss"], training.history["loss"][:20], rtol=TOLERANCE)
    return found


if __name__ == "__main__":
    run(globals())
