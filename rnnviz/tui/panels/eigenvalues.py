"""Eigenvalues: those of W_hh, of one step's Jacobian or of the product of many, on the unit circle, beside the lengths.

 ⡠⠒⠒⢄      ▸W_hh   ∂h₈/∂h₇   ∂h₈/∂h₀
⡜ ● ● ⢣     spectral radius 0.97 · σ_max 1.52
⢣  +2 ⡜     If every step were W_hh alone: transient growth …
 ⠑⠤⠤⠊       0.97 ±31°  0.82 180° …
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cells, clip, cut, lines_at_most, wrap
from rnnviz.sheet import Sheet
from rnnviz.tui import plane
from rnnviz.tui.marks import accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.words.no_panel import no_eigenvalues

if TYPE_CHECKING:
    from rnnviz.nn.dynamics.lyapunov import Lyapunov
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.views.spectrum import Found, Matrix

#: The text beside the plane has at least so many cells; the plane so many rows at least and at most.
ROOM, LOWEST, HIGHEST = 44, 5, 21
#: From so many rows on the text is below the plane, in at least so many.
TALL, BELOW = 30, 17


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    from rnnviz.views import spectrum

    sheet = Sheet(width, height)
    having = spectrum.matrices(frame)
    matrix = having[view.page % len(having)]
    found = spectrum.known(frame.scene, matrix)
    before = None if frame.ghost is None else spectrum.known(frame.ghost.scene, matrix)
    is_tall = height >= TALL
    rows = min(HIGHEST, height - BELOW if is_tall else height, (width - (4 if is_tall else ROOM)) // 2)
    has_plane = rows >= LOWEST
    left = plane.width_of(rows) + 2 if has_plane and not is_tall else 1
    _tabs(sheet, left, frame, having, matrix, palette)
    if has_plane and found is not None and found.spectrum is not None:
        ink = palette.text if matrix.kind == "weights" else accent(frame, palette)
        picture = Sheet(plane.width_of(rows), rows)
        plane.draw(picture, rows, _points(found, matrix), _points(before, matrix), palette, ink)
        sheet.paste(2 if is_tall else 0, 2 if is_tall else 0, picture, 0, picture.width)
    top, room = rows + 3 if has_plane and is_tall else 1, width - left - 1
    if found is None:
        sheet.put(top, left, clip("Computing the eigenvalues …", room), palette.dim)
        return sheet
    for y, (text, ink) in enumerate(_lines(frame, matrix, found, before, room, height - top, palette), start=top):
        sheet.put(y, left, cut(text, room), ink)
    return sheet


def _tabs(sheet: Sheet, left: int, frame: Frame, having: tuple[Matrix, ...], chosen: Matrix, palette: Palette) -> None:
    from rnnviz.views.spectrum import known
    from rnnviz.words.spectrum import name, which_state

    x = left
    for matrix in having:
        text = name(frame, matrix)
        x = sheet.put(0, x, f"▸{text}" if matrix is chosen else f" {text}",
                      accent(frame, palette) if matrix is chosen else palette.dim) + 1  # fmt: skip
    ghost = frame.ghost is not None and known(frame.ghost.scene, chosen) is not None
    note = " · ".join(filter(None, (which_state(frame), f"{plane.marks_of(palette).before} before" if ghost else "")))
    if note and x + cells(note) + 2 < sheet.width:
        sheet.right(0, f"{note} ", palette.faint)


def _points(found: Found | None, matrix: Matrix) -> list[complex]:
    """Of a product the root of each size, with its angle."""
    if found is None or found.spectrum is None:
        return []
    spectrum = found.spectrum
    out = []
    for value, log, sure in zip(spectrum.values, spectrum.log_sizes, spectrum.is_sure, strict=True):
        size = min(log / matrix.steps, 700.0)
        out.append(cmath.rect(cmath.exp(size).real, cmath.phase(complex(value))) if sure else 0j)
    return out


def _lines(
    frame: Frame, matrix: Matrix, found: Found, before: Found | None, room: int, most: int, palette: Palette
) -> list[tuple[str, Style]]:
    """The text beside the plane, in as many rows as there are: what must be there first, then the list of all."""
    from rnnviz.views import spectrum
    from rnnviz.views.metrics.gradients import mean_factor
    from rnnviz.words import spectrum as words

    follows = wrap(words.follows(matrix, found), room)
    if found.spectrum is None:
        return [(line, palette.dim) for line in follows[:most]]
    lyapunov, mean = spectrum.lyapunov(frame.scene), mean_factor(frame)
    head = [words.lengths(found.spectrum)]
    rates = _rates(lyapunov, mean, room, 1 if most < 10 else 2)
    if most >= 6:
        head.append(words.departure(found.spectrum, room))
    if most >= 10 and (text := words.compared(lyapunov, mean)):
        rates += wrap(text, room)
    below = max(len(rates), 1 if most < 10 else 4)  # kept free for them: a masked figure moves nothing
    follows = follows[: max(1, most - len(head) - below - 1)]
    rest = most - len(head) - len(follows) - below
    listed = _listed(words.entries(found.spectrum), words.points(matrix), room, rest)
    if before is not None and before.spectrum is not None and rest > len(listed):
        listed.append(f"{plane.marks_of(palette).before} before: {words.lengths(before.spectrum)}")
    return [
        *((line, palette.text) for line in head),
        *((line, palette.text) for line in follows),
        *((line, palette.dim) for line in listed),
        *((line, palette.text) for line in rates),
    ]


def _rates(lyapunov: Lyapunov | None, mean: float | None, room: int, most: int) -> list[str]:
    """The exponents in at most so many lines, as many of them as fit, or in one line more."""
    from rnnviz.words.spectrum import exponents

    texts = [exponents(lyapunov, mean, count, long) for count in range(max(3, room // 8), 2, -1) for long in (1000, 0)]
    fitting = (text for text in texts if text and len(wrap(text, room)) <= most)
    text = next(fitting, texts[-1])
    return lines_at_most(text, room, most + 1) if text else []


def _listed(entries: list[str], points: str, room: int, most: int) -> list[str]:
    """|λ| and angle of as many eigenvalues as fit, and how many more there are."""
    if most < 1:
        return []
    whole = wrap(f"|λ| {' · '.join(entry.replace(' ', chr(0xA0)) for entry in entries)}", room)
    lines = [line.replace(chr(0xA0), " ") for line in whole]
    extra = [points] if points and most >= 3 else []
    room_for = most - len(extra)
    if len(lines) > room_for:
        lines = lines[:room_for]
        lines[-1] = clip(lines[-1], room - 2).rstrip(" ·") + " …"
    return [*lines, *extra]


def _turn(by: int) -> Callable[[Frame, View], dict[str, int]]:
    def turn(frame: Frame, view: View) -> dict[str, int]:
        from rnnviz.views.spectrum import matrices

        return {"page": (view.page + by) % max(1, len(matrices(frame)))}

    return turn


def _needs(frame: Frame) -> Command | None:
    from rnnviz.views import spectrum

    return spectrum.needs(frame)


PANEL = Panel(
    "eigenvalues", "eigenvalues", "of W_hh and of the steps",
    _draw, key="V", why_not=no_eigenvalues, needs=_needs,
    actions={"unit_up": _turn(-1), "unit_down": _turn(1)}, key_labels={"unit_down": "next matrix"},
    depends_on=lambda frame, view: (frame.scene, frame.cursor, frame.ghost, view.page),
    shows=frozenset(("spectrum", "gradient")), rows=lambda frame: HIGHEST + BELOW,
)  # fmt: skip
