"""The single lines around the score: title, telling, key bar. Pure: a frame and a width in, a Sheet out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style

from rnnviz.glyphs import cells, cut, cut_before, lines_at_most
from rnnviz.numbers import loss
from rnnviz.scene.cursor import Phase
from rnnviz.sheet import Sheet
from rnnviz.tui import keys, panels
from rnnviz.tui.marks import accent
from rnnviz.tui.notice import Kind, Notice
from rnnviz.tui.palette import Palette
from rnnviz.tui.panels import Panel
from rnnviz.tui.view import EVERYTHING, View
from rnnviz.tui.voice import KEYS, VOICE
from rnnviz.words import typing
from rnnviz.words.narration import narrate, subjects

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame, Progress

NARROW = 80  # cells below which a sentence of the narration may need two rows
HEADING = 24  # cells of a lesson's heading before the task's name gets any
LOSS = 18  # cells that stay free for the loss
WATCHED = "Each picture shows the network after some epochs. Press [cancel] to stop."
UNWATCHED = "The picture still shows the previous network. Press [cancel] to stop."
ENDS = "Enter or any other key ends typing."
COPYING = "Press the key of what to copy. The clipboard is that of your terminal, also over SSH."
MEANWHILE = "Everything else works meanwhile. Press [cancel] to stop."
ABOUT = 12  # cells below which a panel's title is only its name


def title(
    frame: Frame | None, width: int, palette: Palette, heading: str = " rnnviz ", view: View = EVERYTHING
) -> Sheet:
    sheet = Sheet(width, 1)
    if frame is None:
        sheet.put(0, 0, heading, palette.accent)
        return sheet
    scene, cursor = frame.scene, frame.cursor
    about, spec = frame.cell, scene.trace.spec
    cell = f"cut {about.title}" if frame.cut else about.described(spec.activation)
    layers = f" × {spec.num_layers}" if spec.num_layers > 1 else ""
    both = "" if scene.trace.whole is None else f" {scene.trace.whole.direction}"
    what = f"{cell}{both} · H {scene.H}{layers} T {frame.T}"
    place = frame.learning.where(cursor.epoch, cursor.batch)
    kept = LOSS if frame.learning.trains else LOSS + 2 + len(place)  # which record it is matters more than its name
    room = width - kept - len(what)  # cells of heading and task: the network and its loss always fit
    if not frame.learning.trains and room < cells(heading) + 3 + cells(scene.task.title):
        heading = " "  # the name of the program gives way to that of the layer
    least = 3 + min(ABOUT, cells(scene.task.title))
    heading = _shortened(heading, room - least if room - least >= HEADING else room)
    x = sheet.put(0, 0, heading, palette.accent)
    room -= x + 3
    if room >= min(ABOUT, cells(scene.task.title)):
        shorten = cut if frame.learning.trains else cut_before  # the names of layers differ at their ends
        what = f"{shorten(scene.task.title, room)} · {what}"
    sheet.put(0, x, what, palette.text)
    value = f"loss {'?' if view.hides('loss') else loss(scene.loss)}" if scene.has_loss else "no loss"
    engine = "●" if frame.engine == "numba" else "○"
    alarm = palette.warn if scene.has_exploded else palette.text
    parts = [(value, alarm), (place, palette.text)]
    if view.knows("engine"):
        parts.insert(0, (engine, palette.faint))
    if width >= 100:
        parts.append((f"sequence {scene.sample + 1}/{len(scene.task)}", palette.dim))
    right = width - 1
    for text, style in filter(lambda part: part[0], parts):
        if right - len(text) <= x + cells(what) + 1:
            break
        right -= len(text)
        sheet.put(0, right, text, style)
        right -= 1 if text == engine else 2
    return sheet


def _shortened(heading: str, room: int) -> str:
    return heading if cells(heading) <= room else cut(heading.rstrip(), max(0, room - 1)) + " "


def narration(frame: Frame | None, view: View, width: int, height: int, palette: Palette) -> Sheet:
    """The narration of the moment; a hint, a notice, typed text or a job's progress take precedence. Two rows hold both
    sentences; a narrow screen, where each may take two, needs four."""
    sheet = Sheet(width, height)
    if frame is None:
        sheet.put(0, 1, "Starting …" if view.notice is None else VOICE.say(view.notice.line), palette.dim)
        return sheet
    waits = f"This moment in words: {view.waits}."
    first, second = (waits, "") if view.hides(*subjects(frame)) else narrate(frame, VOICE)
    both = height > (2 if width < NARROW else 1)
    styles = [palette.warn if frame.scene.has_exploded else palette.text, palette.dim]
    notice = current_notice(frame, view, width - 2)
    if is_line(view):
        warning = view.notice if view.notice is not None and view.notice.kind is Kind.WARNING else None
        second = (typing.SAVE if view.saving is not None else typing.how(frame)) if warning is None else warning.line
        styles[1] = palette.dim if warning is None else palette.warn
        if warning is not None and not both:  # until the next key
            notice = warning
    if notice is not None and notice.kind is Kind.HINT and both:
        second, styles[1] = VOICE.say(notice.line), accent(frame, palette)
    elif notice is not None:
        first, styles[0] = VOICE.say(notice.line), notice.style(palette)
        if notice.kind is Kind.PROMPT and not is_line(view):
            second = COPYING if view.copying is not None else f"Type a step from 0 to {frame.T}. {ENDS}"
        elif notice.kind is Kind.PROGRESS and frame.job is not None:
            second = WATCHED if frame.job.what == "training" else UNWATCHED if frame.learning.trains else MEANWHILE
    elif not both and frame.cursor.phase is Phase.FORWARD and frame.cursor.t == 0:
        first = second
    y = 0
    for text, style in zip((first, second) if both else (first,), styles, strict=False):
        for line in lines_at_most(text, width - 2, height - y):
            sheet.put(y, 1, line, style)
            y += 1
    return sheet


def current_notice(frame: Frame | None, view: View, width: int) -> Notice | None:
    """The notice to show, if there is one: a number being typed, a job, a notice or warning, a hint."""
    if frame is None:
        return None
    if is_line(view):
        name, text = ("sequence", view.sequence) if view.saving is None else ("save as", view.saving)
        shown = cut_before(text or "", max(8, width - 12))  # the end is what is being typed
        return Notice(f"{name}: {shown}▏", Kind.PROMPT)
    if view.copying is not None:
        return Notice(view.copying, Kind.PROMPT)
    if view.prompt is not None:
        return Notice(f"go to t = {view.prompt}▏", Kind.PROMPT)
    if frame.job is not None:
        return Notice(progress(frame.job, width, view), Kind.PROGRESS)
    if view.notice is not None:
        return view.notice
    return Notice(frame.hint, Kind.HINT) if frame.hint else None


def is_line(view: View) -> bool:
    """Whether a line of text is being typed below the score."""
    return view.sequence is not None or view.saving is not None


def progress(job: Progress, width: int, view: View = EVERYTHING) -> str:
    """`training  ━━━━━━────  60/100 batches  loss 0.2031`"""
    has_loss = job.loss is not None and not view.hides("loss", "history")
    value = f"  loss {loss(job.loss)}" if has_loss else ""
    tail = f"  {job.done}/{job.total} {job.unit}{value}" if job.unit else ""
    room = max(4, min(30, width - len(job.what) - len(tail) - 2))
    full = room * job.done // max(1, job.total)
    return f"{job.what}  {'━' * full}{'─' * (room - full)}{tail}"


def tabs(
    active: Panel, frame: Frame | None, width: int, palette: Palette, marked: bool = False, view: View = EVERYTHING
) -> Sheet:
    """The open panel's name, and the next one on tab. marked: a lesson points at it."""
    sheet = Sheet(width, 1)
    sign, style = ("▐", palette.accent + Style(reverse=True)) if marked else ("▾", palette.accent)
    x = sheet.put(0, 1, f"{sign} {active.title}", style) + 2
    following = panels.following(active.id, 1, frame, view)
    onward = f"{KEYS['panel']}: {panels.BY_ID[following].title if following else 'close'} "
    if x + len(onward) < width:
        sheet.right(0, onward, palette.faint)
    room = width - len(onward) - x - 1
    if room >= ABOUT:
        sheet.put(0, x, cut(keys.about(active.id, active.about, frame), room), palette.faint)
    return sheet


def key_bar(
    frame: Frame | None, view: View, width: int, palette: Palette, lesson: Sequence[tuple[str, str]] = ()
) -> tuple[Sheet, list[tuple[int, int, str]]]:
    """The keys that apply now, and their places for the mouse: (start, end, id of the action or panel)."""
    sheet = Sheet(width, 1)
    places = []
    x = 1
    cannot = frame.cannot if frame is not None else {}
    panel = panels.BY_ID[view.panel] if view.panel and view.panel not in cannot else None
    words, own = (panel.key_labels, panel.actions) if panel is not None else ({}, {})
    if frame is not None:
        words = {name: label.format(unit=frame.learning.unit) for name, label in words.items()}
    entries = [(_face(name), label, name) for name, label in keys.bar(frame, view, words, lesson)]
    ends = entries[-2:]
    for key, label, name in entries:
        # A panel's own key may stand for another action, and a key that does nothing else here for one of the panel's.
        is_refused = (name in cannot and name not in own) or label in cannot
        if is_refused:  # grey is not enough where there is no colour
            key, label = f"({key}", f"{label})"
        kept = 0 if (key, label, name) in ends else sum(len(face) + len(word) + 3 for face, word, _ in ends)
        if x + len(key) + 1 + len(label) + kept > width:
            continue
        start = x
        x = sheet.put(0, x, key, palette.faint if is_refused else palette.accent)
        x = sheet.put(0, x + 1, label, palette.faint if is_refused else palette.dim)
        places.append((start, x, name))
        x += 2
    return sheet, places


def _face(name: str) -> str:
    """The key of an action or a panel, by its id."""
    return KEYS.get(name, "")
