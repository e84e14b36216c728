"""What can be done here, in words; and of what cannot, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.plain import panels
from rnnviz.plain.panels import PANELS, knob_line
from rnnviz.plain.words import OF_LINES, OF_ROWS, OF_THE_SCREEN, VOICE, WORDS, nearest, understood
from rnnviz.scene.cursor import Phase
from rnnviz.tui.keys import BY_ID, INTRODUCED, about

if TYPE_CHECKING:
    from rnnviz.plain.lesson import Guide
    from rnnviz.plain.mask import Mask
    from rnnviz.scene.frame import Frame

_ROWS = {
    "input": "what the network reads", "gates": "how open each gate is", "cell": "the cell state of an LSTM",
    "hidden": "the memory: a number for each unit", "output": "the prediction, and the target",
    "attention_row": "of attention: the weight of each state in what the output reads",
    "gradient_row": "the gradient at each step that is reached on the way back",
    "reach": "how much of the gradient arrives at the input that the answer depends on",
    "evidence": "of a recording: whether its gradient is the training's own",
    "where": "the network, the step, the loss, and what comes next",
}  # fmt: skip
_LINES = {
    "lesson": "with its number or name: open a lesson", "page": "with its number: go to a page of this lesson",
    "reset": "forget the progress of this lesson", "closing": "read the closing page of the course",
    "search": "with words: find the lessons and pages that hold them all",
    "replay": "begin this lesson again, or the one with that number, and be asked its questions again",
    "lesson_summary": "read what this lesson explains, and what you predicted wrongly in it",
    "unit": "with its number: choose a unit", "sequence": "with its number: show a sequence of the data",
    "everything": "read all the lines that were left out",
}  # fmt: skip
#: What some words do here, where it is another thing than in the app.
_OTHERWISE = {
    "next": "go on, to the next event, or in a lesson to the next page; an empty line does the same",
    "play": "go to the end of the sequence, or of the way back",
    "seek": "with a number: go to a step; a number alone does, too",
    "type": "with a sequence: let the network read it, or move one value of this one, type 7 = 0.5",
    "page_down": "read the lines that were left out", "page_up": "repeat the last answer",
    "save": "with a file's name: save the network's weights (.safetensors, .npz) or the experiment (.toml)",
    "find": "with a part of its name: find a knob", "commands": "list all words",
    "help": "say what can be done here; with a word: what that does",
    "cancel": "close the open panel; control and c stop what runs", "quit": "end rnnviz",
    "lesson_next": "go to the next page",
    "ghost": "forget the run before a change", "inputs": "how much the loss depends on each input",
    "contents": "list the lessons and your progress",
    "glossary": "list the terms of this page; with a term: explain it",
}  # fmt: skip


def meaning(name: str, frame: Frame) -> str:
    """What a word does, in half a sentence."""
    if name in OF_ROWS:
        return _ROWS[name]
    if name in OF_LINES:
        return _LINES[name]
    if name in PANELS:
        return about(name, PANELS[name].about, frame)
    if name in OF_THE_SCREEN:
        return "about the screen of the app; there is none here"
    otherwise = _OTHERWISE.get(name)
    return otherwise if otherwise is not None else VOICE.say(about(name, BY_ID[name].help, frame))


def help_with(text: str, frame: Frame) -> list[str]:
    """What one word does; why it cannot be done here."""
    word = understood(text)
    if word is None:
        return [nearest(text)]
    if word.is_knob:
        reason = frame.cannot.get("knobs")
        return [VOICE.say(reason) if reason is not None else knob_line(frame, word.name)]
    reason = panels.why_not(word.name, frame) if word.name in PANELS else frame.cannot.get(word.name)
    what = f'"{WORDS.get(word.name, text)}": {meaning(word.name, frame)}.'
    return [what, *([f"Not here: {VOICE.say(reason)}"] if reason is not None else [])]


def here(frame: Frame, mask: Mask, guide: Guide | None, panel: str) -> list[str]:
    """What can be done at this place, in a few lines; then what cannot, and why."""
    lines = []
    if guide is not None and guide.is_on:
        names = ["lesson_next", "lesson_previous", "contents", "page", "search", "replay", "lesson_leave"]
        names += ["lesson_hint"] if guide.run.open_exercise is not None else []
        names += ["lesson_return"] if guide.run.answer is not None or guide.run.open_exercise is not None else []
        lines.append(_line("In the lesson", names))
    elif guide is not None:
        lines.append(_line("Back to the lesson", ["lesson_return", "contents"]))
    if panel:
        lines.append(VOICE.say(f"Open is [{panel}]; [cancel] closes it."))
    lines.append(f"Walk: {_walk(frame, mask, panel)}")
    lines.append(_line("Hear the numbers", ["where", *_rows(frame, mask)]))
    lines.append(_line("Panels", panels.readable(frame, mask)))
    change = ["batch", "epoch", "all", "batch_back", "epoch_back", "all_back", "cut", "type", "undo", "redo", "save",
              "sample", "sequence", "unit", "gradient", "check", "pin"]  # fmt: skip
    always = {"sample", "sequence", "unit", "undo", "redo", "save", "type"}
    known = [name for name in change if name in always or mask.knows(INTRODUCED.get(name, "train"))]
    kept = {"type"} if guide is not None and guide.is_on else set()  # the sequence belongs to the lesson
    lines.append(_line("Do", [name for name in known if name not in kept and name not in frame.cannot]))
    if "knobs" not in frame.cannot and mask.knows("knobs"):
        lines.append("Change a knob: its name and a value, such as gain 1.5; the name alone describes it.")
    lines.append(VOICE.say("[help] and a word say what it does; [commands] lists all words."))
    reasons: dict[str, list[str]] = {}
    for name, reason in frame.cannot.items():
        if name in WORDS:
            reasons.setdefault(VOICE.say(reason), []).append(name)
    lines += [
        f"Not here: {VOICE.say(', '.join(f'[{name}]' for name in names))}. {why}" for why, names in reasons.items()
    ]
    return lines


def _line(title: str, names: list[str]) -> str:
    return f"{title}: {', '.join(WORDS[name] for name in names)}." if names else ""


def _rows(frame: Frame, mask: Mask) -> list[str]:
    from rnnviz.lessons.points import ROWS

    abouts = {name: ROWS[name.removesuffix("_row")] for name in OF_ROWS if name != "where"}
    return [
        name for name, about in abouts.items()
        if about.why_not(frame) is None and (not about.introduced or mask.knows(about.introduced))
    ]  # fmt: skip


def _walk(frame: Frame, mask: Mask, panel: str) -> str:
    """What right and left do at this moment, unless the open panel has them."""
    if panel == "knobs" or (panel and "right" in PANELS[panel].acts):
        return VOICE.say("[seek] and a number go to a step, [play] to the end.")
    match frame.cursor.phase:
        case Phase.FORWARD if frame.cursor.t == 0:
            text = "[right] reads the first step"
        case Phase.FORWARD if frame.cursor.t == frame.T:
            text = "[right] computes the loss, [left] undoes the last step"
        case Phase.FORWARD:
            text = "[right] reads the next step, [left] undoes the last"
        case Phase.UPDATE:
            text = "[next] carries the update out, [right] goes back along the steps"
        case _ if not mask.knows("gradient"):
            text = "[previous] goes back to reading"
        case _:
            text = "[left] goes back in time, [right] undoes a step back"
    return VOICE.say(f"{text}, [seek] and a number go to a step, [play] to the end; right 5 reads five steps.")


def all_words(frame: Frame) -> list[str]:
    """Every word with what it does."""
    names = [*OF_ROWS, *(name for name in BY_ID if name not in OF_THE_SCREEN), *PANELS, *OF_LINES]
    lines = [f'"{WORDS[name]}": {meaning(name, frame)}.' for name in names]
    knobs = ", ".join(one.label for one in SETTINGS.values())
    return [*lines, f"Knobs, each with its value: {knobs}."]
