"""What can be taken out of the app: a number, a row, the command line that shows this view again, a picture, and
settings."""

from __future__ import annotations

import random
import shlex
from pathlib import Path

import numpy as np
import pytest

from rnnviz.cli.commands import COMMANDS
from rnnviz.cli.flags import read
from rnnviz.cli.pictures import _studio
from rnnviz.errors import InputError
from rnnviz.experiment.experiment import Experiment
from rnnviz.kiosk import Kiosk
from rnnviz.lessons.course import Start, find
from rnnviz.nn import checks
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.player import open_player
from rnnviz.scene.commands import Go
from rnnviz.session import Session
from rnnviz.tui import panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.copying import MOST, number, row
from rnnviz.tui.films.headless import Studio, studio
from rnnviz.tui.pictures.svg import svg
from rnnviz.tui.view import View
from tests.tui.driving import press, text
from tests.tui.pictures import difference, grid


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


RECORDINGS = find().folder / "recordings"
SOURCES = [
    Experiment(seq_len=12),
    Experiment(cell="lstm", task="recall", lag=6, num_layers=2, hidden_size=6),
    Experiment(cell="gru", task="names", hidden_size=5),
    Experiment(task="adding", seq_len=9, gain=0.7, loss_at="last"),
    Opening(str(RECORDINGS / "forgets")),
    NetworkOpening(str(RECORDINGS / "remembers.safetensors")),
]
KEYS = [
    *["right", "left", "enter", "backspace", "up", "down"] * 3, "end", "home", "b", "e", "e", "E", "B", "x", "t",
    "less_than_sign", "w", "W", "I", "right_curly_bracket", "p", "tab", "tab", "escape",
    *(panel.key for panel in panels.ALL if panel.key),
]  # fmt: skip


def assert_same(made: Studio, again: Studio, line: str) -> None:
    ours, theirs = (one.picture() for one in (made, again))
    assert ours.sheet.plain() == theirs.sheet.plain(), line
    different = difference(grid(svg(ours, "")), grid(svg(theirs, "")))
    assert not different, f"{line}: {different[:3]}"


async def settled_view(made: Studio, *, ghost: bool = False) -> None:
    """Without what the app says about the last key."""
    main = made.app.main
    main.look(notice=None, prompt=None, typing=None, finding=False)
    assert main.player is not None
    main.show(main.player.settle(ghost=ghost))
    await made.rest()


@pytest.mark.parametrize("seed", range(len(SOURCES)))
async def test_the_command_line_shows_the_same_view(seed: int) -> None:
    """Seeded walks through every kind of run: now and then, the command line shows what the app shows."""
    rng = random.Random(seed)
    size = rng.choice([(80, 24), (100, 30), (160, 50)])
    async with studio(SOURCES[seed], size=size) as made:
        for _ in range(4):
            await made.press(*rng.choices(KEYS, k=rng.randint(4, 14)))
            if made.app.main.view.typing is not None:
                await made.press("escape")
            await settled_view(made)
            line, missing = made.app.main.command_line()
            if missing == "what is pinned":  # enter in the comparison
                continue
            assert not missing
            words = shlex.split(line)
            assert words[:2] == ["rnnviz", "show"]
            options = read([*words[2:], "-o", "x.svg"], COMMANDS["show"])
            async with _studio(options, "truecolor", 1) as again:
                assert_same(made, again, line)


async def test_the_command_line_of_a_typed_sequence_and_of_odd_settings() -> None:
    experiment = Experiment(task="names", cell="gru", hidden_size=5, shuffle=False, forget_bias=None, seed=3)
    async with studio(experiment, typed="rossi") as made:
        await made.press("right", "right", "right")
        line, missing = made.app.main.command_line()
        assert not missing
        assert "--no-shuffle" in line
        options = read([*shlex.split(line)[2:], "-o", "x.svg"], COMMANDS["show"])
        assert options.experiments[0] == experiment
        async with _studio(options, "truecolor", 1) as again:
            assert_same(made, again, line)


@pytest.mark.parametrize("at", range(0, 7, 2))
async def test_the_command_line_of_a_lessons_step(at: int) -> None:
    course = find()
    slug = course.slug(course.files[5])
    async with studio(start=Start(None, slug, step=at + 1)) as made:
        guide = made.app.main.guide
        assert guide is not None
        assert guide.run is not None
        if guide.run.open_question is not None:
            await made.press("1")
        await made.press("left", "left", "down")
        line, missing = made.app.main.command_line()
        assert not missing, line
        options = read([*shlex.split(line)[2:], "-o", "x.svg"], COMMANDS["show"])
        async with _studio(options, "truecolor", options["step"]) as again:
            if options["answer"] is not None:
                again.app.main.guide.answer(options["answer"])  # type: ignore[union-attr]
                await again.rest()
            await again.go(options["at"], options["panel"])
            await settled_view(again, ghost=True)
            await settled_view(made, ghost=True)
            assert_same(made, again, line)


async def test_what_the_command_line_leaves_out_is_named() -> None:
    async with studio(Experiment(seq_len=8)) as made:
        await made.press("o", "slash", *"gain", "enter", "left", "P")
        assert made.app.main.command_line()[1] == "the ghost, what is pinned"


async def test_a_key_and_another_copy_what_is_under_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    app = RnnvizApp(Experiment(seq_len=8), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right", "right", "down", "Y")
        assert "copy: n number  r row as TSV  c command line  esc nothing" in text(app, "telling")
        await press(pilot, "n")
        frame = app.main.frame
        assert frame is not None
        assert app.clipboard == repr(float(frame.scene.trace.h[2, 0, 1]))
        assert "Copied h[1] at t = 2: " in text(app, "telling")
        assert "OSC 52" in text(app, "telling")
        await press(pilot, "Y", "r")
        lines = app.clipboard.splitlines()
        assert lines[0] == "t\th[1]"
        assert [float(line.split("\t")[1]) for line in lines[1:]] == frame.scene.trace.h[:3, 0, 1].tolist()
        await press(pilot, "end", "right", "left", "left", "Y", "n")
        assert float(app.clipboard) == frame.scene.trace.grad_norm(8)[7]
        await press(pilot, "Y", "r")
        assert app.clipboard.splitlines()[0] == "t\t‖∂L₈/∂h‖"
        np.testing.assert_array_equal(
            [float(line.split("\t")[1]) for line in app.clipboard.splitlines()[1:]],
            frame.scene.trace.grad_norm(8)[7:],
        )
        await press(pilot, "Y", "c")
        assert app.clipboard == "rnnviz show --steps 8 --at unit=1,back,t=7 --size 80x24\n"
        before = app.clipboard
        await press(pilot, "Y", "escape", "Y", "z")
        assert app.clipboard == before
        assert app.main.view.copying is None
        assert not app._exception


async def test_in_tmux_the_notice_says_what_tmux_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux")
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "Y", "n")
        assert "set -g set-clipboard on" in text(app, "telling")


def test_a_hidden_answer_is_not_copied() -> None:
    player = open_player(Experiment(seq_len=5))
    hidden = View(masked=frozenset({"gradient", "state", "loss"}))
    for place in (Go("forward", 3), Go("loss"), Go("backward", 2)):
        frame = player.do(place)
        assert number(frame, View())[1]
        assert row(frame, View())[1]
        assert number(frame, hidden) == (number(frame, hidden)[0], "")
        assert "answer first" in number(frame, hidden)[0]
        text, name = row(frame, hidden)
        assert not name or len(text.splitlines()) == 1, "no line of numbers"


async def test_too_much_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RnnvizApp(Experiment(seq_len=5), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        monkeypatch.setattr("rnnviz.tui.copying.MOST", 3)
        await press(pilot, "Y", "r")
        assert app.clipboard == ""
        assert "are too many to copy; at most 3" in text(app, "telling")
    assert MOST <= 74_000, "what xterm and tmux take of one sequence"


async def test_a_kiosk_saves_nothing_but_copies(here: Path) -> None:
    app = RnnvizApp(Experiment(seq_len=5), compile=False, session=Session(kiosk=Kiosk()))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        for key in ("ctrl+s", "S"):
            await press(pilot, key)
            assert "This is a kiosk: no file is written." in text(app, "telling")
        await press(pilot, "Y", "n")
        assert app.clipboard
    assert not list(here.rglob("*.svg"))


async def test_the_picture_is_saved_beside_you_and_never_over_a_file(here: Path) -> None:
    app = RnnvizApp(Experiment(seq_len=8), compile=False, session=Session(colors="truecolor", theme="dark"))
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        (here / "rnnviz-sine-rnn-1.svg").write_text("mine")
        await press(pilot, "right", "ctrl+s")
        assert "Saved this picture: rnnviz-sine-rnn-2.svg" in text(app, "telling")
        assert (here / "rnnviz-sine-rnn-1.svg").read_text() == "mine"
        first = (here / "rnnviz-sine-rnn-2.svg").read_text(encoding="utf-8")
        assert first.startswith("<svg")
        await press(pilot, "ctrl+s")
        assert (here / "rnnviz-sine-rnn-3.svg").read_text(encoding="utf-8") == first, "without the notice of the first"
        await pilot.press("question_mark")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "what the network reads" in (here / "rnnviz-sine-rnn-4.svg").read_text(encoding="utf-8")
        await pilot.press("escape")
        here.chmod(0o500)
        await press(pilot, "ctrl+s")
        here.chmod(0o700)
    saved = [*here.rglob("*-5.svg"), *here.glob("data/**/*-1.svg")]
    assert len(saved) == 1, "where the folder cannot be written, in the user's own"


async def test_the_experiment_is_saved_as_toml(here: Path) -> None:
    experiment = Experiment(cell="lstm", seq_len=7, gain=0.5)
    app = RnnvizApp(experiment, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "e", "S", *["backspace"] * len("safetensors"), *"toml", "enter")
        assert "Saved the experiment: sine-lstm.toml" in text(app, "telling")
        assert Experiment.from_file(here / "sine-lstm.toml") == experiment
        await press(pilot, "S", *["backspace"] * len("safetensors"), *"toml", "enter")
        assert "exists; press enter again" in text(app, "telling")
        await press(pilot, "enter")
        assert "Saved the experiment" in text(app, "telling")
        assert Experiment.from_file(here / "sine-lstm.toml") == experiment


async def test_a_kiosk_does_not_train_longer_to_begin_at_a_place() -> None:
    from rnnviz.experiment import cost
    from rnnviz.tui.place import read as place

    before = checks.most_bytes, cost.most_seconds
    app = RnnvizApp(Experiment(), place=place("train=100000"), compile=False, session=Session(kiosk=Kiosk(seconds=1.0)))
    try:
        with pytest.raises(InputError, match="would train for about"):
            async with app.run_test(size=(80, 24)):
                await app.settled()
    finally:
        cost.restrict(*before)  # type: ignore[arg-type]


async def test_the_app_begins_at_a_place() -> None:
    from rnnviz.tui.place import read as place

    app = RnnvizApp(Experiment(seq_len=8), place=place("train=2,back,t=3,unit=4"), panel="ledger", compile=False)
    async with app.run_test(size=(80, 24)):
        await app.settled()
        frame = app.main.frame
        assert frame is not None
        assert (frame.cursor.epoch, frame.cursor.t, frame.cursor.unit) == (2, 3, 4)
        assert app.main.view.panel == "ledger"
        assert frame.hint == ""
