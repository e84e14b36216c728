"""A recording in the app: its title, its evidence, its time travel, and what it cannot do, wherever that is asked."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.numbers import scientific
from rnnviz.player.kinds import recording
from rnnviz.player.kinds.opening import CANNOT, Opening
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.recordings.recorder import Recorder
from rnnviz.tui import keys
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.help import sections
from rnnviz.tui.voice import VOICE
from tests.recordings_here import EXPERIMENT, alone, made
from tests.tui.driving import press, rows, text

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids="{0[0]}x{0[1]}".format)
ROOT = Path(__file__).parents[2]


def opened(path: Path, **opening: object) -> RnnvizApp:
    return RnnvizApp(Opening(str(path), **opening), compile=False)  # type: ignore[arg-type]


@SIZES
async def test_the_title_the_evidence_and_every_norm_are_those_of_the_training(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    traces = made(tmp_path / "run")
    app = opened(tmp_path / "run", record=2)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        assert "encoder.lstm · LSTM · H 8 T 12" in text(app, "title")
        assert "record 2/3 · step 10" in text(app, "title")
        assert f"loss {traces[1].loss:.4f}" in text(app, "title")
        (evidence,) = [row for row in rows(app, "score") if row.startswith("evidence")]
        assert "weight gradients" in evidence
        assert "step 12" in evidence
        await press(pilot, "end", "right")
        for t in range(12, -1, -1):
            await press(pilot, "left")
            (row,) = [row for row in rows(app, "score") if row.startswith("‖∂L₁₂")]
            assert f"h {scientific(alone(traces[1], 0)[t])}" in row
        assert text(app, "telling").strip()
        await press(pilot, "enter")
        assert VOICE.say(CANNOT["update"]) in text(app, "telling")
        await press(pilot, "e")
        assert "record 3/3 · step 20" in text(app, "title")
        await press(pilot, "A")
        assert "record 1/3 · step 0" in text(app, "title")


@SIZES
async def test_a_record_that_is_not_proved_is_drawn_with_its_warning(tmp_path: Path, size: tuple[int, int]) -> None:
    made(tmp_path / "run", records=1, agreement=0.25, notes=("There is dropout between the layers.",))
    app = opened(tmp_path / "run")
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await press(pilot, "end")
        (warning,) = [row for row in rows(app, "score") if row.startswith("WARNING")]
        assert "not proved: weight gradients differ from PyTorch's by 2e-01" in warning
        assert "dropout" in warning or size[0] < 100


@SIZES
@pytest.mark.parametrize(("agreement", "mark"), [(0.25, "! not proved"), (1e-12, "")])
async def test_compare_marks_what_is_not_proved(
    tmp_path: Path, size: tuple[int, int], agreement: float, mark: str
) -> None:
    made(tmp_path / "run", records=2, agreement=agreement)
    app = opened(tmp_path / "run")
    async with app.run_test(size=size) as pilot:
        await app.settled()
        await press(pilot, "c", "enter", "A")
        shown = text(app, "panel" if size[0] < 100 else "open")
        assert "then" in shown
        assert shown.count("! not proved") == 2 * bool(mark)


async def test_while_a_large_record_is_computed_the_screen_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "run", records=1)
    may_go, trace_of = Event(), passes.trace_of
    monkeypatch.setattr(recording, "A_MOMENT", 0)
    monkeypatch.setattr(passes, "trace_of", lambda *about: may_go.wait() and trace_of(*about))
    app = opened(tmp_path / "run")
    async with app.run_test(size=(80, 24)) as pilot:
        while "Computing" not in text(app, "telling"):
            await pilot.pause(0.01)
        assert "Computing a sequence of 12 steps through a layer of 8 units …" in text(app, "telling")
        may_go.set()
        await app.settled()
        assert "Computing" not in text(app, "telling")


async def test_the_loss_beside_the_curve_is_that_of_the_record(tmp_path: Path) -> None:
    traces = made(tmp_path / "run")
    app = opened(tmp_path / "run")
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        for trace in reversed(traces):
            assert f"training {trace.loss:.3g}" in rows(app, "beside-loss")[0]
            await press(pilot, "E")


async def test_what_it_cannot_do_is_marked_in_the_key_bar_and_gives_its_reason(tmp_path: Path) -> None:
    made(tmp_path / "run", records=2)
    app = opened(tmp_path / "run")
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "m")
        assert "(↓ batch)" in text(app, "keys")
        await press(pilot, "down")
        assert app.main.frame is not None
        assert app.main.frame.hint == CANNOT["batch_back"] or app.main.frame.hint == CANNOT["batch"]
        await press(pilot, "m", "d")
        assert "(x loop)" in text(app, "keys")
        await press(pilot, "d", "o")
        assert CANNOT["knobs"][:60] in text(app, "panel")
        before = app.main.frame
        await press(pilot, "down", "up", "enter", "slash", "L")
        assert VOICE.say(CANNOT["contents"]) in text(app, "telling")
        assert app.main.frame.scene is before.scene
        palette = {command.help: command.title for command in app.get_system_commands(app.screen)}
        for name in ("knobs", "cut", "contents", "find", "words", "batch"):
            assert palette[VOICE.say(CANNOT[name])].endswith("(not here)")
        titles = set(palette.values())
        assert "Go to the next record" in titles
        assert not any("epochs of the experiment" in title for title in titles)
        told = [about for _, entries in sections(app.main.frame) for _, about in entries]
        for name, reason in CANNOT.items():
            if name in keys.BY_ID:
                assert any(about.endswith(VOICE.say(reason)) for about in told), name


def test_every_reason_fits_into_a_line_of_the_smallest_screen() -> None:
    assert [reason for reason in CANNOT.values() if not VOICE.fits(reason)] == []


async def test_a_network_without_a_loop_marks_it_by_the_same_means() -> None:
    app = RnnvizApp(Experiment(cell="mingru"), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "d")
        assert "(x loop)" in text(app, "keys")
        await press(pilot, "x")
        assert "There is no loop to cut" in text(app, "telling")
        commands = app.get_system_commands(app.screen)
        assert [c.help for c in commands if c.title.endswith("(not here)")] == [app.main.frame.cannot["cut"]]  # type: ignore[union-attr]


@SIZES
@pytest.mark.parametrize(
    "cell", ["lstm", *(pytest.param(cell, marks=pytest.mark.slow) for cell in ("rnn", "gru", "mingru"))]
)
async def test_every_panel_and_every_key_draws(tmp_path: Path, size: tuple[int, int], cell: str) -> None:
    made(tmp_path / "run", records=2, experiment=EXPERIMENT.with_(cell=cell, loss_at="every"))
    app = opened(tmp_path / "run")
    async with app.run_test(size=size) as pilot:
        await app.settled()
        for start in ([], ["end"], ["right", "left"], ["t"], ["home"]):
            await press(pilot, *start)
            for key in "mfyvcdisloD":
                await press(pilot, key)
                assert text(app, "panel" if size[0] < 120 else "open").strip(), (key, start)
                if key in "cds":
                    await press(pilot, "enter")
            await press(pilot, "escape")
        assert app.failure is None


async def test_play_ends_where_the_walk_does(tmp_path: Path) -> None:
    made(tmp_path / "run", records=1)
    app = opened(tmp_path / "run")
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "end", "right", "end", "home", "space")
        for _ in range(200):
            if not app.main.view.playing:
                break
            app.main.playback._tick()
            await pilot.pause()
        assert not app.main.view.playing
        assert app.main.frame is not None
        assert (app.main.frame.cursor.phase, app.main.frame.cursor.t) == ("backward", 0)


async def test_records_that_another_program_writes_appear(tmp_path: Path) -> None:
    made(tmp_path / "run", records=1)
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.recordings_here import Trainer\n"
        "trainer = Trainer(Path(sys.argv[1]))\ntrainer.record(epochs=3)\n"
    )
    app = opened(tmp_path / "run")
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "right", "right")
        writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "run")], cwd=ROOT)
        while "step 20" not in text(app, "title"):
            assert app.failure is None
            await pilot.pause(0.02)
        assert writer.wait(60) == 0
        while app.main.frame.learning.loss_at(0) is None:  # type: ignore[union-attr]
            await pilot.pause(0.02)
        assert app.main.frame is not None
        assert app.main.frame.cursor.t == 2, "the place in the sequence is kept"


@pytest.mark.parametrize(
    ("size", "name"), [((80, 24), "… level 1 forward"), ((160, 50), "model.encoder.layers.0.lstm level 1 forward")]
)
async def test_which_record_it_is_matters_more_than_the_layers_whole_name(
    tmp_path: Path, size: tuple[int, int], name: str
) -> None:
    rng = np.random.default_rng(0)
    weights = {
        f"weight_{kind}_l{level}{way}": rng.normal(size=(64, 16 if kind == "hh" else 32 if level else 5)) / 4
        for kind in ("ih", "hh") for level in range(2) for way in ("", "_reverse")
    }  # fmt: skip
    layer = LayerRecord(
        cell="lstm", weights=weights, x=rng.normal(size=(60, 2, 5)), direct=rng.normal(size=(60, 2, 32))
    )
    with Recorder(tmp_path / "run") as recorder:
        recorder.add(step=38100, loss=0.5, layers={"model.encoder.layers.0.lstm": layer})
    app = opened(tmp_path / "run")
    async with app.run_test(size=size) as pilot:
        await app.settled()
        assert f"{name} · LSTM · H 16 T 60" in text(app, "title")
        assert "record 1/1 · step 38100" in text(app, "title")
        assert "loss 0.5000" in text(app, "title")
        await press(pilot, "c")
        shown = text(app, "panel" if size[0] < 120 else "open")
        for level in (0, 1):
            for way in ("forward", "backward"):
                assert f"level {level} {way}" in shown
        assert "Mean ." not in shown


ODD: dict[str, dict[str, object]] = {
    "one of everything": dict(T=1, B=1, I=1, H=1),
    "one step": dict(T=1, B=2, I=3, H=4),
    "one input": dict(T=9, B=2, I=1, H=4),
    "two inputs, which are no marker": dict(T=9, B=2, I=2, H=4),
    "no direct gradient at all": dict(T=9, B=2, I=3, H=4, direct=0.0),
    "nan": dict(T=9, B=2, I=3, H=4, direct=np.nan),
    "inf in the input": dict(T=9, B=2, I=3, H=4, x=np.inf),
    "zeros": dict(T=9, B=2, I=3, H=4, x=0.0),
    "a start of its own": dict(T=9, B=2, I=3, H=4, h0=0.5),
    "a hostile name": dict(T=9, B=2, I=3, H=4, name="a\x1b[31m\n\u202e漢字" * 9),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("cell", ["lstm"])
async def test_odd_recordings_draw_whatever_is_pressed(tmp_path: Path, name: str, cell: str) -> None:
    odd = {"x": None, "direct": None, "h0": None, "name": "rnn", **ODD[name]}
    T, B, inputs, H = (int(odd[size]) for size in "TBIH")  # type: ignore[call-overload]
    rng = np.random.default_rng(0)
    rows_of = H * (4 if cell == "lstm" else 1)

    def filled(shape: tuple[int, ...], value: object) -> np.ndarray:
        return rng.normal(size=shape) if value is None else np.full(shape, value)

    layer = LayerRecord(
        cell=cell,
        weights={"weight_ih_l0": rng.normal(size=(rows_of, inputs)), "weight_hh_l0": rng.normal(size=(rows_of, H))},
        x=filled((T, B, inputs), odd["x"]),
        direct=filled((T, B, H), odd["direct"]),
        h0=None if odd["h0"] is None else filled((1, B, H), odd["h0"]),
        names=("\x1b[2J",) * B,
    )
    with Recorder(tmp_path / "run") as recorder:
        for step in range(2):
            recorder.add(step=step, loss=float("nan"), layers={str(odd["name"]): layer})
    app = opened(tmp_path / "run")
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        for key in (
            "right",
            "end",
            "right",
            "left",
            "m",
            "f",
            "y",
            "v",
            "c",
            "enter",
            "E",
            "d",
            "i",
            "t",
            "w",
            "home",
            "p",
        ):
            await press(pilot, key)
        assert app.failure is None
        shown = "".join(text(app, canvas) for canvas in ("title", "score", "telling", "panel"))
        assert "\x1b" not in shown
        assert "marked" not in shown
