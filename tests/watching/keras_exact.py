"""Every kind of recurrent layer in Keras, watched: the weight gradients that our backward pass gets from the record are
Keras' own, and so is the gradient of the input, for every sequence, step and direction. In float64 on TensorFlow; on
PyTorch and JAX Keras' own products are those of float32."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from checks import run
from keras import layers

import rnnviz
from rnnviz.recordings.recording import Recording

BACKEND = keras.backend.backend()
EXACT = BACKEND == "tensorflow"
TOLERANCE = 1e-9 if EXACT else 1e-5
if EXACT:
    keras.backend.set_floatx("float64")
if BACKEND == "jax":
    import jax

RNG = np.random.default_rng(0)
T, I = 7, 3  # noqa: E741
X = RNG.standard_normal((6, T, I))
PADDED = X.copy()
for b, n in enumerate([T, 3, 1, 5, 0, 4]):  # sequence 4 is masked as a whole
    PADDED[b, n:] = 0
Y, Y_SEQ = RNG.standard_normal((6, 2)), RNG.standard_normal((6, T, 2))
CELLS = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
if BACKEND == "jax":  # which compiles each model for seconds; but for the gradient, all is the same for each backend
    CELLS = {"lstm": "LSTM"}


def recorded(model: Any, x: Any, y: Any, keep: int = 100, **options: Any) -> Any:
    """The record before the training."""
    model.compile("sgd", "mse")
    model(keras.tree.map_structure(keras.ops.convert_to_tensor, x))
    with tempfile.TemporaryDirectory() as folder:
        watch = rnnviz.keras.Watch(Path(folder) / "r", x, y, keep=keep, **options)
        watch.set_model(model)
        watch.on_train_begin()
        watch.on_epoch_begin(0)
        watch.on_train_end()
        record = Recording.open(Path(folder) / "r")[0]
        return record, {name: record.layer(name) for name in record.layers}


def proved(model: Any, x: Any = X, y: Any = Y, **options: Any) -> dict[str, Any]:
    """The LayerRecords by name."""
    record, found = recorded(model, x, y, **options)
    assert found
    assert "not_recorded" not in record.extra, record.extra
    for name, layer in found.items():
        assert record.agreement(name) <= TOLERANCE, (name, record.agreement(name))
        assert layer.direct.any(), name
        assert layer.notes == (), layer.notes
    return found


def grad_x(model: Any, x: Any, y: Any) -> Any:
    """The framework's own gradient of the loss by the input, (B, T, I)."""

    def loss(x: Any) -> Any:
        return model.compute_loss(x=x, y=keras.ops.convert_to_tensor(y), y_pred=model(x, training=False))

    if BACKEND == "torch":
        import torch

        leaf = torch.tensor(x, requires_grad=True)
        return torch.autograd.grad(loss(leaf), leaf)[0].numpy()
    if BACKEND == "jax":
        return np.asarray(jax.grad(loss)(x))
    import tensorflow as tf

    leaf = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        found = loss(leaf)
    return tape.gradient(found, leaf).numpy()


def same_at_the_input(model: Any, x: Any, y: Any) -> None:
    """The sum of both directions' Trace.grad_x is the framework's own."""
    model.compile("sgd", "mse")
    x, y = (array.astype(keras.config.floatx()) for array in (x, y))
    wanted = grad_x(model, x, y)
    record, _ = recorded(model, x, y)
    name = record.layers[0]
    layer = record.layer(name)
    rows = [int(text.split()[-1]) - 1 for text in layer.names] or range(len(x))
    for sample, b in enumerate(rows):
        n = int(layer.steps[sample])
        ours = np.zeros((n, I))
        for direction in layer.directions:
            found = record.trace(name, sample=sample, direction=direction).grad_x[:, 0]
            ours += found[::-1] if direction == "backward" else found
        np.testing.assert_allclose(ours, wanted[b, :n], rtol=TOLERANCE, atol=TOLERANCE * np.abs(wanted).max())


def check_the_input_of_every_kind() -> None:
    for kind in CELLS.values():
        layer = getattr(layers, kind)
        for whole in (True, False):
            y = Y_SEQ if whole else Y
            plain = layer(4, return_sequences=whole, bias_initializer="random_normal")
            head = layers.Dense(2, activation="tanh")
            same_at_the_input(keras.Sequential([layers.Input((T, I)), plain, head]), X, y)
            both = layers.Bidirectional(layer(4, return_sequences=whole), merge_mode="mul" if whole else "concat")
            head = layers.Dense(2, activation="tanh")
            same_at_the_input(keras.Sequential([layers.Input((T, I)), layers.Masking(), both, head]), PADDED, y)


def check_masks_in_both_directions() -> None:
    for cell, kind in CELLS.items():
        layer = getattr(layers, kind)
        for whole in (True, False):
            stacked = [
                layers.Bidirectional(layer(4, return_sequences=True)),
                layers.Bidirectional(layer(5, return_sequences=True, use_bias=False), merge_mode="sum"),
                layer(3, return_sequences=True, go_backwards=not whole),
                layer(4, return_sequences=whole, zero_output_for_mask=whole, unroll=whole and BACKEND != "jax"),
            ]
            model = keras.Sequential([layers.Input((T, I)), layers.Masking(), *stacked, layers.Dense(2)])
            found = proved(model, PADDED, Y_SEQ if whole else Y)
            assert [record.cell for record in found.values()] == [cell] * 4
            assert [len(record.directions) for record in found.values()] == [2, 2, 1, 1]
            first = next(iter(found.values()))
            assert list(first.steps) == [T, 3, 1, 5, 4]
            assert first.names[4] == "sequence 6"


def check_states_that_go_in_and_out() -> None:
    for cell, kind in CELLS.items():
        layer = getattr(layers, kind)
        inputs = layers.Input((T, I))
        output, *states = layer(4, return_sequences=True, return_state=True, name="encoder")(inputs)
        last, *ends = layer(4, return_state=True, name="decoder")(output, initial_state=states)
        found = proved(keras.Model(inputs, layers.Dense(2)(layers.Concatenate()([last, *ends, *states]))))
        assert found["encoder"].direct_h is not None
        assert found["decoder"].h0 is not None
        assert (found["encoder"].direct_c is not None) == (cell == "lstm") == (found["decoder"].c0 is not None)
        proved(keras.Sequential([layers.Input(batch_shape=(6, T, I)), layer(4, stateful=True), layers.Dense(2)]))


def check_cells_of_their_own() -> None:
    for kind in CELLS.values():
        cell = getattr(layers, f"{kind}Cell")
        stack = layers.RNN([cell(4), cell(4)], return_sequences=True, name="stack")
        both = layers.Bidirectional(layers.RNN([cell(3), cell(3)]))
        rest = [layers.RepeatVector(2), layers.RNN(cell(4), name="one"), layers.Dense(2)]
        found = proved(keras.Sequential([layers.Input((T, I)), stack, both, *rest]))
        assert found["stack"].levels == 2
        assert found["one"].levels == 1
        assert len(found) == 4  # PyTorch's bidirectional layers read both directions; a stack of Keras' cells does not


def check_a_layer_that_is_called_several_times() -> None:
    inputs, shared = layers.Input((T, I)), layers.LSTM(I, return_sequences=True, name="shared")
    found = proved(keras.Model(inputs, layers.Dense(2)(shared(shared(inputs)[:, 2:])[:, -1])))
    assert found["shared"].B == 12
    assert found["shared"].names[6] == "call 2, sequence 1"
    assert list(found["shared"].steps) == [T] * 6 + [T - 2] * 6
    many = keras.Sequential(
        [layers.Input((2, T, I)), layers.TimeDistributed(layers.GRU(3)), layers.Flatten(), layers.Dense(2)]
    )
    proved(many, RNG.standard_normal((6, 2, T, I)))


def check_what_surrounds_a_layer() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [
                layers.LSTM(3, return_sequences=True, name="a"),
                layers.SimpleRNN(3, activation="relu", name="a"),
            ]
            self.head = layers.Dense(2)

        def call(self, x: Any) -> Any:
            for part in self.parts:
                x = part(x)
            self.add_loss(keras.ops.mean(x**2))
            return self.head(x)

    found = proved(Own())
    assert list(found) == ["a", "a#2"]
    assert found["a#2"].activation == "relu"
    inside = keras.Sequential([layers.Input((T, I)), layers.GRU(3, return_sequences=True, name="gru")], name="encoder")
    outside = [layers.BatchNormalization(), layers.LSTM(3, return_sequences=True, trainable=False), layers.Dropout(0.5)]
    last = layers.GRU(4, dropout=0.4, recurrent_dropout=0.3, kernel_regularizer="l2", name="gru")
    found = proved(keras.Sequential([layers.Input((T, I)), inside, *outside, last, layers.Dense(2)]))
    assert {name for name in found if "gru" in name} == {"encoder/gru", "gru"}
    words = keras.Sequential(
        [layers.Input((T,)), layers.Embedding(9, 4, mask_zero=True), layers.LSTM(3), layers.Dense(2)]
    )
    ids = np.where(PADDED[..., 0] == 0, 0, RNG.integers(1, 9, (6, T)))
    assert list(next(iter(proved(words, ids).values())).steps) == [T, 3, 1, 5, 4]
    a, b = layers.Input((T, I), name="a"), layers.Input((4,), name="b")
    two = keras.Model([a, b], [layers.Dense(2)(layers.Concatenate()([layers.LSTM(3)(a), b])), layers.Dense(1)(b)])
    proved(two, [X, RNG.standard_normal((6, 4))], [Y, Y[:, :1]])


def check_the_first_sequences_are_kept_and_all_are_compared() -> None:
    model = keras.Sequential([layers.Input((T, I)), layers.Masking(), layers.LSTM(3, name="lstm"), layers.Dense(2)])
    record, found = recorded(model, PADDED[1:], Y[1:], keep=2)
    assert (found["lstm"].B, found["lstm"].T, found["lstm"].total) == (2, 3, 4)
    assert list(found["lstm"].steps) == [3, 1]
    assert record.agreement("lstm") <= TOLERANCE


def check_half_precision_is_recorded_with_its_reason() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = keras.Sequential([layers.Input((T, I)), layers.LSTM(3, name="lstm"), layers.Dense(2, dtype="float32")])
        record, found = recorded(model, X, Y)
    finally:
        keras.config.set_dtype_policy(keras.config.floatx())
    assert found["lstm"].notes == ("Keras computes this layer in bfloat16.",)
    assert 0 < record.agreement("lstm") < 0.1


if __name__ == "__main__":
    run(globals())
