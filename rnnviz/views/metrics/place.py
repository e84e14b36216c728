"""Metrics of where we are, and of the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnviz.views.metrics.registry import metric

if TYPE_CHECKING:
    from rnnviz.scene.frame import Frame

# where we are
metric("t", "time step of the cursor", "d", low=0)(lambda f: f.cursor.t)

metric("unit", "unit of the cursor, from 0", "d", low=0)(lambda f: f.cursor.unit)

metric("phase", "forward, loss, backward or update", "s", is_text=True)(lambda f: str(f.cursor.phase))

metric("read", "number of steps read so far", "d", low=0)(lambda f: f.read)

metric("reached", "the earliest step reached on the way back in time", "d", low=0)(lambda f: f.reached)

metric("epoch", "completed epochs", "d", low=0)(lambda f: f.cursor.epoch)

metric("batch", "completed batches of this epoch", "d", low=0)(lambda f: f.cursor.batch)

metric("batches", "batches in one epoch", "d", low=1)(lambda f: f.learning.batches_per_epoch)

metric("record", "the recording's record, from 1", "d", low=1)(lambda f: f.cursor.epoch + 1 if _steps(f) else None)

metric("records", "records of the recording", "d", low=1)(lambda f: len(_steps(f)) or None)

metric("training_step", "the step of the recorded training that the record is of", "d", low=0)(
    lambda f: _steps(f)[f.cursor.epoch] if _steps(f) else None
)

metric("sample", "the sequence in view, from 0", "d", low=0)(lambda f: f.scene.sample)

metric("sequences", "sequences in the data set", "d", low=1)(lambda f: len(f.scene.task))

metric("T", "steps of the sequence in view", "d", low=1)(lambda f: f.T)

metric("own_steps", "steps of the sequence in view that are not padding", "d", low=1)(
    lambda f: 1 + f.scene.task.span(f.scene.sample)[1] - f.scene.task.span(f.scene.sample)[0]
)

metric("K", "the last step that carries loss", "d", low=1)(lambda f: f.scene.last_loss_step)

metric("loss_steps", "number of steps that carry loss", "d", low=0)(
    lambda f: len(f.scene.loss_steps) if f.scene.has_loss else 0
)

metric("loss_step", "loss step whose gradient is on the screen; none for the total", "d")(lambda f: f.loss_step)

# the loss
metric("loss", "loss of the sequence in view", ".4f", low=0)(lambda f: f.scene.loss)

metric("step_loss", "what step t adds to the loss", ".4f", "step", low=0)(
    lambda f, t: f.scene.trace.step_loss[t - 1] if f.scene.task.has_targets else None
)

metric("train_loss", "training loss of the last completed epoch", ".4f", low=0)(lambda f: _of_epoch(f, f.learning.loss))

metric("val_loss", "validation loss after the last completed epoch", ".4f", low=0)(
    lambda f: _of_epoch(f, f.learning.val_loss)
)

metric("first_loss", "training loss of the first epoch", ".4f", low=0)(
    lambda f: f.learning.loss[0] if f.learning.loss else None
)

metric("best_val_loss", "lowest validation loss of all epochs trained so far", ".4f", low=0)(
    lambda f: min(f.learning.val_loss, default=None)
)

metric("best_epoch", "the epoch with that lowest validation loss", "d", low=1)(
    lambda f: 1 + f.learning.val_loss.index(min(f.learning.val_loss)) if f.learning.val_loss else None
)

metric("baseline", "loss of the best answer that ignores the input", ".4f", low=0)(lambda f: f.scene.task.baseline)

metric("is_finite", "1 while loss and hidden state are finite, 0 once they are inf or nan", "d", low=0, high=1)(
    lambda f: f.scene.is_finite
)


def _steps(frame: Frame) -> tuple[int, ...]:
    """The training step of each record; () for a network that is trained here."""
    return getattr(frame.learning, "steps", ())


def _of_epoch(frame: Frame, losses: tuple[float, ...]) -> float | None:
    return losses[frame.cursor.epoch - 1] if 1 <= frame.cursor.epoch <= len(losses) else None
