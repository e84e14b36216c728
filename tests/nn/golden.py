"""The golden files, and Keras' layout translated to ours. tests/golden/make.py made them."""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent.parent / "golden"


def load(name):
    """case -> {array name -> array}."""
    cases = {}
    with np.load(FOLDER / f"{name}.npz") as file:
        for key in file.files:
            case, _, rest = key.partition("/")
            cases.setdefault(case, {})[rest] = file[key]
    return cases


def under(prefix, arrays):
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}


def from_keras(cell, weights):
    """Keras' get_weights() of one recurrent layer and a Dense -> our parameters; gradients translate alike."""
    kernel, recurrent, bias, dense, dense_bias = weights
    if cell == "gru":  # Keras stores z, r, h
        kernel, recurrent, bias = (zrh_to_rzn(a) for a in (kernel, recurrent, bias))
    params = {"rnn.weight_ih_l0": kernel.T, "rnn.weight_hh_l0": recurrent.T}
    if cell == "gru":
        params |= {"rnn.bias_ih_l0": bias[0], "rnn.bias_hh_l0": bias[1]}
    else:
        params["rnn.bias_ih_l0"] = bias
    return params | {"readout.weight": dense.T, "readout.bias": dense_bias}


def zrh_to_rzn(a):
    z, r, h = np.split(a, 3, axis=-1)
    return np.concatenate([r, z, h], axis=-1)
