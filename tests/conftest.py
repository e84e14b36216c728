"""Options of the test run."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from hypothesis import settings

# Before NumPy is imported: the processes of pytest-xdist share the processors, so none has threads of its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rnnviz.cli import config_file
from rnnviz.experiment import cost
from rnnviz.nn import checks, compiler, engine, loaded_kernels
from tests.nn.cells_here import CELLS

if (own := config_file.path()) is not None and own.exists():  # whoever runs the tests has a configuration
    os.environ["XDG_CONFIG_HOME"] = os.devnull

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's job in the background: what tests start inherits it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("rnnviz", deadline=None)  # no test asserts a time
settings.load_profile("rnnviz")

if importlib.util.find_spec("termios") is None:  # Windows
    of_serve = ("serving", "in_chromium", "proxy", "terminal")
    collect_ignore = [
        "terminal",
        "plain/test_loop.py",
        "tui/test_films_in_chromium.py",
        *(f"serve/test_{name}.py" for name in of_serve),
    ]  # need a pty


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keys", type=int, default=150, help="random keys per task and cell")
    parser.addoption("--keys-seed", type=int, default=0, help="seed of the random keys")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """The whole suite runs in as many processes as there are processors, chosen tests in this one alone."""
    is_whole = config.args == config.getini("testpaths") and not config.option.keyword
    return None if is_whole else 0


@pytest.fixture(autouse=True)
def engines() -> Iterator[None]:
    """A test that loads the compiled engine does so for itself alone: others compare bit for bit. The same of the
    limits of a kiosk."""
    before, selected = dict(engine._engines), engine._selected
    limits = checks.most_bytes, cost.most_seconds
    yield
    checks.most_bytes, cost.most_seconds = limits
    engine._engines.clear()
    engine._engines.update(before)
    engine._selected = selected


@pytest.fixture
def compiled_where_slow(request: pytest.FixtureRequest) -> Iterator[None]:
    """Slow tests that train much do so on the compiled engine, which gives the same numbers."""
    is_slow = request.node.get_closest_marker("slow") is not None
    with engine.chosen("numba") if is_slow and not compiler.IN_PROCESS else nullcontext():
        yield


@pytest.fixture(autouse=True)
def few_kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only kernels of the chosen cells are compiled (tests/nn/cells_here.py). The default suite needs no others; with
    bounds checks another process has them."""
    is_slow, make = request.node.get_closest_marker("slow") is not None, loaded_kernels._make

    def chosen(cell: str, dtype: str) -> loaded_kernels.Kernels:
        if compiler.IN_PROCESS and cell not in CELLS:
            pytest.skip(f"needs the kernels of {cell}")
        if not is_slow and not compiler.IN_PROCESS and (cell, dtype) not in [(name, "float64") for name in CELLS]:
            pytest.fail(f"{cell} {dtype} is compiled, which takes long: mark the test as slow, or see cells_here.py")
        return make(cell, dtype)

    monkeypatch.setattr(loaded_kernels, "_make", chosen)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app in a test is waited for until nothing is left to do, not for a time (tests/quiet.py)."""
    if "rnnviz.tui.app" in sys.modules:
        from tests import quiet

        quiet.install(monkeypatch)
