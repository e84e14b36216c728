"""The Python that has the frameworks (tests/peers.txt): the one named by RNNVIZ_PEERS, else this one."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = os.environ.get("RNNVIZ_PEERS", sys.executable)


def environment(**more: str) -> dict[str, str]:
    """In which that Python imports rnnviz from here, and uses one processor."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


@cache
def missing(*modules: str) -> str:
    """The reason for which the test is skipped; "" if the modules can be imported."""
    code = "import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, sys.argv[1:])))"
    done = subprocess.run([PYTHON, "-c", code, *modules], capture_output=True, env=environment(), check=False)
    names = ", ".join(modules)
    return done.returncode * f"{PYTHON} has no {names}; RNNVIZ_PEERS names a Python that has what tests/peers.txt lists"


def run(script: Path, *words: str, needs: tuple[str, ...], **more: str) -> str:
    """Run a script of the tests or examples there, and return what it prints. Skips the test without the modules."""
    if reason := missing(*needs):
        pytest.skip(reason)
    done = subprocess.run(
        [PYTHON, script, *words], capture_output=True, text=True, env=environment(**more), timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout
