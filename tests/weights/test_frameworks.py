"""Files that Keras, PyTorch and h5py write, in a Python with these. The checks are in the scripts of this folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import peers

HERE = Path(__file__).parent
NEEDS = {"keras": ("keras", "torch", "h5py"), "onnx": ("torch", "onnxruntime"), "hdf5": ("h5py",)}


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(path.name for name in NEEDS for path in HERE.glob(f"{name}_*.py")))
def test_with_frameworks(script: str) -> None:
    checks = re.findall(r"^def (check_\w+)", (HERE / script).read_text(), re.MULTILINE)
    assert checks
    report = peers.run(HERE / script, needs=NEEDS[script.partition("_")[0]], KERAS_BACKEND="torch")
    assert all(f"passed {name} " in report for name in checks)
