"""The state space: the states of several sequences in the plane in which they spread the most, and the fixed points.

    ⠈⠢⡀ 5 ●⠤⠤◆         ◆ the present state (◈ in the cell of a fixed point); 5 another sequence, by its class
      ⠈⠢○⠔⠁            ● attractor   ○ saddle or repeller   ◇ marginal   ◌ slow

Of a single unit it is the map h_{t-1} → h_t: the curve of F(h, x_t) crosses the diagonal where that input's fixed
points are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rnnviz.glyphs import cells, cut, lines_at_most, visible
from rnnviz.numbers import scientific, subscript
from rnnviz.scene.commands import Measure
from rnnviz.sheet import Sheet
from rnnviz.tui import keys
from rnnviz.tui.dots import Dots, around
from rnnviz.tui.marks import accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words import state_space as words

if TYPE_CHECKING:
    from rich.style import Style

    from rnnviz.nn.dynamics.fixed_points import FixedPoints
    from rnnviz.nn.types import Array
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.views.state_space import StateSpace

#: Cells of the list beside the plot, and the width from which there is room for it.
LIST, WIDE = 37, 70
#: Rows from which there is a legend, and from which the list stands below the plot where there is no room beside it.
LEGEND, TALL = 7, 22
#: Multiplications up to which the fixed points are searched for without being asked: a quarter of a second.
UNASKED = 250_000_000
#: Dots that the states of other sequences may take.
CLOUD = 1200
_GLYPHS = {"attractor": "●", "saddle": "○", "repeller": "○", "marginal": "◇", "slow": "◌"}
_ASCII = {"attractor": "@", "saddle": "o", "repeller": "o", "marginal": "=", "slow": "~"}
#: The present state, the same in the cell of a fixed point, a fixed point before a change; and each in ASCII.
PRESENT, AT_POINT, BEFORE = ("◆", "#"), ("◈", "&"), ("✕", "x")


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views import state_space

    sheet = Sheet(width, height)
    space, points = state_space.space(frame.scene), state_space.points(frame.scene)
    if space is None:
        sheet.put(0, 1, "Reading other sequences …", palette.dim)
        return sheet
    if not frame.scene.is_finite:
        sheet.put(0, 1, words.NOT_FINITE, palette.dim)
        return sheet
    sheet.put(0, 1, words.plane(space, width - 2), palette.dim)
    top, end = 1, height
    if height >= LEGEND:
        end -= 1
        sheet.put(end, 1, _legend(frame, space, points, width - 2, palette), palette.dim)
    if width >= WIDE:  # the list on the right
        _list(sheet, frame, view, points, (top, width - LIST + 1, end - top), palette)
        _plot(sheet, frame, view, space, points, (top, 1, width - LIST - 2, end - top), palette)
        return sheet
    below = (end - top) // 3 if height >= TALL else min(2, max(0, end - top - 4)) if points is None else int(end > 5)
    _list(sheet, frame, view, points, (end - below, 0, below), palette)
    _plot(sheet, frame, view, space, points, (top, 1, width - 2, end - top - below), palette)
    return sheet


def _plot(
    sheet: Sheet,
    frame: Frame,
    view: View,
    space: StateSpace,
    points: FixedPoints | None,
    box: tuple[int, int, int, int],
    palette: Palette,
) -> None:
    top, left, width, height = box
    if height < 1 or width < 1:
        return
    places = None if points is None else space.places(points)
    dots = Dots(width, height, *_ranges(space, points, places), dot="." if palette.ascii else "")
    if space.is_map:
        _map(dots, frame, space, palette)
    else:
        _cloud(dots, space, palette)
    _past(dots, frame, space, palette)
    before = _before(frame)
    for x, y in [] if before is None else space.places(before).tolist():
        dots.mark(x, y, BEFORE[palette.ascii], palette.faint)
    if points is not None and places is not None:
        for p in reversed(range(len(points))):
            chosen = p == min(view.row, len(points) - 1)
            dots.mark(
                float(places[p, 0]),
                float(places[p, 1]),
                _glyph(points.kinds[p], palette),
                palette.accent if chosen else palette.text,
            )
    if (at := space.at(0, _now(frame))) is not None:
        is_there = places is not None and dots.cell(*at) in {dots.cell(*place) for place in places.tolist()}
        dots.mark(*at, (AT_POINT if is_there else PRESENT)[palette.ascii], accent(frame, palette))
    for number, sample in enumerate(space.samples[1:], start=1):
        at, mark = space.at(number, _now(frame)), frame.scene.task.class_mark(sample, _now(frame))
        if at is not None and mark and not space.is_map:
            dots.mark_near(*at, mark, _ink(mark, palette))
    dots.paste(sheet, top, left)


def _now(frame: Frame) -> int:
    return frame.cursor.t


def _ranges(space: StateSpace, points: FixedPoints | None, places: Array | None) -> tuple[Any, Any]:
    import numpy as np

    if space.is_map and space.grid is not None:
        ends = float(space.grid[0]) * 1.02, float(space.grid[-1]) * 1.02
        return ends, ends
    shown = [*space.paths]
    if points is not None and places is not None:  # a saddle may lie far away from where the network is
        shown.append(places[[kind in ("attractor", "slow") for kind in points.kinds]])
    every = np.concatenate(shown)
    every = every[np.isfinite(every).all(axis=1)]
    if not len(every):
        return (-1.0, 1.0), (-1.0, 1.0)
    low, high = every.min(axis=0), every.max(axis=0)
    return around((float(low[0]), float(high[0]))), around((float(low[1]), float(high[1])))


def _cloud(dots: Dots, space: StateSpace, palette: Palette) -> None:
    every = max(1, math.ceil(sum(map(len, space.paths[1:])) / CLOUD))
    for path in space.paths[1:]:
        for x, y in path[::every].tolist():
            dots.dot(x, y, palette.faint)


def _map(dots: Dots, frame: Frame, space: StateSpace, palette: Palette) -> None:
    assert space.grid is not None
    assert space.curves is not None
    low, high = float(space.grid[0]), float(space.grid[-1])
    for k in range(0, 2 * dots.width, 3):
        h = low + (high - low) * k / (2 * dots.width - 1)
        dots.dot(h, h, palette.faint)
    curve = space.curves[_now(frame)]
    dots.path(zip(space.grid.tolist(), curve.tolist(), strict=True), palette.input)


def _past(dots: Dots, frame: Frame, space: StateSpace, palette: Palette) -> None:
    """The states up to the present; of a map from each state up or down to the next, and across to the diagonal."""
    path = space.paths[0][: _now(frame) + (not space.is_map)].tolist()
    ink = accent(frame, palette)
    if not space.is_map:
        dots.path(path, ink)
        return
    for x, y in path[-2:]:
        dots.path([(x, x), (x, y), (y, y)], ink)


def _before(frame: Frame) -> FixedPoints | None:
    """The fixed points before the change, of a network of the same shape; None where they are not known."""
    from rnnviz.views import state_space

    ghost = frame.ghost
    if ghost is None or not ghost.is_like(frame.experiment) or ghost.scene.trace.spec != frame.scene.trace.spec:
        return None
    return state_space.points(ghost.scene)


def _list(
    sheet: Sheet, frame: Frame, view: View, points: FixedPoints | None, box: tuple[int, int, int], palette: Palette
) -> None:
    """A line for each point, scrolled so that the chosen one is in view."""
    top, left, rows = box
    room = sheet.width - left - 2
    if points is None or not len(points):
        text = _search(frame) if points is None else words.NONE
        for y, line in enumerate(lines_at_most(text, room, rows)):
            sheet.put(top + y, left + 1, line, palette.dim)
        return
    for line in lines_at_most(words.kinds(points), room, min(rows, 2)):
        sheet.put(top, left + 1, line, palette.text)
        top, rows = top + 1, rows - 1
    if rows < 2:
        return
    sheet.put(top, left + 1, "  q      |λ|  >1 readout", palette.faint)
    top, rows = top + 1, rows - 1
    chosen = min(view.row, len(points) - 1)
    first = min(max(0, chosen - rows + 1), max(0, len(points) - rows))
    for y, p in enumerate(range(first, min(len(points), first + rows))):
        ink = palette.accent if p == chosen else palette.text
        sheet.put(top + y, left, "▸" if p == chosen else " ", ink)
        unstable = int(points.unstable[p])
        line = (
            f"{_glyph(points.kinds[p], palette)} {_q(float(points.speeds[p])):6} {_size(float(points.radius[p])):4} "
            f"{unstable or '·':>2} {words.readout(frame.scene, points, p)}"
        )
        sheet.put(top + y, left + 1, cut(line, room), ink)
    if first + rows < len(points):
        sheet.right(top + rows - 1, f"↓{len(points) - first - rows} ", palette.faint)


def _q(q: float) -> str:
    """A fixed point's own q is rounding, which is another on each machine."""
    from rnnviz.nn.dynamics.fixed_points import FIXED

    return f"<{FIXED:.0e}" if q <= FIXED else scientific(q)


def _size(radius: float) -> str:
    return f"{radius:.2f}" if radius < 9.995 else f"{radius:.1g}"[:4] if radius >= 1000 else f"{radius:.0f}"


def _search(frame: Frame) -> str:
    from rnnviz.views import state_space

    return state_space.why_no_points(frame.scene) or words.SEARCH.replace("[find]", keys.ACTION_KEYS["find"])


def _legend(frame: Frame, space: StateSpace, points: FixedPoints | None, room: int, palette: Palette) -> str:
    """As many of its parts as fit, the first cut if need be."""
    present, at_point = PRESENT[palette.ascii], AT_POINT[palette.ascii]
    parts = [f"{present} h{subscript(_now(frame))}" + (f" ({at_point} at a point)" if points is not None else "")]
    if points is not None:
        there = set(points.kinds)
        named = (("attractor", "attractor"), ("saddle", "saddle"), ("repeller", "repeller"), ("marginal", "marginal"),
                 ("slow", "slow"))  # fmt: skip
        parts += [f"{_glyph(kind, palette)} {name}" for kind, name in named if kind in there]
    if _before(frame) is not None:
        parts.append(f"{BEFORE[palette.ascii]} before")
    if len(space.samples) > 1 and not space.is_map:
        parts += frame.scene.task.about_marks
    text = cut(parts[0], room)
    for part in parts[1:]:
        longer = f"{text} · {visible(part)}"
        if cells(longer) > room:
            break
        text = longer
    return text


def _glyph(kind: str, palette: Palette) -> str:
    return (_ASCII if palette.ascii else _GLYPHS)[kind]


def _ink(mark: str, palette: Palette) -> Style:
    inks = (palette.input, palette.output, palette.gradient, palette.highway, palette.warn, palette.target)
    return inks[ord(mark[0]) % len(inks)]


def _needs(frame: Frame) -> Command | None:
    from rnnviz.views import state_space

    if Measure("space") not in frame.scene.known:
        return Measure("space")
    is_quick = state_space.points_cost(frame.scene) <= UNASKED
    return Measure("fixed_points") if is_quick and Measure("fixed_points") not in frame.scene.known else None


def _find(frame: Frame, view: View) -> Command | None:
    return None if Measure("fixed_points") in frame.scene.known else Measure("fixed_points")


def _move(by: int) -> Any:
    def choose(frame: Frame, view: View) -> dict[str, Any] | None:
        from rnnviz.views import state_space

        points = state_space.points(frame.scene)
        if points is None or not len(points):
            return None
        return {"row": min(max(0, min(view.row, len(points) - 1) + by), len(points) - 1)}

    return choose


PANEL = Panel(
    "space", "state space", "states in a plane, fixed points", _draw, key="O", needs=_needs,
    height=12,
    actions={"find": _find, "unit_up": _move(-1), "unit_down": _move(1)},
    key_labels={"find": "fixed points", "unit_down": "next point"},
    depends_on=lambda frame, view: (frame.scene, frame.cursor, frame.ghost, view.row, _needs(frame)),
    shows=frozenset(("space", "state")),
)  # fmt: skip
