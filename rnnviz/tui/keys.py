"""The registry of keys, from which bindings, key bar, help screen, command palette and README are made,
and the short forms of the words that the plain face understands. Imports no Textual.

An action sends the player a command made from the frame, or is one of the app's own (see actions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnnviz.scene.commands import (
    Back,
    Check,
    Command,
    Cut,
    DismissGhost,
    Left,
    Next,
    Pin,
    Previous,
    Redo,
    Right,
    Seek,
    SelectUnit,
    ShowGradient,
    ShowSample,
    Train,
    Undo,
)
from rnnviz.scene.cursor import Phase

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.view import View


@dataclass(frozen=True)
class Action:
    """keys: Textual's names. label: a word or two for the key bar. help: one line for help and palette.
    command: makes the player's command; without one it is one of the app's own actions (see actions.py)."""

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: str
    command: Callable[[Frame], Command] | None = None


def _const(command: Command) -> Callable[[Frame], Command]:
    return lambda frame: command


def _loss_step(by: int) -> Callable[[Frame], Command]:
    """A command that shows the gradient of the neighbouring loss step."""

    def choose(frame: Frame) -> Command:
        having = frame.scene.loss_steps
        if frame.loss_step is None:
            return ShowGradient("last")
        at = having.index(frame.loss_step) if frame.loss_step in having else 0
        return ShowGradient(having[min(max(at + by, 0), len(having) - 1)])

    return choose


WALK, TRAIN, CHANGE, LOOK, LESSON, APP = "Walk", "Train", "Change", "Look", "Lessons", "App"

ACTIONS: tuple[Action, ...] = (
    Action("right", ("right", "l"), "read", "read the next step; on the way back: undo one step back", WALK,
           _const(Right())),
    Action("left", ("left", "h"), "undo step", "undo the last step read; after the loss: go back in time", WALK,
           _const(Left())),
    Action("next", ("enter",), "next", "next event: step, loss, way back, update", WALK,
           _const(Next())),
    Action("previous", ("backspace",), "previous", "previous event", WALK, _const(Previous())),
    Action("play", ("space",), "play", "play the events one after the other, or pause", WALK),
    Action("faster", ("plus", "equals_sign"), "faster", "play faster", WALK),
    Action("slower", ("minus",), "slower", "play slower", WALK),
    Action("start", ("home",), "start", "go to t = 0", WALK, _const(Seek(0))),
    Action("end", ("end",), "end", "go to the last step", WALK, lambda frame: Seek(frame.T)),
    Action("seek", ("g",), "go to", "go to a step: press [seek] or a digit, then type its number", WALK),
    Action("batch", ("b",), "batch", "train by one batch", TRAIN, _const(Train("batch"))),
    Action("epoch", ("e",), "epoch", "train to the end of the epoch", TRAIN, _const(Train("epoch"))),
    Action("all", ("a",), "all", "train through all epochs of the experiment", TRAIN, _const(Train("all"))),
    Action("batch_back", ("B",), "", "go back one batch of training", TRAIN, _const(Back("batch"))),
    Action("epoch_back", ("E",), "", "go back one epoch", TRAIN, _const(Back("epoch"))),
    Action("all_back", ("A",), "untrain", "go back to the untrained network", TRAIN, _const(Back("all"))),
    Action("type", ("T",), "type", "type a sequence for the network to read, or move one value of this one: 7 = 0.5",
           CHANGE),
    Action("cut", ("x",), "cut loop", "cut the loop (W_hh = 0: a plain hidden layer, no memory), or restore it", CHANGE,
           _const(Cut())),
    Action("undo", ("u",), "undo", "undo the last change to a knob or the loop", CHANGE, _const(Undo())),
    Action("redo", ("U",), "redo", "redo the change last undone", CHANGE, _const(Redo())),
    Action("ghost", ("z",), "hide ghost", "hide the ghost: the run before your first change", CHANGE,
           _const(DismissGhost())),
    Action("gradient", ("t",), "total", "show the gradient of the last step's loss alone, or of the total loss", LOOK,
           _const(ShowGradient("switch"))),
    Action("loss_before", ("less_than_sign", "comma"), "", "show the gradient of an earlier step's loss", LOOK,
           _loss_step(-1)),
    Action("loss_after", ("greater_than_sign", "full_stop"), "", "show the gradient of a later step's loss", LOOK,
           _loss_step(1)),
    Action("unit_up", ("up", "k"), "", "select the unit above", LOOK, _const(SelectUnit(-1))),
    Action("unit_down", ("down", "j"), "", "select the unit below", LOOK, _const(SelectUnit(1))),
    Action("inputs", ("I",), "∂L/∂x", "show in place of the input how much the loss depends on it: ∂L/∂x, or the input",
           LOOK),
    Action("feature_down", ("right_curly_bracket",), "", "select the next number of each input, of several", LOOK),
    Action("feature_up", ("left_curly_bracket",), "", "select the number before", LOOK),
    Action("sample", ("w",), "next sequence", "show the next sequence of the data", LOOK, _const(ShowSample(1))),
    Action("sample_back", ("W",), "", "show the previous sequence", LOOK, _const(ShowSample(-1))),
    Action("pin", ("P",), "pin", "pin these settings as the baseline that [compare] compares with", LOOK,
           _const(Pin())),
    Action("check", ("p",), "check", "gradient check: compare this sequence's gradients with finite differences", LOOK,
           _const(Check())),
    Action("find", ("slash",), "find", "find a knob by name", LOOK),
    Action("page_down", ("pagedown",), "", "scroll down an open list, or a lesson's text that does not fit", LOOK),
    Action("page_up", ("pageup",), "", "scroll up", LOOK),
    Action("group_down", ("right_square_bracket",), "", "go to the next group of knobs", LOOK),
    Action("group_up", ("left_square_bracket",), "", "go to the previous group", LOOK),
    Action("save", ("S",), "save", "save the network's weights (.safetensors, .npz) or the experiment (.toml)", LOOK),
    Action("copy", ("Y",), "copy", "copy the number, the row, this view as a command line, or the panel's code", LOOK),
    Action("picture", ("ctrl+s",), "picture", "save a picture of the screen as SVG, into the current folder", LOOK),
    Action("panel", ("tab",), "panel", "open the next panel: fit, feeding on itself, loss curve", LOOK),
    Action("panel_back", ("shift+tab",), "", "open the previous panel", LOOK),
    Action("lesson_next", ("n",), "next", "go to the lesson's next step ([next] too, when no question is open)",
           LESSON),
    Action("lesson_previous", ("N",), "", "go to the lesson's previous step", LESSON),
    Action("lesson_hint", ("H",), "hint", "show a hint for the open exercise", LESSON),
    Action("lesson_return", ("r",), "restore",
           "ask an answered question again; otherwise restore this step's picture and end free play", LESSON),
    Action("lesson_leave", ("F",), "free play", "pause the lesson and explore freely; [lesson_return] returns to it",
           LESSON),
    Action("contents", ("L",), "lessons", "show all lessons and your progress: open, find, replay, reset", LESSON),
    Action("glossary", ("G",), "glossary", "explain the terms, first those of the open page; letters search", LESSON),
    Action("to_map", ("f7",), "map", "open a small map around this network; with rnnviz map: go back to the map", APP),
    Action("present", ("f5",), "present", "the presenter's layout: more space, no key bar; or the usual one", APP),
    Action("blank", ("f6",), "blank", "blank the screen; any key shows it again", APP),
    Action("cancel", ("escape",), "stop", "stop the job or close the panel", APP),
    Action("help", ("question_mark", "f1"), "keys", "show all keys", APP),
    Action("commands", ("ctrl+p",), "", "find a command by name", APP),
    Action("suspend", ("ctrl+z",), "", "suspend rnnviz; fg in the shell resumes it", APP),
    Action("quit", ("q", "ctrl+q", "ctrl+c"), "quit", "quit rnnviz", APP),
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}
# What follows is in use, and changes with the user's configuration (keymap.py); the keys of ACTIONS are the defaults.
BY_KEY = {key: action.id for action in ACTIONS for key in action.keys}

FACES = {
    "right": "→", "left": "←", "up": "↑", "down": "↓", "space": "space", "plus": "+", "minus": "-",
    "equals_sign": "=", "question_mark": "?", "f1": "F1", "less_than_sign": "<", "greater_than_sign": ">",
    "comma": ",", "slash": "/", "pagedown": "PgDn", "pageup": "PgUp", "left_square_bracket": "[",
    "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}", "full_stop": ".",
    "escape": "esc", "home": "Home", "end": "End",
}  # fmt: skip


def face(key: str) -> str:
    """A key's name on the screen."""
    return FACES.get(key) or (key.upper() if key[0] == "f" and key[1:].isdecimal() else key)


#: The key of each action, as sentences name it.
ACTION_KEYS = {action.id: face(action.keys[0]) for action in ACTIONS}

#: The name under which a lesson introduces a key (see lessons/introductions.py); panels use their own ids.
INTRODUCED = {
    "batch": "train", "epoch": "train", "all": "train", "all_back": "train", "cut": "cut", "gradient": "gradient",
    "ghost": "ghost", "inputs": "gradient",
}  # fmt: skip


def bar(
    frame: Frame | None, view: View, panel_words: Mapping[str, str], lesson: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, str]]:
    """The entries of the key bar, the most useful first: the id of an action or a panel, with its label here. The last
    two are always shown."""
    if frame is None:
        return [("quit", "quit")]
    always = [("help", "keys"), ("quit", "quit")]
    if frame.job is not None:
        return [("cancel", "stop"), *always]
    asleep = {"ghost"} if frame.ghost is None else set()
    taken = [*lesson, *(entry for entry in panel_words.items() if entry[0] not in asleep)]
    hidden = {*dict(taken), *(["next"] if "lesson_next" in dict(lesson) else [])}  # enter continues the lesson
    walk = [_turned(entry, frame) for entry in _walk(frame, view)]
    walk = [entry for entry in walk if entry[0] not in hidden]
    if frame.reached is not None and view.panel is None:
        walk.append(("ledger", "why"))
    play = ("play", "pause" if view.playing else "play")
    train = frame.learning.ways(frame.cursor.epoch)
    other = "total" if frame.loss_step is not None else "one loss"
    if not frame.scene.has_loss:
        other = "singular value" if frame.frobenius else "Frobenius"
    which = [("gradient", other)] if frame.reached is not None else []
    rest = (*walk, play, ("panel", "panel"), *which, *train)
    return [*taken, *(entry for entry in rest if entry[0] not in dict(taken) and is_known(entry[0], view)), *always]


def _turned(entry: tuple[str, str], frame: Frame) -> tuple[str, str]:
    """The arrow that goes with the picture, where a direction reads from right to left."""
    if not frame.scene.reads_back:
        return entry
    name, label = entry
    return {"left": "right", "right": "left"}.get(name, name), label.replace("back in time", "on in time")


def about(name: str, otherwise: str, frame: Frame | None) -> str:
    """What an action does or a panel shows in this run, in one line."""
    renamed = {} if frame is None else frame.learning.renamed
    return renamed[name][1] if name in renamed else otherwise


def is_known(name: str, view: View) -> bool:
    """Whether a key, by the id of its action or panel, has been introduced."""
    if name == "panel":
        return view.introduced != frozenset()
    if name in INTRODUCED:
        return view.knows(INTRODUCED[name])
    return name in BY_ID or view.knows(name)


def _walk(frame: Frame, view: View) -> list[tuple[str, str]]:
    back = view.knows("gradient")
    match frame.cursor.phase:
        case Phase.FORWARD if frame.cursor.t == frame.T and not view.knows("turn"):
            return [("left", "undo step")]
        case Phase.LOSS | Phase.BACKWARD if not back:
            return [("previous", "back to reading")]
        case Phase.FORWARD if frame.cursor.t == 0:
            return [("right", "read on")]
        case Phase.FORWARD if frame.cursor.t == frame.T:
            return [("right", "compute the loss"), ("left", "undo step")]
        case Phase.FORWARD:
            return [("right", "read on"), ("left", "undo step")]
        case Phase.LOSS:
            return [("left", "back in time"), ("previous", "back to reading")]
        case Phase.UPDATE:
            return [("next", "next batch"), ("right", "undo step")]
    if frame.cursor.t == 0 and "update" in frame.cannot:
        return [("right", "undo step")]
    onward = ("next", "update") if frame.cursor.t == 0 else ("left", "back in time")
    return [onward, ("right", "undo step")]
