"""A map on the screen: its picture in every size and colour, and the screen that it fills in on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from threading import Event

import pytest

from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.axis import Axis
from rnnviz.maps.chart import VALUES, Chart, Plane, Ruler, Tile
from rnnviz.maps.grid import GridSpec
from rnnviz.maps.point import Point, compute
from rnnviz.maps.store import Store
from rnnviz.nn import engine
from rnnviz.terminal import ascii_cells
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.maps import painter, still, tiles
from rnnviz.tui.maps.arrangement import Arrangement, Place, arrange
from rnnviz.tui.maps.screen import MapScreen
from rnnviz.tui.maps.session import MapSession
from rnnviz.tui.palette import Palette
from rnnviz.tui.too_small import TooSmall
from tests.tui.driving import press

PALETTES = [
    Palette(colors, dark, ascii)
    for colors, dark, ascii in itertools.product(("truecolor", "256", "standard", "none"), (True, False), (True, False))
]


def chart(columns: int, rows: int, planes: int, *, lag_is_y: bool = True) -> Chart:
    """Shares that grow from left to right, and a line that rises with them."""

    def tile(x: int, y: int) -> Tile:
        if (x, y) == (0, rows - 1):
            return Tile(10)
        if (x, y) == (1, 0):
            return Tile(10, 10, 10)
        learnt = round(10 * x / max(1, columns - 1))
        return Tile(10, 10, 0, learnt, 10.0 ** -(x % 5), math.inf if x == columns - 1 else 2.0 + x, 3.0 * (x + 1))

    tiles = tuple(tuple(tile(x, y) for x in range(columns)) for y in range(rows))
    border = tuple((x * rows // columns) - 1 for x in range(columns)) if lag_is_y else (0,) * rows
    x, y = (
        Ruler(label, tuple(str(5 * n + 5) for n in range(many))) for label, many in (("gain", columns), ("lag", rows))
    )
    return Chart(x, y, tuple(Plane(f"cell {n}", tiles, border) for n in range(planes)), lag_is_y)


@pytest.mark.parametrize("size", [(80, 17), (160, 43), (60, 14)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("shape", [(5, 4, 1), (7, 5, 2), (24, 20, 3), (90, 60, 2), (1, 1, 1), (12, 1, 4)])
def test_every_place_can_be_looked_at_in_every_size(size: tuple[int, int], shape: tuple[int, int, int]) -> None:
    columns, rows, planes = shape
    made = chart(*shape)
    corners = itertools.product((0, planes - 1), (0, columns // 2, columns - 1), (0, rows - 1))
    for place in (Place(*corner) for corner in corners):
        way = arrange(made, *size, place)
        at = way.where(place)
        assert at is not None
        assert way.at(*at) == place
        assert way.at(at[0] + way.high - 1, at[1] + way.wide - 1) == place
        assert way.bottom + 1 < size[1]
        assert at[1] + way.wide < size[0]
        sheet = painter.draw(made, "share", *size, Palette(), place)
        assert "gain" in sheet.plain()[way.bottom]
        assert sheet.plain()[way.bottom + 1].strip()
        if way.wide < 5:
            said = tiles.sign(made.planes[place.plane].tiles[place.y][place.x], "share", None)
            assert said in "".join(sheet.at(at[0] + way.high // 2, at[1] + n) for n in range(way.wide)) or way.wide == 1


def test_the_whole_map_is_in_view_where_it_fits_and_else_the_part_around_the_cursor() -> None:
    whole = arrange(chart(24, 20, 3), 160, 44, Place())
    assert (len(whole.columns), len(whole.rows), len(whole.planes), whole.beside, whole.wide) == (24, 20, 3, 3, 2)
    part = arrange(chart(24, 20, 3), 80, 20, Place(2, 23, 19))
    assert (len(part.columns), len(part.planes), part.rows) == (24, 3, range(4, 20))
    assert arrange(chart(90, 4, 2), 80, 20, Place(1, 80, 0)).columns.stop > 80
    assert arrange(chart(5, 4, 2), 40, 30, Place()).beside == 1  # below each other
    assert arrange(chart(24, 4, 3, lag_is_y=False), 80, 20, Place()).wide >= 2  # a line beside a tile takes a cell


@pytest.mark.parametrize("palette", PALETTES, ids=lambda p: f"{p.colors}-{'dark' if p.dark else 'light'}-{p.ascii}")
def test_a_share_is_a_sign_and_not_a_colour_alone(palette: Palette) -> None:
    made = chart(11, 3, 1)
    for value in VALUES:
        sheet = painter.draw(made, value, 40, 8, palette, Place(0, 5, 1))
        way = arrange(made, 40, 8, Place(0, 5, 1))
        signs = [sheet.plain()[way.where(Place(0, x, 1))[0]][way.where(Place(0, x, 1))[1] :][:3] for x in range(11)]  # type: ignore[index]
        assert all(sign.strip() for sign in signs)
    sheet = painter.draw(made, "share", 40, 8, palette)
    shown = [sheet.plain()[y][4:] for y in (1, 2, 3)]
    assert shown[0][1] == tiles.WAITS
    assert shown[2][4] == tiles.FAILED
    assert [shown[1][1 + 3 * x] for x in range(11)] == [*"0123456789", "█"]
    if palette.has_color and palette.colors != "standard":
        styles = {str(sheet.cells[2][5 + 3 * x][1]) for x in range(11)}
        assert len(styles) >= 4


def test_the_line_runs_above_the_last_row_whose_horizon_reaches_the_lag() -> None:
    tiles = tuple(tuple(Tile(4, 4, 0, 2, 1.0, 5.0) for _ in range(4)) for _ in range(3))
    x, y = Ruler("gain", ("1", "2", "3", "4")), Ruler("lag", ("2", "4", "8"))
    made = Chart(x, y, (Plane("tanh RNN", tiles, (-1, 0, 1, 2)),), True)
    rows = painter.draw(made, "share", 16, 7, Palette(colors="none")).plain()
    assert rows[1:4] == [" 8  5  5 _5_│5  ", " 4  5 _5_│5  5  ", " 2 _5_│5  5  5  "]
    assert "_ horizon = lag" in painter.draw(made, "share", 80, 7, Palette(colors="none")).plain()[6]
    aside = Chart(y, Ruler("gain", ("1", "2")), (Plane("tanh RNN", tiles[0:2], (0, 1)),), False)
    rows = painter.draw(aside, "share", 15, 6, Palette(colors="none")).plain()
    assert rows[1:3] == [" 2  5  5 │5    ", " 1  5 │5  5    "]
    narrow = painter.draw(chart(60, 4, 1), "share", 80, 8, Palette(colors="256"))
    assert any(style is not None and style.underline for row in narrow.cells for _, style in row)


@pytest.mark.parametrize("value", ["horizon_before", "horizon_after"])
def test_the_legend_of_horizons_fits_80_columns(value: str) -> None:
    made = chart(3, 3, 1)
    rows = [[replace(tile, done=0, **{value: math.inf}) for tile in row] for row in made.planes[0].tiles]
    made = replace(made, planes=(replace(made.planes[0], tiles=tuple(map(tuple, rows))),))
    assert made.has_line
    assert made.seeds > 1
    text = painter.legend(made, value, has_text=True)
    assert {"∞ all steps", "_ horizon = lag", "· not yet"} <= set(text.split("   "))
    assert len(text) <= 78


def test_a_picture_without_the_app_has_room_for_the_whole_map() -> None:
    for shape in ((5, 4, 1), (24, 20, 3), (90, 10, 2)):
        made = chart(*shape)
        width, height = still.size_of(made)
        way: Arrangement = arrange(made, width, height - 2, Place())
        assert (len(way.columns), len(way.rows), len(way.planes)) == shape
        sheet = still.draw(made, "share", "recall: gain × lag", (width, height), Palette())
        assert sheet.plain()[0].startswith(" recall: gain × lag")
        assert all(line.isascii() for line in sheet.with_glyphs(ascii_cells).plain())


# -- the screen ------------------------------------------------------------------------------------------

BASE = Experiment(
    task="recall", hidden_size=6, samples=60, batch_size=10, optimizer="adam", learning_rate=0.02, epochs=4,
    validation_split=0.2,
)  # fmt: skip
SPEC = GridSpec(BASE, Axis.parse("gain=0.5,1"), Axis.parse("lag=2,4"), ("rnn",), 2)


def work_on(store: Store, gate: Event | None = None) -> Callable[..., None]:
    """Compute here what a process would; after the first point wait for the gate."""

    def work(on_point: Callable[[Point], None], is_cancelled: Callable[[], bool], say: Callable[[str], None]) -> None:
        for n, job in enumerate(store.missing()):
            while n and gate is not None and not gate.is_set() and not is_cancelled():
                gate.wait(0.01)
            if is_cancelled():
                return
            point = compute(job.experiment, key=job.key, engine="numpy").placed(job.site.x, job.site.y)
            store.add(point)
            on_point(point)

    return work


def shown(app: RnnvizApp) -> list[str]:
    assert isinstance(app.screen, MapScreen)
    return [line.rstrip() for line in app.screen.query_one(Canvas).plain()]


async def test_a_map_fills_in_stops_goes_on_and_enter_opens_the_run_of_a_point() -> None:
    store, gate = Store(SPEC), Event()
    session = MapSession(store, work_on(store, gate))
    session.start()
    with engine.chosen("numpy"):
        app = RnnvizApp(BASE, map=session, compile=False)
        async with app.run_test(size=(80, 24)) as pilot:
            await app.settled()
            while session.done == 0:
                await pilot.pause(0.02)
            assert "1 of 8 points, 12 %" in shown(app)[0]
            assert "esc stop" in shown(app)[-1]
            assert "· not yet" in "\n".join(shown(app))
            await press(pilot, "enter")  # the app has the run while the others are computed
            assert not isinstance(app.screen, MapScreen)
            await press(pilot, "f7", "escape")
            while session.is_on:
                await pilot.pause(0.02)
            assert "1 of 8 points, c computes the others" in shown(app)[0]
            gate.set()
            await press(pilot, "c")
            while session.is_on:
                await pilot.pause(0.02)
            assert shown(app)[0].endswith("all 8 points")

            await press(pilot, "right", "up", "tab", "v")
            lines = shown(app)
            assert any("training loss" in line for line in lines)
            point = store.at(session.site(Place(0, 1, 1), 1))
            assert point is not None
            assert any(line.startswith(" ▸ seed 1: ") and f"loss {point.loss:.4f}" in line for line in lines)
            await pilot.resize_terminal(60, 24)
            await pilot.pause()
            seeds = [line for line in shown(app) if "seed " in line and "horizon" in line]
            assert len(seeds) == 2
            assert not any("…" in line for line in seeds)
            await press(pilot, "enter")
            frame = app.main.frame
            assert frame is not None
            assert frame.requested == SPEC.experiment(session.site(Place(0, 1, 1), 1))
            assert frame.cursor.epoch == point.epoch
            assert frame.learning.loss[-1] == point.loss
            assert frame.scene.outcome is not None
            assert frame.scene.outcome.accuracy == point.right
            await press(pilot, "f7")
            assert any(line.startswith(" ▸ seed 1: ") for line in shown(app))  # where it was left
            await press(pilot, "escape")
            assert not isinstance(app.screen, MapScreen)


async def test_the_mouse_and_a_resize_and_a_map_that_failed() -> None:
    store = Store(
        GridSpec(BASE.with_(epochs=1), Axis.parse("gain=0.5,1,1.5"), Axis.parse("lag=2,4"), ("rnn", "gru"), 2)
    )
    for job in store.missing():
        if job.site.seed == 0:
            store.add(Point(job.key, job.site.cell, 0, job.site.x, job.site.y, "failed", error="not enough memory"))

    def work(on_point: Callable[[Point], None], is_cancelled: Callable[[], bool], say: Callable[[str], None]) -> None:
        from rnnviz.errors import InputError

        raise InputError("points.jsonl: cannot be written: disk full")

    session = MapSession(store, work, "map")
    app = RnnvizApp(BASE, map=session, compile=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await app.settled()
        screen = app.screen
        assert isinstance(screen, MapScreen)
        lines = shown(app)
        assert "12 of 24 points, c computes the others" in lines[0]
        assert lines[0].startswith(" Map: map · recall · recurrent gain × lag · 2 seeds")
        bar, palette = screen.draw(100, 30).cells[-1], screen.stage.palette
        assert [style for _, style in bar[1:9]] == [palette.accent] * 4 + [palette.dim] * 4
        session.name = "/a/folder/with/a/name/longer/than/the/room/there/is/in/the/head/of/a/map"
        assert screen.draw(100, 30).plain()[0].startswith(" Map: map · recall · recurrent gain × lag · 2 seeds")
        way = arrange(session.chart, 100, 30 - 2 - 3, Place())
        y, x = way.where(Place(1, 2, 1)) or (0, 0)
        await pilot.click("#contents", offset=(x, y + 1))
        assert screen.at.place == Place(1, 2, 1)
        assert any("GRU, recurrent gain 1.5, lag 4: 1 failed, 1 not computed yet" in line for line in shown(app))
        await pilot.click("#contents", offset=(x, y + 1))  # it is selected already: it opens
        assert any("This run failed: not enough memory" in line for line in shown(app))
        await press(pilot, "left", "left", "left")
        assert screen.at.place == Place(0, 2, 1)  # the plane beside it
        await press(pilot, "c")
        while session.is_on:
            await pilot.pause(0.02)
        assert "disk full" in shown(app)[0]
        for size in ((20, 5), (60, 20), (3, 100), (160, 50), (300, 1), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            app.check()
            if isinstance(app.screen, TooSmall):
                continue
            assert max(map(len, shown(app))) <= size[0]
            assert len(shown(app)) == size[1]
        await pilot.click("#contents", offset=(shown(app)[-1].index("v value") + 2, 23))
        assert screen.at.value == "loss"
        await press(pilot, "escape", "q")
