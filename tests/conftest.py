"""Options of the test run."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from rnnviz.nn import engine

if importlib.util.find_spec("termios") is None:  # Windows
    collect_ignore = ["terminal"]  # the app in a real terminal needs a pty


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keys", type=int, default=150, help="random keys per task and cell")
    parser.addoption("--keys-seed", type=int, default=0, help="seed of the random keys")


@pytest.fixture(autouse=True, scope="module")
def engines() -> Iterator[None]:
    """A file of tests that loads the compiled engine does so for itself alone: others compare bit for bit."""
    before, selected = dict(engine._engines), engine._selected
    yield
    engine._engines.clear()
    engine._engines.update(before)
    engine._selected = selected
