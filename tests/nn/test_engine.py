"""Which engine computes, and that the engine needs NumPy alone until the fast one is asked for."""

import subprocess
import sys

import numpy as np
import pytest

from rnnviz.nn import Model, engine


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    monkeypatch.setattr(engine, "_engines", dict(engine._engines))
    monkeypatch.setattr(engine, "_selected", None)


class Recording:
    """An engine that notes what it is asked for and lets numpy answer."""

    def __init__(self, name):
        self.name, self.requested = name, []

    def __getattr__(self, what):
        self.requested.append(what)
        return getattr(engine.numpy_engine, what)


def test_a_loaded_numba_engine_is_used_unless_another_is_selected():
    numba = Recording("numba")
    engine._engines["numba"] = numba
    assert engine.current() is numba
    engine.select("numpy")
    assert engine.current() is engine.numpy_engine
    engine.select("numba")
    assert engine.current() is numba
    engine.select(None)
    assert engine.load_numba() is numba
    model = Model.create()
    trace = model.trace(np.ones((3, 1, 1)), np.ones((3, 1, 1)))
    assert trace.triangle.shape == (4, 4)
    assert trace.item(2).grad_h.shape == (4, 1, 20)
    assert set(numba.requested) == {"forward", "backward", "triangle"}
    model.trace(np.ones((3, 1, 1)), np.ones((3, 1, 1)), engine="numpy")
    assert len(numba.requested) == 4


def test_a_numba_engine_that_cannot_load_leaves_numpy_in_use(monkeypatch):
    engine._engines.pop("numba", None)
    monkeypatch.setitem(sys.modules, "rnnviz.nn.numba_engine", None)
    with pytest.raises(ImportError):
        engine.load_numba()
    assert engine.current() is engine.numpy_engine


def test_importing_and_tracing_need_numpy_alone():
    code = (
        "import sys, numpy as np; from rnnviz.nn import Model, Training\n"
        "Model.create('lstm').trace(np.ones((3, 1, 1)), np.ones((3, 1, 1))).ledger\n"
        "heavy = {'numba', 'scipy', 'textual', 'rich', 'plotext', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
