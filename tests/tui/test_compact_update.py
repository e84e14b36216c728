"""What goes over the wire: short, and in the end the same screen as if everything were sent anew."""

import random

import pyte
import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual.app import App, ComposeResult

from rnnviz.sheet import Sheet
from rnnviz.tui.canvas import Canvas, spans, strip
from rnnviz.tui.compact_update import PLAIN, TightUpdate, change, codes
from rnnviz.tui.palette import Palette
from rnnviz.tui.textual_private import ChopsUpdate

WIDTH, HEIGHT = 40, 8
GLYPHS = "▀█▁▅⠉⠒▲·xh01 -+"


def styles() -> list[Style | None]:
    palette = Palette()
    own = [palette.accent, palette.gradient, palette.highway_on_bar, palette.heat(0.5, -0.5), palette.faint]
    return [None, None, *own, *plain()]


def plain() -> list[Style]:
    return [Style(bold=True), Style(dim=True), Style(reverse=True), Style(underline=True, bold=True)]


def a_sheet(rng: random.Random, before: Sheet | None) -> Sheet:
    """Random runs of glyphs in random styles, most of them as they were."""
    sheet = Sheet(WIDTH, HEIGHT)
    if before is not None:
        sheet.cells = [row[:] for row in before.cells]
    chosen = styles()
    for _ in range(rng.randint(1, 12)):
        text = "".join(rng.choice(GLYPHS) for _ in range(rng.randint(1, 9)))
        sheet.put(rng.randrange(HEIGHT), rng.randrange(WIDTH), text, rng.choice(chosen))
    return sheet


def screen_of(stream: pyte.Stream, screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """Every cell as it looks: a blank has no ink."""
    rows = []
    for y in range(HEIGHT):
        row = []
        for x in range(WIDTH):
            cell = screen.buffer[y][x]
            ground = cell.fg if cell.reverse else cell.bg
            ink = (cell.fg, cell.bold, cell.reverse) if cell.data != " " or cell.reverse else None
            row.append((cell.data, ink, ground, cell.underscore))
        rows.append(row)
    return rows


def emulator() -> tuple[pyte.Stream, pyte.Screen]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    return pyte.Stream(screen), screen


def update(sheet: Sheet, cuts: dict[int, list[tuple[int, int]]]) -> TightUpdate:
    """The sheet's changed stretches, as Textual's compositor hands them over."""
    chops, ends, places = [], [], []
    for y in range(HEIGHT):
        chops.append({0: strip(sheet.cells[y], cuts.get(y, []), Style())})
        ends.append([WIDTH])
        places += [(y, start, end) for start, end in cuts.get(y, [])]
    return TightUpdate(ChopsUpdate(chops, places, ends))


def everything(sheet: Sheet) -> TightUpdate:
    return update(sheet, {y: [(0, WIDTH)] for y in range(HEIGHT)})


@pytest.fixture(params=["truecolor", "256", "standard"])
def console(request: pytest.FixtureRequest) -> Console:
    return Console(color_system=request.param, force_terminal=True, width=WIDTH)


@pytest.mark.parametrize("seed", range(20))
def test_changes_alone_lead_to_the_same_screen_as_everything_anew(seed: int, console: Console) -> None:
    rng = random.Random(seed)
    step_by_step, kept = emulator()
    before: Sheet | None = None
    for _ in range(15):
        sheet = a_sheet(rng, before)
        cuts = {}
        if before is not None:
            cuts = {y: spans(a, b) for y, (a, b) in enumerate(zip(before.cells, sheet.cells, strict=True)) if a != b}
        sent = update(sheet, cuts) if before is not None else everything(sheet)
        step_by_step.feed(sent.render_segments(console))
        anew, fresh = emulator()
        anew.feed(everything(sheet).render_segments(console))
        assert screen_of(step_by_step, kept) == screen_of(anew, fresh)
        before = sheet


def test_the_screen_is_what_textual_itself_would_have_sent() -> None:
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)  # Rich keeps the first
    sheet = a_sheet(random.Random(1), None)
    tight, short = emulator()
    tight.feed(everything(sheet).render_segments(console))
    own, long = emulator()
    for y in range(HEIGHT):
        own.feed(f"\x1b[{y + 1};1H")
        own.feed(strip(sheet.cells[y], [], Style()).render(console))
    assert screen_of(tight, short) == screen_of(own, long)


def pairs() -> list[tuple[Style | None, Style | None]]:
    known = [None, *plain(), Style(color="#ff0000"), Style(bgcolor="#00ff00"), Style(color="#ff0000", bold=True)]
    return [(a, b) for a in known for b in known]


@pytest.mark.parametrize(("old", "new"), pairs())
def test_from_any_style_to_any_other(old: Style | None, new: Style | None) -> None:
    system = ColorSystem.TRUECOLOR
    first, now = change(PLAIN, codes(old, system), blank=False)
    second, _ = change(now, codes(new, system), blank=False)
    stream, screen = emulator()
    stream.feed(first + "a" + second + "b")
    direct, fresh = emulator()
    direct.feed(" " + change(PLAIN, codes(new, system), blank=False)[0] + "b")
    assert screen.buffer[0][1] == fresh.buffer[0][1]


def test_nothing_is_sent_for_cells_that_stay() -> None:
    old, new = Sheet(WIDTH, 1), Sheet(WIDTH, 1)
    old.put(0, 0, "t = 3  x -0.41")
    new.put(0, 0, "t = 4  x -0.43")
    assert spans(old.cells[0], new.cells[0]) == [(4, 5), (13, 14)]
    assert spans(old.cells[0], new.cells[0], join=20) == [(4, 14)]
    assert spans(old.cells[0], old.cells[0]) == []


def test_what_does_not_fit_is_cut_off() -> None:
    sheet = Sheet(4, 2)
    sheet.put(0, 2, "abc")
    sheet.put(0, -1, "xy")
    sheet.put(5, 0, "nowhere")
    sheet.put(-1, 0, "nowhere")
    assert sheet.plain() == ["y ab", "    "]
    assert (sheet.at(0, 3), sheet.at(9, 9)) == ("b", " ")
    assert Sheet(-1, -5).plain() == []


async def test_a_canvas_asks_for_a_redraw_of_the_changed_cells_only() -> None:
    shown = ["first line"]
    regions: list[int] = []

    def paint(width: int, height: int) -> Sheet:
        sheet = Sheet(width, height)
        sheet.put(0, 0, shown[0])
        return sheet

    class One(Canvas):
        def refresh(self, *areas, **more):  # type: ignore[no-untyped-def]
            regions.append(sum(area.area for area in areas))
            return super().refresh(*areas, **more)

    class OneApp(App[None]):
        def compose(self) -> ComposeResult:
            yield One(paint, id="one")

    app = OneApp()
    async with app.run_test(size=(30, 3)) as pilot:
        canvas = app.query_one(One)
        await pilot.pause()
        regions.clear()
        canvas.repaint()
        assert regions == []
        shown[0] = "final line"
        canvas.repaint()
        assert regions == [3]


def test_rows_of_a_window_that_was_higher_are_not_drawn():
    """They were to be drawn, and then it became lower."""
    row = strip([("x", None)] * 4, [], Style.null())
    late = TightUpdate(ChopsUpdate([{0: row}], [(0, 0, 4), (3, 0, 4)], [[4]]))
    assert late.render_segments(Console()) == "\x1b[1;1Hxxxx"
