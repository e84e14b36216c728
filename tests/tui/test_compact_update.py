"""What goes over the wire: short, and in the end the same screen as if everything were sent anew."""

import random
import re

import pyte
import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region

from rnnviz.sheet import Sheet
from rnnviz.terminal import erases_in_color
from rnnviz.tui.canvas import Canvas, spans, strip
from rnnviz.tui.compact_update import PLAIN, change, codes
from rnnviz.tui.glass import Glass, cell
from rnnviz.tui.palette import Palette

WIDTH, HEIGHT = 40, 8
GLYPHS = "▀█▁▅⠉⠒▲·xh01 -+"


def styles() -> list[Style | None]:
    palette = Palette()
    own = [palette.accent, palette.gradient, palette.highway_on_bar, palette.heat(0.5, -0.5), palette.faint]
    return [None, None, *own, *plain()]


def plain() -> list[Style]:
    return [Style(bold=True), Style(dim=True), Style(reverse=True), Style(underline=True, bold=True)]


def a_sheet(rng: random.Random, before: Sheet | None, ground: str | None = None) -> Sheet:
    """Random runs of glyphs in random styles, most of them as they were, and now and then a row that is blank."""
    sheet = Sheet(WIDTH, HEIGHT)
    blank = Style(bgcolor=ground)
    for y in range(HEIGHT):
        sheet.put(y, 0, " " * WIDTH, blank)
    if before is not None:
        sheet.cells = [row[:] for row in before.cells]
    chosen = styles()
    for _ in range(rng.randint(0, 2)):
        sheet.put(rng.randrange(HEIGHT), rng.randrange(WIDTH), " " * WIDTH, blank)
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


class Uncoloured(pyte.Screen):
    """Clears cells in its own ground, not in that in force, as GNU screen does."""

    def erase_in_line(self, *args: int, **more: bool) -> None:
        attributes, self.cursor.attrs = self.cursor.attrs, self.default_char
        super().erase_in_line(*args, **more)
        self.cursor.attrs = attributes


def emulator(kind: type[pyte.Screen] = pyte.Screen) -> tuple[pyte.Stream, pyte.Screen]:
    screen = kind(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    stream.feed("\x1b[?7lwhat was there\r\n" * HEIGHT)
    return stream, screen


def put(glass: Glass, sheet: Sheet, before: Sheet | None, system: ColorSystem) -> None:
    """The sheet, where it differs from the one before."""
    for y, row in enumerate(sheet.cells):
        for start, end in [(0, WIDTH)] if before is None else spans(before.cells[y], row):
            glass.put(y, start, [cell(glyph, codes(style, system)) for glyph, style in row[start:end]])


def a_glass(**kind: bool) -> Glass:
    glass = Glass(**kind)
    glass.resize(WIDTH, HEIGHT)
    return glass


def plainly(sheet: Sheet, system: ColorSystem) -> str:
    """Each cell with its whole style."""
    text = ""
    for y, row in enumerate(sheet.cells):
        text += f"\x1b[{y + 1};1H"
        for glyph, style in row:
            text += change(PLAIN, codes(style, system), blank=False)[0] + glyph + "\x1b[0m"
    return text


@pytest.mark.parametrize("kind", [pyte.Screen, Uncoloured])
@pytest.mark.parametrize("ground", [None, "#121212"])
@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD])
@pytest.mark.parametrize("seed", range(8))
def test_changes_alone_lead_to_the_same_screen_as_everything_anew(
    seed: int, system: ColorSystem, ground: str | None, kind: type[pyte.Screen]
) -> None:
    """Also in pieces, the places of most importance first, and after the terminal has shown something else."""
    rng = random.Random(seed)
    stream, kept = emulator(kind)
    glass = a_glass(erases_in_color=kind is pyte.Screen)
    before: Sheet | None = None
    for _ in range(15):
        sheet = a_sheet(rng, before, ground)
        put(glass, sheet, before, system)
        if rng.random() < 0.2:
            stream.feed(f"\x1b[{rng.randint(1, HEIGHT)};1H\x1b[31mwall: the system goes down\x1b[m")
            glass.forget()
        first = Region(rng.randrange(WIDTH), rng.randrange(HEIGHT), 9, 4)
        while glass.has_changed:
            stream.feed(glass.take([first], most=rng.choice([None, 60])))
        assert glass.take() == ""
        anew, fresh = emulator()
        anew.feed(plainly(sheet, system))
        assert screen_of(stream, kept) == screen_of(anew, fresh)
        before = sheet


def test_the_screen_is_what_textual_itself_would_have_sent() -> None:
    console = Console(color_system="truecolor", force_terminal=True, width=WIDTH)  # Rich keeps the first
    sheet, glass = a_sheet(random.Random(1), None), a_glass()
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    tight, short = emulator()
    tight.feed(glass.take())
    own, long = emulator()
    for y in range(HEIGHT):
        own.feed(f"\x1b[{y + 1};1H")
        own.feed(strip(sheet.cells[y], Style()).render(console))
    assert screen_of(tight, short) == screen_of(own, long)


def test_what_is_drawn_over_before_it_was_sent_is_not_sent() -> None:
    glass, sheet = a_glass(), Sheet(WIDTH, HEIGHT)
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    assert len(glass.take()) < 12 * HEIGHT  # blank rows are cleared
    sheet.put(3, 5, "a step")
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    assert glass.take() == "\x1b[4;6Ha step"
    put(glass, Sheet(WIDTH, HEIGHT), None, ColorSystem.TRUECOLOR)
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    assert glass.take() == ""


def test_a_frame_begins_with_what_matters_most_and_the_rest_follows() -> None:
    glass, sheet = a_glass(), Sheet(WIDTH, HEIGHT)
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    glass.take()
    for y in range(HEIGHT):
        sheet.put(y, 0, f"left {y}")
        sheet.put(y, 20, f"right {y}")
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    first = glass.take([Region(0, HEIGHT - 1, WIDTH, 1), Region(20, 0, 20, HEIGHT)], most=40)
    assert [word for word in re.split(r"\x1b\[[0-9;]*[HG]", first) if word][:3] == ["left 7", "right 7", "right 0"]
    assert "left 1" not in first
    stream, screen = emulator()
    stream.feed("\x1b[2J" + first)
    while glass.has_changed:
        stream.feed(glass.take(most=40))
    assert [line.rstrip() for line in screen.display] == [line.rstrip() for line in sheet.plain()]


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


def test_what_is_drawn_for_a_window_that_was_larger_is_cut_off() -> None:
    glass = a_glass()
    glass.take()
    for y in (-1, 0, HEIGHT):
        glass.put(y, WIDTH - 2, [("x", PLAIN)] * 4)
    assert glass.take() == f"\x1b[1;{WIDTH - 1}Hxx"
    glass.put(1, -2, [("x", PLAIN)] * 4)
    assert glass.take() == "\x1b[2;1Hxx"


def test_a_wide_character_is_never_sent_by_half() -> None:
    glass, sheet = a_glass(), Sheet(WIDTH, HEIGHT)
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    glass.take()
    sheet.put(0, 3, "雪の朝")
    put(glass, sheet, None, ColorSystem.TRUECOLOR)
    assert glass.take([Region(0, 0, 6, 1)]) == "\x1b[1;4H雪の\x1b[8G朝"
    sheet.put(0, 3, "鳥")
    glass.put(0, 3, [cell(glyph, PLAIN) for glyph, _ in sheet.cells[0][3:5]])
    assert glass.take() == "\x1b[1;4H鳥"


@pytest.mark.parametrize(
    ("environment", "erases"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "tmux-256color"}, True),
        ({"TERM": "screen-256color"}, False),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, True),
        ({"TERM": "xterm-256color", "STY": "1.pts"}, False),
        ({"TERM": "xterm-kitty"}, False),
        ({}, False),
    ],
)
def test_which_terminals_clear_in_the_ground_in_force(environment: dict[str, str], erases: bool) -> None:
    assert erases_in_color(environment) is erases
