"""The app's own actions, those that send the player no command, by their ids in the registry of keys (keys.py)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.tui import panels, too_small
from rnnviz.tui.presenter import Blank

if TYPE_CHECKING:
    from rnnviz.tui.guide import Guide
    from rnnviz.tui.screen import ScoreScreen

    Do = Callable[[ScoreScreen], None]


def _following(screen: ScoreScreen, by: int) -> None:
    screen.open_panel(panels.following(screen.view.panel, by, screen.frame, screen.view))


def _seek(screen: ScoreScreen) -> None:
    if screen.frame is not None:
        screen.look(prompt="")


def _find(screen: ScoreScreen) -> None:
    if screen.frame is not None:
        screen.open_panel("knobs")
        screen.look(typing="", finding=True)


def _type(screen: ScoreScreen) -> None:
    """Begin to type a sequence; a lesson keeps the one that its text is about."""
    if screen.guide is not None and screen.guide.is_on:
        screen.say("The sequence belongs to the lesson. Press [lesson_leave] for free play, then [type].")
    elif screen.frame is not None:
        screen.pause()
        screen.hush()
        screen.look(sequence="")


def _save(screen: ScoreScreen) -> None:
    """Begin to type the name of a file."""
    if screen.frame is not None:
        screen.pause()
        screen.hush()
        screen.look(saving=f"{screen.frame.scene.task.name}-{screen.frame.cell.name}.safetensors", overwrites=False)


def _feature(screen: ScoreScreen, by: int) -> None:
    frame = screen.frame
    if frame is None:
        return
    many = frame.scene.trace.I
    if many == 1 or not frame.scene.task.has_features:
        screen.say("The input of a step is one number or symbol here.")
    else:
        screen.look(feature=min(max(min(screen.view.feature, many - 1) + by, 0), many - 1))


def _inputs(screen: ScoreScreen) -> None:
    if not screen.view.knows("gradient"):
        screen.say("The gradient comes in a later lesson. Press [lesson_leave] for free play.")
    else:
        screen.look(input_gradient=not screen.view.input_gradient)


def _scroll(screen: ScoreScreen, by: int) -> None:
    """Scroll a lesson's text, when no open panel handles the key."""
    if screen.guide is not None:
        screen.guide.scroll(by)


def _group(screen: ScoreScreen) -> None:
    screen.say("[group_up] and [group_down] move between groups of knobs. Press [knobs] to open them.")


def _copy(screen: ScoreScreen) -> None:
    """Show what can be copied; the next key chooses."""
    if screen.frame is None:
        return
    from rnnviz.tui.copying import prompt

    screen.pause()
    screen.hush()
    screen.look(copying=prompt(screen))


def _picture(screen: ScoreScreen) -> None:
    """Save what is on the screen, with whatever lies over the score."""
    frame = screen.frame
    if frame is None:
        return
    from rnnviz import ways_out

    screen.hush()  # a notice of before, such as that of the last picture, is not of this one
    screen.draw()
    try:
        path = ways_out.beside_you(f"rnnviz-{frame.scene.task.name}-{frame.cell.name}.svg", screen.picture())
    except InputError as error:
        screen.warn(str(error))
    else:
        screen.say(f"Saved this picture: {ways_out.short(path)}")


def _blank(screen: ScoreScreen) -> None:
    """Pause what plays, too: nobody can see it."""
    screen.pause()
    if screen.guide is not None:
        screen.guide.pause()
    screen.open_screen(Blank())


def _lead(ask: Callable[[Guide], None]) -> Do:
    """An action of the guide; a message if no lesson is open."""

    def do(screen: ScoreScreen) -> None:
        if screen.guide is not None and screen.guide.run is not None:
            ask(screen.guide)
        else:
            screen.say("No lesson is open. Press [contents] for the list of lessons.")

    return do


def _cancel(screen: ScoreScreen) -> None:
    """End one thing at a time: the job, playing, the open panel, the message."""
    if screen.jobs.cancel():
        return
    if screen.playback.is_on:
        screen.pause()
    elif screen.view.panel is not None:
        screen.open_panel(None)
    else:
        screen.look(notice=None)


def _help(screen: ScoreScreen) -> None:
    from rnnviz.tui.help import HelpScreen

    if not too_small.is_too_small(screen.size):
        screen.open_screen(HelpScreen(screen.frame))


def _glossary(screen: ScoreScreen) -> None:
    from rnnviz.tui.glossary import here

    if not too_small.is_too_small(screen.size):
        screen.open_screen(here(screen, screen.guide))


def _map(screen: ScoreScreen) -> None:
    if too_small.is_too_small(screen.size):
        return
    if screen.map is None:
        screen.open_panel(None if screen.view.panel == "map" else "map")
    else:
        screen.open_map(screen.map)


DO: dict[str, Do] = {
    "play": lambda screen: screen.playback.switch(),
    "faster": lambda screen: screen.playback.faster(1),
    "slower": lambda screen: screen.playback.faster(-1),
    "seek": _seek,
    "find": _find,
    "type": _type,
    "save": _save,
    "inputs": _inputs,
    "feature_down": partial(_feature, by=1),
    "feature_up": partial(_feature, by=-1),
    "page_down": partial(_scroll, by=1),
    "page_up": partial(_scroll, by=-1),
    "group_down": _group,
    "group_up": _group,
    "copy": _copy,
    "picture": _picture,
    "to_map": _map,
    "present": lambda screen: screen.present(),
    "blank": _blank,
    "panel": partial(_following, by=1),
    "panel_back": partial(_following, by=-1),
    "lesson_next": _lead(lambda guide: guide.next()),
    "lesson_previous": _lead(lambda guide: guide.previous()),
    "lesson_hint": _lead(lambda guide: guide.hint()),
    "lesson_return": _lead(lambda guide: guide.come_back()),
    "lesson_leave": _lead(lambda guide: guide.leave()),
    "contents": lambda screen: screen.show_lessons(),
    "glossary": _glossary,
    "cancel": _cancel,
    "help": _help,
    "commands": lambda screen: screen.app.action_command_palette(),
    "suspend": lambda screen: screen.app.action_suspend_process(),
    "quit": lambda screen: screen.app.exit(),
}
