"""A picture of the app as a grid of cells: what can be seen in an SVG, apart from how it is written."""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree import ElementTree

CELL = (10, 20)  # width and height of a cell in our SVG
BASELINE = 15  # of a row's letters, below its top
NEAR = 16  # of 255: colours that a release may shift and that nobody tells apart

Colour = tuple[int, ...]
Box = tuple[float, float, float, float]  # x, y, width, height in a cell


class Cell(NamedTuple):
    glyph: str = " "
    colour: Colour = ()
    ground: Colour = ()
    marks: frozenset[str] = frozenset()  # bold, underline, …
    boxes: frozenset[Box] = frozenset()  # of a block or of Braille, in this colour

    def looks_like(self, other: Cell) -> bool:
        if (self.glyph, self.marks, self.boxes) != (other.glyph, other.marks, other.boxes):
            return False
        if not _near(self.ground, other.ground):
            return False
        return (self.glyph == " " and not self.boxes) or _near(self.colour, other.colour)


Grid = dict[tuple[int, int], Cell]  # (row, column); what is left out is empty


def _near(one: Colour, other: Colour) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= NEAR for a, b in zip(one, other, strict=True))


def _styles(svg: str) -> dict[str, tuple[Colour, frozenset[str]]]:
    """By class: the colour, and what else the rule says but for the colour."""
    found = {}
    for name, rule in re.findall(r"\.([\w-]+)\s*\{([^}]*)\}", svg):
        said = dict(part.split(":", 1) for part in rule.split(";") if ":" in part)
        said = {key.strip(): value.strip() for key, value in said.items()}
        colour = said.pop("fill", "")
        found[name] = (tuple(bytes.fromhex(colour.lstrip("#"))) if colour else (), frozenset(said.values()))
    return found


def grid(svg: str) -> Grid:
    """Every cell with something in it."""
    styles, cells = _styles(svg), Grid()
    root = ElementTree.fromstring(svg)
    screen = next(e for e in root if e.tag.endswith("}g"))
    for e in screen.iter():
        colour, marks = styles.get(e.get("class", ""), ((), frozenset()))
        if e.tag.endswith("path"):
            for box in _boxes(e.get("d", "")):
                _paint(cells, box, colour, marks)
        elif e.tag.endswith("text"):
            row, left = round((float(e.get("y", "")) - BASELINE) / CELL[1]), round(float(e.get("x", "")) / CELL[0])
            for column, glyph in enumerate(e.text or "", start=left):
                if glyph != " " or "underline" in marks:
                    before = cells.get((row, column), Cell())
                    cells[row, column] = before._replace(glyph=glyph, colour=colour, marks=marks)
    return {at: cell for at, cell in cells.items() if not cell.looks_like(Cell())}


def _boxes(path: str) -> list[Box]:
    number = r"(-?[\d.]+)"
    return [
        (float(x), float(y), float(width), float(height))
        for x, y, width, height in re.findall(rf"M{number} {number}h{number}v{number}h-[\d.]+z", path)
    ]


def _paint(cells: Grid, box: Box, colour: Colour, marks: frozenset[str]) -> None:
    """A ground as high as a row, or a shape, into the cells that it covers. The first of a full cell is its ground."""
    x, y, width, height = box
    row = int(y // CELL[1])
    end = x + width
    column = int(x // CELL[0])
    while column * CELL[0] < end:
        left, right = max(x, column * CELL[0]), min(end, (column + 1) * CELL[0])
        part = (left - column * CELL[0], y - row * CELL[1], right - left, height)
        before = cells.get((row, column), Cell())
        is_ground = part == (0, 0, *CELL) and not marks and not before.ground and not before.boxes
        cells[row, column] = (
            before._replace(ground=colour)
            if is_ground
            else before._replace(colour=colour, marks=before.marks | marks, boxes=before.boxes | {part})
        )
        column += 1


def text(cells: Grid) -> list[str]:
    """The rows of a picture, without colours; a block or Braille is a ▪."""
    height, width = (1 + max(at[k] for at in cells) for k in (0, 1))
    found = []
    for row in range(height):
        shown = [cells.get((row, column), Cell()) for column in range(width)]
        found.append("".join("▪" if cell.boxes else cell.glyph for cell in shown).rstrip())
    return found


def difference(one: Grid, other: Grid) -> list[str]:
    """Where two pictures of the same text do not look alike."""
    return [
        f"row {row}, column {column}: {one.get((row, column))} is {other.get((row, column))}"
        for row, column in sorted(one.keys() | other.keys())
        if not one.get((row, column), Cell()).looks_like(other.get((row, column), Cell()))
    ]
