"""The glass: the cells of the screen as they should look, and as the terminal shows them. Only the difference is sent.

glass = Glass()
glass.resize(80, 24)
glass.put(0, 3, cells)                       # from wherever it is drawn
text = glass.take([title, keys], most=1000)  # these places first, some 1000 characters

A canvas and Textual's compositor both write here, so it does not matter who drew a cell, nor how often: a screen that
Textual draws three times while it starts is sent once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from rich.color import ColorSystem
from rich.segment import Segment
from textual.geometry import Region, Size

from rnnviz import glyphs
from rnnviz.sheet import REST, cells_of
from rnnviz.tui.compact_update import PLAIN, Codes, Pen, codes, has_link

Cell = tuple[str, Codes]
BLANK: Cell = (" ", PLAIN)
JOIN = 5  # cells: over fewer that stay the cursor is not moved, since a move costs as many bytes
CLEAR = 5  # blank cells at the end of a row from which clearing is shorter


@lru_cache(maxsize=4096)
def cell(glyph: str, look: Codes) -> Cell:
    """A cell as it looks: a blank has no ink. The same cell is always the same object."""
    if glyph == " " and (look[0] or look[1]) and not {"4", "7"} & {*look[0]} and not has_link(look):
        look = ((), (), look[2])
    return BLANK if glyph == " " and look == PLAIN else (glyph, look)


def cells_in(segments: Iterable[Segment], system: ColorSystem) -> list[Cell]:
    """The cells of a row of segments."""
    row: list[Cell] = []
    for text, style, control in segments:
        if not control:
            look = codes(style, system)
            row += [cell(glyph, look) for glyph in (text if glyphs.is_plain(text) else cells_of(text))]
    return row


class Glass:
    """ascii: the terminal has no other glyphs. erases_in_color: cells that it clears have the ground in force."""

    def __init__(self, *, ascii: bool = False, erases_in_color: bool = False) -> None:
        self._ascii, self._erases_in_color = ascii, erases_in_color
        self.size = Size(0, 0)
        self._wanted: list[list[Cell]] = []
        self._there: list[list[Cell] | None] = []  # None: what this row of the terminal shows is unknown
        self._changed: dict[int, tuple[int, int]] = {}  # row → the columns among which all differences are

    def resize(self, width: int, height: int) -> None:
        """The size of the terminal. After a change nobody knows what it shows."""
        if self.size != (width, height):
            self.size = Size(width, height)
            self._wanted = [[BLANK] * width for _ in range(height)]
            self.forget()

    def forget(self) -> None:
        """The terminal may show anything: all of it is to be sent again."""
        self._there = [None] * self.size.height
        self._changed = dict.fromkeys(range(self.size.height), (0, self.size.width))

    def put(self, y: int, x: int, row: Sequence[Cell]) -> None:
        """These cells should stand in row y from column x on; what is beyond the edge is cut off."""
        first, last = max(x, 0), min(x + len(row), self.size.width)
        if not 0 <= y < self.size.height or first >= last:
            return
        wanted = self._wanted[y]
        wanted[first:last] = row[first - x : last - x]
        if wanted[first][0] == REST:  # half a wide character
            wanted[first] = (" ", wanted[first][1])
        start, end = self._changed.get(y, (first, last))
        self._changed[y] = (min(start, first), max(end, last))

    @property
    def has_changed(self) -> bool:
        return bool(self._changed)

    def take(self, order: Iterable[Region] = (), *, most: int | None = None) -> str:
        """What to send to the terminal so that it shows the wanted cells: the places of `order` first, then the rest.
        With `most` no row is begun after so many characters, and the rest is left for the next call."""
        pen = Pen(ascii=self._ascii)
        for y, start, end in self._places(order):
            if most is not None and pen.size >= most:
                break
            self._write(pen, y, start, end)
            self._settled(y, start, end)
        return pen.text()

    def _places(self, order: Iterable[Region]) -> Iterator[tuple[int, int, int]]:
        for region in (*order, self.size.region):
            for y in range(max(region.y, 0), min(region.bottom, self.size.height)):
                changed = self._changed.get(y)
                if changed is not None:
                    start, end = max(region.x, changed[0]), min(region.right, changed[1])
                    if start < end:
                        yield y, start, end

    def _settled(self, y: int, start: int, end: int) -> None:
        """Nothing differs any more in these columns."""
        first, last = self._changed.pop(y)
        if first < start:
            self._changed[y] = (first, start if end >= last else last)
        elif end < last:
            self._changed[y] = (end, last)

    def _write(self, pen: Pen, y: int, start: int, end: int) -> None:
        wanted, there = self._wanted[y], self._there[y]
        if there is None:
            blank = wanted[-1] if self._is_erased(wanted[-1]) else BLANK
            pen.move(0, y)
            pen.clear(blank[1])
            there = self._there[y] = [blank] * self.size.width
        width, blank = self.size.width, wanted[-1]
        tail = width  # from here on the row is blank
        if self._is_erased(blank):
            while tail > 0 and wanted[tail - 1] is blank:
                tail -= 1
        for first, last in spans(there[start:end], wanted[start:end]):
            first, last = start + first, start + last
            first -= first > 0 and wanted[first][0] == REST
            last += last < width and wanted[last][0] == REST
            stop = max(first, tail)
            is_clear = last - stop >= CLEAR
            stop = stop if is_clear else last
            pen.move(first, y)
            pen.put(wanted[first:stop])
            there[first:stop] = wanted[first:stop]
            if is_clear:
                pen.clear(blank[1])
                there[stop:] = wanted[stop:]
                return

    def _is_erased(self, cell: Cell) -> bool:
        """Whether cells that the terminal clears look like this one."""
        glyph, (attributes, ink, ground) = cell
        return glyph == " " and not attributes and not ink and (not ground or self._erases_in_color)


def spans(old: Sequence[object], new: Sequence[object], join: int = JOIN) -> list[tuple[int, int]]:
    """The stretches (start, end) in which two rows differ; stretches closer than `join` cells become one."""
    found: list[tuple[int, int]] = []
    start = end = -join
    for x, (a, b) in enumerate(zip(old, new, strict=True)):
        if a is not b and a != b:
            if x - end >= join:
                if start >= 0:
                    found.append((start, end))
                start = x
            end = x + 1
    if start >= 0:
        found.append((start, end))
    return found
