"""rnnviz.lightning.Watch, in a Python that has Lightning, under both names of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import peers

SCRIPT = Path(__file__).with_name("lightning_watch.py")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["lightning.pytorch", "pytorch_lightning"])
def test_with_lightning(module: str) -> None:
    report = peers.run(SCRIPT, needs=("torch", module.partition(".")[0]), LIGHTNING=module)
    checks = re.findall(r"^def (check_\w+)", SCRIPT.read_text(), re.MULTILINE)
    assert checks
    assert all(f"passed {name} " in report for name in checks)
