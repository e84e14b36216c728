"""The face of a map: the screen that it fills in on, and its picture or its lines for a file or a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rnnviz import terminal, ways_out
from rnnviz.cli.command import Options
from rnnviz.cli.output import Output
from rnnviz.cli.picture_commands import PICTURES_AS
from rnnviz.cli.session_flags import session
from rnnviz.cli.surroundings import memory_missing, terminal_missing
from rnnviz.errors import InputError

if TYPE_CHECKING:
    from rnnviz.maps.chart import Chart
    from rnnviz.maps.store import Store
    from rnnviz.tui.maps.session import Work

ENDS = 10.0  # seconds, at the end, for the processes of a map
#: What is printed or written in place of the screen.
INSTEAD = ("json", "csv", "plain", "svg", "shard")


def wants_screen(options: Options) -> bool:
    """Whether the map is looked at in the app."""
    if any(options[name] for name in INSTEAD):
        return False
    return terminal_missing("the map") is None and memory_missing() is None


def watch(store: Store, work: Work | None, options: Options) -> int:
    """The app with a map, which fills in if there is work; the exit code. The work ends with the app. Raises
    InputError for what ended the work."""
    from rnnviz.tui.app import run
    from rnnviz.tui.maps.session import MapSession

    name = "" if store.folder is None else ways_out.short(store.folder.absolute())
    here = MapSession(store, work, name, options["value"])
    here.start()
    try:
        code = run(store.spec.base, session=session(options), map=here)
    finally:
        here.finish(ENDS)
    if here.error:
        raise InputError(here.error)
    if work is not None and here.done < here.total:
        onward = "nothing is kept without -o DIR" if store.folder is None else "the same command continues from here"
        print(f"{here.done:,} of {here.total:,} points are done; {onward}", file=sys.stderr)
    return code


def check_file(options: Options) -> None:
    """Refuse a file that cannot be the picture's before the work, not after it. Raises InputError."""
    from rnnviz.cli import pictures

    if options["svg"] is not None:
        pictures.format_of(options["svg"], PICTURES_AS, "svg")
        ways_out.check(options["svg"], overwrites=options["force"])


def write_file(store: Store, options: Options) -> None:
    """The picture, if one is asked for. Raises InputError."""
    from rnnviz.cli import pictures

    if options["svg"] is None:
        return
    kind, chosen = pictures.format_of(options["svg"], PICTURES_AS, "svg"), session(options, has_config=False).colors
    colors = chosen or ("none" if kind == "text" else "truecolor")
    ways_out.write(options["svg"], _picture(store, options, kind, colors), overwrites=options["force"])


def _picture(store: Store, options: Options, kind: str, colors: str) -> str:
    from rnnviz.tui.maps import still
    from rnnviz.tui.palette import GROUNDS, Palette
    from rnnviz.tui.pictures import svg, text
    from rnnviz.tui.pictures.picture import Picture
    from rnnviz.words import map as words

    looks, value = session(options, has_config=False), options["value"]
    shade, other = ("light", "dark") if looks.theme == "light" else ("dark", "light")
    chart, title = chart_of(store), words.title(store.spec)
    palette = Palette(colors, shade == "dark", bool(looks.ascii))
    sheet = still.draw(chart, value, title, options["size"] or still.size_of(chart), palette)
    made = Picture(sheet, colors, GROUNDS[shade], GROUNDS[other])
    if kind == "svg":
        return svg.svg(made, title, "\n".join(words.in_lines(chart, value)))
    return text.plain(made) if kind == "text" and colors == "none" else text.ansi(made)


def print_picture(out: Output, store: Store, options: Options) -> None:
    """Print the picture, in the colours of this terminal; as wide as it is, unless a size is asked for."""
    from rnnviz.tui.maps import still
    from rnnviz.tui.palette import Palette

    chart, looks = chart_of(store), session(options)
    width, height = options["size"] or still.size_of(chart, out.width, headed=False)
    colors = terminal.colors(choice=looks.colors, is_terminal=sys.stdout.isatty())
    is_light = looks.theme == "light" or (looks.theme is None and bool(terminal.is_light()))
    is_ascii = bool(looks.ascii or out.ascii)
    palette = Palette(colors, not is_light, is_ascii)
    sheet = still.draw(chart, options["value"], "", (width, height), palette)
    if palette.has_color:
        out.print_sheet(sheet)
    else:
        out.print("\n".join(line.rstrip() for line in sheet.plain()))


def print_lines(out: Output, store: Store, options: Options) -> None:
    """Print the map in words."""
    from rnnviz.words import map as words

    for line in (f"{words.title(store.spec)}.", *words.in_lines(chart_of(store), options["value"])):
        out.print(line)


def chart_of(store: Store) -> Chart:
    """What is drawn of the points that are there."""
    from rnnviz.maps.tally import Tally

    tally = Tally(store.spec)
    for point in store:
        tally.add(point)
    return tally.chart()
