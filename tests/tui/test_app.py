"""The app, driven by keys as a person drives it, read as a person reads it."""

from __future__ import annotations

import asyncio
import re

import pytest
from textual import events
from textual.geometry import Region

from rnnviz.experiment.experiment import Experiment
from rnnviz.numbers import exponent, fixed, loss, scientific
from rnnviz.player.player import Player
from rnnviz.scene.cursor import Phase
from rnnviz.tui import keys, panels, status_lines
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.geometry import columns
from rnnviz.tui.help import sections
from rnnviz.tui.palette import Palette
from rnnviz.tui.voice import VOICE
from tests.tui.driving import press, text


async def test_it_opens_on_the_score_at_t_0() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.pause()
        score = text(app)
        for row in ("input x", "hidden h", "output ŷ", "‖∂L₁₀/∂h‖", "time t"):
            assert row in score
        assert "t = 0" in score
        assert "SimpleRNN" not in score
        assert "epoch  0/20 batch 0/5" in text(app, "title")


async def test_a_step_writes_out_its_numbers() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right", "right", "l")
        trace = app.main.frame.scene.trace
        score = text(app)
        assert "t = 3" in score
        assert f"x   {fixed(float(trace.x[2, 0, 0]))}" in score
        assert f"ŷ   {fixed(float(trace.y[2, 0, 0]))}" in score
        assert f"target {fixed(float(trace.targets[2, 0, 0]))}" in score
        for unit in range(20):
            assert fixed(float(trace.h[3, 0, unit]), 2 if unit else 3) in score, "the chosen one to a digit more"


async def test_the_walk_back_shows_exponent_factor_half_life_and_horizon() -> None:
    app = RnnvizApp(Experiment(gain=0.3), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right")
        assert app.main.frame.cursor.phase is Phase.LOSS
        value = f"loss {loss(app.main.frame.scene.trace.loss)}"
        assert value in text(app)
        assert value in text(app, "title"), "the same figure in both places"
        gradient = app.main.frame.gradient
        for t in range(10, -1, -1):
            await press(pilot, "left")
            lines = app.main.query_one("#score", Canvas).plain()
            assert f"t = {t}" in lines[0]
            assert scientific(float(gradient.norms[t])) in "\n".join(lines)
            under_the_bars = lines[-2][: columns(80, 10, t).end]
            powers = re.findall(r"-?\d+", under_the_bars.partition("10^")[2])
            assert powers == [str(exponent(float(v))) for v in gradient.norms[t:]]
        assert f"half-life {gradient.half_life:.1f}" in text(app)
        assert f"1 % horizon {gradient.horizon:.1f}" in text(app)
        await press(pilot, "t")
        assert "‖∂L/∂h‖" in text(app)


async def test_thirty_steps_there_and_back_is_the_same_screen() -> None:
    app = RnnvizApp(Experiment(seq_len=40), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.pause()
        before = app.export_screenshot(simplify=True)
        await press(pilot, *["right"] * 30)
        assert app.export_screenshot(simplify=True) != before
        await press(pilot, *["left"] * 30)
        assert app.export_screenshot(simplify=True) == before


async def test_digits_and_g_seek() -> None:
    app = RnnvizApp(Experiment(seq_len=25), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "1", "7")
        assert app.main.frame.cursor.t == 17
        assert "go to t = 17" in text(app, "telling")
        await press(pilot, "enter")
        assert app.main.frame.cursor.t == 17
        assert "go to" not in text(app, "telling")
        await press(pilot, "g", "5", "backspace", "9", "right")  # any other key ends it and still does its work
        assert app.main.frame.cursor.t == 10


async def test_training_by_batch_epoch_and_all() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "b")
        assert "epoch  0/20 batch 1/5" in text(app, "title")
        await press(pilot, "e")
        assert "epoch  1/20 batch 0/5" in text(app, "title")
        await press(pilot, "a")
        assert "epoch 20/20 batch 0/5" in text(app, "title")
        assert f"loss {app.main.frame.scene.trace.loss:.4f}" in text(app, "title")
        await press(pilot, "E", "B", "A")
        assert "epoch  0/20 batch 0/5" in text(app, "title")


async def test_a_long_training_shows_progress_and_stops_on_escape() -> None:
    app = RnnvizApp(Experiment(epochs=100_000), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.press("a")
        while app.main.frame.job is None:
            await pilot.pause(0.01)
        assert re.search(r"training +━*─* +\d+/500000 batches", text(app, "telling"))
        await pilot.press("right")  # the picture can still be walked meanwhile: a key may wait for a tenth of a second
        async with asyncio.timeout(120):
            while app.main.frame.cursor.t != 1:
                await pilot.pause(0.01)
        await pilot.press("escape")
        await app.settled()
        await pilot.pause()
        assert "nothing is lost" in text(app, "telling")
        assert 0 < app.main.frame.cursor.epoch < 100_000


async def test_an_explosion_is_said_and_everything_keeps_working() -> None:
    app = RnnvizApp(Experiment(learning_rate=100.0), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "a")
        assert "loss nan" in text(app, "title")
        assert "The loss is nan" in text(app, "telling")
        await press(pilot, "end", "right", *["left"] * 11, "enter", "enter", *["tab"] * len(panels.ALL), "t", "A")
        assert "epoch  0/20" in text(app, "title")
        assert "nan" not in text(app)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_plots_are_tabs_below_or_stand_beside(size: tuple[int, int]) -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await press(pilot, "a")
        for panel in (panel for panel in panels.BESIDE if panel.why_not(app.main.frame) is None):
            app.main.open_panel(panel.id if size[0] < 120 else None)
            await pilot.pause()
            place = "panel" if size[0] < 120 else f"beside-{panel.id}"
            drawn = text(app, place)
            words = {"fit": "fit", "self-fed": "from here it feeds on itself", "loss": "loss"}
            assert words[panel.id] in drawn
            assert re.search("[⠀-⣿]", drawn.replace("⠀", "")), "a curve"


async def test_help_lists_every_key_of_the_registry() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 60)) as pilot:
        await app.settled()
        for key in ("question_mark", "f1"):
            await pilot.press(key)
            await pilot.pause()
            page = app.screen.query_one("#help")
            shown = [line.text.rstrip() for line in page.render_lines(Region(0, 0, *page.size))]
            whole = " ".join(" ".join(shown).split())
            starts: set[int] = set()
            for heading, entries in sections():
                assert heading in shown
                for name, about in entries:
                    assert about in whole
                    beginning = re.compile(rf"(  {re.escape(name)}  +){re.escape(about.split()[0])}")
                    starts.update(len(found[1]) for found in map(beginning.match, shown) if found)
            starts.update(len(line) - len(line.lstrip()) for line in shown if line.startswith("     "))
            assert len(starts) == 1, "one column for all, and what is wrapped goes on below itself"
            told = [name for _, entries in sections() for name, _ in entries]
            assert all("  ".join(map(keys.face, action.keys)) in told for action in keys.ACTIONS)
            opened = sections()[1][1]
            assert all((panel.key or "tab", f"{panel.title}: {panel.about}") in opened for panel in panels.ALL)
            assert "esc closes" in app.screen.query_one("#close").render_line(0).text
            await pilot.press("escape")
            await pilot.pause()
            assert app.screen is app.main


def test_no_key_means_two_things() -> None:
    names = [key for action in keys.ACTIONS for key in action.keys] + [p.key for p in panels.ALL if p.key]
    names += [str(n) for n in range(10)]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)


async def test_the_palette_knows_every_action() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        titles = [command.title.lower() for command in app.get_system_commands(app.screen)]
        for action in keys.ACTIONS:
            assert action.id == "commands" or VOICE.say(action.help).lower() in titles
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert app.screen is not app.main


@pytest.mark.parametrize("key", ["question_mark", "L", "ctrl+p"])
async def test_a_screen_over_the_score_closes_once(key: str) -> None:
    """Keys typed ahead reach it after it was closed."""
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, key)
        over = app.screen
        assert over is not app.main
        over.dismiss()
        over.dismiss()
        await pilot.pause()
        assert app.screen is app.main


async def test_playing_tells_the_whole_story_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RnnvizApp(Experiment(seq_len=3, points=20), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        phases = []
        show = app.main.show
        monkeypatch.setattr(app.main, "show", lambda frame: (phases.append(frame.cursor.phase), show(frame)))
        await press(pilot, "plus", "plus", "space")
        for _ in range(500):
            if app.main.view.playing:
                await pilot.pause(0.02)
        assert not app.main.view.playing, "it comes to its end"
        await app.settled()
        assert list(dict.fromkeys(phases)) == list(Phase)
        assert app.main.frame.cursor.phase is Phase.UPDATE
        assert "moves most" in text(app, "telling"), "how it ends stays to be read"
        assert not app.main.playback.is_on, "nothing ticks when nothing plays"
        await press(pilot, "space")
        assert app.main.frame.cursor.batch == 1, "and space goes on with the next batch"
        assert app.main.view.playing


async def test_keys_pressed_before_the_first_frame_are_not_lost() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("right", "right")
        await app.settled()
        await pilot.pause()
        assert app.main.frame.cursor.t == 2


async def test_a_window_too_small_says_what_to_do() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert app.main.query_one("#notice").display
        await pilot.press("right")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not app.main.query_one("#notice").display
        assert "t = 1" in text(app)


async def test_the_mouse_may_point_at_a_step() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await pilot.click("#score", offset=(10 + 4 * 6 + 1, 5))
        await pilot.pause()
        assert app.main.frame.cursor.t == 6


async def test_an_experiment_that_cannot_run_ends_the_app_with_its_reason(tmp_path) -> None:
    app = RnnvizApp(Experiment(task="characters", source=str(tmp_path / "absent.txt")), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(200):
            if app.failure is not None:
                break
            await pilot.pause(0.02)
    assert "absent.txt" in str(app.failure)
    assert app.return_code == 2


def bar(app: RnnvizApp) -> list[str]:
    return re.split(r"  +", text(app, "keys").strip())


async def test_at_80_columns_keys_lead_on_to_the_panels_and_to_why() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot)
        ways_on = ["tab panel", "b batch", "e epoch", "a all 20", "? keys", "q quit"]
        assert bar(app) == ["→ read on", "space play", *ways_on]
        await press(pilot, "right")
        assert "tab panel" in bar(app)
        await press(pilot, "end", "right", "left")
        assert "tab panel" in bar(app)
        at = text(app, "keys").index("y why")
        await pilot.click("#keys", offset=(at, 0))
        await press(pilot)
        assert app.main.view.panel == "ledger"
        assert "y why" not in bar(app), "it is open"


async def test_the_bar_offers_only_what_there_is_to_train() -> None:
    app = RnnvizApp(Experiment(epochs=2), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "a")
        assert "a all 2" not in bar(app)
        assert "A untrain" in bar(app)
        await press(pilot, "A")
        assert "a all 2" in bar(app)


@pytest.mark.parametrize("panel", panels.ALL, ids=lambda panel: panel.id)
async def test_a_panels_name_stands_directly_above_it(panel: panels.Panel) -> None:
    for size, name, place in (((80, 24), "tabs", "panel"), ((160, 50), "tabs-beside", "open")):
        app = RnnvizApp(compile=False)
        async with app.run_test(size=size) as pilot:
            await app.settled()
            await pilot.pause()
            app.main.open_panel(panel.id)
            await app.settled()
            await pilot.pause()
            heading, content = app.main.query_one(f"#{name}", Canvas), app.main.query_one(f"#{place}", Canvas)
            assert text(app, name).startswith(f" ▾ {panel.title}  ")
            assert heading.region.bottom == content.region.y
            assert heading.region.x == content.region.x
            shown = [canvas.id for canvas in app.main.query("#tabs, #tabs-beside") if canvas.region.area]
            assert shown == [name]
            if size[0] == 80:
                assert panel.about in text(app, name), "whole"


async def test_a_plot_stands_beside_the_score_once_it_has_something_to_show() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        await press(pilot, "right")
        assert app.main.query_one("#beside-fit").region.area
        assert not app.main.query_one("#beside-loss").region.area
        await press(pilot, "e")
        assert app.main.query_one("#beside-loss").region.area


async def test_on_a_narrow_screen_a_sentence_goes_on_in_the_next_row() -> None:
    app = RnnvizApp(Experiment(seq_len=40, gain=0.7), compile=False)
    async with app.run_test(size=(60, 20)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", *["left"] * 5)
        for keys_ in (), ("y",):
            await press(pilot, *keys_)
            told = " ".join(text(app, "telling").split())
            assert told.startswith("4 steps back, ")
            assert told.endswith(".")
            assert ("is gone after" in told) == (keys_ == ()), "with a panel open, the first sentence alone"


@pytest.mark.parametrize("width", [60, 70, 80, 100, 120])
def test_no_heading_pushes_out_the_network_and_its_loss(width: int) -> None:
    heading = " 14 Beyond: better starts, shorter walks, attention "
    for experiment in (Experiment(task="recall", lag=60, hidden_size=16), Experiment(task="names", cell="lstm")):
        frame = Player(experiment).frame
        row = status_lines.title(frame, width, Palette(), heading).plain()[0]
        assert f" T {frame.T} " in row
        assert f"loss {loss(frame.scene.trace.loss)}" in row
        assert row.startswith(" 14 Beyond: bett")
        assert (frame.scene.task.title in row) or width < 80


async def test_what_is_pasted_where_nothing_is_typed_is_let_go() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        before, on_event, seen = text(app), app.on_event, []

        async def count(event: events.Event) -> None:
            seen.append(event)
            await on_event(event)

        app.on_event = count  # type: ignore[method-assign]
        app.post_message(events.Paste("one\ntwo"))
        for _ in range(20):
            await pilot.pause(0.01)
        assert 1 <= sum(isinstance(event, events.Paste) for event in seen) <= 2, "it does not go round for ever"
        assert text(app) == before
