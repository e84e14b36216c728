"""The actions that send the player no command of their own, or one with a number or a text behind the word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.experiment.experiment import SETTINGS, in_labels
from rnnviz.plain import panels, rows
from rnnviz.plain.glossary import explained
from rnnviz.plain.help import all_words
from rnnviz.plain.panels import PANELS, knob_line
from rnnviz.plain.words import VOICE, quoted
from rnnviz.scene.commands import Go, Measure, Next, SaveModel, Seek, SelectUnit, ShowSample, Train, TypeSequence
from rnnviz.scene.cursor import Phase
from rnnviz.tui.keys import BY_ID
from rnnviz.words import typing

if TYPE_CHECKING:
    from rnnviz.plain.host import Host
    from rnnviz.scene.commands import Command

MOST = 1000  # repetitions


def act(host: Host, name: str, rest: str) -> None:
    """An action of the app: one of those below, or its command, once or so many times."""
    if name in DO:
        DO[name](host, rest)
        return
    command = BY_ID[name].command
    if command is None:
        host.say(_ELSEWHERE.get(name, "This is about the screen of the app; there is none here."))
        return
    if rest and not (rest.isdecimal() and 1 <= int(rest[:6]) <= MOST):
        host.say(VOICE.say(f"After [{name}] comes nothing, or a number from 1 to {MOST}."))
        return
    count = int(rest) if rest else 1
    first = command(host.frame)
    if isinstance(first, Train) and first.amount != "all":
        host.send(replace(first, count=count))
    elif isinstance(first, ShowSample | SelectUnit):
        host.send(replace(first, by=first.by * count))
    else:
        host.send(*[first] * count)


#: Words of the app that have no meaning here.
_ELSEWHERE = {
    "faster": "There is no speed here: each word is answered at once.",
    "slower": "There is no speed here: each word is answered at once.",
    "copy": "There is nothing to copy here: the answers are text already.",
    "suspend": "Control and z suspends rnnviz, as any program; fg in the shell resumes it.",
}

# -- walking ---------------------------------------------------------------------------------------------------


def _seek(host: Host, rest: str) -> None:
    if rest.isdecimal() and len(rest) <= 6:
        host.send(Seek(host.frame.scene.time(int(rest))))
    else:
        host.say(VOICE.say(f"[seek] needs the number of a step, 0 to {host.frame.T}."))


def _play(host: Host, rest: str) -> None:
    """To the end of the sequence; then the way back and the update; then the next batch."""
    frame = host.frame
    match frame.cursor.phase:
        case Phase.FORWARD if frame.cursor.t < frame.T:
            host.send(Seek(frame.T))
        case Phase.LOSS | Phase.BACKWARD if frame.cursor.t:
            host.send(Go("backward", 0))
            if "update" not in frame.cannot:
                host.send(Next())
        case _:
            host.send(Next())


def _unit(host: Host, rest: str) -> None:
    unit, last = host.frame.cursor.unit, host.frame.scene.H - 1
    number = _number(rest, 0, last)
    if number is None:
        host.say(f"Units have the numbers 0 to {last}; unit {unit} is chosen.")
    elif number == unit:
        host.say(f"Unit {unit} is chosen already.")
    else:
        host.send(SelectUnit(number - unit))


def _sequence(host: Host, rest: str) -> None:
    here, last = host.frame.scene.sample + 1, len(host.frame.scene.task)
    number = _number(rest, 1, last)
    if number is None:
        host.say(f"Sequences have the numbers 1 to {last}; this is {here}.")
    elif number == here:
        host.say(f"This is sequence {here}.")
    else:
        host.send(ShowSample(number - here))


def _number(text: str, first: int, last: int) -> int | None:
    """What is written, if it is one of these numbers."""
    return int(text) if text.isdecimal() and len(text) <= 9 and first <= int(text) <= last else None


# -- text ------------------------------------------------------------------------------------------------------


def _type(host: Host, rest: str) -> None:
    if rest:
        host.send(TypeSequence(rest))
        return
    how = typing.how(host.frame).removesuffix(typing.ENDS).strip().replace("= ", "the equals sign ")
    host.say(
        VOICE.say(f"Write after [type] what the network reads. {how} [undo] restores the sequence of the data.")
    )  # fmt: skip


def _save(host: Host, rest: str) -> None:
    """An existing file is overwritten with "over" before its name."""
    frame = host.frame
    over, _, path = rest.partition(" ")
    if not rest:
        name = f"{frame.scene.task.name}-{frame.cell.name}.safetensors"
        formats = f".safetensors or .npz for the weights, such as {name}, or .toml for the settings"
        host.say(VOICE.say(f"Write a file's name after [save]: {formats}."))
    elif host.carry_out(SaveModel(path, True) if over == "over" and path else SaveModel(rest)):
        host.say(VOICE.say(host.frame.hint))


def _inputs(host: Host, rest: str) -> None:
    if not host.frame.scene.has_loss:
        host.say("Without a loss there is no gradient on the inputs.")
    elif host.carry_out(Measure("inputs", host.frame.loss_step)):
        host.say(*rows.input_gradient(host.frame, host.mask))


def _features(host: Host, rest: str) -> None:
    host.say(*rows.row("input", host.frame, host.mask))


# -- knobs -----------------------------------------------------------------------------------------------------


def set_knob(host: Host, name: str, text: str) -> None:
    """Set a knob, or describe it."""
    from rnnviz.views.knobs import typed

    reason = host.frame.cannot.get("knobs")
    if reason is not None:
        host.say(VOICE.say(reason))
        return
    host.open = replace(host.open, knob=name)
    if not text:
        host.say(knob_line(host.frame, name, host.locked))
    else:
        _change(host, name, lambda: typed(host.frame, name, text))


def choose_knob(host: Host, name: str) -> None:
    """The next knob or the one before; or the first of the next group, or of the one before."""
    from rnnviz.views.knobs import beside_group, listed

    alive = listed(host.frame, host.locked)
    at = next((i for i, knob in enumerate(alive) if knob.name == host.open.knob), 0)
    by = 1 if name.endswith("down") else -1
    to = at + by if name.startswith("unit") else beside_group(alive, at, by, host.locked)
    knob = alive[min(max(to, 0), len(alive) - 1)].name
    host.open = replace(host.open, knob=knob)
    host.say(knob_line(host.frame, knob, host.locked))


def turn_knob(host: Host, name: str) -> None:
    """The chosen knob by one step."""
    from rnnviz.views.knobs import turned

    knob = host.open.knob
    _change(host, knob, lambda: turned(host.frame, knob, 1 if name == "right" else -1))


def _change(host: Host, name: str, change: Callable[[], Command | str]) -> None:
    """Send the change of a knob, or say why there is none."""
    if name in host.locked:
        host.say(f"{SETTINGS[name].label.capitalize()} is locked by this exercise.")
        return
    try:
        wanted = change()
    except InputError as error:
        host.say(in_labels(str(error)))
        return
    if isinstance(wanted, str):
        host.say(VOICE.say(wanted))
    else:
        host.send(wanted)


def _find(host: Host, rest: str) -> None:
    from rnnviz.views.knobs import called

    found = called(rest)
    if not rest:
        host.say(VOICE.say("Write after [find] a part of a knob's name."))
    elif not found:
        host.say(f'No knob has a name with "{rest}".')
    else:
        host.open = replace(host.open, knob=found[0].name)
        host.say(*(knob_line(host.frame, one.name, host.locked) for one in found[:4]))


def _group(host: Host, rest: str) -> None:
    host.say(VOICE.say("This moves between groups of knobs, while [knobs] is open."))


# -- what is read ----------------------------------------------------------------------------------------------


def _next_panel(by: int) -> Callable[[Host, str], None]:
    def say(host: Host, rest: str) -> None:
        ring = panels.readable(host.frame, host.mask)
        if not ring:
            host.say("No panel has anything to say here.")
            return
        at = ring.index(host.open.panel) if host.open.panel in ring else (-1 if by > 0 else 0)
        name = ring[(at + by) % len(ring)]
        host.say(f"{quoted(name)}: {PANELS[name].about}.")
        host.say_panel(name)

    return say


def _cancel(host: Host, rest: str) -> None:
    name = host.open.panel
    if name:
        host.open_panel("")
        host.say(f"{quoted(name)} is closed.")
    else:
        host.say("Nothing is open, and nothing runs.")


DO: dict[str, Callable[[Host, str], None]] = {
    "seek": _seek, "play": _play, "unit": _unit, "sequence": _sequence, "type": _type, "save": _save,
    "inputs": _inputs, "feature_down": _features, "feature_up": _features, "find": _find, "group_down": _group,
    "group_up": _group, "panel": _next_panel(1), "panel_back": _next_panel(-1), "cancel": _cancel,
    "page_down": lambda host, rest: host.say_rest(whole=False),
    "everything": lambda host, rest: host.say_rest(whole=True),
    "help": lambda host, rest: host.say_help(rest),
    "commands": lambda host, rest: host.say(*all_words(host.frame)),
    "glossary": lambda host, rest: host.say(*explained(rest), whole=True),
}  # fmt: skip
