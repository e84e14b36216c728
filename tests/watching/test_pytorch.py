"""rnnviz.watch, in a Python that has PyTorch: the checks are in the scripts beside this file."""

from __future__ import annotations

from pathlib import Path

import pytest

import rnnviz
from rnnviz.errors import InputError
from tests import peers

HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(path.name for path in HERE.glob("pytorch_*.py")))
def test_with_pytorch(script: str) -> None:
    report = peers.run(HERE / script, needs=("torch",))
    if report == "no graphics card\n":
        pytest.skip(report.strip())
    checks = [
        line.split()[1].partition("(")[0]
        for line in (HERE / script).read_text().splitlines()
        if line.startswith("def check_")
    ]
    assert checks
    assert all(f"passed {name} " in report for name in checks)


@pytest.mark.parametrize("model", [None, [1.0], object()])
def test_what_is_no_module_is_refused_without_pytorch(model: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"model: .* is not a torch\.nn\.Module"):
        rnnviz.watch(model, tmp_path / "r")
    assert not (tmp_path / "r").exists()
