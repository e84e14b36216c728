"""The records of a file's content: what can be told of it, and what is asked for wrongly."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save

from rnnviz.errors import InputError
from rnnviz.weights import read
from rnnviz.weights.contents import Decisions, Embedding, Layer, Linear, Refused, WeightFile
from rnnviz.weights.stored import Stored
from tests.weights import made

RNN = {"weight_ih_l0": np.ones((4, 2), np.float32), "weight_hh_l0": np.ones((4, 4), np.float32)}


def layer(name: str = "rnn", **changed: object) -> Layer:
    return Layer(name, "rnn", RNN | changed)


def file(*layers: Layer, **fields: object) -> WeightFile:
    return WeightFile("model.pt", "PyTorch", layers, **fields)  # type: ignore[arg-type]


def test_a_layer_says_its_sizes_and_reads_an_array_once_when_it_is_used():
    reads = []

    def load() -> np.ndarray:
        reads.append(1)
        return np.full((4, 4), 0.5, np.float16)

    found = layer(weight_hh_l0=Stored((4, 4), "float16", load), bias_ih_l0=np.zeros(4))
    assert (found.levels, found.directions, found.input_size, found.hidden_size, found.biases) == (
        1, ("forward",), 2, 4, 1,
    )  # fmt: skip
    assert found.dtype == "float16, float32, float64"
    assert reads == []
    assert found.weights["weight_hh_l0"].dtype == np.float32
    assert found.weights["bias_ih_l0"].dtype == np.float64
    assert found.weights["weight_hh_l0"] is found.weights["weight_hh_l0"]
    assert reads == [1]
    with pytest.raises(ValueError, match="read-only"):
        found.weights["weight_hh_l0"][0] = 1


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"weight_hh_l0": np.ones((4, 3))}, "weight_hh_l0: shape"),
        ({"bias_hh_l1": np.ones(4)}, "is missing"),
        ({"weight_hr_l0": np.ones(4)}, "is not one of"),
        ({"weight_ih_l0": np.ones((4, 2), int)}, "int64 is not one of"),
    ],
)
def test_a_layer_that_does_not_fit_is_refused(weights, message):
    with pytest.raises(InputError, match=message):
        layer(**weights)


def test_an_array_that_would_take_too_much_memory_is_not_read():
    huge = Stored((2**20, 2**20), "float32", lambda: pytest.fail("it was read"))
    with pytest.raises(InputError, match="GiB"):
        _ = Linear("fc", huge).weight


def test_the_only_layer_needs_no_name_and_several_do():
    one, other = layer("a.rnn"), layer("b.rnn")
    assert file(one).layer() is one
    assert file(one, other).layer("b.rnn") is other
    with pytest.raises(InputError, match=r"--layer a\.rnn \| b\.rnn"):
        file(one, other).layer()
    with pytest.raises(InputError, match=r"did you mean a\.rnn"):
        file(one, other).layer("a.rn")
    with pytest.raises(InputError, match="no recurrent layer"):
        file().layer()


def test_a_refused_layer_gives_its_reason():
    of = file(layer(), refused=(Refused("lstm", "it has proj_size."),))
    assert of.layer().name == "rnn"
    with pytest.raises(InputError, match="proj_size"):
        of.layer("lstm")
    with pytest.raises(InputError, match="proj_size"):
        file(refused=of.refused).layer()


def test_the_readout_is_the_only_linear_layer_that_fits():
    fc, other, after = (Linear(name, np.ones(shape)) for name, shape in
                        (("fc", (3, 4)), ("other", (2, 4)), ("after", (1, 3))))  # fmt: skip
    rnn = layer()
    assert file(rnn, linears=(fc,)).readout_of(rnn) is fc
    assert file(rnn, linears=(fc,)).why_no_readout(rnn) == ""
    for linears, reason in (
        ((), "No linear layer"),
        ((fc, other), r"--readout fc \| other"),
        ((fc, after), "may be followed by after"),
    ):
        of = file(rnn, linears=linears)
        assert of.readout_of(rnn) is None
        assert reason.replace("\\", "") in of.why_no_readout(rnn)
    both = file(rnn, other_rnn := layer("second"), linears=(fc,))
    assert both.readout_of(other_rnn) is None
    assert both.readout_of(other_rnn, "fc") is fc
    assert both.readout_of(other_rnn, "none") is None
    with pytest.raises(InputError, match="did you mean fc"):
        both.readout_of(rnn, "fcc")
    with pytest.raises(InputError, match="3 inputs, but rnn gives 4"):
        file(rnn, linears=(after,)).readout_of(rnn, "after")


def test_the_embedding_is_the_only_one_that_fits_and_that_no_layer_may_precede():
    table, wide = Embedding("emb", np.ones((9, 2))), Embedding("wide", np.ones((9, 4)))
    rnn = layer()
    assert file(rnn, embeddings=(table, wide)).embedding_of(rnn) is table
    assert file(rnn, embeddings=(wide,)).embedding_of(rnn) is None
    upper = layer("upper", weight_ih_l0=np.ones((4, 4)))
    assert file(rnn, upper, embeddings=(wide,)).embedding_of(upper) is None


@pytest.mark.parametrize("suffix", [".pt", ".safetensors", ".npz"])
def test_of_a_large_table_only_the_rows_that_are_used_are_read(suffix, tmp_path):
    table = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    path = tmp_path / f"model{suffix}"
    arrays = made.rnn() | {"emb.weight": table}
    match suffix:
        case ".pt":
            made.write(path, made.torch_members(arrays))
        case ".safetensors":
            path.write_bytes(save(arrays))
        case ".npz":
            np.savez(path, **arrays)
    for rows in ([[3, 99], [0, 3]], range(100), 7, [[]]):
        (found,) = read(path).embeddings
        assert np.array_equal(found.rows(rows), table[np.asarray(rows, int)])
        few = np.size(rows) < 10
        assert ("weight" in found._arrays._read) != (few and suffix != ".npz")
    for row in (-1, 100):
        with pytest.raises(InputError, match="its rows are 0 to 99"):
            found.rows([row])


def test_decisions_are_checked():
    with pytest.raises(InputError, match="choose from tanh, relu"):
        Decisions(activation="step")
