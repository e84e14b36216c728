"""What a command did, in sentences: the frame after it against the frame before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.glyphs import visible
from rnnviz.numbers import fixed, loss
from rnnviz.plain.moment import moment, place_of, where
from rnnviz.plain.rows import far
from rnnviz.plain.words import VOICE
from rnnviz.scene.cursor import Phase

if TYPE_CHECKING:
    from rnnviz.plain.mask import Mask
    from rnnviz.scene.frame import Frame


def report(before: Frame, after: Frame, mask: Mask, *, was_stopped: bool = False) -> list[str]:
    lines = _changed(before, after, mask)
    if was_stopped:  # which has its own sentence
        return lines
    hint = VOICE.say(after.hint) if after.hint and after.hint != before.hint else ""
    if hint or not lines:
        lines = [*lines, hint or VOICE.say(after.hint) or "Nothing has changed."]
    return lines


def _changed(before: Frame, after: Frame, mask: Mask) -> list[str]:
    if after.requested != before.requested and after.requested is not None and before.requested is not None:
        return _of_settings(before, after, mask)
    if after.source != before.source:
        return [*where(after, mask), *moment(after, mask)]
    if after.cut != before.cut:
        first = "The loop is cut: W_hh is 0." if after.cut else "The loop is closed again."
        return [first, *_compared(before, after, mask)]
    now, then = after.cursor, before.cursor
    if after.scene is before.scene or (
        after.scene.trace is before.scene.trace and after.scene.task is before.scene.task
    ):
        return _of_cursor(before, after, mask)
    if (now.epoch, now.batch) != (then.epoch, then.batch):
        return _of_training(before, after, mask)
    if after.scene.task is not before.scene.task or after.scene.sample != before.scene.sample:
        scene = after.scene
        typed = "" if scene.is_typed else f"Sequence {scene.sample + 1} of {len(scene.task)}"
        about = scene.describe(answered=False) if scene.task.has_words or scene.is_typed else ""
        return [f"{': '.join(filter(None, (typed, visible(about))))}.", *moment(after, mask)]
    return _of_cursor(before, after, mask)


def _of_cursor(before: Frame, after: Frame, mask: Mask) -> list[str]:
    now, then = after.cursor, before.cursor
    if (now.phase, now.t) != (then.phase, then.t):
        return moment(after, mask, whole=now.phase is not then.phase or now.t <= 1)
    if now.unit != then.unit:
        if mask.hides_step("state", now.t):
            return [f"Unit {now.unit}. {mask.reason}"]
        value = fixed(float(after.scene.trace.h[min(now.t, after.read), 0, now.unit]))
        return [f"Unit {now.unit} of the hidden state at step {after.scene.time(min(now.t, after.read))} is {value}."]
    if after.loss_step != before.loss_step:
        which = "The gradient of the total loss." if after.loss_step is None else (
            f"The gradient of the loss of step {after.scene.time(after.loss_step)} alone.")  # fmt: skip
        return [which, *moment(after, mask)] if after.reached is not None else [which]
    if after.frobenius != before.frobenius:
        norm = "Frobenius norm" if after.frobenius else "largest singular value"
        return [f"The gradient is shown by its {norm}.", *moment(after, mask)]
    if (after.ghost is None) != (before.ghost is None) and after.ghost is None:
        return ["The run before is forgotten: the next change is compared with this one."]
    if after.update is not before.update:
        return moment(after, mask)
    return []


def _of_settings(before: Frame, after: Frame, mask: Mask) -> list[str]:
    assert before.requested is not None
    assert after.requested is not None
    parts = [
        f"{SETTINGS[name].label} is now {visible(SETTINGS[name].show(getattr(after.requested, name)))} "
        f"(it was {visible(SETTINGS[name].show(getattr(before.requested, name)))})"
        for name in SETTINGS if getattr(after.requested, name) != getattr(before.requested, name)
    ]  # fmt: skip
    text = ", ".join(parts[:6])
    return [f"{text[:1].upper()}{text[1:]}.", *_compared(before, after, mask)]


def _of_training(before: Frame, after: Frame, mask: Mask) -> list[str]:
    learning, now = after.learning, after.cursor
    lines = [f"{place_of(after)}."]
    if (
        learning.trains
        and not mask.hides("history")
        and now.epoch
        and now.batch == 0
        and len(learning.loss) >= now.epoch
    ):
        text = f"Training loss {loss(learning.loss[now.epoch - 1])}"
        if len(learning.val_loss) >= now.epoch:
            text += f", validation loss {loss(learning.val_loss[now.epoch - 1])}"
        lines.append(f"{text}.")
    return [*lines, *_compared(before, after, mask)]


def _compared(before: Frame, after: Frame, mask: Mask) -> list[str]:
    """The loss of the sequence, the answers and how far the gradient reaches, against those before."""
    lines = []
    same = before.scene.task.name == after.scene.task.name
    if not after.scene.is_finite:
        lines.append("The loss or a state is not finite: a value overflowed.")
    if after.scene.loss is not None and not mask.hides("loss"):
        was = (
            f", it was {loss(before.scene.loss)}"
            if same and before.scene.loss is not None and not mask.hides("others")
            else ""
        )
        lines.append(f"The loss of this sequence is {loss(after.scene.loss)}{was}.")
    outcome = after.scene.outcome
    if outcome is not None and outcome.accuracy is not None and not mask.hides("accuracy"):
        lines.append(f"{100 * outcome.accuracy:.0f} % of the answers are right.")
    if mask.knows("gradient") and not mask.hides("gradient") and after.scene.has_gradient(after.scene.last_loss_step):
        k = after.scene.last_loss_step
        now = after.scene.gradient(k)
        if now.fades:
            text = f"Of the gradient of step {k}'s loss, 1 % is left after {far(now.horizon, k)}"
            then = before.scene.last_loss_step
            if same and before.scene.has_gradient(then) and before.scene.gradient(then).fades:
                text += f"; before, after {far(before.scene.gradient(then).horizon, then)}"
            lines.append(f"{text}.")
    return lines or [line for line in moment(after, mask) if after.cursor.phase is not Phase.LOSS][:1]
