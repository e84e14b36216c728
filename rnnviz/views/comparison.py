"""Compare: other runs beside the present one, on the same sequence, at the same place in training, under the same
cursor.

    the cells           the same settings with another cell: the same data, seed and batches
    present and pinned  settings that were pinned earlier, and what they were changed to

A companion is always where the present run is: it is trained by as many epochs and batches, and taken back with
it. What it shows depends on its settings and that place alone, so it may come and go.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnviz.scene.frame import Frame
from rnnviz.scene.gradient import Gradient
from rnnviz.scene.scene import Scene

LONG = 8  # characters of a name that has room beside its row


@dataclass(frozen=True)
class Row:
    """One run among those compared.

    name      RNN, LSTM, GRU; or now and then, when it was pinned
    what      its settings that the others do not share, in words; or its whole name, where that is long
    gradient  of the loss step the frame shows, where the run has it, else of its last
    doubt     of a record: "not proved", "not compared", or "" where its gradient is the training's own
    kept      of a gated cell, how much of the old state a step keeps: the mean of f or z; else None
    """

    name: str
    what: str
    is_present: bool
    gradient: Gradient
    loss: float | None
    parameters: int
    kept: float | None = None
    doubt: str = ""


def compared(frame: Frame) -> tuple[Row, ...]:
    """The runs side by side, the present one among them; () while nothing is compared, or not yet."""
    if not frame.comparing or frame.beside is None or frame.settings is None:
        return ()
    rows = [(frame.settings, frame.scene), *((c.settings, c.scene) for c in frame.beside)]
    if frame.pinned is None:
        rows.sort(key=lambda row: row[0].order)
    out = []
    for settings, scene in rows:
        is_present = scene is frame.scene
        known = scene.has_gradient(frame.loss_step)
        others = [other for other, _ in rows if other is not settings]
        name = settings.title if frame.pinned is None else "now" if is_present else "then"
        out.append(
            Row(
                name=name,
                what=_long(name) if frame.pinned is None or not others else settings.difference(others[0]),
                is_present=is_present,
                gradient=_by_norm(scene.gradient(frame.loss_step if known else scene.last_loss_step), frame),
                loss=scene.loss,
                parameters=sum(w.size for w in scene.parameters.values()),
                kept=_kept(scene),
                doubt=_doubt(scene),
            )
        )
    return tuple(out)


def _by_norm(row: Gradient, frame: Frame) -> Gradient:
    """By the norm that the frame shows, where there are two."""
    return row.frobenius if frame.frobenius and row.frobenius is not None else row


def _doubt(scene: Scene) -> str:
    if scene.prove is None or (scene.evidence is not None and not scene.evidence.is_warning):
        return ""
    return "not compared" if scene.evidence is None or scene.evidence.agreement is None else "not proved"


def _long(name: str) -> str:
    """A name that has no room beside its row, to be written in it."""
    return name if len(name) > LONG else ""


def _kept(scene: Scene) -> float | None:
    carry = scene.trace.spec.about_cell.carry
    return None if carry is None else float(carry.share(scene.gate_means[carry.gate]).mean())
