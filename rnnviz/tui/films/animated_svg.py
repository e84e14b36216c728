"""A film as one SVG that plays wherever an image is shown: by CSS alone, without a script, a font or an address from
elsewhere (GitHub shows such a file in a README; it takes scripts out and loads nothing).

What never changes is drawn once. The rest is cut into tiles, stretches of a row that change together; a tile holds each
of its states once, one above the other, and moves the one of the moment into its window:

    <svg x="120" y="40" width="30" height="20"><g class="m">state 0, state 1, …</g></svg>
    @keyframes m{0%{transform:translateY(0px)}12.5%{transform:translateY(-24px)}}

Tiles with the same timetable share it. Who wants no motion, and a viewer without animations, sees the poster.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.sheet import REST
from rnnviz.tui.films.film import Film
from rnnviz.tui.pictures.markup import HEIGHT, WIDTH, Drawing, Shown
from rnnviz.tui.pictures.picture import Ink
from rnnviz.tui.pictures.svg import cells_of, document

PITCH = HEIGHT + 4  # between two states: else a scaled picture shows the edge of the next one
OVERHEAD = 110  # bytes of a tile beside its states
A_MOVE = 40  # bytes of an entry in a timetable
BLANK: Shown = (" ", Ink())

Row = tuple[Shown, ...]
Timetable = tuple[tuple[int, int], ...]  # (number of the scene, number of the state) at each change


@dataclass
class Tile:
    """Columns start..end of row y, and what is in them: states, and when each is shown."""

    y: int
    start: int
    end: int
    states: list[Row]
    timetable: Timetable
    cost: int


def animated_svg(film: Film) -> str:
    """The same text for the same film."""
    scenes = [cells_of(picture) for _, picture in film.scenes]
    first = film.scenes[0][1]
    drawing = Drawing(first.text)
    width, height = first.size
    parts: list[str] = []
    tiles: list[Tile] = []
    for y in range(height):
        rows = [scene[y] for scene in scenes]
        still, moving = _tiles(y, rows, width)
        parts.append(drawing.row(still, y=y * HEIGHT))
        tiles += moving
    tables: dict[Timetable, str] = {}
    for tile in tiles:
        name = tables.setdefault(tile.timetable, f"m{len(tables)}")
        states = "".join(drawing.row(state, y=n * PITCH) for n, state in enumerate(tile.states))
        place = f'x="{tile.start * WIDTH}" y="{tile.y * HEIGHT}" width="{(tile.end - tile.start) * WIDTH}"'
        parts.append(f'<svg {place} height="{HEIGHT}"><g class="{name}">{states}</g></svg>')
    poster = film.poster % len(scenes)
    rules = drawing.rules() + "".join(_motion(name, table, film, poster) for table, name in tables.items())
    rules += "@media(prefers-reduced-motion:reduce){g{animation:none!important}}"
    return document(first, film.title, film.about, rules, "\n".join(filter(None, parts)))


def _motion(name: str, table: Timetable, film: Film, poster: int) -> str:
    """The timetable as CSS: the poster's state where nothing moves, and the moves."""
    starts, whole = film.starts, film.seconds
    moves = "".join(f"{100 * starts[scene] / whole:.5g}%{{{_shift(state)}}}" for scene, state in table)
    still = [state for scene, state in table if scene <= poster][-1]
    return f".{name}{{{_shift(still)};animation:{name} {whole:g}s step-end infinite}}@keyframes {name}{{{moves}}}"


def _shift(state: int) -> str:
    return f"transform:translateY({-state * PITCH}px)"


def _tiles(y: int, rows: list[list[Shown]], width: int) -> tuple[list[Shown], list[Tile]]:
    """What of a row never changes, and tiles of the rest: neighbours are put together while that saves bytes."""
    changes = [tuple(n for n in range(1, len(rows)) if rows[n][x] != rows[n - 1][x]) for x in range(width)]
    for x in range(1, width):  # the two halves of a wide character stay together
        if any(row[x][0] == REST for row in rows):
            changes[x - 1] = changes[x] = tuple(sorted({*changes[x - 1], *changes[x]}))
    still = [rows[0][x] if not changes[x] else BLANK for x in range(width)]
    tiles: list[Tile] = []
    x = 0
    while x < width:
        end = x + 1
        while end < width and (changes[end] == changes[x] or any(row[end][0] == REST for row in rows)):
            end += 1
        if changes[x]:
            tiles.append(_tile(y, x, end, rows))
        x = end
    return still, _joined(tiles, rows)


def _joined(tiles: list[Tile], rows: list[list[Shown]]) -> list[Tile]:
    """Join the pair of neighbours that saves most, again and again."""
    found = list(tiles)
    candidates: list[Tile | None] = [_pair(found, n, rows) for n in range(len(found) - 1)]
    while candidates:
        gains = [0 if c is None else found[n].cost + found[n + 1].cost - c.cost for n, c in enumerate(candidates)]
        best = max(range(len(gains)), key=gains.__getitem__)
        joined = candidates[best]
        if gains[best] <= 0 or joined is None:
            break
        found[best : best + 2] = [joined]
        candidates[best : best + 1] = []
        for n in (best - 1, best):
            if 0 <= n < len(candidates):
                candidates[n] = _pair(found, n, rows)
    return found


def _pair(tiles: list[Tile], n: int, rows: list[list[Shown]]) -> Tile | None:
    one, other = tiles[n], tiles[n + 1]
    return _tile(one.y, one.start, other.end, rows) if one.end == other.start else None


def _tile(y: int, start: int, end: int, rows: list[list[Shown]]) -> Tile:
    numbers: dict[Row, int] = {}
    table: list[tuple[int, int]] = []
    for scene, row in enumerate(rows):
        state = numbers.setdefault(tuple(row[start:end]), len(numbers))
        if not table or table[-1][1] != state:
            table.append((scene, state))
    states = list(numbers)
    return Tile(y, start, end, states, tuple(table), OVERHEAD + A_MOVE * len(table) + sum(map(_bytes, states)))


def _bytes(state: Row) -> int:
    """About how many bytes the markup of a state takes."""
    count, last = 0, None
    for glyph, look in state:
        if (glyph, look) == BLANK:
            last = None
            continue
        count += 1 if look == last and glyph.isalnum() else 45 if look != last else 14
        last = look
    return count
