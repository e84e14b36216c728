"""Compare by keys: a row a cell on one axis, under the score's own columns, in lock step."""

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.nn.cell_table import CELLS as EVERY
from rnnviz.numbers import factor, portion, scientific
from rnnviz.player.kinds.companions import MOST_CELLS
from rnnviz.player.player import Player
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.geometry import columns
from rnnviz.views.comparison import compared

#: Those beside a simple RNN, and it.
CELLS = dict(list(EVERY.items())[: 1 + MOST_CELLS])


async def press(pilot, *names: str) -> list[str]:
    """What the open panel shows afterwards."""
    for name in names:
        await pilot.press(name)
        await pilot.app.settled()
    await pilot.pause()
    return pilot.app.main.query_one("#open" if pilot.app.size.width >= 120 else "#panel")._sheet.plain()


@pytest.mark.parametrize("size", [(80, 24), (160, 50)], ids="{0[0]}x{0[1]}".format)
async def test_gradient_rows_with_the_numbers_of_their_own_traces(size: tuple[int, int]) -> None:
    experiment = Experiment(seq_len=20, gain=0.8)
    app = RnnvizApp(experiment, compile=False)
    async with app.run_test(size=size) as pilot:
        await app.settled()
        lines = await press(pilot, "c", "e", "end", "right", *["left"] * 8)
        names = [cell.title for cell in CELLS.values()]
        starts = [next(i for i, line in enumerate(lines) if line.lstrip(" ▸").startswith(name)) for name in names]
        assert starts == sorted(starts)
        assert lines[starts[0]][0] == "▸"
        t, n = 13, starts[1] - starts[0]
        for cell, first in zip(CELLS, starts, strict=True):
            own = Player(experiment.with_(cell=cell))
            timeline = own._now.run.timeline
            timeline.goto((1, 0))
            trace = own._now.run.scene(0).trace
            norms = trace.grad_norm(20)
            assert f"h {scientific(norms[t])} × {factor(norms[t] / norms[t + 1])}" in lines[first]
            assert lines[first][:11].rstrip().endswith(f" {portion(trace.loss)}"), "under its heading"
            assert lines[starts[0] - 1][:10].endswith(" loss")
            cols = columns(len(lines[0]), 20, t)
            high = [sum(line[cols.x(step)] in "▁▂▃▄▅▆▇█" for line in lines[first : first + n]) for step in range(21)]
            assert high[:t] == [0] * t, "nothing before the walk has come there"
            assert min(high[t:]) > 0


async def test_the_rows_stand_under_the_columns_of_the_score() -> None:
    app = RnnvizApp(Experiment(seq_len=20), compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        lines = await press(pilot, "c", "end", "right", *["left"] * 5)
        score = app.main.query_one("#score")._sheet.plain()
        at = next(i for i, line in enumerate(score) if line.startswith("‖∂L"))
        assert lines[2].index("█") == score[at + 2].index("█")


async def test_p_pins_and_the_panel_shows_now_and_then() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        lines = await press(pilot, "c", "enter", "end", "right", "left")
        assert [line[:5].strip() for line in lines if line[:5].strip() in ("▸now", "then")] == ["▸now", "then"]
        lines = await press(pilot, "enter")
        assert any(line.startswith(" LSTM") for line in lines)


async def test_closing_the_panel_ends_the_comparison_and_opening_it_again_begins_it() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        await press(pilot, "c")
        assert len(compared(app.main.frame)) == len(CELLS)
        await press(pilot, "escape")
        assert compared(app.main.frame) == ()
        await press(pilot, "c")
        assert len(compared(app.main.frame)) == len(CELLS)


async def test_what_the_gates_keep_is_said_where_no_cell_is_trained_yet() -> None:
    app = RnnvizApp(compile=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await app.settled()
        lines = await press(pilot, "c")
        said = []
        for cell in CELLS.values():
            if cell.carry is not None:
                gate = Player(Experiment(cell=cell.name)).frame.scene.gate_means[cell.carry.gate]
                said.append(f"{cell.carry.label} {cell.carry.share(gate).mean():.2f} ({cell.title})")
        assert lines[0].strip() == f"loss Untrained: mean {', '.join(said)}."
        lines = await press(pilot, "b")
        assert "Untrained" not in lines[0]
        assert "Mean f " in lines[0]
        lines = await press(pilot, "enter")
        assert "LSTM" not in lines[0]


async def test_beside_the_score_it_has_its_own_axis_and_nothing_is_cut() -> None:
    experiment = Experiment(seq_len=60, points=70)
    app = RnnvizApp(experiment, compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        lines = await press(pilot, "c", "end", "right", *["left"] * 6)
        axis = next(line for line in lines if line.startswith("time t"))
        cols = columns(len(lines[0]), 60, 54)
        assert f"{cols.first}–{cols.first + cols.count - 1} of 60" in axis, "which steps these are"
        assert axis[cols.x(50) :].startswith("50")
        frame = app.main.frame
        assert frame is not None
        for row in compared(frame):
            first = next(i for i, line in enumerate(lines) if line.lstrip(" ▸").startswith(row.name))
            numbers = " ".join(line[cols.end + 2 :] for line in lines[first : first + 4])
            for path in (row.gradient, row.gradient.highway):
                if path is not None and path.half_life is not None:
                    assert f"{path.along} {path.half_life:.1f}" in numbers
            assert any(line[:10].strip().startswith("10^") for line in lines[first + 1 : first + 5])


@pytest.mark.parametrize(("bias", "text"), [(2.5, "1 %  h c all 30"), (1.5, "1 %  h 21.1 c all")])
async def test_two_horizons_are_not_cut(bias: float, text: str) -> None:
    """In the score, and beside the row of compare."""
    app = RnnvizApp(Experiment(cell="lstm", seq_len=30, forget_bias=bias), compile=False)
    async with app.run_test(size=(160, 50)) as pilot:
        await app.settled()
        await press(pilot, "c", "end", "right", *["left"] * 3)
        score, panel = (app.main.query_one(name)._sheet.plain() for name in ("#score", "#open"))
        assert any(line.rstrip().removesuffix(" 30").endswith(text.removesuffix(" 30")) for line in score)
        assert any(text in line for line in panel)
