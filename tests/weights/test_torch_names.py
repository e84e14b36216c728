"""Names and shapes alone: which layers there are, and which are refused."""

from __future__ import annotations

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.weights.contents import Decisions, Doubt, WeightFile
from rnnviz.weights.torch_names import Module, from_names


def layer(prefix: str = "rnn.", blocks: int = 1, H: int = 3, inputs: int = 2, level: str = "_l0") -> dict:
    shapes = {"weight_ih": (blocks * H, inputs), "weight_hh": (blocks * H, H), "bias_ih": (blocks * H,)}
    return {f"{prefix}{kind}{level}": np.ones(shape, np.float32) for kind, shape in shapes.items()}


def found(arrays: dict, activation: str | None = None, **fields: object) -> WeightFile:
    return from_names("model.pt", "PyTorch", arrays, Decisions(activation), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("blocks", "cell"), [(1, "rnn"), (3, "gru"), (4, "lstm")])
@pytest.mark.parametrize("level", ["_l0", ""])
def test_the_cell_follows_from_the_number_of_blocks(blocks, cell, level):
    (one,) = found(layer(blocks=blocks, level=level)).layers
    assert (one.name, one.cell, one.hidden_size, one.input_size, one.biases) == ("rnn", cell, 3, 2, 1)


def test_an_unknown_number_of_blocks_is_refused():
    (one,) = found(layer(blocks=2)).refused
    assert "(H, H), (3 H, H) or (4 H, H)" in one.reason


def test_the_activation_of_a_simple_rnn_is_a_doubt_until_it_is_decided():
    arrays = layer()
    assert found(arrays).layer().doubts == (
        Doubt("The file does not contain the activation.", "tanh", "--activation relu"),
    )
    assert (found(arrays, "relu").layer().activation, found(arrays, "relu").layer().doubts) == ("relu", ())
    assert found(layer(blocks=4)).layer().doubts == ()
    known = {"rnn": Module(cell="rnn", activation="relu")}
    assert (found(arrays, modules=known).layer().activation, found(arrays, modules=known).layer().doubts) == (
        "relu", (),
    )  # fmt: skip
    (refused,) = found(arrays, "tanh", modules=known).refused
    assert "the file itself says relu" in refused.reason


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_prefixes_of_wrappers_are_removed(prefix):
    arrays = layer("net.rnn.") | {"net.fc.weight": np.ones((5, 3), np.float32)}
    of = found({prefix + name: value for name, value in arrays.items()})
    assert [one.name for one in of.layers] == ["net.rnn"]
    assert [one.name for one in of.linears] == ["net.fc"]


def test_a_module_that_is_called_module_keeps_its_name_beside_others():
    assert [one.name for one in found(layer("module.") | layer("other.")).layers] == ["module", "other"]


def test_a_layer_saved_by_itself_is_called_by_its_cell():
    assert found(layer("", blocks=4)).layer("lstm").cell == "lstm"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"rnn.weight_hr_l0": np.ones((2, 3))}, "proj_size"),
        ({"rnn.weight_ch": np.ones(3)}, "it also has rnn.weight_ch"),
        ({"rnn.norm.weight": np.ones(3)}, "it also has rnn.norm.weight"),
        ({"rnn.weight_hh_l0_g": np.ones(3)}, "weight_hh_l0 is computed"),
        ({"rnn.parametrizations.weight_hh_l0.original0": np.ones(3)}, "weight_hh_l0 is computed"),
        ({"rnn.bias_hh_l0": np.ones(2)}, "bias_hh_l0: shape (2,)"),
        ({"rnn.weight_hh_l0": np.ones((3, 3), np.int8)}, "int8"),
        ({"rnn.weight_ih_l2": np.ones((3, 3))}, "is missing"),
    ],
)
def test_what_is_not_pytorchs_own_layer_is_refused_with_the_reason(more, reason):
    of = found(layer() | more | layer("other."))
    assert [one.name for one in of.layers] == ["other"]
    assert reason in {one.name: one.reason for one in of.refused}["rnn"]


def test_linear_layers_and_embeddings():
    arrays = layer("rnn.", H=3, inputs=2) | {
        "words.weight": np.ones((9, 2), np.float32),
        "fc.weight": np.ones((5, 3), np.float32),
        "fc.bias": np.ones(5, np.float32),
        "out.weight": np.ones((5, 3), np.float32),
        "my_emb.weight": np.ones((9, 3), np.float32),
        "norm.weight": np.ones(3, np.float32),
        "conv.weight": np.ones((3, 3, 3), np.float32),
        "step": np.ones((), np.int64),
    }
    of = found(arrays)
    assert [(one.name, one.inputs, one.outputs, one.has_bias) for one in of.linears] == [
        ("fc", 3, 5, True), ("out", 3, 5, False),
    ]  # fmt: skip
    assert [(one.name, one.words, one.size) for one in of.embeddings] == [("words", 9, 2), ("my_emb", 9, 3)]
    of = found(arrays, modules={"words": Module(kind="linear"), "out": Module(kind="embedding")})
    assert [one.name for one in of.linears] == ["words", "fc"]


def test_a_language_model_with_as_many_units_as_numbers_in_a_word():
    arrays = layer(H=3, inputs=3) | {"encoder.weight": np.ones((9, 3)), "decoder.weight": np.ones((9, 3))}
    of = found(arrays | {"decoder.bias": np.ones(9)})
    assert [one.name for one in of.embeddings] == ["encoder"]
    assert of.readout_of(of.layer()).name == "decoder"
    assert [one.name for one in found(arrays).embeddings] == []


def test_a_prefix_of_wrappers_is_removed_beside_other_arrays():
    arrays = {f"module.{name}": value for name, value in layer().items()} | {"mean": np.ones(3)}
    assert found(arrays).layer().name == "rnn"


def test_a_cell_of_its_own_is_refused():
    bare = layer("", level="")
    assert found(bare).layer().name == "rnn"
    assert found(bare | {"fc.weight": np.ones((2, 3)), "mean": np.ones(3)}).layer().name == "rnn"
    (one,) = found(bare | {"bias": np.ones(3)}).refused
    assert "it also has bias" in one.reason


def test_the_number_of_arrays_is_bounded_and_many_are_quick():
    dots = {f"{'a.' * 200}{n}": np.ones(1) for n in range(2000)}
    assert found(layer() | dots).layer().name == "rnn"
    groups = {f"{n}.weight_hh": np.ones((3, 3)) for n in range(3000)}
    assert len(found(groups | dots).refused) == 3000
    with pytest.raises(InputError, match="100,001 arrays, more than 100,000"):
        found(dict.fromkeys(map(str, range(100_001)), np.ones(1)))
