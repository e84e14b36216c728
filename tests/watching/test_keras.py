"""rnnviz.keras.Watch, in a Python that has Keras: the checks are in the scripts beside this file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from rnnviz.nn.keras_layout import to_ours
from tests import peers
from tests.nn import golden

HERE = Path(__file__).parent

#: JAX compiles each model for seconds. But for the gradient, all is the same for each backend: these run it everywhere.
WITH_JAX = {
    "check_the_horizon_is_that_of_our_own_training",
    "check_the_training_is_the_same_bit_for_bit",
    "check_the_loss_is_that_of_evaluate",
    "check_states_that_go_in_and_out",
    "check_a_layer_that_is_called_several_times",
    "check_the_first_sequences_are_kept_and_all_are_compared",
}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax", "tensorflow"])
@pytest.mark.parametrize("script", sorted(path.name for path in HERE.glob("keras_*.py")))
def test_with_keras(script: str, backend: str) -> None:
    checks = re.findall(r"^def (check_\w+)", (HERE / script).read_text(), re.MULTILINE)
    if backend == "jax":
        checks = [name for name in checks if name in WITH_JAX]
    assert checks
    needs = ("keras", backend)
    report = peers.run(HERE / script, *checks, needs=needs, KERAS_BACKEND=backend, TF_CPP_MIN_LOG_LEVEL="3")
    assert all(f"passed {name} " in report for name in checks)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_keras_arrays_in_our_layout(cell: str) -> None:
    arrays = golden.load("cell_histories")[cell]
    weights = [arrays[f"weights/{n}"] for n in range(8)]
    wanted = golden.from_keras(cell, weights)
    for level in range(2):
        ours = to_ours(cell, weights[3 * level : 3 * level + 3])
        assert len(ours) == 4 if cell == "gru" else 3
        for name, array in ours.items():
            np.testing.assert_array_equal(array, wanted[f"rnn.{name}_l{level}"])
    assert list(to_ours(cell, weights[:2])) == ["weight_ih", "weight_hh"]
