"""Every role, every strength, every theme: what is drawn can be read, on a VGA's sixteen colours and on xterm's."""

from __future__ import annotations

import itertools

import pytest
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.theme import BUILTIN_THEMES

from rnnviz.tui.compact_update import Pen, codes, sixteen
from rnnviz.tui.marks import solid
from rnnviz.tui.palette import MARKS, VGA, WORDS, Palette, contrast

XTERM = (
    "#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
    "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
)  # fmt: skip
ROLES = (
    "text", "dim", "faint", "accent", "back", "input", "output", "target", "gradient", "highway", "warn",
)  # fmt: skip
SYSTEMS = {
    "truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT, "standard": ColorSystem.STANDARD,
}  # fmt: skip
VALUES = (-1.0, -0.5, -0.2, -0.05, 0.0, 0.05, 0.2, 0.5, 1.0)
GROUNDS = sorted(
    {(t.dark, (t.background or "").lower()) for t in BUILTIN_THEMES.values() if "ansi" not in (t.background or "")}
)


def shown(number: str | tuple[str, ...], sixteen: tuple[str, ...], system: ColorSystem) -> str:
    """The colour a terminal makes of the SGR codes of an ink or a ground."""
    if len(number) == 1:
        n = int(number[0])
        return sixteen[n % 10 + (8 if n >= 90 else 0)]
    if number[1] == "5":
        return Color.from_ansi(int(number[2])).get_truecolor().hex
    return "#{:02x}{:02x}{:02x}".format(*map(int, number[2:]))


class Looks:
    """What a terminal shows of a palette's styles, read from what is sent."""

    def __init__(self, palette: Palette, sixteen: tuple[str, ...] = VGA) -> None:
        self.palette, self.sixteen, self.system = palette, sixteen, SYSTEMS[palette.colors]
        self.ground = self.behind(Style(bgcolor=palette.ground or ("#121212" if palette.dark else "#e0e0e0")))

    def ink(self, style: Style) -> str:
        return shown(codes(style, self.system)[1], self.sixteen, self.system)

    def behind(self, style: Style) -> str:
        return shown(codes(style, self.system)[2], self.sixteen, self.system)

    def contrast(self, style: Style) -> float:
        return contrast(self.ink(style), self.behind(style) if style.bgcolor else self.ground)


def looks() -> list[Looks]:
    found = []
    for (dark, ground), colors in itertools.product(GROUNDS, SYSTEMS):
        tables = (VGA, XTERM) if colors == "standard" else (VGA,)
        found += [Looks(Palette(colors, dark, ground=ground), table) for table in tables]
    return found


@pytest.mark.parametrize("look", looks(), ids=lambda look: f"{look.palette.colors}-{look.palette.grounded}")
def test_words_and_marks_can_be_read_on_every_theme(look: Looks) -> None:
    palette = look.palette
    for role in ROLES:
        assert look.contrast(getattr(palette, role)) >= WORDS, role
    for value in (*VALUES, float("nan")):
        assert look.contrast(palette.heat_text(value)) >= WORDS, value
    for share in (0.0, 0.15, 0.3, 0.4, 0.6, 0.7, 0.9, 1.0):
        assert look.contrast(palette.shade(share)) >= WORDS, share
        assert look.contrast(palette.fade(share)) >= WORDS, share
    assert look.contrast(palette.highway_on_bar) >= MARKS
    assert contrast(look.behind(palette.highway_on_bar), look.ground) >= MARKS


@pytest.mark.parametrize("look", looks(), ids=lambda look: f"{look.palette.colors}-{look.palette.grounded}")
def test_in_the_heatmap_sign_and_size_are_told_apart_and_zero_is_the_quietest(look: Looks) -> None:
    colors = [look.behind(look.palette.heat(value, value)) for value in VALUES]
    loud = [contrast(color, look.ground) for color in colors]
    zero = len(VALUES) // 2
    assert loud[zero] == min(loud)
    assert loud[zero] >= 1.25  # and yet seen
    assert all(size >= MARKS for k, size in enumerate(loud) if k != zero) or look.sixteen is XTERM
    assert len({colors[0], colors[2], colors[zero], colors[-3], colors[-1]}) == 5
    assert loud[0] > loud[2]
    assert loud[-1] > loud[-3]


@pytest.mark.parametrize("dark", [True, False])
def test_the_sixteen_colours_of_the_palette_are_sent_by_their_own_numbers(dark: bool) -> None:
    """rich by itself takes the nearest of a table that no terminal has: dark blue for bright."""
    for number, color in enumerate(VGA):
        sgr = str(30 + number if number < 8 else 82 + number)
        assert codes(Style(color=color), ColorSystem.STANDARD)[1] == (sgr,)
    pen = Pen(Console(color_system="standard", force_terminal=True), ascii=False)
    pen.write([Segment("x", Palette("standard", dark).input)])
    assert pen.text() == ("\x1b[96mx\x1b[0m" if dark else "\x1b[94mx\x1b[0m")


@pytest.mark.parametrize("ground", ["#121212", "#1e1e1e", "#2e3440", "#e0e0e0", "#0178d4", "#ffa62b", None])
def test_with_sixteen_colours_any_ink_can_be_read_on_any_ground(ground: str | None) -> None:
    for ink in ("#121212", "#4e4e4e", "#808080", "#e0e0e0", "#0178d4", "#ba3c5b", "#ffa62b"):
        above, below = sixteen(Color.parse(ink), ground and Color.parse(ground))
        assert contrast(VGA[above], VGA[below or 0]) >= WORDS


def test_without_colour_there_is_none() -> None:
    palette = Palette("none")
    for role in ROLES:
        assert codes(getattr(palette, role), ColorSystem.TRUECOLOR)[1:] == ((), ())


def test_without_colour_the_chosen_bar_is_no_hole() -> None:
    """Reverse video of a full block is an empty one."""
    chosen, other = Palette("none").back, Palette("none").gradient
    assert chosen.reverse
    glyphs, style = solid("█▃", chosen)
    assert (glyphs, bool(style.reverse)) == ("▓▃", False)
    assert solid("█▃", other) == ("█▃", other)
    assert solid("█▃", Palette().back) == ("█▃", Palette().back)
