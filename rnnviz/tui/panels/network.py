"""The network as a drawing, unrolled around the cursor or folded to its loop, and its table of parameters.

    unrolled   x_t → h_t → ŷ_t for the steps around the cursor; on the edges what flows along them: reading, how
               much arrives from the step before and from the input; going back, what each step keeps of the gradient
    folded     the one box these are copies of, with its weights

Numbers come from views/diagram.py; here they are only placed.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import clip, cut, visible
from rnnviz.numbers import factor, scientific, subscript
from rnnviz.sheet import Sheet
from rnnviz.tui.keys import ACTION_KEYS
from rnnviz.tui.marks import accent
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels.base import Panel
from rnnviz.tui.view import View
from rnnviz.views.diagram import Node, node_at

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

SLOT = 20  # the least cells for a box and the arrow that leads to it
INSIDE = 11  # cells in a box
LIGHT, HEAVY = tuple("╭─╮│╰╯"), tuple("┏━┓┃┗┛")


def _draw(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    sheet = Sheet(width, height)
    layers = frame.scene.trace.L
    shown = layers if height >= 5 * layers + 4 else 1  # of the layers, from the top
    band = 5 * shown + 3  # rows of steps in a row
    slots = _slots(width)
    for_table = len(frame.scene.model.summary()) + 6
    bands = 1 if view.page % 2 else max(1, min((height - 3 - for_table) // (band + 1), -(-(frame.T + 1) // slots)))
    if view.page % 2:
        _folded(sheet, frame, shown, palette)
    elif bands == 1:
        _unrolled(sheet, frame, shown, frame.cursor.t - slots // 2, palette)
    else:
        first = _first(frame, slots * bands)
        for number in range(bands):
            part = Sheet(width, band)
            _unrolled(part, frame, shown, first + number * slots, palette)
            sheet.paste(number * (band + 1), 0, part, 0, width)
    end = bands * (band + 1) - 1
    for y, text in enumerate(_legend(frame, view.page % 2 == 1, shown, width)):
        sheet.put(end + y, 1, cut(text, width - 2), palette.dim)
    below = end + 3
    if height - below >= for_table:  # the table fits, too
        table = _summary(frame, view, width, height - below, palette)
        sheet.cells[below:] = table.cells
    return sheet


# -- unrolled ----------------------------------------------------------------------------------------


def _slots(width: int) -> int:
    """Steps side by side; an odd number, with as many before the cursor as after it."""
    slots = max(1, (width - 4) // SLOT)
    return slots - (slots > 2 and slots % 2 == 0)


def _first(frame: Frame, shown: int) -> int:
    """The first of so many steps: the cursor's is among them, and they move by half a view at a time."""
    if shown > frame.T:
        return 0
    half = max(1, shown // 2)
    return min(max(0, frame.cursor.t // half * half - half), frame.T + 1 - shown)


def _unrolled(sheet: Sheet, frame: Frame, shown: int, first: int, palette: Palette) -> None:
    slots = _slots(sheet.width)
    slot = min((sheet.width - 4) // slots, 2 * SLOT)
    for n in range(slots):
        node = node_at(frame, first + n)
        if node is not None:
            _step(sheet, 1 + n * slot, slot, frame, node, shown, n == slots - 1, palette)


def _step(sheet: Sheet, x: int, slot: int, frame: Frame, node: Node, shown: int, last: bool, palette: Palette) -> None:
    """A step in its slot: the arrow from the step before, then the box, and input and output below and above."""
    here = node.t == frame.cursor.t
    ink = accent(frame, palette) if here else palette.text
    box = x + slot - INSIDE - 2
    middle = box + 1 + INSIDE // 2
    back = frame.reached is not None
    if node.t >= 1:
        output = palette.output if node.y else palette.faint
        if frame.scene.task.has_readout:
            sheet.put(0, box + 1, clip(f"ŷ{subscript(node.t)} {visible(node.y or '·')}", INSIDE), output)
        entering = back and node.has_loss and node.gradient is not None and frame.scene.has_loss
        sheet.put(1, middle, "↓ ∂L" if entering else "↑", palette.back if entering else palette.faint)
    for row in range(shown):
        layer = frame.scene.trace.L - 1 - row
        y = 2 + 5 * row
        _box(sheet, y, box, here, ink)
        for line, text in enumerate(_inside(frame, node, layer, back)):
            sheet.put(y + 1 + line, box + 2, text[: INSIDE - 1], ink)
        if node.t >= 1:
            _arrow(sheet, y + 1, x, box, frame, node, layer, back, palette)
            arriving = "" if node.from_below is None else f" {factor(node.from_below[layer])}"
            sheet.put(y + 4, middle, f"↑{arriving}", palette.input if arriving and not back else palette.faint)
        if last and node.t < frame.T:
            onward = "╳╳╳" if frame.cut else "◂──" if back else "──▸"
            sheet.put(y + 1, box + INSIDE + 2, onward, palette.warn if frame.cut else palette.faint)
    if node.t >= 1:
        y = 2 + 5 * shown
        read = palette.input if node.x else palette.faint
        sheet.put(y, box + 1, clip(f"x{subscript(node.t)} {visible(node.x or '·')}", INSIDE), read)


def _box(sheet: Sheet, y: int, x: int, heavy: bool, ink: Style) -> None:
    a, line, b, side, c, d = HEAVY if heavy else LIGHT
    sheet.put(y, x, a + line * INSIDE + b, ink)
    sheet.put(y + 1, x, side + " " * INSIDE + side, ink)
    sheet.put(y + 2, x, side + " " * INSIDE + side, ink)
    sheet.put(y + 3, x, c + line * INSIDE + d, ink)


def _inside(frame: Frame, node: Node, layer: int, back: bool) -> list[str]:
    """Reading: the size of h (and of an LSTM's c). Going back, in the top layer: of the gradient on them."""
    top = layer == frame.scene.trace.L - 1
    name = f"h{subscript(node.t)}"
    size = "·" if node.h is None else factor(node.h[layer])
    if top and back and node.highway is not None and node.gradient is not None:
        return [f"∂h {scientific(node.gradient)}", f"∂c {scientific(node.highway)}"]
    lines = [f"{name} {size}"]
    if top and back:
        lines.append(f"∂h {'·' if node.gradient is None else scientific(node.gradient)}")
    elif top and node.c is not None:
        lines.append(f"c{subscript(node.t)} {factor(node.c)}")
    return lines


def _arrow(
    sheet: Sheet, y: int, x: int, box: int, frame: Frame, node: Node, layer: int, back: bool, palette: Palette
) -> None:
    """From the step before: the first line is the way through W_hh, the second what runs past it."""
    top = layer == frame.scene.trace.L - 1
    room = box - x
    if back:
        first = node.factor if top else None
        second = node.highway_factor if top else None
        text = "" if first is None else f"× {factor(first)}"
        _line(sheet, y, x, room, "cut" if frame.cut else text, True, frame.cut, palette)
        if second is not None:
            _line(sheet, y + 1, x, room, f"× {factor(second)}", True, False, palette)
        return
    cell = frame.cell
    if cell.recurrent:
        text = "" if node.from_before is None else factor(node.from_before[layer])
        _line(sheet, y, x, room, "cut" if frame.cut else text, False, frame.cut, palette)
    carry = cell.carry
    if top and node.keeps is not None and carry is not None:
        _line(sheet, y + cell.recurrent, x, room, f"{carry.label} {factor(node.keeps)}", False, False, palette)
    elif not cell.recurrent:
        _line(sheet, y, x, room, "", False, False, palette)


def _line(sheet: Sheet, y: int, x: int, room: int, text: str, back: bool, cut: bool, palette: Palette) -> None:
    """`── 0.83 ─▸`, `◂─ × 0.64 ─`, `── ╳ cut ╳ ─`."""
    forms = [f" ╳ {text} ╳ ", f"╳{text}╳"] if cut else [f" {text} ", text, text.replace(" ", "")] if text else [""]
    words = next((form for form in forms if len(form) < room), "")
    line = words.center(room - 1, "─")
    line = f"─{line}" if back else f"{line}─"
    line = f"◂{line[1:]}" if back else f"{line[:-1]}▸"
    sheet.put(y, x, line, palette.faint)
    if words:
        ink = palette.warn if cut else palette.gradient if back else palette.text
        sheet.put(y, x + line.index(words), words, ink)


# -- folded ------------------------------------------------------------------------------------------


def _folded(sheet: Sheet, frame: Frame, shown: int, palette: Palette) -> None:
    node = node_at(frame, frame.cursor.t)
    assert node is not None
    spec, t = frame.scene.trace.spec, node.t
    ink, back = accent(frame, palette), frame.reached is not None
    box = max(4, (sheet.width - 58) // 2)
    middle = box + 1 + INSIDE // 2
    right = box + INSIDE + 2
    sheet.put(1, middle, "↑", palette.faint)
    if frame.scene.task.has_readout:
        sheet.put(0, box + 1, clip(f"ŷ{subscript(t)} {visible(node.y or '·')}", INSIDE), palette.output)
        sheet.put(1, right, _weights(frame, "readout.weight", "W_out"), palette.dim)
    else:
        sheet.put(1, right, "to the next layer, which is not shown", palette.dim)
    for row in range(shown):
        layer, y = spec.num_layers - 1 - row, 2 + 5 * row
        _box(sheet, y, box, True, ink)
        for line, text in enumerate(_inside(frame, node, layer, back)):
            sheet.put(y + 1 + line, box + 2, text[: INSIDE - 1], ink)
        loop = palette.warn if frame.cut else palette.text
        sheet.put(y + 1, right, "──╳ ╳" if frame.cut else "────╮", loop)
        sheet.put(y + 2, right, "◂─╳ ╳" if frame.cut else "◂───╯", loop)
        sheet.put(y + 1, right + 6, _weights(frame, f"rnn.weight_hh_l{layer}", "W_hh"), palette.dim)
        text = "cut: all 0" if frame.cut else ""
        if not text and back and layer == spec.num_layers - 1 and node.factor is not None:
            text = f"one step back keeps × {factor(node.factor)}"
        elif not text and node.from_before is not None:
            text = f"‖W_hh·h{subscript(t - 1)}‖ = {factor(node.from_before[layer])}"
        sheet.put(y + 2, right + 6, text, loop)
        arriving = "" if node.from_below is None else f" {factor(node.from_below[layer])}"
        sheet.put(y + 4, middle, f"↑{arriving}", palette.input)
        sheet.put(y + 4, right, _weights(frame, f"rnn.weight_ih_l{layer}", "W_ih"), palette.dim)
    sheet.put(2 + 5 * shown, box + 1, clip(f"x{subscript(t)} {visible(node.x or '·')}", INSIDE), palette.input)


def _weights(frame: Frame, name: str, symbol: str) -> str:
    """`W_hh 20 × 20 = 400 weights`"""
    shape = frame.scene.trace.spec.parameter_shapes.get(name)
    if shape is None:  # a cell without recurrent weights
        return f"no {symbol}: {frame.cell.past_cut}"
    return f"{symbol}  {' × '.join(map(str, shape))} = {prod(shape)} weights"


# -- words -------------------------------------------------------------------------------------------


def _legend(frame: Frame, folded: bool, shown: int, width: int) -> list[str]:
    trace = frame.scene.trace
    part = f" Top of {trace.L} layers." if shown < trace.L else ""
    if frame.cut:
        still = trace.spec.about_cell.past_cut
        text = (
            f"W_hh = 0; only {still} still carries the past." if still else "W_hh = 0: a plain hidden layer, no memory."
        )
        return [f"{text} Press {ACTION_KEYS['cut']} to restore the loop.{part}"]
    if folded:
        return [f"One box, used {frame.T} times with the same weights. {ACTION_KEYS['next']} unrolls it.{part}"]
    if frame.reached is not None:
        which = "the total loss" if frame.loss_step is None else f"L{subscript(frame.loss_step)}"
        return [f"∂h: ‖∂/∂hₜ‖ of {which}; × on an arrow: what that step back keeps.{part}"]
    cell = trace.spec.about_cell
    before = "‖W_hh·h‖" if cell.recurrent or cell.carry is None else f"mean {cell.carry.label}"
    return [f"Boxes: ‖hₜ‖. Arrows: {before} from before, ‖W_ih·x‖ from below. {ACTION_KEYS['next']} folds.{part}"]


# -- the table ---------------------------------------------------------------------------------------


def _summary(frame: Frame, view: View, width: int, height: int, palette: Palette) -> Sheet:
    """As Keras' model.summary(), and where there is room each layer's own parameters."""
    sheet = Sheet(width, height)
    model, spec = frame.scene.model, frame.scene.trace.spec
    rows = [row for row in model.summary() if row.name != "readout" or frame.scene.task.has_readout]
    room = height - 4
    details = room >= len(rows) + len(spec.parameter_shapes)
    second, third = min(26, width // 3), max(34, min(56, width - 4))
    sheet.put(0, 1, "Layer (type)", palette.dim)
    sheet.put(0, second, "Output shape", palette.dim)
    sheet.put(0, third - 7, "Param #", palette.dim)
    sheet.put(1, 1, "━" * (third - 1), palette.faint)
    y = 2
    sizes = {"B": frame.learning.batch_size, "T": frame.scene.task.seq_len}
    for row in rows:
        shape = ", ".join(str(sizes.get(str(n), n)) for n in row.output_shape)
        sheet.put(y, 1, f"{row.name} ({row.kind})", palette.text)
        sheet.put(y, second, f"({shape})", palette.text)
        sheet.put(y, third - len(f"{row.parameters:,}"), f"{row.parameters:,}", palette.text)
        y += 1
        if not details:
            continue
        own = "readout." if row.name == "readout" else f"_l{row.name.rpartition('_l')[2]}"
        for name, size in spec.parameter_shapes.items():
            if name.startswith(own) if own == "readout." else name.endswith(own):
                sheet.put(y, 3, name.partition(".")[2], palette.faint)
                sheet.put(y, second, " × ".join(map(str, size)), palette.faint)
                sheet.put(y, third - len(f"{prod(size):,}"), f"{prod(size):,}", palette.faint)
                y += 1
    sheet.put(y, 1, "━" * (third - 1), palette.faint)
    sheet.put(y + 1, 1, "Total", palette.accent)
    total = f"{sum(row.parameters for row in rows):,}"
    sheet.put(y + 1, third - len(total), total, palette.accent)
    sheet.put(y + 2, 1, "Output shape: (batch, time steps, units).", palette.dim)
    return sheet


def _fold(frame: Frame, view: View) -> dict[str, int]:
    return {"page": 1 - view.page % 2}


NETWORK = Panel(
    "network", "network", "unrolled in time, or folded to its loop", _draw,
    key="d", actions={"next": _fold}, key_labels={"next": "fold", "cut": "loop"}, height=9,
    shows=frozenset(("state", "gradient", "output", "gates", "parameters")),
    rows=lambda frame: 10 + (5 * frame.scene.trace.L + 4) * -(-(frame.T + 1) // 3),
)  # fmt: skip
SUMMARY = Panel("summary", "model summary", "layers, output shapes, parameters", _summary,
                key="i", shows=frozenset(("parameters",)))  # fmt: skip
