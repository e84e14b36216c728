"""The commands that make pictures and films of the app, without a terminal."""

from __future__ import annotations

from rnnviz.cli.command import Argument, Command, number, whole_number
from rnnviz.cli.opening_arguments import AT, BESIDE, INPUT, LESSONS, OF_RECORDING, OF_WEIGHTS, PANEL
from rnnviz.cli.session_flags import OF_LOOKS, speed
from rnnviz.errors import InputError, short_repr
from rnnviz.terminal import LARGEST

SMALLEST = (60, 20)  # cells
PICTURES_AS = ("text", "ansi", "svg")
FILMS_AS = ("v2", "v3", "svg")


def _size(text: str) -> tuple[int, int]:
    columns, _, rows = text.lower().partition("x")
    found = number(columns), number(rows)
    if not all(low <= one <= high for low, one, high in zip(SMALLEST, found, LARGEST, strict=True)):
        smallest, largest = (f"{columns}x{rows}" for columns, rows in (SMALLEST, LARGEST))
        raise InputError(f"size: {short_repr(text)} is not a size from {smallest} to {largest}")
    return found


def _to_a_file(formats: tuple[str, ...]) -> tuple[Argument, ...]:
    """The arguments that say where a picture or a film goes, and in which of these formats."""

    def read(text: str) -> str:
        if text not in formats:
            raise InputError(f"format: {short_repr(text)} is unknown; choose from {', '.join(formats)}")
        return text

    words = f"{', '.join(formats[:-1])} or {formats[-1]}"
    return (
        Argument("-o", "the file to write", metavar="FILE"),
        Argument("--format", f"{words} (default: by the name of the file)", metavar="NAME", read=read),
    )


def _step(text: str) -> int:
    if number(text) < 1:
        raise InputError(f"step: {short_repr(text)} is not the number of a step, 1 and up")
    return number(text)


_LESSON = (
    Argument("--lesson", "of a lesson: its slug or its number", metavar="SLUG"),
    LESSONS,
)
SIZE = Argument(
    "--size", "columns and rows of the screen (default 80x24)", metavar="WxH", read=_size, default=(80, 24)
)  # fmt: skip
_LOOKS = (
    SIZE,
    *OF_LOOKS,
    Argument("--force", "overwrite the file", default=False, more={"action": "store_true"}),
)  # fmt: skip
_OPENED = (*OF_RECORDING, *OF_WEIGHTS, BESIDE, INPUT, AT, PANEL)

_SHOW = Command(
    "show",
    "print one picture of the app, as text or SVG",
    "rnnviz show [FILE.toml|RECORDING|WEIGHTS|SLUG] [flags] [--at PLACE] [--panel NAME] [-o FILE]",
    "Print what the app shows at one place, without opening it: for slides, issues and scripts. To a file that\n"
    "ends in .svg, .txt or .ansi, or as text to standard output. The same picture comes on each run.\n"
    "In the app, Y and then c copies the command for what is on the screen.",
    "rnnviz.cli.pictures:show",
    (
        *_OPENED,
        *_LESSON,
        Argument("--step", "of a lesson: its step, from 1 on (default 1)", metavar="N", read=_step),
        Argument("--answer", "of a lesson: an answer to the question of this step", metavar="TEXT"),
        Argument("--hints", "of a lesson: how many hints are shown", metavar="N", read=whole_number("hints")),
        *_LOOKS,
        *_to_a_file(PICTURES_AS),
    ),
    (
        "rnnviz show --steps 40 --gain 0.7 --at t=12,back --panel ledger",
        "rnnviz show --task names --at train=20,loss --size 100x30 -o names.svg",
        "rnnviz show runs/lstm --record 3 --at back --color none",
        "rnnviz show why-gradients-vanish --step 3 -o step.svg",
    ),
    several=False,
    opens_recordings=True,
    opens_lessons=True,
)  # fmt: skip

_RECORD = Command(
    "record",
    "make a film of a lesson or a run: asciicast, or an animated SVG",
    "rnnviz record SLUG|FILE.toml|RECORDING|WEIGHTS|[flags] -o FILE.cast|FILE.svg [--keys KEYS]",
    "Make a film of the app without a terminal. FILE.svg plays in a README, by CSS alone; FILE.cast plays in\n"
    "asciinema (v2; FILE.v3.cast or --format v3: v3). A lesson plays by itself, as with rnnviz play; anything else\n"
    "is read, and its loss walks back in time, or does what --keys says. The same film comes on each run.",
    "rnnviz.cli.pictures:record",
    (
        *_OPENED,
        *_LESSON,
        Argument(
            "--keys", "keys to press: 'right*20 2s b left*19 o /gain enter'; 2s waits two seconds", metavar="KEYS"
        ),
        Argument("--title", "what the film begins with (default: the lesson or the task)", metavar="TEXT"),
        Argument("--about", "one or two sentences below the title", metavar="TEXT"),
        Argument(
            "--speed", "1 is the pace of a talk, 2 is twice as fast", metavar="S", read=speed, default=1.0
        ),
        *_LOOKS,
        *_to_a_file(FILMS_AS),
    ),
    (
        "rnnviz record why-gradients-vanish -o lesson.cast",
        "rnnviz record --steps 30 --gain 0.7 -o gradient.svg",
        "rnnviz record --cell lstm --keys 'right*10 end right left*10' -o lstm.svg",
    ),
    several=False,
    opens_recordings=True,
    opens_lessons=True,
)  # fmt: skip

PICTURES = (_SHOW, _RECORD)
