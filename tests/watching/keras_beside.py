"""What a watched training does beside being recorded: nothing else than without it, whatever goes wrong."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from checks import run
from keras import layers

import rnnviz
from rnnviz.recordings.recording import Recording

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((40, 6, 2)).astype("float32"), RNG.standard_normal((40, 1)).astype("float32")


@contextlib.contextmanager
def folder() -> Any:
    with tempfile.TemporaryDirectory() as where:
        yield Path(where) / "r"


class Noise(layers.Layer):
    """Draws from every generator that a backend has, in training and outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds = keras.random.SeedGenerator(3)

    def call(self, x: Any) -> Any:
        x = x + 0.01 * keras.random.normal(keras.ops.shape(x), seed=self.seeds)
        if keras.backend.backend() != "torch":
            return x
        import torch

        return x + 0.01 * (torch.randn(()) + float(np.random.standard_normal()) + random.random())


def model(*parts: Any) -> Any:
    made = keras.Sequential([layers.Input((6, 2)), *parts, layers.Dense(1)])
    made.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), "mse", metrics=["mae"])
    return made


def trained(callbacks: list[Any]) -> Any:
    keras.utils.set_random_seed(7)
    made = model(
        Noise(),
        layers.GaussianNoise(0.1),
        layers.LSTM(4, return_sequences=True, dropout=0.3, recurrent_dropout=0.2, kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.GRU(3, dropout=0.3),
    )
    histories = []
    for epochs in (3, 2):
        done = made.fit(X, Y, batch_size=8, epochs=epochs, validation_split=0.2, verbose=0, callbacks=callbacks)
        histories.append(done.history)
    variables = [keras.ops.convert_to_numpy(v) for v in (*made.variables, *made.optimizer.variables)]
    return histories, variables, made


def check_the_training_is_the_same_bit_for_bit() -> None:
    alone, variables, _ = trained([])
    with folder() as path:
        watched, found, made = trained([rnnviz.keras.Watch(path, X[:9], Y[:9])])
        recording = Recording.open(path)
        assert recording.steps == (0, 1, 2, 3, 4, 5)  # both calls of fit, and the weights between them once
        assert recording[2].extra["fit: loss"] == watched[0]["loss"][1]
        assert recording[5].extra["learning_rate"] == np.float32(0.01)
        for record in recording:
            for name in record.layers:
                assert record.is_proved(name), (record.step, name, record.agreement(name))
    assert alone == watched
    for one, other in zip(variables, found, strict=True):
        np.testing.assert_array_equal(one, other)
    for layer in made.layers:
        assert "inner_loop" not in layer.__dict__


def check_every_and_layers_and_append() -> None:
    with folder() as path:
        made = model(layers.LSTM(3, return_sequences=True, name="a"), layers.GRU(2, name="b"))
        made.fit(X, Y, epochs=5, verbose=0, callbacks=[rnnviz.keras.Watch(path, X[:4], Y[:4], every=2, layers=["b"])])
        recording = Recording.open(path)
        assert recording.steps == (0, 2, 4)
        assert recording[0].layers == ("b",)
        assert "Keras" in recording.about["framework"]
        again = rnnviz.keras.Watch(path, X[:4], Y[:4], every=2, append=True)
        made.fit(X, Y, epochs=7, initial_epoch=5, verbose=0, callbacks=[again])
        assert Recording.open(path).steps == (0, 2, 4, 5, 6)


def check_the_loss_is_that_of_evaluate() -> None:
    with folder() as path:
        made = model(layers.SimpleRNN(3, dropout=0.5), layers.BatchNormalization())
        made.fit(X, Y, epochs=2, verbose=0, callbacks=[rnnviz.keras.Watch(path, X[:8], Y[:8])])
        wanted, _ = made.evaluate(X[:8], Y[:8], verbose=0)
        assert abs(Recording.open(path)[-1].loss - wanted) < 1e-6 * wanted


def refused(reason: str, made: Any, x: Any = X, y: Any = Y, probe: Any = None, **options: Any) -> None:
    """fit raises InputError before its first step, and leaves no folder."""
    with folder() as path:
        before = made.get_weights()
        watch = rnnviz.keras.Watch(path, *(probe or (x[:4], y[:4])), **options)
        with refusing(reason):
            made.fit(x, y, epochs=1, verbose=0, callbacks=[watch])
        assert not path.exists()
        for one, other in zip(before, made.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)


@contextlib.contextmanager
def refusing(reason: str) -> Any:
    """As pytest.raises(InputError), which the Python with the frameworks may not have."""
    message = ""
    try:
        yield
    except rnnviz.InputError as error:
        message = str(error)
    assert reason in message, message or f"not refused: {reason}"
    assert "\n" not in message


def check_what_cannot_be_watched_is_refused_before_the_first_step() -> None:
    refused("no recurrent layer", model(layers.Flatten()))
    refused("another equation", model(layers.GRU(3, reset_after=False)))
    refused("its activation is relu, not tanh", model(layers.LSTM(3, activation="relu")))
    refused("its activation is linear, not tanh or relu", model(layers.SimpleRNN(3, activation=None)))
    refused("its recurrent_activation is hard_sigmoid", model(layers.GRU(3, recurrent_activation="hard_sigmoid")))
    refused("differ in kind, units", model(layers.RNN([layers.LSTMCell(3), layers.LSTMCell(4)])))
    refused("'x' is none of the recurrent layers: one", model(layers.LSTM(3, name="one")), layers=["x"])
    two = model(layers.LSTM(3, return_sequences=True), layers.GRU(3, reset_after=False, name="b"))
    refused("b cannot be recorded: it was made with reset_after=False", two, layers=["b"])
    refused("does not run on the probe batch", model(layers.LSTM(3)), probe=(X[:4, :, :1], Y[:4]))

    class Own(layers.Layer):
        units = state_size = 3

        def call(self, x: Any, states: Any) -> Any:
            return x[:, :1] + states[0], [x[:, :1] + states[0]]

    refused("its cell, Own, is not that of SimpleRNN, LSTM or GRU", model(layers.RNN(Own())))
    ids = RNG.integers(1, 5, (40, 6))
    ids[0, 2] = 0
    made = keras.Sequential(
        [layers.Input((6,)), layers.Embedding(5, 3, mask_zero=True), layers.LSTM(3), layers.Dense(1)]
    )
    made.compile("sgd", "mse")
    refused("masks steps that are not at the end", made, x=ids)


def check_a_layer_that_is_refused_is_named_beside_those_that_are_recorded() -> None:
    with folder() as path, contextlib.redirect_stderr(io.StringIO()) as said:
        made = model(layers.GRU(3, reset_after=False, return_sequences=True, name="odd"), layers.LSTM(3, name="lstm"))
        made.fit(X, Y, epochs=2, verbose=0, callbacks=[rnnviz.keras.Watch(path, X[:4], Y[:4])])
        recording = Recording.open(path)
        assert [record.layers for record in recording] == [("lstm",)] * 3
        assert recording[1].extra["not_recorded"][0].startswith("odd: it was made with reset_after=False")
    assert said.getvalue().count("odd: not recorded") == 1


def check_a_used_folder_is_refused() -> None:
    with folder() as path:
        path.mkdir()
        (path / "thesis.tex").write_text("mine")
        with refusing("holds other files"):
            model(layers.LSTM(3)).fit(X, Y, verbose=0, callbacks=[rnnviz.keras.Watch(path, X[:4], Y[:4])])
        assert [one.name for one in path.iterdir()] == ["thesis.tex"]


def check_no_name_of_the_callback_is_one_of_keras_own() -> None:
    with folder() as path:
        ours = vars(rnnviz.keras.Watch(path, X[:4], Y[:4])).keys() - vars(keras.callbacks.Callback()).keys()
        own = {name for name in vars(rnnviz.keras.Watch) if not name.startswith(("__", "on_"))}
        assert not (ours | own) & set(dir(keras.callbacks.Callback))


class Breaks(layers.Layer):
    """Fails outside of training from some call on."""

    is_broken = False

    def call(self, x: Any, training: bool = False) -> Any:
        if self.is_broken and not training:
            raise RuntimeError("broken on purpose")
        return x


def check_nothing_is_raised_into_fit_later() -> None:
    with folder() as path, contextlib.redirect_stderr(io.StringIO()) as said:
        breaks = Breaks()
        made = model(layers.LSTM(3, return_sequences=True, name="lstm", dropout=0.5), breaks, layers.GRU(3))
        made.compile("sgd", "mse", run_eagerly=True)
        epochs = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: setattr(breaks, "is_broken", epoch == 0))
        made.fit(X[:8], Y[:8], epochs=4, verbose=0, callbacks=[epochs, rnnviz.keras.Watch(path, X[:4], Y[:4])])
        recording = Recording.open(path)
        assert [len(record.layers) for record in recording] == [2, 0, 2, 2, 2]
        assert "broken on purpose" in recording[1].extra["not_recorded"][0]
        assert recording[1].loss is None
    assert said.getvalue().count("broken on purpose") == 2  # once a layer
    with folder() as path, contextlib.redirect_stderr(io.StringIO()) as said:
        made = model(layers.LSTM(3))
        gone = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: shutil.rmtree(path, ignore_errors=True))
        made.fit(X, Y, epochs=3, verbose=0, callbacks=[gone, rnnviz.keras.Watch(path, X[:4], Y[:4])])
    assert said.getvalue().count("\n") == 1, said.getvalue()


def check_weights_that_act_elsewhere_too_are_not_proved() -> None:
    class Tied(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.head = layers.LSTM(2, return_sequences=True, name="lstm"), layers.Dense(1)

        def call(self, x: Any) -> Any:
            x = self.lstm(x)
            return self.head(x[:, -1] + x[:, 0] @ self.lstm.cell.recurrent_kernel[:, :2])

    with folder() as path, contextlib.redirect_stderr(io.StringIO()) as said:
        made = Tied()
        made.compile("sgd", "mse")
        made.fit(X[:8], Y[:8], epochs=1, verbose=0, callbacks=[rnnviz.keras.Watch(path, X[:4], Y[:4])])
        record = Recording.open(path)[0]
        assert not record.is_proved("lstm")
        assert "something else acts on its weights" in record.notes("lstm")[0]
    assert said.getvalue().count("something else acts") == 1


if __name__ == "__main__":
    run(globals())
