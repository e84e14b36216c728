"""A picture as SVG: a window with a title, and the screen in it. No script, no font and no address from elsewhere."""

from __future__ import annotations

from html import escape

from rnnviz.tui.palette import contrast
from rnnviz.tui.pictures.markup import FONTS, HEIGHT, SIZE, WIDTH, Drawing, Shown
from rnnviz.tui.pictures.picture import Picture, ink

LEFT, TOP, EDGE = 14, 40, 10  # of the screen in its window; below and beside it


def cells_of(picture: Picture) -> list[list[Shown]]:
    """The rows of a picture, each cell with how it looks."""
    colors, text, ground = picture.colors, picture.text, picture.ground
    return [[(glyph, ink(style, colors, text, ground)) for glyph, style in row] for row in picture.sheet.cells]


def svg(picture: Picture, title: str, description: str = "") -> str:
    """The same text for the same picture."""
    drawing = Drawing(picture.text)
    body = "".join(drawing.row(row, y=y * HEIGHT) for y, row in enumerate(cells_of(picture)))
    return document(picture, title, description, drawing.rules(), body)


def document(picture: Picture, title: str, description: str, rules: str, body: str) -> str:
    """body: what stands in the window, from 0, 0 on."""
    columns, rows = picture.size
    width, height = columns * WIDTH + 2 * LEFT, rows * HEIGHT + TOP + EDGE
    is_dark = contrast(picture.ground, "#ffffff") > contrast(picture.ground, "#000000")
    edge, name = ("#5a5a5a", "#a8a8a8") if is_dark else ("#a8a8a8", "#4e4e4e")
    about = f"<desc>{escape(description, quote=False)}</desc>" if description else ""
    dots = "".join(
        f'<circle cx="{22 + 20 * n}" cy="20" r="6" fill="{color}"/>'
        for n, color in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    style = (
        f"text{{font-family:{FONTS};font-size:{SIZE}px;fill:{picture.text};white-space:pre}}"
        f"path{{shape-rendering:crispEdges}}.title{{font:bold 15px Helvetica,Arial,sans-serif;fill:{name}}}{rules}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>{escape(title, quote=False)}</title>{about}\n<style>{style}</style>\n"
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" fill="{picture.ground}" '
        f'stroke="{edge}"/>{dots}\n'
        f'<text class="title" x="{width / 2:g}" y="25" text-anchor="middle">{escape(title, quote=False)}</text>\n'
        f'<g transform="translate({LEFT} {TOP})">\n{body}\n</g>\n</svg>\n'
    )
