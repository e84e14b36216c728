"""The rows of the score in sentences: what was read so far, the state, the output, the gradient."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rnnviz.glyphs import visible
from rnnviz.lessons.points import ROWS
from rnnviz.numbers import counted, fixed, percent, scientific, steps
from rnnviz.plain.words import VOICE
from rnnviz.tasks.catalog import PAD
from rnnviz.words.row_name import symbol

if TYPE_CHECKING:
    from rnnviz.plain.mask import Mask
    from rnnviz.scene.frame import Frame

IN_A_LINE = 10  # numbers
_NO_GRADIENT = "The gradient appears on the way back: after the loss [left] goes back in time."


def named(label: str, among: Sequence[str] = ()) -> str:
    """A symbol of a task: a space, a line end or a punctuation mark by its name; a capital letter is called one where
    both are among the symbols."""
    if len(label) == 1 and label.isupper() and label.lower() in among:
        return f"capital {label}"
    known = {
        " ": "a space",
        "\n": "a new line",
        "": "nothing",
        "?": "question mark",
        "∎": "the end sign",
        PAD: "padding",
    }
    if label in known or len(label) != 1 or label.isalnum() or not label.isprintable():
        return known.get(label) or visible(label)
    return unicodedata.name(label, label).lower()


def far(value: float | None, last: int, *, fades: bool = True) -> str:
    """`2.9 steps`, `more than 1 step`: after how many steps so much is left. last: how many there are."""
    if value is None:
        return f"more than {counted(last, 'step')}" if fades else "no number of steps, since it does not fade"
    return f"{steps(value, last)} steps"


def listed(what: str, first: int, values: Sequence[str], *, down: bool = False) -> list[str]:
    """`Steps 1 to 10: 0.4, 0.5, ….`, ten to a line. first: the number of the first value. down: numbered backwards."""
    out = []
    for at in range(0, len(values), IN_A_LINE):
        some = values[at : at + IN_A_LINE]
        start, end = (first - at, first - at - len(some) + 1) if down else (first + at, first + at + len(some) - 1)
        numbers = f"{what}s {start} {'back ' if down else ''}to {end}" if len(some) > 1 else f"{what} {start}"
        out.append(f"{numbers[:1].upper()}{numbers[1:]}: {', '.join(some)}.")
    return out


def _input(frame: Frame, mask: Mask) -> list[str]:
    scene, task, read = frame.scene, frame.scene.task, frame.read
    if read == 0:
        return [VOICE.say("Nothing is read yet: [right] reads the first step.")]
    if task.has_features:
        t = max(1, min(frame.cursor.t, read))
        names = task.features
        named_numbers = enumerate(map(float, scene.trace.x[t - 1, 0]))
        row = [f"{visible(names[i]) if i < len(names) else i} {fixed(value)}" for i, value in named_numbers]
        return [f"The input of step {scene.time(t)} has {counted(len(row), 'number')}.", *listed("number", 0, row)]
    if scene.input_curve is not None and not task.has_marker:
        values = [
            named(PAD) if scene.is_blank(t) else fixed(float(v))
            for t, v in enumerate(scene.input_curve[:read], start=1)
        ]
    else:
        values = [named(token, task.vocab) for token in task.tokens(scene.sample)[:read]]
    needed = [k for k in scene.needs(frame.loss_step) if k <= read]
    lines = [
        f"The inputs, {counted(read, 'step')} of {frame.T} read.",
        *listed("step", scene.time(1), values, down=scene.reads_back),
    ]
    if needed and not mask.hides("judged"):
        lines.append(f"The answer depends on the input of step {', '.join(str(scene.time(t)) for t in needed)}.")
    return lines


def _states(name: str, what: str) -> Callable[[Frame, Mask], list[str]]:
    def say(frame: Frame, mask: Mask) -> list[str]:
        t, states = min(frame.cursor.t, frame.read), getattr(frame.scene.trace, name)
        if mask.hides_step("state", t):
            return [mask.reason]
        values = [fixed(float(v)) for v in states[t, 0]]
        return [f"{what} at step {frame.scene.time(t)}: {counted(len(values), 'unit')}.", *listed("unit", 0, values)]

    return say


def _gates(frame: Frame, mask: Mask) -> list[str]:
    t, unit, scene = frame.cursor.t, frame.cursor.unit, frame.scene
    if mask.hides("gates"):
        return [mask.reason]
    if not 1 <= t <= frame.read:
        return [VOICE.say("A gate belongs to a step that is read: [right] reads one.")]
    blocks = {block.name: block for block in scene.trace.spec.about_cell.blocks}
    return [
        f"Gate {name}, {blocks[name].about}: {fixed(float(gate[t - 1, 0, unit]))} of unit {unit}, "
        f"{fixed(float(scene.gate_means[name][t - 1]))} on average."
        for name, gate in scene.trace.gates.items()
    ]


def _output(frame: Frame, mask: Mask) -> list[str]:
    scene, t = frame.scene, min(frame.cursor.t, frame.read)
    if not scene.task.has_readout:
        return ["The outputs are not known: what reads the states is not part of this."]
    if mask.hides_step("output", t):
        return [mask.reason]
    if t == 0:
        return [VOICE.say("There is no output yet: [right] reads the first step.")]
    if scene.probabilities is not None:
        some = [f"{named(label, scene.task.labels)} {percent(share)}" for label, share in scene.guesses(t)]
        judged = t in scene.loss_steps and not mask.hides("judged")
        right = f" The right answer is {named(scene.answer(t), scene.task.labels)}." if judged else ""
        return [f"Prediction after step {scene.time(t)}, the likeliest first: {', '.join(some[:8])}.{right}"]
    shown = [k for k in range(1, t + 1) if not mask.hides_step("output", k)]
    values = [fixed(float(scene.trace.y[k - 1, 0, 0])) for k in shown]
    lines = [
        f"The outputs, {counted(len(values), 'step')}.",
        *listed("step", scene.time(1), values, down=scene.reads_back),
    ]
    if t in scene.loss_steps and not mask.hides("judged"):
        lines.append(f"The target of step {scene.time(t)} is {fixed(float(scene.target_values[t - 1, 0]))}.")
    return lines


def _attention(frame: Frame, mask: Mask) -> list[str]:
    from rnnviz.views.attention import step_in_view, weights

    k = step_in_view(frame)
    if mask.hides("attention"):
        return [mask.reason]
    if not k:
        return [VOICE.say("No output looks back yet: [right] reads the first step.")]
    shares = [f"{w:.2g}" for w in weights(frame.scene, k).tolist()]
    return [f"The weight of each state in what the output of step {k} reads.", *listed("step", 1, shares)]


def _gradient(frame: Frame, mask: Mask) -> list[str]:
    if mask.hides("gradient"):
        return [mask.reason]
    if frame.reached is None:
        return [VOICE.say(_NO_GRADIENT)]
    gradient, k = frame.gradient, frame.loss_step
    last = frame.T if k is None else k
    values = [scientific(float(v)) for v in gradient.norms[frame.reached : last + 1][::-1]]
    time, down = frame.scene.time, not frame.scene.reads_back
    lines = [f"{symbol(None if k is None else time(k), has_loss=frame.scene.has_loss)} at each step."]
    if k is not None and frame.reached == 0 and gradient.fades:
        far = f"more than 1 % is left at step {time(0)}" if gradient.horizon is None else (
            f"99 % of it is gone after {steps(gradient.horizon, last)} steps")  # fmt: skip
        half = "" if gradient.half_life is None else f"half of it after {steps(gradient.half_life, last)} steps, "
        lines.append(f"On the way {'back' if down else 'on'} {half}{far}.")
    lines += listed("step", time(last), values, down=down)
    if gradient.lane is not None:
        lane = [scientific(float(v)) for v in gradient.lane.norms[frame.reached : last + 1][::-1]]
        lines += [
            "Through the loop alone:" if gradient.loop is not None else f"Along {gradient.lane.along}:",
            *listed("step", time(last), lane, down=down),
        ]
    return lines


def _reach(frame: Frame, mask: Mask) -> list[str]:
    from rnnviz.views.reach import of_frame
    from rnnviz.words.reach import line, none

    reach = of_frame(frame)
    if mask.hides("gradient", "accuracy"):
        return [mask.reason]
    if reach is None:
        text = none(frame.scene)
        return [f"{text[:1].upper()}{text[1:]}."]
    first, answers = line(reach)
    return [f"{part[:1].upper()}{part[1:]}." for part in (first, answers) if part]


def _evidence(frame: Frame, mask: Mask) -> list[str]:
    from rnnviz.views import own_step
    from rnnviz.words.evidence import sentence

    if mask.hides("evidence"):
        return [mask.reason]
    if (own := own_step.verdict(frame.scene)) is not None:
        where = [f"Wrong {own.where(frame.T)}."] if own.wrong else []
        return [f"{own.about[:1].upper()}{own.about[1:]}.", *where]
    if frame.scene.evidence is None:
        return ["This gradient is computed here, and needs no evidence."]
    text = sentence(frame.scene.evidence)
    return [f"{text[:1].upper()}{text[1:]}."]


def input_gradient(frame: Frame, mask: Mask) -> list[str]:
    from rnnviz.views import inputs

    found, k = inputs.known(frame.scene, frame.loss_step), frame.loss_step
    if mask.hides("gradient"):
        return [mask.reason]
    if frame.reached is None or found is None:
        return [VOICE.say(_NO_GRADIENT)]
    time, both = frame.scene.time, frame.scene.trace.whole is not None  # then it comes to later inputs, too
    last = frame.T if k is None or both else k
    values = [scientific(float(v)) for v in found.norms[max(0, frame.reached - 1) : last][::-1]]
    name = symbol(None if k is None else time(k)).replace("/∂h", "/∂x")
    lines = [f"{name} at each step.", *listed("step", time(last), values, down=not frame.scene.reads_back)]
    if found.most is not None:
        lines.append(f"The input of step {time(found.most[0])} matters most.")
    return lines


_SAY: dict[str, Callable[[Frame, Mask], list[str]]] = {
    "input": _input, "gates": _gates, "cell": _states("c", "The cell state"),
    "hidden": _states("h", "The hidden state"), "output": _output, "attention": _attention, "gradient": _gradient,
    "reach": _reach,
    "evidence": _evidence,
}  # fmt: skip


def row(name: str, frame: Frame, mask: Mask) -> list[str]:
    """A row of the score by its name in lessons/points.py; why there is none here."""
    about = ROWS[name]
    if about.introduced and not mask.knows(about.introduced):
        return [VOICE.say("A later lesson introduces this. [lesson_leave] shows everything.")]
    missing = about.why_not(frame)
    if missing is not None and name not in ("reach", "evidence"):
        return [f"Not here: {missing[0]}."]
    return _SAY[name](frame, mask)
