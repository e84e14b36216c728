"""The compiled engine is prepared for long trainings only, and never gets in the way of one."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from rnnviz.cli.speed import PAYS_FROM, compiled_meanwhile, seconds_in_numpy
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.nn import compiler_errors

LONG = Experiment(task="adding", cell="lstm", seq_len=100, hidden_size=100, samples=10_000, batch_size=50)


@pytest.fixture
def calls(monkeypatch):
    """What is asked of the compiler, which is a stand-in here."""
    made = []
    loading = ModuleType("rnnviz.nn.loading")
    handle = SimpleNamespace(stop=lambda: made.append("stop"))
    loading.start = lambda on_note: made.append("start") or handle
    monkeypatch.setitem(sys.modules, "rnnviz.nn.loading", loading)
    return made


@pytest.mark.parametrize(("experiment", "expected"), [(Experiment(), []), (LONG, ["start", "stop"])])
def test_only_a_long_training_prepares_it(calls, experiment, expected):
    with compiled_meanwhile(Run(experiment).training, experiment.epochs):
        pass
    assert calls == expected


def test_ctrl_c_stops_the_compiler_too(calls):
    with pytest.raises(KeyboardInterrupt), compiled_meanwhile(Run(LONG).training, LONG.epochs):
        raise KeyboardInterrupt
    assert calls == ["start", "stop"]


def test_a_compiler_that_fails_is_no_reason_to_stop(calls, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(compiler_errors, "path", lambda: tmp_path / "error.txt")

    def broken(on_note):
        raise OSError("no compiler here")

    monkeypatch.setattr(sys.modules["rnnviz.nn.loading"], "start", broken)
    with compiled_meanwhile(Run(LONG).training, LONG.epochs):
        trained = True
    assert trained
    assert capsys.readouterr().err == "rnnviz: Compiled engine unavailable: see rnnviz doctor\n"
    assert "OSError: no compiler here" in (tmp_path / "error.txt").read_text()


def test_the_estimate_grows_with_the_work():
    small = seconds_in_numpy(Run(Experiment()).training, 20)
    assert 0 < small < PAYS_FROM
    assert seconds_in_numpy(Run(Experiment()).training, 2000) == pytest.approx(100 * small)
    assert seconds_in_numpy(Run(Experiment(num_layers=2)).training, 20) > 1.9 * small
