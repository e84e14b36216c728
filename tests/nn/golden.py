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
    """Keras' get_weights() of recurrent layers and a Dense -> our parameters; gradients translate alike."""
    *layers, dense, dense_bias = weights
    params = {}
    for layer in range(len(layers) // 3):
        kernel, recurrent, bias = layers[3 * layer : 3 * layer + 3]
        if cell == "gru":  # Keras stores z, r, h
            kernel, recurrent, bias = (zrh_to_rzn(a) for a in (kernel, recurrent, bias))
        params |= {f"rnn.weight_ih_l{layer}": kernel.T, f"rnn.weight_hh_l{layer}": recurrent.T}
        if cell == "gru":
            params |= {f"rnn.bias_ih_l{layer}": bias[0], f"rnn.bias_hh_l{layer}": bias[1]}
        else:
            params[f"rnn.bias_ih_l{layer}"] = bias
    return params | {"readout.weight": dense.T, "readout.bias": dense_bias}


def zrh_to_rzn(a):
    z, r, h = np.split(a, 3, axis=-1)
    return np.concatenate([r, z, h], axis=-1)
