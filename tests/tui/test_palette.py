"""Every role, every strength, every theme: what is drawn can be read, on a VGA's sixteen colours and on xterm's."""

from __future__ import annotations

import itertools

import pytest
from rich.color import Color, ColorSystem
from rich.style import Style
from textual.theme import BUILTIN_THEMES

from rnnviz.tui.compact_update import Pen, codes, sixteen
from rnnviz.tui.marks import solid
from rnnviz.tui.palette import MARKS, VGA, WORDS, Palette, contrast
from tests.tui.vision import EYES, apart, ciede2000, lab

XTERM = (
    "#000000", "#cd0000", "#00cd00", "#cdcd00", "#0000ee", "#cd00cd", "#00cdcd", "#e5e5e5",
    "#7f7f7f", "#ff0000", "#00ff00", "#ffff00", "#5c5cff", "#ff00ff", "#00ffff", "#ffffff",
)  # fmt: skip
TANGO = (  # GNOME's terminal and many others
    "#2e3436", "#cc0000", "#4e9a06", "#c4a000", "#3465a4", "#75507b", "#06989a", "#d3d7cf",
    "#555753", "#ef2929", "#8ae234", "#fce94f", "#729fcf", "#ad7fa8", "#34e2e2", "#eeeeec",
)  # fmt: skip
ROLES = (
    "text", "dim", "faint", "accent", "back", "input", "output", "target", "gradient", "highway", "warn",
)  # fmt: skip
SYSTEMS = {
    "truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT, "standard": ColorSystem.STANDARD,
}  # fmt: skip
SHARES = (-1.0, -0.56, -0.25, -0.07, 0.0, 0.07, 0.25, 0.56, 1.0)  # one of each step of the heatmap
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
        if palette.native:
            self.ground = "#000000" if palette.dark else "#ffffff"

    def ink(self, style: Style) -> str:
        if style.color is None:  # the terminal's own
            return sixteen_ink(self)
        return shown(codes(style, self.system)[1], self.sixteen, self.system)

    def behind(self, style: Style) -> str:
        return shown(codes(style, self.system)[2], self.sixteen, self.system)

    def contrast(self, style: Style) -> float:
        colors = self.ink(style), self.behind(style) if style.bgcolor else self.ground
        return contrast(*colors)


def sixteen_ink(look: Looks) -> str:
    return look.sixteen[7] if look.palette.dark else look.sixteen[0]


def looks() -> list[Looks]:
    found = []
    for (dark, ground), colors in itertools.product(GROUNDS, SYSTEMS):
        tables = (VGA, XTERM) if colors == "standard" else (VGA,)
        found += [Looks(Palette(colors, dark, ground=ground), table) for table in tables]
    natives = itertools.product((True, False), (VGA, XTERM, TANGO))
    return found + [Looks(Palette("standard", dark, native=True), table) for dark, table in natives]


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
    if look.palette.native:  # the sign alone
        assert len(set(colors)) == len({colors[0], colors[zero], colors[-1]}) == 3
        assert min(loud[0], loud[-1]) >= MARKS
        assert loud[zero] == min(loud)
        return
    assert loud[zero] == min(loud)
    assert loud[zero] >= 1.25  # and yet seen
    assert all(size >= MARKS for k, size in enumerate(loud) if k != zero) or look.sixteen is XTERM
    assert len({colors[0], colors[2], colors[zero], colors[-3], colors[-1]}) == 5
    assert loud[0] > loud[2]
    assert loud[-1] > loud[-3]


def themes() -> list[Palette]:
    """Every theme in every strength that has colours."""
    found = [Palette(colors, dark, ground=ground) for (dark, ground), colors in itertools.product(GROUNDS, SYSTEMS)]
    return [*found, *(Palette("standard", dark, native=True) for dark in (True, False))]


def name_of(palette: Palette) -> str:
    return f"{palette.colors}-{palette.grounded}{'-native' * palette.native}"


def heat_of(palette: Palette) -> list[str]:
    return [palette.heat(value, value).bgcolor.get_truecolor().hex for value in (*SHARES, float("nan"))]


@pytest.mark.parametrize("palette", [p for p in themes() if p.colors != "standard"], ids=name_of)
def test_the_heatmap_has_nine_steps_that_can_be_told_apart(palette: Palette) -> None:
    heat = heat_of(palette)[:-1]
    assert min(apart(one, other) for one, other in itertools.pairwise(heat)) >= 7  # 2.3 is just noticeable
    assert min(apart(one, other) for one, other in itertools.combinations(heat, 2)) >= 7


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("palette", themes(), ids=name_of)
def test_what_only_colour_tells_apart_is_apart_to_colour_blind_eyes(palette: Palette, eyes: str) -> None:
    *heat, nan = heat_of(palette)
    assert min(apart(below, above, eyes) for below in heat[:4] for above in heat[5:]) >= 25
    assert min(apart(nan, value, eyes) for value in heat) >= 12
    accent, back = (style.color.get_truecolor().hex for style in (palette.accent, palette.back))
    assert apart(accent, back, eyes) >= 9  # and ▶ reading, ◀ going back


def test_the_distance_of_two_colours_is_that_of_the_paper() -> None:
    """Pairs 1, 7, 17 and 34 of table 1 of Sharma, Wu and Dalal (2005)."""
    pairs = {
        ((50, 2.6772, -79.7751), (50, 0, -82.7485)): 2.0425,
        ((50, 0, 0), (50, -1, 2)): 2.3669,
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387)): 1.2644,
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514)): 0.9082,
    }
    for (one, other), distance in pairs.items():
        assert ciede2000(one, other) == pytest.approx(distance, abs=1e-4)
    grey = lab("#808080", "protanopia")
    assert grey == pytest.approx(lab("#808080"), abs=0.1)  # grey is grey to everyone
    assert apart("#aa5500", "#00aa00", "deuteranopia") < apart("#aa5500", "#00aa00") / 2


@pytest.mark.parametrize("dark", [True, False])
def test_the_sixteen_colours_of_the_palette_are_sent_by_their_own_numbers(dark: bool) -> None:
    """rich by itself takes the nearest of a table that no terminal has: dark blue for bright."""
    for number, color in enumerate(VGA):
        sgr = str(30 + number if number < 8 else 82 + number)
        assert codes(Style(color=color), ColorSystem.STANDARD)[1] == (sgr,)
    pen = Pen()
    pen.put([("x", codes(Palette("standard", dark).input, ColorSystem.STANDARD))])
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
