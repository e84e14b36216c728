"""The app, driven by keys as a person drives it, read as a person reads it."""

from __future__ import annotations

import re

import pytest
from textual.pilot import Pilot

from rnnviz.player.cursor import Phase
from rnnviz.player.experiment import Experiment
from rnnviz.player.numbers import exponent, fixed, scientific
from rnnviz.tui import keys, panels
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas


def text(app: RnnvizApp, name: str = "score") -> str:
    return "\n".join(app.main.query_one(f"#{name}", Canvas).plain())


async def press(pilot: Pilot, *names: str) -> None:
    for name in names:
        await pilot.press(name)
        await pilot.app.settled()  # type: ignore[attr-defined]
    await pilot.pause()


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
        assert f"tgt {fixed(float(trace.targets[2, 0, 0]))}" in score
        for unit in range(20):
            assert fixed(float(trace.h[3, 0, unit]), 2 if unit else 3) in score, "the chosen one to a digit more"


async def test_the_walk_back_shows_exponent_factor_half_life_and_horizon() -> None:
    app = RnnvizApp(Experiment(gain=0.3), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right")
        assert app.main.frame.cursor.phase is Phase.LOSS
        assert f"loss {scientific(app.main.frame.scene.trace.loss, 3)}" in text(app)
        gradient = app.main.frame.gradient
        for t in range(10, -1, -1):
            await press(pilot, "left")
            lines = app.main.query_one("#score", Canvas).plain()
            assert f"t = {t}" in lines[0]
            assert scientific(float(gradient.norms[t])) in "\n".join(lines)
            powers = re.findall(r"-?\d+", lines[-2].partition("10^")[2])
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
        await pilot.press("right")  # the picture can still be walked meanwhile
        assert app.main.frame.cursor.t == 1
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
            shown = str(app.screen.query_one("Static").render())
            for action in keys.ACTIONS:
                assert action.help in shown
                assert all(keys.face(name) in shown for name in action.keys)
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
            assert action.id == "commands" or action.help.lower() in titles
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert app.screen is not app.main


async def test_playing_tells_the_whole_story_once(monkeypatch: pytest.MonkeyPatch) -> None:
    app = RnnvizApp(Experiment(seq_len=3, points=20), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        phases = []
        show = app.main.show
        monkeypatch.setattr(app.main, "show", lambda frame: (phases.append(frame.cursor.phase), show(frame)))
        await press(pilot, "plus", "plus", "space")
        while app.main.view.playing:
            await pilot.pause(0.02)
        await app.settled()
        assert list(dict.fromkeys(phases)) == list(Phase)
        assert app.main.frame.cursor.batch == 1
        assert app.main._timer is None, "nothing ticks when nothing plays"


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
