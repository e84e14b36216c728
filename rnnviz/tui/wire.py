"""What goes over the wire: a partial update that sends the changed cells and no others.

Textual knows exactly which stretches of a line changed, but sends each from its widget's left edge, and every
piece with its whole style and a reset. Over SSH that is ten times what a step needs. Here each stretch starts
where it starts, and a style is told only in what differs from the one before.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate

Codes = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]  # attributes, foreground, background
PLAIN: Codes = ((), (), ())
_ATTRIBUTES = {"bold": "1", "dim": "2", "italic": "3", "underline": "4", "reverse": "7"}
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27"}


@lru_cache(maxsize=4096)
def codes(style: Style | None, system: ColorSystem) -> Codes:
    """The SGR numbers of a style, kept apart by what they set."""
    if style is None:
        return PLAIN
    attributes = tuple(number for name, number in _ATTRIBUTES.items() if getattr(style, name))
    ink = style.color.downgrade(system).get_ansi_codes() if style.color else ()
    ground = style.bgcolor.downgrade(system).get_ansi_codes(foreground=False) if style.bgcolor else ()
    return attributes, tuple(ink), tuple(ground)


def change(old: Codes, new: Codes, *, blank: bool) -> tuple[str, Codes]:
    """The escape sequence from one style to the next, and the style then in force. A blank shows no ink."""
    attributes, ink, ground = new
    if blank and not {"4", "7"} & {*old[0], *attributes}:
        attributes, ink = old[0], old[1]
    gone = [a for a in old[0] if a not in attributes]
    if (old[1] and not ink) or (old[2] and not ground) or ({"1", "2"} & {*gone} and {"1", "2"} & {*attributes}):
        return f"\x1b[{';'.join(('0', *attributes, *ink, *ground))}m", (attributes, ink, ground)
    told = [
        *(_OFF[a] for a in gone),
        *(a for a in attributes if a not in old[0]),
        *(ink if ink != old[1] else ()),
        *(ground if ground != old[2] else ()),
    ]
    return (f"\x1b[{';'.join(told)}m" if told else ""), (attributes, ink, ground)


class TightUpdate(ChopsUpdate):
    """A ChopsUpdate, told in as few bytes as it takes."""

    @classmethod
    def of(cls, update: ChopsUpdate) -> TightUpdate:
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        system = console._color_system or ColorSystem.TRUECOLOR
        out: list[str] = []
        now = PLAIN
        for y, start, end in self.spans:
            for stop, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                left, right = max(x, start), min(stop, end)
                if strip is None or left >= right:
                    continue
                out.append(f"\x1b[{y + 1};{left + 1}H")
                for text, style, control in strip.crop(left - x, right - x):
                    if control:
                        continue
                    sequence, now = change(now, codes(style, system), blank=text.isspace())
                    out.append(sequence + text)
        if now != PLAIN:
            out.append("\x1b[0m")
        return "".join(out)
