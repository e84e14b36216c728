"""Forecasts beside the last value and the value one season before; a network that repeats the last value."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.experiment import forecast
from rnnviz.experiment.build import build_model, build_task, resolved
from rnnviz.experiment.run import train
from rnnviz.nn import Model
from rnnviz.tasks import Task
from rnnviz.words import forecast as words


def task_of(folder: Path, values: Any, **settings: Any) -> Task:
    path = folder / "a.csv"
    path.write_text("v\n" + "".join("\n" if np.isnan(v) else f"{v:.6f}\n" for v in values).replace("\n\n", "\nNA\n"))
    return build_task(resolved(Experiment(data=str(path), header=True, **settings)))


def repeating(task: Task, share: float = 1.0) -> Model:
    """A network with one linear unit whose answer is `share` of its last input."""
    experiment = resolved(Experiment(hidden_size=1, activation="identity"))
    model = build_model(experiment, task)
    names = {name: np.zeros_like(w) for name, w in model.params.items()}
    for name in names:
        if "weight_ih" in name:
            names[name] = np.ones_like(names[name])
        if name.startswith("readout") and names[name].ndim == 2:
            names[name] = np.full_like(names[name], share)
    return model.with_params(names)


def walk(n: int = 300) -> Any:
    return np.random.default_rng(3).standard_normal(n).cumsum()


def test_the_errors_are_those_of_the_same_windows_and_scale(tmp_path: Path) -> None:
    t = np.arange(120)
    values = np.sin(2 * np.pi * t / 12) * 3 + 0.05 * t + np.random.default_rng(0).normal(0, 0.2, 120)
    task = task_of(tmp_path, values, seq_len=10)
    model = repeating(task)
    found = forecast.compare(model, task)
    assert found is not None
    first = int(task.ends[task.n_train])  # type: ignore[index]
    deviation = values[:first].std()
    assert found.season == 12
    values = values.round(6)
    last = ((values[first:] - values[first - 1 : -1]) ** 2).mean() / deviation**2
    seasonal = ((values[first:] - values[first - 12 : -12]) ** 2).mean() / deviation**2
    assert found.last_value == pytest.approx(last, rel=1e-4)
    assert found.seasonal == pytest.approx(seasonal, rel=1e-4)
    assert found.error == pytest.approx(found.last_value)
    assert (found.echo, found.repeats) == (pytest.approx(0, abs=1e-12), True)
    assert words.verdict(found) == "The network only repeats the last value."
    assert "12 steps before" in words.figures(found)
    assert forecast.as_json(found)["repeats_last_value"] is True  # type: ignore[index]


def test_only_a_network_that_repeats_the_last_value_is_said_to(tmp_path: Path) -> None:
    task = task_of(tmp_path, walk())
    assert forecast.compare(repeating(task), task).repeats  # type: ignore[union-attr]
    assert not forecast.compare(repeating(task, 0.0), task).repeats  # type: ignore[union-attr]
    wave = np.sin(np.arange(200) * 0.7)
    path = tmp_path / "wave.csv"
    path.write_text("v\n" + "".join(f"{v:.6f}\n" for v in wave))
    learned = train(Experiment(data=str(path), seq_len=8, optimizer="adam", epochs=20, batch_size=32))
    found = forecast.compare(learned.model, learned.task)
    assert found is not None
    assert not found.repeats
    assert found.error < 0.2 * found.last_value
    assert words.verdict(found) == "" or found.seasonal is not None


def test_a_season_is_found_or_there_is_none(tmp_path: Path) -> None:
    t = np.arange(240)
    noise = np.random.default_rng(1).standard_normal(240)
    for period in (4, 7, 24):
        assert forecast.season(task_of(tmp_path, np.sin(2 * np.pi * t / period) + 0.3 * noise)) == period
    for seed in range(5):  # noise has peaks on the slope of a slow wave
        slow = np.sin(2 * np.pi * t / 60) + 0.7 * np.random.default_rng(seed).standard_normal(240)
        assert abs((forecast.season(task_of(tmp_path, slow)) or 0) - 60) < 6
    weekly = np.where(t % 7 < 5, 1.0, 0.0) + 0.1 * noise
    weekly[20:25] = np.nan
    assert forecast.season(task_of(tmp_path, weekly, seq_len=5)) == 7
    assert forecast.season(task_of(tmp_path, noise)) is None
    assert forecast.season(task_of(tmp_path, t * 2.0)) is None
    assert forecast.season(task_of(tmp_path, np.full(60, 5.0) + (t[:60] == 3))) is None
    assert forecast.season(task_of(tmp_path, np.arange(8) % 2)) in (None, 2)


def test_the_sine_has_both_and_a_task_without_a_series_neither() -> None:
    task = build_task(resolved(Experiment()))
    found = forecast.compare(repeating(task), task)
    assert found is not None
    assert found.season is None, "two seasons are too few"
    mask = task.loss_mask[task.n_train :]
    assert found.last_value == float(((task.x - task.targets)[task.n_train :][mask] ** 2).mean())
    names = build_task(resolved(Experiment(task="names")))
    assert forecast.compare(build_model(resolved(Experiment(task="names")), names), names) is None
    assert forecast.as_json(None) is None


def test_a_network_near_the_last_value_that_is_better_does_not_only_repeat_it(tmp_path: Path) -> None:
    """x' = 0.6 x + noise: the best answer, 0.6 x, differs little from x and has four fifths of its error."""
    values = np.zeros(2_000)
    noise = np.random.default_rng(2).standard_normal(2_000)
    for k in range(1, 2_000):
        values[k] = 0.6 * values[k - 1] + noise[k]
    task = task_of(tmp_path, values, validation_split=0.5)
    best = forecast.compare(repeating(task, 0.6), task)
    assert best is not None
    assert best.echo is not None
    assert best.echo < forecast.ECHO
    assert best.error < forecast.NEAR * best.last_value
    assert not best.repeats
    assert forecast.compare(repeating(task), task).repeats  # type: ignore[union-attr]


def test_beside_the_score_the_baselines_are_not_cut(tmp_path: Path) -> None:
    from rnnviz.tui.panels import plots

    t = np.arange(120)
    task = task_of(tmp_path, np.sin(2 * np.pi * t / 12) * 3 + np.random.default_rng(0).normal(0, 0.2, 120), seq_len=10)
    found = forecast.compare(repeating(task), task)
    assert found is not None
    for width in (60, 78):  # of a panel at 160 and at 80 columns
        lines = plots._baselines(SimpleNamespace(baselines=found), width, 12)  # type: ignore[arg-type]
        assert " ".join(lines[:-1]) == words.figures(found)
        assert max(map(len, lines)) <= width
