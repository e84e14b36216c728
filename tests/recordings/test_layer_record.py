"""A layer record refuses what does not fit, in one line that names it."""

import re

import numpy as np
import pytest

from rnnviz.errors import InputError
from rnnviz.recordings.layer_record import LayerRecord
from tests.recordings.records import random_record, replaced

LSTM, GRU = random_record(levels=2, directions=2), random_record("gru")


def without(name, record=LSTM):
    return {key: array for key, array in record.weights.items() if key != name}


BAD = {
    "cell": ({"cell": "transformer"}, "cell: 'transformer' is unknown"),
    "activation": ({"activation": "step"}, "activation: 'step' is unknown"),
    "weights are a list": ({"weights": [1]}, "weights: [1] is not a dict of arrays by name"),
    "a weight's name is a number": ({"weights": {1: 2}}, "weights: {1: 2} is not a dict"),
    "no weights": ({"weights": {}}, "weights: weight_ih_l0 is missing"),
    "a foreign weight": ({"weights": {**LSTM.weights, "weight_hr_l0": np.ones(2)}}, "'weight_hr_l0' is not one"),
    "a level too high": ({"weights": {**LSTM.weights, f"weight_ih_l{'9' * 5000}": np.ones(2)}}, "is not one of"),
    "a level twice": ({"weights": {**LSTM.weights, "weight_ih_l00": np.ones(2)}}, "'weight_ih_l00' is not one of"),
    "a level is missing": ({"weights": {**GRU.weights, "weight_ih_l900": np.ones(2)}}, "weight_ih_l1 is missing"),
    "one direction is missing": ({"weights": without("weight_hh_l1_reverse")}, "weight_hh_l1_reverse is missing"),
    "one bias is missing": ({"weights": without("bias_ih_l0")}, "weights: bias_ih_l0 is missing"),
    "rows": ({"cell": "gru", "weights": {"weight_ih_l0": np.ones((4, 2)), "weight_hh_l0": np.ones((4, 1))}},
             "weight_ih_l0 has 4 rows, but a GRU has 3 blocks"),
    "a unit without a partner": (
        {"cell": "lru", "weights": {
            "weight_ih_l0": np.ones((3, 2)), "weight_hh_l0": np.ones((3, 1)), "bias_ih_l0": np.ones(3)}},
        "weight_ih_l0 has 3 rows, but an LRU pairs its units"),
    "no axes": ({"weights": {**LSTM.weights, "weight_ih_l0": np.float64(1)}}, "weight_ih_l0: shape () does not"),
    "no rows": ({"weights": {**LSTM.weights, "weight_ih_l0": np.ones((0, 2))}}, "weight_ih_l0: shape (0, 2) does not"),
    "a weight's shape": ({"weights": {**LSTM.weights, "weight_hh_l1": np.ones((12, 4))}}, "weight_hh_l1: shape (12,"),
    "texts": ({"x": "abc"}, "x: is not an array of real numbers"),
    "complex": ({"x": 1j * LSTM.x}, "x: is not an array of real numbers"),
    "two axes": ({"x": LSTM.x[0]}, "x: shape (3, 2) is not (T, B, input_size)"),
    "no steps": ({"x": LSTM.x[:0]}, "x: shape (0, 3, 2) is not"),
    "inputs": ({"x": LSTM.x[..., :1]}, "weights: weight_ih_l0: shape (12, 2)"),
    "direct": ({"direct": LSTM.direct[..., :3]}, "direct: shape (5, 3, 3) does not fit"),
    "direct_h": ({"direct_h": np.ones((2, 3, 3))}, "direct_h: shape (2, 3, 3) does not fit"),
    "h0": ({"h0": np.ones((4, 3, 2))}, "h0: shape (4, 3, 2) does not fit"),
    "c of a GRU": ({**{n: getattr(GRU, n) for n in ("cell", "weights", "direct")}, "c0": np.ones((1, 3, 3))},
                   "c0, direct_c: a GRU has no cell state"),
    "lengths": ({"lengths": [1, 2]}, "lengths: shape (2,) does not fit"),
    "length 0": ({"lengths": [0, 2, 5]}, "lengths: they must lie between 1 and 5"),
    "length 6": ({"lengths": [6, 2, 5]}, "lengths: they must lie between 1 and 5"),
    "half a step": ({"lengths": [1.5, 2, 5]}, "lengths: is not an array of whole numbers"),
    "a foreign gradient": ({"grads": {"bias": np.ones(2)}}, "grads: 'bias' is not one of the weights"),
    "a gradient's shape": ({"grads": {"bias_ih_l0": np.ones(2)}}, "grads: bias_ih_l0: shape (2,)"),
    "total": ({"total": 2}, "total: 2 is not a whole number of at least 3"),
    "agreement": ({"agreement": -0.1}, "agreement: -0.1 is not a relative difference"),
    "agreement as a text": ({"agreement": "good"}, "agreement: is not an array of one number"),
    "notes": ({"notes": "one"}, "notes: 'one' is not a list of texts"),
    "notes of numbers": ({"notes": (1,)}, "notes: (1,) is not a list of texts"),
    "names": ({"names": ("a",)}, "names: 1 names for 3 sequences"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(InputError, match=re.escape(message)) as error:
        replaced(LSTM, **changes)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 250


def test_a_cell_without_recurrent_weights_has_none():
    record = random_record("mingru", biases=1)
    for name in ("weight_hh_l0", "bias_hh_l0"):
        with pytest.raises(InputError, match=f"weights: {name.partition('_l')[0]}: a minGRU has none"):
            replaced(record, weights={**record.weights, name: np.ones((6, 3))})


def test_arrays_are_copies_that_nothing_changes():
    x = np.ones((5, 3, 2))
    record = replaced(LSTM, x=x)
    x[:] = 7
    assert (record.x == 1).all()
    for array in (record.x, record.direct, *record.weights.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(TypeError):
        record.weights["x"] = x


def test_sizes_and_precision():
    sizes = (LSTM.T, LSTM.B, LSTM.I, LSTM.H, LSTM.levels, LSTM.directions, LSTM.total)
    assert sizes == (5, 3, 2, 3, 2, ("forward", "backward"), 3)
    assert LSTM.steps.tolist() == [5, 5, 5]
    assert replaced(LSTM, lengths=[1, 5, 2]).steps.tolist() == [1, 5, 2]
    assert replaced(LSTM, x=LSTM.x.astype(np.float16)).x.dtype == np.float32
    assert replaced(LSTM, agreement=np.float32(0.5)).agreement == 0.5
    assert isinstance(LayerRecord.__doc__, str)
