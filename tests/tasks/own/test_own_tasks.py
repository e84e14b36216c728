"""The tasks of a person's own data: what the windows and sequences hold, and what is left out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz import Experiment
from rnnviz.errors import InputError
from rnnviz.experiment import cost
from rnnviz.experiment.build import build_task, resolved
from rnnviz.experiment.run import train
from rnnviz.tasks import Task


def wave(folder: Path, rows: int = 60, gaps: tuple[int, ...] = ()) -> str:
    path = folder / "wave.csv"
    values = ["" if k in gaps else f"{10 + 5 * math.sin(k):.6f}" for k in range(rows)]
    path.write_text("t;v\n" + "".join(f"{k};{value}\n" for k, value in enumerate(values)))
    return str(path)


def task_of(data: str, **settings: Any) -> Task:
    return build_task(resolved(Experiment(data=data, **settings)))


def test_a_window_predicts_the_next_value_in_the_training_parts_scale(tmp_path: Path) -> None:
    experiment = resolved(Experiment(data=wave(tmp_path), seq_len=6))
    assert (experiment.task, experiment.loss_at) == ("series", "last")
    task = build_task(experiment)
    values = np.array([10 + 5 * math.sin(k) for k in range(60)]).round(6)
    n_train = math.floor(54 * 0.9)
    training = values[: n_train + 6]
    scaled = (values - training.mean()) / training.std()
    assert (len(task), task.n_train, task.seq_len) == (54, n_train, 6)
    for i in (0, 20, 53):
        np.testing.assert_allclose(task.x[i, :, 0], scaled[i : i + 6], atol=1e-12)
        np.testing.assert_allclose(task.targets[i, :, 0], scaled[i + 1 : i + 7], atol=1e-12)
    assert task.loss_mask.sum() == 54
    assert task.loss_mask[:, -1].all()
    assert f"v {training.mean():.4g} ± {training.std():.4g} (--no-standardize)" in task.notes[-1]
    assert task.describe(0).startswith(f"rows 1 to 6 of 60; the next v: {values[6]:.5g}")
    plain = task_of(wave(tmp_path), seq_len=6, standardize=False)
    np.testing.assert_allclose(plain.x[3, :, 0], values[3:9])
    assert plain.notes == ()


def test_windows_with_a_gap_are_left_out_or_filled(tmp_path: Path) -> None:
    data = wave(tmp_path, gaps=(0, 20, 21))
    task = task_of(data, seq_len=4)
    assert len(task) == 56 - 1 - 6
    assert np.isfinite(task.x).all()
    assert np.isfinite(task.targets).all()
    assert task.notes[0] == "7 of 56 windows hold a missing value and are left out; --missing interpolate fills it."
    straight = task_of(data, seq_len=4, missing="interpolate", standardize=False)
    values = [10 + 5 * math.sin(k) for k in (19, 22)]
    assert len(straight) == 55  # nothing before the first value
    np.testing.assert_allclose(straight.series[20:22], np.interp([20, 21], [19, 22], values), atol=1e-5)  # type: ignore[index]
    assert straight.notes[0].startswith("2 missing values are filled by a line between the values beside them")
    again = task_of(data, seq_len=4, missing="repeat", standardize=False)
    np.testing.assert_allclose(again.series[20:22], values[0], atol=1e-5)  # type: ignore[index]
    with pytest.raises(InputError, match=r"^seq_len: 0 windows of 30 without a missing value"):
        task_of(wave(tmp_path, gaps=tuple(range(0, 60, 3))), seq_len=30)


def test_a_target_column_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{'xy'[k % 2]},{k},{k * k % 7},{k % 5}\n" for k in range(40)]
    path.write_text("id,n,a,b\n" + "".join(rows))
    task = task_of(str(path), target="b", columns="a,b", group="id", seq_len=3, standardize=False)
    assert (task.input_size, task.output_size, len(task)) == (2, 1, 2 * 17)
    a, b = (np.array([int(row.split(",")[c]) for row in rows]) for c in (2, 3))
    np.testing.assert_array_equal(task.x[18, :, 0], a[1::2][1:4])
    np.testing.assert_array_equal(task.targets[18, :, 0], b[1::2][2:5])
    assert task.fed == 0
    last = task.past(slice(None), 1)
    assert last is not None
    np.testing.assert_array_equal(last, task.x[:, :, 1:])
    before = task.past(slice(17, 18), 5)
    assert before is not None
    assert np.isnan(before[0, :3]).all(), "of the group before nothing is taken"
    unread = task_of(str(path), target="b", columns="a", group="id", seq_len=3, standardize=False)
    assert (unread.input_size, unread.output_size) == (1, 1)


def test_labelled_sequences_of_characters_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "films.tsv"
    path.write_text("".join(f"{'ab'[k % 2] * (3 + k % 4)}\t{'good' if k % 2 else 'bad'}\n" for k in range(40)))
    experiment = resolved(Experiment(data=str(path), epochs=15, optimizer="adam", learning_rate=0.02))
    assert (experiment.task, experiment.seq_len) == ("labelled", 6)
    result = train(experiment)
    assert result.prediction == result.targets
    task = result.task
    assert (task.vocab, task.labels) == (("a", "b"), ("bad", "good"))
    assert np.array_equal(task.loss_mask.argmax(axis=1), task.lengths - 1)
    assert np.array_equal(task.x.sum(axis=(1, 2)), task.lengths)
    assert task.describe(0) in {f"“{c * n}” is {w}" for c, w in (("a", "bad"), ("b", "good")) for n in range(3, 7)}
    cut = task_of(str(path), seq_len=4)
    assert cut.notes == ("20 of 40 texts have more than 4 characters and are cut there (--steps).",)
    assert task_of(str(path), samples=10).notes[0] == "10 of 40 sequences are used, drawn at random (--samples)."
    table = tmp_path / "a.csv"
    table.write_text("id,v,c\n" + "".join(f"{k // 3},{k % 7 + k // 15},{'pq'[k // 15]}\n" for k in range(30)))
    numbers = task_of(str(table), group="id", label="c")
    assert (numbers.x.shape, numbers.labels, numbers.vocab) == ((10, 3, 1), ("p", "q"), ())
    assert abs(numbers.x[:9].mean()) < 1e-12


def test_arrays_with_numbers_as_answers(tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((20, 5, 2))
    np.savez(tmp_path / "a.npz", x=x, y=x[:, 0], lengths=np.full(20, 4))
    task = task_of(str(tmp_path / "a.npz"))
    assert (task.name, task.series, task.output_size) == ("series", None, 2)
    assert task.loss_mask.sum(axis=1).tolist() == [1] * 20
    assert (task.x[:, 4] == 0).all()
    np.savez(tmp_path / "b.npz", x=x, y=x[:, :, :1])
    assert task_of(str(tmp_path / "b.npz")).loss_mask.all()
    np.savez(tmp_path / "c.npz", x=x, y=(x[:, :, 0] > 0).astype(int))
    assert task_of(str(tmp_path / "c.npz")).loss_mask.all()
    assert task_of(str(tmp_path / "c.npz"), loss_at="last").loss_mask.sum() == 20
    np.testing.assert_array_equal(task.x[:, 0], task.targets[:, 3])


def test_the_data_chooses_the_task(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("Call me Ishmael.\nSome years ago, never mind how long precisely.\n" * 3)
    read_as_text = Experiment(data=str(text))
    assert (read_as_text.task, read_as_text.source, read_as_text.data) == ("characters", str(text), None)
    data = wave(tmp_path)
    assert Experiment(data=data, task="characters").source == data
    with pytest.raises(InputError, match=r"^task: wave\.csv is for the task 'series'"):
        task_of(data, task="labelled")
    with pytest.raises(InputError, match=r"^label: no column is named 'w'"):
        task_of(data, label="w")
    with pytest.raises(InputError, match=r"^target: only your own data has a use for it"):
        resolved(Experiment(target="v"))
    with pytest.raises(InputError, match=r"^data: the task 'series' learns your own data"):
        resolved(Experiment(task="series"))
    with pytest.raises(InputError, match=r"^seq_len: wave\.csv has 60 rows; .* use at most 59 steps"):
        task_of(data, seq_len=60)


def test_an_experiment_file_keeps_the_data_and_its_decisions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wave(tmp_path)
    file = tmp_path / "e.toml"
    file.write_text('data = "wave.csv"\nstandardize = false\nseq_len = 7\n')
    experiment = Experiment.from_file(file)
    assert (experiment.task, experiment.data) == ("series", str(tmp_path / "wave.csv"))
    monkeypatch.chdir(tmp_path)
    again = Experiment.from_toml(Experiment(data="wave.csv", missing="repeat", columns="v").to_toml())
    assert (again.data, again.missing, again.columns) == (str(tmp_path / "wave.csv"), "repeat", "v")
    assert np.array_equal(build_task(resolved(again)).x, task_of("wave.csv", missing="repeat").x)


def test_the_cost_is_that_of_the_data(tmp_path: Path) -> None:
    size = cost.size_of(Experiment(data=wave(tmp_path), seq_len=6))
    assert (size.sequences, size.steps, size.spec.input_size, size.spec.output_size) == (54, 6, 1, 1)
    with pytest.raises(InputError, match="more than"):
        cost.fit(Experiment(data=wave(tmp_path, rows=9_000), seq_len=6_000, batch_size=2_000, hidden_size=512))


def test_constant_columns_and_values_that_are_too_far_away(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "".join(f"{k % 5},0.1\n" for k in range(40)))
    assert (abs(task_of(str(path)).x[:, :, 1]) < 1e-15).all(), "rounding is no deviation"
    path.write_text("a\n" + "".join(f"{k % 5}e-40\n" for k in range(39)) + "1e99\n")
    with pytest.raises(InputError, match=r"^data: 'a' has values too far from those of its training part"):
        task_of(str(path))
    path.write_text("a\n" + "".join(f"{k % 5}\n" for k in range(39)) + "1e101\n")
    assert "1 infinite value counts as missing." in task_of(str(path)).notes
    path.write_text(";;\n;;\n")
    with pytest.raises(InputError, match="no column holds numbers"):
        task_of(str(path), task="series")
