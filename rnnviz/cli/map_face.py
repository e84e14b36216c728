"""The face of a map: the screen that it fills in on, and its picture or table for a pipe or a file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rnnviz import terminal, ways_out
from rnnviz.cli.command import Argument, Options
from rnnviz.cli.output import Output
from rnnviz.cli.picture_commands import PICTURES_AS, size, to_a_file
from rnnviz.cli.session_flags import session
from rnnviz.cli.surroundings import memory_missing, terminal_missing
from rnnviz.errors import InputError, short_repr

if TYPE_CHECKING:
    from rnnviz.maps.chart import Chart
    from rnnviz.maps.store import Store
    from rnnviz.tui.maps.session import Work

#: What a picture can show, and the field of a tile (maps/chart.py) that holds it.
SHOWN = {"learnt": "share", "loss": "loss", "horizon": "horizon_before", "horizon-after": "horizon_after"}
ENDS = 10.0  # seconds, at the end, for the processes of a map


def _value(text: str) -> str:
    if text not in SHOWN:
        raise InputError(f"value: {short_repr(text)} is unknown; choose from {', '.join(SHOWN)}")
    return SHOWN[text]


VALUE = Argument(
    "--value", f"of a picture: {', '.join(SHOWN)} (default learnt: the share of the seeds that learnt)",
    metavar="NAME", read=_value, default="share",
)  # fmt: skip
SIZE = Argument("--size", "of a picture: its columns and rows (default: what the map takes)", metavar="WxH", read=size)
PLAIN = Argument("--plain", "in lines of text, for a screen reader", default=False, more={"action": "store_true"})
TO_A_FILE = to_a_file(PICTURES_AS)


def has_screen() -> bool:
    """Whether a map can be looked at in the app here."""
    return terminal_missing("the map") is None and memory_missing() is None


def watch(store: Store, work: Work | None, options: Options) -> int:
    """The app with a map, which fills in if there is work; the exit code. The work ends with the app."""
    from rnnviz.tui.app import run
    from rnnviz.tui.maps.session import MapSession

    name = "" if store.folder is None else ways_out.short(store.folder.absolute())
    here = MapSession(store, work, name)
    here.start()
    try:
        return run(store.spec.base, session=session(options), map=here)
    finally:
        here.finish(ENDS)
        if work is not None and here.done < here.total:
            far = f"{here.done:,} of {here.total:,} points are done"
            print(f"{far}; the same command computes the others.", file=sys.stderr)


def show(store: Store, options: Options) -> int:
    """`rnnviz map show`: the app on a terminal; to a file or a pipe a picture, or with --plain lines of text."""
    from rnnviz.cli import pictures

    to_file = options["o"] is not None or options["format"] is not None
    if options["plain"]:
        return _print_lines(store, options)
    if not to_file and options["size"] is None and has_screen():
        return watch(store, None, options)
    kind = pictures.format_of(options, PICTURES_AS, "text")
    pictures.check_output(options)
    pictures.write(options, picture(store, options, kind, pictures.colors_of(options, kind)))
    return 0


def picture(store: Store, options: Options, kind: str, colors: str) -> str:
    """The picture of a map: "text", "ansi" or "svg", in so many colours."""
    from rnnviz.tui.maps import still
    from rnnviz.tui.palette import GROUNDS, Palette
    from rnnviz.tui.pictures import svg, text
    from rnnviz.tui.pictures.picture import Picture
    from rnnviz.words import map as words

    looks = session(options, has_config=False)
    shade, other = ("light", "dark") if looks.theme == "light" else ("dark", "light")
    needs_ascii = options["o"] is None and terminal.lacks_unicode(sys.stdout)
    is_ascii = bool(looks.ascii or needs_ascii)
    chart, title = chart_of(store), words.title(store.spec, store.spec.base.task)
    palette = Palette(colors, shade == "dark", is_ascii)
    sheet = still.draw(chart, options["value"], title, options["size"] or still.size_of(chart), palette)
    made = Picture(still.in_ascii(sheet) if is_ascii else sheet, colors, GROUNDS[shade], GROUNDS[other])
    if kind == "svg":
        return svg.svg(made, title, "\n".join(words.in_lines(chart, options["value"])))
    return text.plain(made) if kind == "text" and colors == "none" else text.ansi(made)


def chart_of(store: Store) -> Chart:
    """What is drawn of the points that are there."""
    from rnnviz.maps.tally import Tally

    tally = Tally(store.spec)
    for point in store:
        tally.add(point)
    return tally.chart()


def _print_lines(store: Store, options: Options) -> int:
    from rnnviz.words import map as words

    output, title = Output("none"), words.title(store.spec, store.spec.base.task)
    for line in (f"{title}.", *words.in_lines(chart_of(store), options["value"])):
        output.print(line)
    return 0
