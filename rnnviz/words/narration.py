"""Narration: two sentences about this moment. Every figure in them comes from the frame.

The first says what the picture shows, the second what to do next or what follows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnnviz.glyphs import visible
from rnnviz.nn.cell_table import CELLS
from rnnviz.numbers import counted, factor, fixed, loss, percent, scientific, steps, subscript
from rnnviz.scene.cursor import Phase
from rnnviz.words import attention as attention_words
from rnnviz.words import carried as carry_words
from rnnviz.words import directions
from rnnviz.words import kept as kept_words
from rnnviz.words.directions import BACK, far, further, time, which
from rnnviz.words.voice import Voice
from rnnviz.words.zero_gradients import clause

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame
    from rnnviz.scene.gradient import Gradient
    from rnnviz.views.zero_gradients import Zero

RESTORE = "[cut] restores the loop."
VANISHED = 0.1  # a gradient of which less is left has vanished enough to be seen
LESS_GAIN = 0.7  # a recurrent gain that shows it in a few steps
WHY = (
    "[ledger]: why, step by step; [knobs]: change a cause.",
    "[ledger]: why; [knobs]: change a cause.",
    "[ledger]: why; [knobs]: change it.",
    "[ledger]: why.",
)
_SUBJECTS = {
    Phase.FORWARD: ("output", "judged"), Phase.LOSS: ("loss", "output", "judged"), Phase.BACKWARD: ("gradient",),
    Phase.UPDATE: ("loss",),
}  # fmt: skip


def subjects(frame: Frame) -> tuple[str, ...]:
    """The names of the figures in the sentences of this moment, as masking knows them (lessons/masking.py)."""
    cursor, scene = frame.cursor, frame.scene
    if cursor.phase is not Phase.FORWARD:
        return _SUBJECTS[cursor.phase]
    begins = cursor.t == 0 and scene.task.previous is not None  # then they say where h₀ comes from
    pads = cursor.t > 0 and (scene.copies(cursor.t) or scene.is_blank(cursor.t))  # what happens to h
    return (*_SUBJECTS[cursor.phase], "state") if begins or pads else _SUBJECTS[cursor.phase]


def narrate(frame: Frame, voice: Voice) -> tuple[str, str]:
    """Two lines, each within the room of the voice."""
    voice = directions.turned(voice, frame)
    first, second = _sentences(frame, voice)
    return voice.say(first), voice.say(second)


def _sentences(frame: Frame, voice: Voice) -> tuple[str, str]:
    if frame.scene.has_exploded:
        why = "it explodes" if frame.scene.is_finite else "values overflowed float64"
        explosion = f"The loss is {loss(frame.scene.loss)}: {why}."
        if not frame.scene.has_loss:
            return "The states are inf or nan: values overflowed float64.", "Another sequence may not: [sample]."
        if frame.experiment is None:
            return f"In this record loss or states are inf or nan: loss {loss(frame.scene.loss)}.", _exploded(frame)
        if (frame.cursor.epoch, frame.cursor.batch) == (0, 0):
            smaller = "[knobs]: a smaller recurrent gain keeps the values small."
            if CELLS[frame.experiment.cell].is_own:
                smaller = "Smaller weights in parameters() of your file keep the values small."
            return f"{explosion} The network is untrained.", smaller
        return (
            f"{explosion} Learning rate {frame.experiment.learning_rate:g}.",
            "[epoch_back] goes back one epoch, [all_back] to the start; everything else works as usual.",
        )
    match frame.cursor.phase:
        case Phase.FORWARD:
            return _forward(frame, voice)
        case Phase.LOSS:
            return _loss(frame, voice)
        case Phase.BACKWARD:
            first, second = _backward(frame, voice)
            return first, carry_words.border(frame) or _truncated(frame) or second
        case Phase.UPDATE:
            return _update(frame, voice)


def _forward(frame: Frame, voice: Voice) -> tuple[str, str]:
    t, T = frame.cursor.t, frame.T
    if t == 0:
        carried, watch = carry_words.origin(frame, voice), directions.watch(frame)
        if not frame.scene.task.has_words:
            return carried or directions.start(frame), watch
        return voice.cut(which(frame) + frame.scene.describe(answered=False) + "."), carried or watch
    if frame.cut:
        still = frame.cell.past_cut
        past = f"Only {still} still carries the past." if still else "This is a plain hidden layer: no memory."
        if frame.scene.trace.spec.readout != "linear":
            past = "The output still looks back at every state."
        alone = "h passes through no weight" if still else f"h{time(frame, t)} depends on x{time(frame, t)} alone"
        return f"The loop is cut, W_hh = 0: {alone}.", f"{past} {RESTORE}"
    now, before = time(frame, t), time(frame, t - 1)
    rule = frame.cell.rule.format(g=frame.scene.trace.spec.activation, t=now, before=before)
    made = f"h{now} combines h{before} and x{now}: {rule}"
    if frame.scene.copies(t):
        made = f"Step {t} is padding: the mask copies h{before} into h{now}, and nothing is read."
    elif frame.scene.is_blank(t):
        made = f"Step {frame.scene.time(t)} is padding without a mask: the network reads zeros, and h{now} changes."
    elif frame.scene.trace.whole is not None:
        made = voice.longest(which(frame) + made, which(frame) + made.partition(": ")[0] + ".")
    if t == T:
        onward = "compares the outputs with the targets" if frame.scene.task.has_readout else "turns to the loss"
        if not frame.scene.has_loss:
            onward = "turns around: there is no loss"
        end = "Beginning" if frame.scene.reads_back else "End"
        return made, f"{end} of the sequence. [right] {onward}."
    if frame.scene.trace.whole is not None:
        return made, directions.other_side(frame)
    if t in frame.scene.loss_steps and frame.scene.task.loss == "mse":
        error = float(frame.scene.trace.y[t - 1, 0, 0] - frame.scene.target_values[t - 1, 0])
        if frame.scene.task.series is not None:
            return made, f"The error is {fixed(error)}; the network has not seen the next input."
        which_output = "" if frame.scene.trace.y.shape[2] == 1 else " of the first output"
        return made, f"The error{which_output} is {fixed(error)}. [right] reads the next step."
    return made, _prediction(frame) or "[right] reads the next step, [left] undoes this one."


def _loss(frame: Frame, voice: Voice) -> tuple[str, str]:
    if not frame.scene.has_loss:
        K = subscript(frame.loss_step or frame.T)
        return (
            f"With weights alone there is no loss: what goes back is the state h{K} itself.",
            f"Now [left] goes back in time: how much does h{K} depend on each hₜ?",
        )
    k = len(frame.scene.loss_steps)
    value = loss(frame.scene.loss)
    if not frame.scene.task.has_readout:
        return _recorded_loss(frame, value, k)
    if frame.scene.task.loss == "mse":
        what = f": the mean of (ŷ − target)² over {k} steps" if k > 1 else f" = (ŷ − target)² at {_the_step(frame)}"
        first = f"loss = {value}{what}."
    else:
        first = _cross_entropy(frame, value, k)
    way = "continues forward in time" if frame.scene.reads_back else "goes back in time"
    if not frame.scene.task.has_words:
        return first, f"Now [left] {way}: how much does that error depend on each hₜ?"
    answer = frame.scene.describe(answered=True)
    whole = f"{answer}. [left] {way}."
    return first, whole if voice.fits(whole) else voice.cut(answer)


def _the_step(frame: Frame) -> str:
    """Where the only loss is."""
    only = frame.scene.last_loss_step
    return "the last step" if frame.scene.time(only) == frame.T else f"step {frame.scene.time(only)}"


def _recorded_loss(frame: Frame, value: str, steps: int) -> tuple[str, str]:
    if frame.scene.prove is None:
        known = f"The loss of this sequence is {value}."
        return known, f"It sends a direct gradient into h at {counted(steps, 'step')}. [left] goes back in time."
    known = "The loss was not recorded." if frame.scene.loss is None else f"The recorded loss of the batch is {value}."
    where = counted(steps, "step") if steps > 1 else f"step {frame.scene.last_loss_step} alone"
    return known, f"It sends a direct gradient into h at {where}. Now [left] goes back in time."


def _exploded(frame: Frame) -> str:
    behind = dict(frame.learning.ways(frame.cursor.epoch)).keys() & {"epoch_back"}
    return "[epoch_back] goes to the record before." if behind else "It is the first record."


def _cross_entropy(frame: Frame, value: str, k: int) -> str:
    if k > 1:
        return f"loss = {value}: the mean of −ln p over {k} steps; p: the right answer's."
    t = frame.scene.last_loss_step
    right = frame.scene.answer(t)
    share = dict(frame.scene.guesses(t))[right]
    return f"loss = {value} = −ln p: the right answer, {right}, has probability p = {percent(share)}."


def _prediction(frame: Frame) -> str | None:
    """The likeliest answers after this step, where the outputs are classes."""
    t = frame.cursor.t
    guesses = frame.scene.guesses(t)[:3]
    if not guesses:
        return None
    likely = ", ".join(f"{visible(label)} {percent(share)}" for label, share in guesses)
    if t in frame.scene.loss_steps:
        return f"Predicts {likely}; target {visible(frame.scene.answer(t))}."
    later = [k for k in frame.scene.loss_steps if k > t]
    return f"Predicts {likely}" + (f"; judged at step {later[0]}." if later else ".")


def _backward(frame: Frame, voice: Voice) -> tuple[str, str]:
    t, gradient = frame.cursor.t, frame.gradient
    if not frame.scene.has_loss:
        return _of_states(frame, voice)
    if frame.loss_step is None:
        if len(frame.scene.loss_steps) == 1:
            only = frame.scene.time(frame.scene.last_loss_step)
            return f"Only step {only} carries loss: its gradient is the total.", further(frame)
        if not frame.scene.task.has_readout:
            return (
                "The total: each step adds its direct gradient on the way, so it need not shrink.",
                "[gradient] shows the last step's share alone, and how much of it arrives here.",
            )
        return (
            "The total: each step adds its own error on the way, so it need not shrink.",
            "[gradient] shows the last step's error alone, and how much of it arrives here.",
        )
    k = frame.loss_step
    is_attended = gradient.loop is not None
    if frame.cut and t < k and not frame.cell.past_cut and not is_attended:
        ends = f"the error of step {frame.scene.time(k)} ends at h{time(frame, k)}"
        return f"The loop is cut: {ends}; none of it arrives here.", RESTORE
    if t > k:
        return directions.out_of_reach(frame, k, t), further(frame)
    if t == k:
        zero = _zero_at(frame, t)
        if zero is not None:
            return f"The gradient is 0 from the start: {clause(zero)}.", further(frame)
        if not frame.scene.task.has_readout:
            return (
                f"The walk begins: step {k}'s own share, its direct gradient.",
                f"[left] goes one step back, through {frame.cell.step_back}.",
            )
        if is_attended:
            return attention_words.at_the_loss(frame, k), directions.one_step(frame)
        return directions.at_the_loss(frame, k), directions.one_step(frame)
    start, here = float(gradient.norms[k]), float(gradient.norms[t])
    lag = k - t
    many = far(frame, lag)
    if not (math.isfinite(here) and math.isfinite(start)):
        return f"‖∂L{time(frame, k)}/∂h{time(frame, t)}‖ is {scientific(here)}.", further(frame)
    zero = _zero_at(frame, t)
    if zero is not None and gradient.highway is None:
        return f"{many} the gradient is 0: {clause(zero)}.", _with_why("", frame, voice)
    if start == 0:
        return f"‖∂L{time(frame, k)}/∂h{time(frame, t)}‖ is {scientific(here)}.", further(frame)
    kept = here / start
    if is_attended:
        return attention_words.going_back(frame, voice, many)
    if frame.scene.copies(t + 1):
        whole = f"{many}, {kept_words.share_left(kept)}."
        return f"Step {t + 1} is padding, where h is a copy: the gradient passes with factor 1.", whole
    if frame.scene.is_blank(t + 1):
        through = f"Step {t + 1} is padding that was read: the gradient has to come through it."
        return through, f"{many}, {kept_words.share_left(kept)}: each step {kept_words.keeps(kept ** (1 / lag))}."
    if gradient.highway is not None:
        return _two_paths(gradient, lag, kept, many, voice)
    first = f"{many}, {kept_words.share_left(kept)}: each step {kept_words.keeps(kept ** (1 / lag))} on average."
    return voice.longest(first, first.replace(" on average", "")), _what_follows(frame, lag, kept, voice)


def _of_states(frame: Frame, voice: Voice) -> tuple[str, str]:
    """The way back without a loss: what is left of ∂h_k/∂h_t."""
    t, gradient, k = frame.cursor.t, frame.gradient, frame.loss_step or frame.T
    K, here = f"h{subscript(k)}", f"h{subscript(t)}"
    if t > k:
        return f"{K} cannot depend on {here}: that step comes later.", BACK
    if gradient.waits:
        return f"∂{K}/∂hₜ is not worked out yet: its singular values take a while for so many units.", BACK
    value = float(gradient.norms[t])
    norm = "Frobenius norm" if frame.frobenius else "largest singular value"
    if t == k:
        return (
            f"∂{K}/∂{K} is the identity; its {norm} is {factor(value)}.",
            f"[left] goes one step back, through {frame.cell.step_back}.",
        )
    many = f"{counted(k - t, 'step')} back"
    if not math.isfinite(value):
        return f"The {norm} of ∂{K}/∂{here} is {scientific(value)}.", BACK
    zero = _zero_at(frame, t)
    if zero is not None and gradient.highway is None:
        return f"{many} {K} no longer depends on {here}: {clause(zero)}.", _with_why("", frame, voice)
    kept = value / float(gradient.norms[k])
    if gradient.highway is not None:
        return _two_paths(gradient, k - t, kept, many, voice)
    if frame.frobenius:
        first = f"{many} the Frobenius norm of ∂{K}/∂{here} is {scientific(value)}."
    else:
        first = f"{many}: {K} moves by at most {scientific(value)} of a move of {here}."
    a_step = f" Each step {kept_words.keeps(kept ** (1 / (k - t)))} on average." if kept > 0 else ""
    return voice.longest(first + a_step, first + a_step.replace(" on average", ""), first), _what_follows(
        frame, k - t, kept, voice
    )


def _truncated(frame: Frame) -> str:
    """What a truncated update leaves out, on the way back; "" elsewhere."""
    from rnnviz.views.reach import first_used  # not above: the first words need no NumPy

    truncation, k, t = frame.truncation, frame.loss_step, frame.cursor.t
    if truncation is None or truncation[1] >= frame.T:
        return ""
    if k is None:
        return f"Truncated: the update takes each error back {counted(truncation[1], 'step')} at most."
    first = first_used(k, truncation, frame.scene.task.seq_len)
    if t >= first or first == 1:
        return ""
    used = f"steps {first} to {k}" if first < k else f"step {k}"
    return f"Truncated: the update uses only {used}. The way back still continues."


def _zero_at(frame: Frame, t: int) -> Zero | None:
    from rnnviz.views.zero_gradients import zero_at  # not above: the first words need no NumPy

    return zero_at(frame.scene, frame.loss_step, t)


def _what_follows(frame: Frame, lag: int, kept: float, voice: Voice) -> str:
    """What the fading means, and the keys that show its causes."""
    gradient, at_the_end = frame.gradient, frame.cursor.t == 0
    if at_the_end and kept > VANISHED and _vanishes_with_less_gain(frame):
        if gradient.grows:
            return f"It grows on its way back. [knobs]: with recurrent gain {LESS_GAIN} it vanishes."
        return f"It has not vanished. [knobs]: with recurrent gain {LESS_GAIN} it vanishes."
    if gradient.half_life is not None:  # it fades evenly
        reached = lag >= gradient.half_life
        fading = f"Half {'is' if reached else 'will be'} gone after {steps(gradient.half_life, lag)} steps"
        if reached and gradient.horizon is not None:
            over = "" if lag >= gradient.horizon else "will be "
            fading += f", 99 % {over}after {steps(gradient.horizon, lag)}"
        return _with_why(f"{fading}. ", frame, voice)
    if at_the_end:
        return (
            WHY[-1] if "update" in frame.cannot else "Next comes the update: one step against the gradient of a batch."
        )
    if gradient.half_gone is not None:
        far = gradient.horizon
        if kept > 1:
            return _with_why("It shrinks at some steps and grows at others. ", frame, voice)
        over = "It fades unevenly. " if far is None or lag < far else f"99 % is gone after {steps(far, lag)} steps. "
        return _with_why(over, frame, voice)
    return _with_why("It grows on its way back. " if gradient.grows else "More than half of it is left. ", frame, voice)


def _vanishes_with_less_gain(frame: Frame) -> bool:
    """Whether an orthogonal W_hh, scaled down to LESS_GAIN, cannot but make the gradient vanish: no step keeps more
    than its gain times the activation's slope, which is at most 1."""
    asked = frame.experiment
    if asked is None:
        return False
    orthogonal = CELLS[asked.cell].splits and asked.num_layers == 1 and asked.init in ("keras", "orthogonal")
    is_larger = asked.gain > LESS_GAIN and asked.spectral_radius is None
    return orthogonal and is_larger and LESS_GAIN ** (frame.loss_step or 0) < VANISHED


def _with_why(text: str, frame: Frame, voice: Voice) -> str:
    """The text, and the keys that show its causes, in the longest form that fits."""
    if "ledger" in frame.cannot:
        return voice.say(text)
    whys = [why for why in WHY if "[knobs]" not in why or "knobs" not in frame.cannot]
    return voice.longest(*(text + why for why in whys))


def _two_paths(gradient: Gradient, lag: int, kept: float, many: str, voice: Voice) -> tuple[str, str]:
    """How much of the gradient is left on the highway and on the way through h."""
    lane = gradient.highway
    assert lane is not None
    k = gradient.loss_step or 0
    start, here = float(lane.norms[k]), float(lane.norms[k - lag])
    with_lane = here / start if start > 0 else math.nan
    where = f"in {lane.along}" if lane.along == "c" else f"along {lane.along}"
    first = f"{many}: {kept_words.share(kept, ' left')} in h, {kept_words.share(with_lane)} {where}"
    more = f"; {lane.along} {kept_words.keeps(with_lane ** (1 / lag), '')} a step" if with_lane > 0 else ""
    first = voice.longest(f"{first}{more}.", f"{first}.")
    most = kept_words.after(gradient.horizon, lane.horizon, f"in {lane.along}")
    second = f"99 % is gone {most}."
    if gradient.half_life is not None and lane.half_life is not None:  # both fade evenly
        half = kept_words.after(gradient.half_life, lane.half_life, f"in {lane.along}")
        second = f"Half is gone {half}; 99 % {most}."
    whole = second if "steps" in second else second.replace(" in h,", " steps in h,", 1)
    return first, voice.longest(whole, second)


def _update(frame: Frame, voice: Voice) -> tuple[str, str]:
    update, asked = frame.update, frame.experiment
    if update is None or asked is None:
        return "update: W ← W − step", "[batch] trains on the next batch."
    if all(step == 0 for _, _, step in update.rows):
        return "update: no weight moves, since the gradient of the batch is 0.", "[batch] trains on the next batch."
    name, size, step = max(update.rows, key=lambda row: row[2] if math.isfinite(row[2]) else -1.0)
    rule = {"sgd": f"W ← W − {asked.learning_rate:g}·∂L/∂W"}.get(
        asked.optimizer, f"{asked.optimizer}, step size {asked.learning_rate:g}"
    )
    moved = f"{name.removeprefix('rnn.')} moves most, {scientific(step)} of {factor(size)}."
    return (
        voice.longest(f"update: {rule}, one batch: {moved}", f"{rule}, one batch: {moved}", f"{rule}: {moved}"),
        f"Loss of this sequence {loss(update.loss_before)} → {loss(update.loss_after)}. [batch]: next batch.",
    )
