"""The knobs turned by keys: the score answers, the ghost stays behind, and undo leads back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from textual import events
from textual.pilot import Pilot

from rnnviz.experiment.experiment import BY_GROUP, SETTINGS, Experiment
from rnnviz.numbers import scientific, steps
from rnnviz.player.player import Player
from rnnviz.scene.commands import Change, Go
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.geometry import columns_of
from rnnviz.tui.marks import DOTS
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.knobs import KNOBS_PANEL
from rnnviz.tui.score import draw
from rnnviz.tui.view import View
from rnnviz.views import ghost as ghosts
from rnnviz.views.knobs import called, listed, why_not
from rnnviz.views.reach import of_frame
from rnnviz.words.reach import part
from tests.tui.driving import press, text

RECALL = Experiment(task="recall", lag=20, samples=60)


def line(app: RnnvizApp, word: str, name: str = "panel") -> str:
    return next(row for row in text(app, name).splitlines() if word in row)


async def choose(pilot: Pilot, name: str) -> None:
    """Open the knobs and find one by its label."""
    await press(pilot, "o", "slash", *[{" ": "space"}.get(char, char) for char in SETTINGS[name].label], "enter")


@pytest.mark.parametrize(("size", "panel"), [((80, 24), "panel"), ((160, 50), "open")])
async def test_a_knob_turned_is_answered_by_the_score_and_the_reach(size: tuple[int, int], panel: str) -> None:
    app = RnnvizApp(RECALL, compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await press(pilot, "end", "right", *["left"] * 5)
        assert app.main.frame is not None
        before = f"{part(of_frame(app.main.frame).arrives)} of the gradient arrives"
        assert f"{before} 20 steps back" in text(app)
        await choose(pilot, "gain")
        assert "▸ recurrent gain" in line(app, "recurrent gain", panel)
        await press(pilot, "left", "left", "left")
        assert "0.7" in line(app, "recurrent gain", panel)
        assert "was 1.0" in line(app, "recurrent gain", panel)
        frame = app.main.frame
        assert frame is not None
        assert frame.cursor.t == 17, "the cursor stays"
        oracle = Player(RECALL.with_(gain=0.7)).frame.gradient
        assert scientific(float(oracle.norms[17])) in text(app)
        assert f"1 % horizon {steps(oracle.horizon, 21)}" in text(app)
        assert f"{part(oracle.norms[1] / oracle.norms[21])} of the gradient arrives 20 steps back" in text(app)
        assert before not in text(app)


async def test_the_ghost_stands_behind_the_bars_until_it_is_dismissed() -> None:
    app = RnnvizApp(RECALL, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", *["left"] * 22)
        before = text(app)
        await choose(pilot, "gain")
        await press(pilot, *["left"] * 5, "o")
        assert "recurrent gain 1.0" in text(app)
        assert "its 1 % horizon all 21" in text(app)
        assert any(dot in text(app) for dot in DOTS)
        await press(pilot, "z")
        assert "recurrent gain 1.0" not in text(app)
        assert not any(dot in text(app) for dot in DOTS)
        await press(pilot, "z")
        assert "no ghost" in text(app, "telling")
        await press(pilot, *["u"] * 5)
        assert text(app) == before


@pytest.mark.parametrize("name", ["gain", "learning_rate", "hidden_size", "init"])
@pytest.mark.parametrize(("steps", "height"), [(10, 20), (31, 20), (61, 20), (61, 10), (200, 14)])
def test_the_ghost_is_named_in_whole_words_beside_what_is_in_view(name: str, steps: int, height: int) -> None:
    values = {"gain": 0.5, "learning_rate": 0.5, "hidden_size": 8, "init": "orthogonal"}
    player = Player(Experiment(seq_len=steps, points=300))
    player.do(Go("backward", 0))
    frame = player.do(Change(((name, values[name]),)))
    assert frame.ghost is not None
    rows = draw(frame, 80, height, Palette()).plain()
    named = next(row.partition(f"{DOTS[1] * 2} ")[2] for row in reversed(rows) if f"{DOTS[1] * 2} " in row[40:]).strip()
    named = named.rpartition(f"{DOTS[1]} ")[2]
    whole = f"ghost: {frame.ghost.name}"
    is_value = named.isalpha() and frame.ghost.name.endswith(f" {named}")
    assert (whole in named) or is_value or named == "ghost" or frame.ghost.name.startswith(named.rstrip("…")), named
    assert not named.endswith("…") or named[:-1] in frame.ghost.name.rsplit(" ", 1)[0], "cut between words"
    assert not any(f" of {steps}" in row and DOTS[1] in row[58:] for row in rows), "never one over the other"
    columns = columns_of(frame, 80)
    if columns.count <= frame.T:
        assert f" {columns.first}–{columns.first + columns.count - 1}" in "\n".join(rows), "both are there"


def test_a_ghost_that_differs_in_more_than_has_room_is_named_by_the_first_of_it() -> None:
    player = Player(Experiment(cell="lstm", seq_len=40))
    player.do(Go("backward", 0))
    frame = player.do(Change((("cell", "gru"), ("init", "chrono"))))
    assert "⠂⠂ cell lstm …" in "\n".join(draw(frame, 80, 20, Palette()).plain())


@pytest.mark.parametrize("colors", ["truecolor", "none"])
def test_a_dot_stands_where_the_bar_stood(colors: str) -> None:
    player = Player(Experiment(seq_len=40))
    player.do(Go("backward", 0))
    frame = player.do(Change((("gain", 0.5),)))
    norms, behind = frame.gradient.norms, ghosts.behind(frame)
    assert behind is not None
    rows = draw(frame, 80, 20, Palette(colors)).plain()
    columns = ["".join(row[10 + t] for row in rows) for t in range(41)]
    apart = [t for t in range(41) if behind[t] > 1e4 * norms[t]]  # a row of text is four powers of ten here
    assert len(apart) > 20
    for t in apart:
        dots = [y for y, cell in enumerate(columns[t]) if cell in DOTS and y >= 15]
        bars = [y for y, cell in enumerate(columns[t]) if cell in "▁▂▃▄▅▆▇█"]
        assert len(dots) == 1
        assert dots[0] < min(bars), f"t = {t}: the ghost's bar was higher"


async def test_a_value_is_typed() -> None:
    app = RnnvizApp(RECALL, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await choose(pilot, "gain")
        await press(pilot, "enter", "0", "full_stop", "8", "e", "backspace", "5")
        assert "0.85▏" in line(app, "recurrent gain")
        assert app.main.frame is not None
        assert app.main.frame.cursor.epoch == 0, "letters are no keys now"
        await press(pilot, "enter")
        assert app.main.frame.experiment.gain == 0.85
        assert "0.85 ▸ was 1.0" in line(app, "recurrent gain")
        await press(pilot, "enter", "x", "escape")
        assert app.main.view.panel == "knobs", "escape ends the typing, not the panel"
        assert app.main.frame.experiment.gain == 0.85


@pytest.mark.parametrize(("typed", "says"), [("x", "recurrent gain: 'x' is"), ("-1", "recurrent gain: -1 is out")])
async def test_what_cannot_be_is_said_and_nothing_is_lost(typed: str, says: str) -> None:
    app = RnnvizApp(RECALL, compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await choose(pilot, "gain")
        before = app.main.frame
        keys = {"-": "minus"}
        await press(pilot, "enter", *[keys.get(char, char) for char in typed], "enter")
        assert says in text(app, "telling")
        assert app.main.frame is before


@pytest.mark.slow
async def test_a_bad_value_of_any_knob_is_told_with_the_label_it_has_on_the_screen() -> None:
    app = RnnvizApp(Experiment(task="recall", cell="lstm", optimizer="adam", samples=20), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        assert app.main.frame is not None
        for knob in listed(app.main.frame, app.main.view.locked):
            await choose(pilot, knob.name)
            await press(pilot, "enter", *"x,", "enter")
            said = " ".join(text(app, "telling").split())
            assert said.startswith(f"! {knob.label}: "), (knob.name, said)


async def test_a_large_change_is_a_job_and_its_failure_a_message() -> None:
    app = RnnvizApp(Experiment(task="recall", seq_len=21, samples=60), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await choose(pilot, "seq_len")
        await press(pilot, "enter", *"300", "enter")
        assert app.main.frame is not None
        assert (app.main.frame.T, of_frame(app.main.frame).lag) == (300, 299)
        await press(pilot, "down", "enter", *"400", "enter")
        assert "lag: 400 does not fit into 300 steps" in text(app, "telling")
        assert app.main.frame.T == 300


async def test_a_knob_that_does_nothing_here_is_not_listed_and_says_why_when_it_is_looked_for() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "o", "slash", *"forget")
        assert "forget bias: only an LSTM has a forget gate" in line(app, "/forget")
        await press(pilot, "escape", "slash", *"zz")
        assert "no knob has this name" in line(app, "/zz")
        await press(pilot, "escape")
        assert app.main.view.panel == "knobs", "escape ends the search, not the panel"


async def test_every_knob_that_does_something_can_be_chosen_and_is_in_view_with_its_help() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "o")
        assert app.main.frame is not None
        alive = [knob for knob in BY_GROUP if why_not(app.main.frame, knob.name) is None]
        assert 15 < len(alive) < len(BY_GROUP)
        for knob in alive:
            assert f"▸ {knob.label}" in text(app, "panel")
            assert all(len(row) == 80 for row in text(app, "panel").splitlines())
            await press(pilot, "down")
        assert f"▸ {alive[-1].label}" in text(app, "panel")
        await press(pilot, "home")
        assert f"▸ {alive[0].label}" in text(app, "panel")
        await press(pilot, "pagedown", "pagedown", "pageup")
        assert f"▸ {alive[7].label}" in text(app, "panel")
        firsts = [knob for before, knob in pairwise(alive) if before.group != knob.group]
        await press(pilot, "home")
        for knob in firsts:
            await press(pilot, "right_square_bracket")
            assert f"▸ {knob.label}" in text(app, "panel")
        await press(pilot, *["left_square_bracket"] * len(firsts))
        assert f"▸ {alive[0].label}" in text(app, "panel")
        await press(pilot, "end")
        assert f"▸ {alive[-1].label}" in text(app, "panel")


async def test_the_knobs_open_again_where_they_were_left() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "slash", *"lear", "enter", "o")
        assert app.main.view.panel is None
        await press(pilot, "tab", "o")
        assert "▸ learning rate" in text(app, "panel")
        await press(pilot, "home", "right")  # an LSTM: activation goes, forget bias comes
        assert "▸ cell" in text(app, "panel")
        await press(pilot, "slash", *"activ")
        assert "an LSTM's activations" in line(app, "/activ")


async def test_keys_that_come_in_one_burst_are_heard_in_their_order() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        named = {"/": "slash", "\r": "enter", ".": "full_stop"}
        for char in "/lear\r\r0.5\r":
            app.post_message(events.Key(named.get(char, char), char))
        await pilot.pause()
        await app.settled()
        assert app.main.frame is not None
        assert app.main.frame.experiment.learning_rate == 0.5
        assert app.main.frame.cursor.t == 0


async def test_knobs_that_the_exercise_keeps_come_last() -> None:
    app = RnnvizApp(Experiment(cell="lstm"), compile=False)
    async with app.run_test(size=(80, 40)):
        await app.settled()
        assert app.main.frame is not None
        view = View(panel="knobs", row=-1, locked=("cell", "hidden_size", "learning_rate"))
        names = [knob.name for knob in listed(app.main.frame, view.locked)]
        assert names[-3:] == ["cell", "hidden_size", "learning_rate"]
        rows = KNOBS_PANEL.draw(app.main.frame, view, 80, 40, Palette()).plain()
        assert "▸ layers" in rows[0]
        assert next(row for row in rows if "learning rate" in row).split()[-4:] == ["locked", "by", "this", "exercise"]
        assert sum(row.startswith(" locked") for row in rows) == 1


def test_a_few_letters_mean_the_knob_they_begin() -> None:
    meant = {"gain": "gain", "learning": "learning_rate", "rate": "learning_rate", "seq": "seq_len", "lag": "lag",
             "hidden": "hidden_size", "LOSS": "loss_at", "clip_v": "clip_value"}  # fmt: skip
    for letters, name in meant.items():
        assert called(letters)[0].name == name, letters
    assert called("") == () == called("no such thing")
    for knob in BY_GROUP:
        assert called(knob.label)[0] is knob


async def test_training_after_an_undo_goes_on_from_where_it_was() -> None:
    app = RnnvizApp(RECALL.with_(epochs=2), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "e")
        title = text(app, "title")
        await choose(pilot, "seed")
        await press(pilot, "right")
        assert "epoch 0/2" in text(app, "title")
        assert "untrained" in text(app, "telling") or app.main.frame.hint  # type: ignore[union-attr]
        await press(pilot, "u")
        assert text(app, "title") == title
        await press(pilot, "U")
        assert "epoch 0/2" in text(app, "title")


async def test_the_ghosts_key_is_offered_where_there_is_a_ghost() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        await press(pilot, "o")
        assert "hide ghost" not in text(app, "keys")
        await press(pilot, "down", "right")
        assert "hide ghost" in text(app, "keys")


def test_what_a_knob_means_fits_in_the_line_it_has_at_80_columns() -> None:
    assert [knob.name for knob in BY_GROUP if len(f"{knob.help}.") > 78] == []
