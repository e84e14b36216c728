"""`rnnviz read`: the player and the lessons as lines of text, for a screen reader, a braille line or a pipe."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from rnnviz.cli.command import Options
from rnnviz.cli.session_flags import session
from rnnviz.glyphs import one_line
from rnnviz.kiosk import REFUSED, Kiosk


def run(options: Options) -> int:
    """Until the input ends or the word quit. Raises InputError."""
    for stream in (sys.stdin, sys.stdout):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    from rnnviz.experiment import cost
    from rnnviz.plain.loop import Loop
    from rnnviz.player.player import open_player
    from rnnviz.player.present import NOTHING

    kiosk = session(options).kiosk
    if kiosk is not None:
        cost.restrict(kiosk.bytes, kiosk.seconds)
    lesson = None if options["free"] else _lesson(options, kiosk)
    source: Any = options.network or options.recording or options.experiments[0]
    player = open_player(
        source if lesson is None else lesson[2],
        typed=options["input"],
        say=lambda text: print(one_line(text), file=sys.stderr),
        refused=NOTHING if kiosk is None else REFUSED,
    )
    loop = Loop(player, symbols=options["symbols"], kiosk=kiosk)
    if lesson is not None:
        from rnnviz.plain.lesson import Guide

        course, progress, _ = lesson
        loop.reader.guide = Guide(loop.reader, course, progress, options.values.get("slug"))
    engine = _compiling(kiosk) if loop.is_interactive else None
    try:
        return loop.run()
    finally:
        if engine is not None:
            engine.stop()


def _lesson(options: Options, kiosk: Kiosk | None) -> tuple[Any, Any, Any]:
    """The course, the progress in it, and what the first lesson opens. Raises InputError."""
    from rnnviz.lessons.course import find
    from rnnviz.lessons.opening import first_lesson
    from rnnviz.lessons.progress import progress_of
    from rnnviz.plain.panels import PANELS

    course = find(options["lessons"])
    progress = progress_of(course.name, kiosk)
    return course, progress, first_lesson(course, progress, options.values.get("slug"), PANELS).target.source


def _compiling(kiosk: Kiosk | None) -> Any:
    """The compiled engine, prepared in the background as in the app; None if it is unavailable. From a pipe NumPy
    computes alone, so that the same lines get the same digits."""
    from rnnviz.nn import compiler_errors

    try:
        from rnnviz.nn import loading

        return loading.start(on_note=lambda text: print(f"rnnviz: {one_line(text)}", file=sys.stderr),
                             compiles=kiosk is None)  # fmt: skip
    except Exception as error:
        if kiosk is None:
            compiler_errors.keep(error)
        return None
