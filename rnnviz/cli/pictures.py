"""`rnnviz show` and `rnnviz record`: pictures and films of the app, made without a terminal."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz import terminal, ways_out
from rnnviz.cli.command import Options
from rnnviz.cli.picture_commands import FILMS_AS, PICTURES_AS
from rnnviz.cli.session_flags import session
from rnnviz.errors import InputError
from rnnviz.glyphs import one_line, visible

if TYPE_CHECKING:
    from rnnviz.tui.films.film import Film
    from rnnviz.tui.films.headless import Studio

_BY_ENDING = {".svg": "svg", ".txt": "text", ".ansi": "ansi", ".cast": "v2"}


def show(options: Options) -> int:
    """Run `rnnviz show` and return its exit code. Raises InputError."""
    kind = _format(options, PICTURES_AS, "text")
    _check_output(options)
    of_a_step = next((name for name in ("step", "answer", "hints") if options[name] is not None), None)
    if of_a_step is not None and options.values.get("slug") is None:
        raise InputError(f"{of_a_step}: only a lesson has steps; name one with --lesson")
    colors = _colors(options, kind)
    _write(options, asyncio.run(_picture(options, kind, colors)))
    return 0


async def _picture(options: Options, kind: str, colors: str) -> str:
    from rnnviz.tui.pictures import svg, text

    async with _studio(options, colors, options["step"] or 1) as made:
        guide = made.app.main.guide
        if guide is not None:
            exercise = None if guide.run is None else guide.run.open_exercise
            there = 0 if exercise is None else len(exercise.hints)
            if (options["hints"] or 0) > there:
                raise InputError(f"hints: {options['hints']} is more than the {there} of this step of the lesson")
            for _ in range(options["hints"] or 0):
                guide.hint()
            if options["answer"] is not None:
                if guide.run is None or guide.run.open_question is None:
                    raise InputError("answer: this step of the lesson asks no question")
                guide.run.submit(options["answer"], made.app.main.frame)  # raises InputError for what is no answer
                guide.answer(options["answer"])
            await made.rest()
            await made.go(options["at"], options["panel"])
        picture = made.picture()
    if kind == "svg":
        return svg.svg(picture, _title(options, made), "")
    return text.plain(picture) if kind == "text" and colors == "none" else text.ansi(picture)


def record(options: Options) -> int:
    """Run `rnnviz record` and return its exit code. Raises InputError."""
    if options["o"] is None and options["format"] is None:
        raise InputError("o: name the file to write, such as film.svg or film.cast")
    kind = _format(options, FILMS_AS, "svg")
    _check_output(options)
    if options.values.get("slug") is not None and (options["keys"] or options["at"] or options["panel"]):
        raise InputError("keys: a lesson plays by itself; leave --keys, --at and --panel out")
    film = film_of(options)
    if kind == "svg":
        from rnnviz.tui.films.animated_svg import animated_svg

        content = animated_svg(film)
    else:
        from rnnviz.tui.films.cast import cast

        content = cast(film, int(kind[1:]))
    _write(options, content)
    if options["o"] is not None:
        print(one_line(f"{options['o']}: {film.seconds:.1f} seconds, {len(content.encode()) / 1000:,.0f} kB"))
    return 0


def film_of(options: Options) -> Film:
    """The film that a command line asks for. Raises InputError."""
    return asyncio.run(_film(options))


async def _film(options: Options) -> Film:
    from rnnviz.tui.films import film

    strokes = None if options["keys"] is None else film.script(options["keys"])
    async with _studio(options, session(options, has_config=False).colors or "truecolor", 1) as made:
        title, about = options["title"] or _title(options, made), options["about"] or ""
        guide = made.app.main.guide
        if guide is not None and guide.run is not None:
            return await film.of_lesson(made, title, about or guide.run.lesson.summary, options["speed"])
        return await film.of_keys(made, strokes, title, about, options["speed"])


def _studio(options: Options, colors: str, step: int) -> AbstractAsyncContextManager[Studio]:
    from rnnviz.lessons.course import Start
    from rnnviz.tui import panels
    from rnnviz.tui.films.headless import studio

    if options["panel"] is not None and options["panel"] not in panels.BY_ID:
        raise panels.unknown(options["panel"])
    lesson, asked = options.values.get("slug"), session(options, has_config=False)
    if lesson is None and options["lessons"] is not None:
        raise InputError("lessons: name a lesson of this folder, by its slug or number")
    needs_ascii = options["o"] is None and terminal.lacks_unicode(sys.stdout)
    is_lesson = lesson is not None
    return studio(
        None if is_lesson else options.network or options.recording or options.experiments[0],
        start=Start(options["lessons"], lesson, step=step) if is_lesson else None,
        typed=options["input"], place=options["at"], panel=options["panel"],
        size=options["size"],
        session=replace(asked, colors=colors, theme=asked.theme or "dark", ascii=asked.ascii or needs_ascii),
    )  # fmt: skip


def _format(options: Options, allowed: tuple[str, ...], otherwise: str) -> str:
    if options["format"] is not None:
        return str(options["format"])
    return otherwise if options["o"] is None else format_of(options["o"], allowed, "o", ", or --format")


def format_of(file: str, allowed: tuple[str, ...], name: str, otherwise: str = "") -> str:
    """The format that the ending of a file names. name, otherwise: the flag in an error, and what else can be done.
    Raises InputError."""
    stem, ending = os.path.splitext(file)
    found = "v3" if stem.endswith(".v3") and ending == ".cast" else _BY_ENDING.get(ending.lower())
    if found is None or found not in allowed:
        endings = ", ".join(end for end, kind in _BY_ENDING.items() if kind in allowed)
        raise InputError(f"{name}: {visible(file)}: its ending says no format; use {endings}{otherwise}")
    return found


def _colors(options: Options, kind: str) -> str:
    """Those asked for; else all of a file that can have them, and those of the terminal, none in a pipe."""
    chosen = session(options, has_config=False).colors
    if chosen is not None:
        return chosen
    if kind == "text" and options["o"] is None:
        return terminal.colors(is_terminal=sys.stdout.isatty())
    return "none" if kind == "text" else "truecolor"


def _title(options: Options, made: Studio) -> str:
    main = made.app.main
    if main.guide is not None and main.guide.run is not None:
        return str(main.guide.run.lesson.name)
    frame = main.frame
    return "rnnviz" if frame is None else f"rnnviz · {frame.scene.task.title}"


def _check_output(options: Options) -> None:
    """Refuse a file that is there before the work, not after it."""
    if options["o"] is not None:
        ways_out.check(options["o"], overwrites=options["force"])


def _write(options: Options, content: str) -> None:
    if options["o"] is None:
        sys.stdout.write(content)
    else:
        ways_out.write(options["o"], content, overwrites=options["force"])
