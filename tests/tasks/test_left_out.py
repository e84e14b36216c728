"""What of the data is cut, merged or left out is told in one line, with how much of how much."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from rnnviz import tasks
from rnnviz.cli.main import main
from rnnviz.experiment.experiment import Experiment
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Right
from rnnviz.tasks import characters

LINE = "the miller took the long road to town\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "long.txt").write_text(6000 * LINE + "Q X Z 3" + 1000 * LINE)
    (tmp_path / "exact.txt").write_text((5264 * LINE)[:200_000])
    drawn = random.Random(1)
    signs = [chr(0x4E00 + min(int(drawn.paretovariate(0.5)), 899)) for _ in range(5001)]
    (tmp_path / "signs.txt").write_text("".join(signs), encoding="utf-8")
    (tmp_path / "short.txt").write_text(3 * LINE)
    return tmp_path


def notes(task: str = "characters", **settings: object) -> tuple[str, ...]:
    return tasks.build(task, **settings).notes  # type: ignore[arg-type]


def test_what_is_used_whole_has_no_note(folder: Path) -> None:
    for name in tasks.NAMES:
        assert notes(name) == (), name
    assert notes(source="short.txt", seq_len=len(3 * LINE) // 2 - 1, samples=3) == ()
    assert notes(source="exact.txt", seq_len=7) != ()  # 199,999 is no multiple of 7
    assert not any("first" in note for note in notes(source="exact.txt", seq_len=7))


def test_a_text_that_is_read_in_part(folder: Path) -> None:
    size = len(7000 * LINE) + 7
    assert notes(source="long.txt")[0] == f"Only the first 200,000 characters are read, of {size:,}."


def test_a_very_long_text_is_not_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(characters, "COUNTED", 250_000)
    assert notes(source="long.txt")[0] == "Only the first 200,000 characters are read, of 0.3 MB."
    with open("long.txt", "ab") as file:
        file.truncate(3_200_000_000)  # a hole: takes no room
    assert notes(source="long.txt")[0] == "Only the first 200,000 characters are read, of 3.2 GB."


def test_bytes_that_are_no_text_beyond_what_is_read_do_not_stop_it(folder: Path) -> None:
    with open("long.txt", "ab") as file:
        file.write(b"\xff\xfe")
    assert notes(source="long.txt")[0] == "Only the first 200,000 characters are read, of 0.3 MB."


def test_rare_characters_that_become_one(folder: Path) -> None:
    text = (folder / "signs.txt").read_text(encoding="utf-8")
    task = tasks.build("characters", source="signs.txt", seq_len=10)
    different = len(set(text))
    rare = [c for c in text if c not in task.vocab]
    told = f"The {different - 127} rarest of {different} different characters are all read as �: {len(rare)} of 5,001."
    assert task.notes == (told,)


def test_characters_in_no_sequence(folder: Path) -> None:
    assert notes(source="short.txt", seq_len=50) == ("101 of 114 characters are used, in 2 sequences of 50 steps.",)
    assert notes(source="short.txt", seq_len=10, samples=2) == (
        "22 of 114 characters are used, in 2 sequences of 10 steps.",
    )
    own = notes(samples=2)
    assert len(own) == 1
    assert "82 of " in own[0]


def test_names(folder: Path) -> None:
    longest = tasks.build("names")
    assert notes("names", seq_len=5)[0].startswith(f"{len(longest) - 83} of {len(longest)} names have more than 5")
    assert notes("names", samples=40) == (f"40 of {len(longest)} names are used: samples = 40.",)


@pytest.mark.parametrize("command", [["train", "--epochs", "1"], ["gradients"]], ids=lambda c: c[0])
def test_the_commands_say_it(folder: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    flags = [*command, "--task", "characters", "--source", "short.txt", "--steps", "50", "--hidden", "2"]
    told = "101 of 114 characters are used, in 2 sequences of 50 steps."
    assert main(flags) == 0
    assert capsys.readouterr().out.count(told) == 1
    assert main([*flags, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == [told]
    assert main([*flags, "--cell", "rnn,gru"]) == 0
    assert capsys.readouterr().out.count(told) == 1


def test_the_app_says_it_at_the_beginning_and_where_a_knob_changes_it(folder: Path) -> None:
    player = Player(Experiment(task="characters", source="short.txt", seq_len=50, hidden_size=2))
    assert player.frame.hint == "101 of 114 characters are used, in 2 sequences of 50 steps."
    assert player.do(Right()).hint == ""
    assert "22 of 114" in player.do(Change((("seq_len", 10), ("samples", 2)))).hint
    assert "of 114" not in player.do(Change((("hidden_size", 3),))).hint
