"""Options of the test run."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keys", type=int, default=150, help="random keys per task and cell")
    parser.addoption("--keys-seed", type=int, default=0, help="seed of the random keys")
