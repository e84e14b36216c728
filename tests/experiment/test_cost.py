"""How much an experiment takes is known before anything of it is made, whichever way it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

import rnnviz
from rnnviz import tasks
from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.experiment import build, cost, run
from rnnviz.experiment.experiment import TASKS, Experiment
from rnnviz.player.player import Player, open_player
from rnnviz.scene.commands import Change
from rnnviz.tasks.catalog import CATALOG, MOST_CHARACTERS

TOO_MUCH = {"hidden_size": 2048, "num_layers": 8, "seq_len": 10_000, "points": 20_000}


@pytest.mark.parametrize("name", TASKS)
def test_the_catalogue_knows_the_sizes_of_what_is_built(name: str) -> None:
    experiment = Experiment(task=name)
    task, known = build.build_task(build.resolved(experiment)), cost.size_of(experiment)
    assert known.steps == task.seq_len
    if name == "characters":  # of a text the limits
        assert known.sequences >= len(task)
        assert known.spec.input_size >= task.input_size
    else:
        assert (known.sequences, known.trained) == (len(task), task.n_train)
        assert (known.spec.input_size, known.spec.output_size) == (task.input_size, task.output_size)
        assert known.spec.parameter_count == build.build_model(build.resolved(experiment), task).parameter_count


def test_of_a_text_it_knows_no_less_than_what_it_holds(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("abc " * 1000)
    experiment = Experiment(task="characters", source=str(text))
    assert 4000 // 40 == cost.size_of(experiment).sequences >= len(build.build_task(build.resolved(experiment)))
    text.write_bytes(b"a" * 10**6)
    assert cost.size_of(experiment).sequences == MOST_CHARACTERS // 40
    assert cost.size_of(experiment.with_(source="/no/such/file")).sequences == 1


def test_all_that_is_needed_adds_up() -> None:
    base = cost.size_of(Experiment())
    assert 0 < base.bytes(trains=False) < base.bytes()
    for more in ({"hidden_size": 40}, {"num_layers": 2}, {"points": 100}, {"batch_size": 16}, {"optimizer": "adam"},
                 {"cell": "lstm"}, {"seq_len": 11}):  # fmt: skip
        assert cost.size_of(Experiment(**more)).bytes() > base.bytes(), more  # type: ignore[arg-type]


@pytest.fixture
def nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(*args: object, **settings: object) -> None:
        raise AssertionError("data were made")

    monkeypatch.setattr(tasks, "build", build)


WHY = r"experiment: would take \d+\.\d GiB \(10,000 sequences of 10,000 steps, 62,935,041 parameters\), more than"


@pytest.mark.usefixtures("nothing_is_made")
def test_what_does_not_fit_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = Experiment(**TOO_MUCH)  # type: ignore[arg-type]
    for call in (rnnviz.train, open_player, run.Run, run.gradients):
        with pytest.raises(InputError, match=WHY):
            call(experiment)  # type: ignore[operator]
    (tmp_path / "big.toml").write_text(experiment.to_toml())
    flags = ["--hidden", "2048", "--layers", "8", "--steps", "10000", "--points", "20000"]
    for command in ("gradients", "train"):
        for words in (flags, [str(tmp_path / "big.toml")]):
            assert main([command, *words]) == 2
            assert capsys.readouterr().err.startswith(f"rnnviz {command}: experiment: would take ")


def test_the_knobs_refuse_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    player = Player()
    before = player.frame
    monkeypatch.setattr(tasks, "build", None)
    with pytest.raises(InputError, match=WHY):
        player.do(Change(tuple(TOO_MUCH.items())))
    assert player.frame.experiment == before.experiment


def test_every_task_says_how_many_sequences_it_has_at_most() -> None:
    assert all(task.samples or task.at_most or task.name == "sine" for task in CATALOG.values())
