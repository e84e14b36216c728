"""A picture of the app as a grid of cells: what can be read in an SVG, apart from how Rich or Textual write it."""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree import ElementTree

CELL = (12.2, 24.4)  # width and height of a cell in Rich's SVG
NEAR = 16  # of 255: colours that a release may shift and that nobody tells apart

Colour = tuple[int, ...]


class Cell(NamedTuple):
    glyph: str = " "
    colour: Colour = ()
    ground: Colour = ()
    marks: frozenset[str] = frozenset()  # bold, underline, …

    def looks_like(self, other: Cell) -> bool:
        if (self.glyph, self.marks) != (other.glyph, other.marks) or not _near(self.ground, other.ground):
            return False
        return self.glyph == " " or _near(self.colour, other.colour)


Grid = dict[tuple[int, int], Cell]  # (row, column); what is left out is empty


def _near(one: Colour, other: Colour) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= NEAR for a, b in zip(one, other, strict=True))


def _colour(text: str) -> Colour:
    return tuple(bytes.fromhex(text.strip().lstrip("#")))


def _styles(svg: str) -> dict[str, tuple[Colour, frozenset[str]]]:
    """By class: the colour, and what else the rule says but for the colour."""
    found = {}
    for name, rule in re.findall(r"\.([\w-]+)\s*\{([^}]*)\}", svg):
        said = dict(part.split(":", 1) for part in rule.split(";") if ":" in part)
        said = {key.strip(): value.strip() for key, value in said.items()}
        if said.get("fill", "").startswith("#"):
            found[name] = (_colour(said.pop("fill")), frozenset(said.values()))
    return found


def grid(svg: str) -> Grid:
    """Every cell with something in it. Rows are counted from the first text on."""
    styles, cells = _styles(svg), Grid()
    grounds: Grid = {}
    root = ElementTree.fromstring(svg)
    lines = [e for e in root.iter() if e.tag.endswith("text") and e.get("class") in styles and e.get("textLength")]
    top = min(float(e.get("y", "")) for e in lines)
    for e in root.iter():
        ground = e.get("fill", "")
        if e.tag.endswith("rect") and ground.startswith("#") and e.get("x") is not None and e.get("stroke") is None:
            row = round((float(e.get("y", "")) - 1.5) / CELL[1])
            left = round(float(e.get("x", "")) / CELL[0])
            for column in range(left, left + round(float(e.get("width", "")) / CELL[0])):
                grounds[row, column] = Cell(ground=_colour(ground))
    for e in lines:
        row = round((float(e.get("y", "")) - top) / CELL[1])
        left = round(float(e.get("x", "")) / CELL[0])
        colour, marks = styles[e.get("class", "")]
        for column, glyph in enumerate((e.text or "").replace("\xa0", " ").rstrip("\n"), start=left):
            cells[row, column] = Cell(glyph, colour, marks=marks if glyph != " " else frozenset())
    cells = grounds | {at: cell._replace(ground=grounds.get(at, Cell()).ground) for at, cell in cells.items()}
    return {at: cell for at, cell in cells.items() if not cell.looks_like(Cell())}


def text(cells: Grid) -> list[str]:
    """The rows of a picture, without colours."""
    height, width = (1 + max(at[k] for at in cells) for k in (0, 1))
    return [
        "".join(cells.get((row, column), Cell()).glyph for column in range(width)).rstrip() for row in range(height)
    ]


def difference(one: Grid, other: Grid) -> list[str]:
    """Where two pictures of the same text do not look alike."""
    return [
        f"row {row}, column {column}: {one.get((row, column))} is {other.get((row, column))}"
        for row, column in sorted(one.keys() | other.keys())
        if not one.get((row, column), Cell()).looks_like(other.get((row, column), Cell()))
    ]
