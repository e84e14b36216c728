"""Files that Keras writes, read without it: what each layer computes from what was read is what Keras computes."""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "watching"))

import keras
from checks import run
from keras import layers

from rnnviz.weights.reading import read
from rnnviz.weights.states import states

RNG = np.random.default_rng(0)
T, I, H = 6, 3, 4  # noqa: E741
X = RNG.standard_normal((2, T, I)).astype(np.float32)
CLASSES = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
FOLDER = Path(tempfile.mkdtemp())
SUFFIXES = (".keras", ".h5", ".weights.h5")


def shuffled(model: Any) -> Any:
    """With other weights than Keras begins with: its biases are 0."""
    model.set_weights([RNG.normal(0, 0.4, array.shape).astype(array.dtype) for array in model.get_weights()])
    return model


def written(model: Any, suffixes: tuple[str, ...] = SUFFIXES) -> dict[str, Any]:
    """suffix -> what is read from the model's file."""
    found = {}
    chosen = "relu" if "relu" in model.name else "identity" if "linear" in model.name else None
    for suffix in suffixes:
        path = FOLDER / f"{model.name}{suffix}"
        (model.save_weights if suffix == ".weights.h5" else model.save)(path)
        found[suffix] = read(path, chosen if suffix == ".weights.h5" else None)
    return found


def array(tensor: Any) -> Any:
    return keras.ops.convert_to_numpy(tensor)


def equal(ours: Any, theirs: Any) -> None:
    """(T, B, N) and (B, T, N)"""
    np.testing.assert_allclose(ours.swapaxes(0, 1), array(theirs), atol=1e-6)


def check_every_cell_and_option() -> None:
    for cell, biases, both in itertools.product(CLASSES, (True, False), (True, False)):
        for activation in ("tanh", "relu", "linear") if cell == "rnn" and biases else ("tanh",):
            name = f"{cell}_{biases}_{both}_{activation}"
            options = {"activation": activation} if cell == "rnn" else {}
            layer = CLASSES[cell](H, return_sequences=True, use_bias=biases, name=f"{name}_layer", **options)
            layer = layers.Bidirectional(layer, name=f"{name}_both") if both else layer
            model = shuffled(keras.Sequential([layers.Input((T, I)), layer, layers.Dense(2, name="out")], name=name))
            wanted = layer(X)
            for suffix, file in written(model).items():
                ours = file.layer(layer.name)
                known = ours.cell, ours.activation, len(ours.directions), ours.hidden_size, ours.input_size, ours.dtype
                assert known == (cell, {"linear": "identity"}.get(activation, activation), 1 + both, H, I, "float32"), (
                    suffix,
                    known,
                )
                assert ours.biases == biases * (2 if cell == "gru" else 1)
                equal(states(ours, X.swapaxes(0, 1)), wanted)
                readout = file.readout_of(ours)
                equal(states(ours, X.swapaxes(0, 1)) @ readout.weight.T + readout.bias, model(X))
                assert bool(ours.doubts) == (suffix == ".weights.h5" and cell == "gru" and not biases) or (
                    cell == "rnn" and suffix == ".weights.h5" and activation == "tanh"
                )  # fmt: skip


def check_layers_that_read_each_other_are_levels_of_one() -> None:
    for cell, keras_layer in CLASSES.items():
        for both in (False, True):
            stack = [keras_layer(H, return_sequences=n < 2, name=f"{cell}{both}{n}") for n in range(3)]
            if both:
                stack = [layers.Bidirectional(one, name=f"{one.name}b") for one in stack]
            inner = [stack[0], layers.Dropout(0.5), stack[1], stack[2]]
            model = shuffled(
                keras.Sequential([layers.Input((T, I)), *inner, layers.Dense(2)], name=f"deep_{cell}{both}")
            )
            read_whole = keras.Model(model.inputs, stack[1].output)
            for file in written(model, (".keras", ".h5")).values():
                ours = file.layer()
                assert ours.name == "+".join(one.name for one in stack)
                assert (ours.levels, len(ours.directions)) == (3, 1 + both)
                lower = type(ours)("", cell, {n: a for n, a in ours.weights.items() if "_l2" not in n})
                equal(states(lower, X.swapaxes(0, 1)), read_whole(X))
                assert file.readout_of(ours) is not None
                last = states(ours, X.swapaxes(0, 1))[-1]
                if not both:
                    equal((last @ file.readout_of(ours).weight.T + file.readout_of(ours).bias)[None], model(X)[:, None])


def check_what_stands_between_layers_keeps_them_apart() -> None:
    for n, between in enumerate((layers.Dense(H), layers.LayerNormalization(), layers.Activation("relu"))):
        stack = [layers.LSTM(H, return_sequences=True, name="a"), between, layers.LSTM(H, name="b")]
        model = shuffled(keras.Sequential([layers.Input((T, I)), *stack], name=f"between{n}"))
        for file in written(model, (".keras", ".h5")).values():
            assert [layer.name for layer in file.layers] == ["a", "b"]
    source = layers.Input((T, I))
    lower = layers.GRU(H, return_sequences=True, name="lower")(source)
    normed = layers.LayerNormalization()(layers.GRU(H, return_sequences=True, name="upper")(layers.ReLU()(lower)))
    reads = {"reads_lower": layers.Dense(2, name="reads_lower")(layers.Dropout(0.5)(lower)),
             "reads_norm": layers.Dense(3, name="reads_norm")(normed)}  # fmt: skip
    for file in written(shuffled(keras.Model(source, list(reads.values()), name="wired")), (".keras", ".h5")).values():
        assert file.readout_of(file.layer("lower")).name == "reads_lower"
        assert file.readout_of(file.layer("upper")) is None
    for one, other in ((H, H + 1), (H, H)):
        stack = [layers.LSTM(one, return_sequences=True, name="a"),
                 layers.LSTM(other, use_bias=one != other, name="b")]  # fmt: skip
        model = shuffled(keras.Sequential([layers.Input((T, I)), *stack], name=f"unequal{other}"))
        for file in written(model, (".keras", ".h5")).values():
            assert [layer.name for layer in file.layers] == ["a", "b"]
    whole = layers.Bidirectional(layers.GRU(H, return_sequences=True), merge_mode="sum", name="a")
    model = shuffled(keras.Sequential([layers.Input((T, I)), whole, layers.GRU(H, name="b")], name="merged"))
    for file in written(model, (".keras", ".h5")).values():
        assert [layer.name for layer in file.layers] == ["a", "b"]
        assert "merge_mode='sum'" in file.layer("a").notes[0]
        both = states(file.layer("a"), X.swapaxes(0, 1))
        equal(both[..., :H] + both[..., H:], whole(X))


def check_names_are_found_by_class_and_order() -> None:
    source = layers.Input((T, I))
    first = layers.GRU(H, return_sequences=True, name="gru_1")(source)  # is stored as gru
    second = layers.GRU(H + 1, return_sequences=True, name="gru")(first)  # is stored as gru_1
    inner = keras.Sequential(
        [layers.Input((T, H + 1)), layers.GRU(H + 2, return_sequences=True, name="deep")], name="in"
    )
    added = layers.Concatenate()([inner(second), first])
    cells = layers.RNN([layers.LSTMCell(H), layers.LSTMCell(H)], return_sequences=True, name="cells")
    mixed = layers.RNN(
        [layers.SimpleRNNCell(H, name="x"), layers.GRUCell(5, name="y")], return_sequences=True, name="mixed"
    )
    out = layers.TimeDistributed(layers.Dense(2), name="each")(mixed(cells(added)))
    model = shuffled(keras.Model(source, out, name="functional"))
    outputs = {
        "gru_1": first,
        "gru": second,
        "deep": inner(second),
        "cells": cells(added),
        "mixed/y": mixed(cells(added)),
    }
    for file in written(model, (".keras", ".h5")).values():
        assert [layer.name for layer in file.layers] == ["gru_1", "gru", "deep", "cells", "mixed/x", "mixed/y"]
        assert file.layer("cells").levels == 2
        wanted = {name: array(keras.Model(source, tensor)(X)) for name, tensor in outputs.items()}
        reads = {"gru_1": X, "gru": wanted["gru_1"], "deep": wanted["gru"]}
        reads["cells"] = np.concatenate([wanted["deep"], wanted["gru_1"]], axis=2)
        for name, x in reads.items():
            equal(states(file.layer(name), x.swapaxes(0, 1)), wanted[name])
        lower = states(file.layer("mixed/x"), wanted["cells"].swapaxes(0, 1))
        equal(states(file.layer("mixed/y"), lower), wanted["mixed/y"])
        assert [(linear.name, linear.outputs) for linear in file.linears] == [("each", 2)]


def check_what_cannot_be_computed_is_refused_with_the_reason() -> None:
    @keras.saving.register_keras_serializable("mine")
    class LSTM(layers.LSTM):
        pass

    cases = {
        "reset_after=False": layers.GRU(H, reset_after=False),
        "its activation is relu": layers.LSTM(H, activation="relu"),
        "its activation is elu": layers.SimpleRNN(H, activation="elu"),
        "its activation is <lambda>": layers.SimpleRNN(H, activation=lambda x: x),
        "recurrent_activation is hard_sigmoid": layers.GRU(H, recurrent_activation="hard_sigmoid"),
        "go_backwards": layers.LSTM(H, go_backwards=True),
        "the program's own": LSTM(H),
        "differ in cell": layers.Bidirectional(
            layers.LSTM(H, return_sequences=True),
            backward_layer=layers.GRU(H, return_sequences=True, go_backwards=True),
        ),
    }
    for n, (reason, layer) in enumerate(cases.items()):
        model = keras.Sequential([layers.Input((T, I)), layer], name=f"refused{n}")
        for suffix, file in written(model, (".keras", ".h5")).items():
            if "own" in reason and suffix == ".h5":
                reason = "mine>LSTM"
            words = "a function of the program's own" if "lambda" in reason else reason
            assert len(file.refused) == 1, (reason, suffix)
            assert words in file.refused[0].reason or (suffix == ".h5" and "activation is" in file.refused[0].reason), (
                reason, suffix, file.refused,
            )  # fmt: skip
    (file,) = written(shuffled(keras.Sequential([layers.Input((T, I)), cases["reset_after=False"]], name="alone")),
                      (".weights.h5",)).values()  # fmt: skip
    assert "reset_after=False" in file.refused[0].reason


def check_half_precision() -> None:
    for dtype in ("float16", "bfloat16", "float64", "mixed_float16"):
        layer = layers.GRU(H, return_sequences=True, dtype=dtype, name="gru",
                           recurrent_initializer="glorot_uniform")  # fmt: skip
        model = shuffled(keras.Sequential([layers.Input((T, I)), layer], name=f"in_{dtype}"))
        for suffix, file in written(model, (".keras", ".weights.h5")).items():
            ours = file.layer()
            assert ours.dtype == ("float32" if "mixed" in dtype else dtype)
            same = layers.GRU(H, return_sequences=True)
            same.build((None, T, I))
            same.set_weights([array(keras.ops.cast(v, "float32")) for v in layer.variables[:3]])
            equal(states(ours, X.swapaxes(0, 1)), same(X))
            assert bool(ours.notes) == ("16" in dtype and suffix == ".keras")


def check_embeddings_and_masks() -> None:
    stack = [layers.Input((T,)), layers.Embedding(9, I, mask_zero=True, name="words"), layers.LSTM(H, name="lstm")]
    model = shuffled(keras.Sequential([*stack, layers.Dense(3, activation="softmax", name="out")], name="tokens"))
    for suffix, file in written(model).items():
        table = file.embedding_of(file.layer())
        assert (table.name, table.words, table.size) == ("words", 9, I)
        np.testing.assert_array_equal(table.weight, model.layers[0].get_weights()[0])
        if suffix != ".weights.h5":
            assert any("mask_zero" in note for note in file.notes)
            assert any("softmax" in note for note in file.notes)


def check_a_subclass_and_stateful_layers() -> None:
    class Net(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="subclass")
            self.encoder = layers.GRU(H, return_sequences=True, name="enc")
            self.heads = [layers.Dense(2), layers.Dense(1)]
            self.encoders = {"a": layers.LSTM(2, name="lstm_a")}

        def call(self, x: Any) -> Any:
            self.encoders["a"](x)
            return self.heads[0](self.encoder(x))

    model = Net()
    model(X)
    shuffled(model)
    for file in written(model, (".keras", ".weights.h5")).values():
        assert {layer.name for layer in file.layers} == {"enc", "lstm_a"}
        equal(states(file.layer("enc"), X.swapaxes(0, 1)), model.encoder(X))
        assert "does not contain" in file.notes[0]
    stateful = keras.Sequential([layers.Input((T, I), batch_size=2), layers.LSTM(H, stateful=True)], name="stateful")
    (file,) = written(stateful, (".keras",)).values()
    assert "stateful" in file.layer().notes[0]


run(globals())
