"""The thread that makes records of what hooks collected, compares their weight gradients, and writes them.

The comparison needs a forward and a backward pass over the whole batch, which takes as long as a step of the training
or longer. So the first record is compared, then as many as a small share of the time pays for, and at the end the last
one, with which its readers begin, if that takes no longer than a moment. Where the sequences that are kept are the
whole batch, the reader of a record can compare it. A record that was not compared has no agreement.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rnnviz.nn.types import Array
from rnnviz.recordings import passes
from rnnviz.recordings.layer_record import LayerRecord, first_sequences
from rnnviz.recordings.recorder import Recorder

#: Steps that may wait to be written. After that the training waits for the disk.
MOST_WAITING = 2
#: At the end the last record is compared if the latest comparison took no longer than this.
SECONDS_AT_THE_END = 2.0
#: The whole batch of a record that is not to be compared by now is kept until the next one if it has at most so many
#: bytes: it may be the last.
MOST_HELD = 64 * 2**20


@dataclass(eq=False)
class Part:
    """One layer of a record to be.

    arrays   gives the arguments of its LayerRecord, of the whole batch; an exception's text is why there is none
    shared   names of the weights -> keys: a key is the same for uses of the same weights, whose gradients are a sum
    grads    by key: the framework's gradients
    """

    arrays: Callable[[], dict[str, Any]]
    shared: Mapping[str, int]
    notes: tuple[str, ...]


@dataclass(eq=False)
class Job:
    """One record to be. `grads`: key -> the framework's gradient. Weights before and after the update, by layer."""

    step: int
    loss: float | None
    parts: dict[str, Part]
    grads: Callable[[], dict[int, Array]]
    extra: Callable[[dict[int, Array]], dict[str, Any]]
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Written:
    """A record that was written and not compared, with its whole batch; see Writer._add."""

    job: Job
    found: Mapping[str, dict[str, Any]]
    grads: Mapping[int, Array]
    alone: set[str]
    extra: dict[str, Any]


class Writer:
    """keep: sequences of a batch that are written. share: the part of the time that comparisons may take.
    warn: is given a layer's name and a reason for which it was not recorded, or not proved."""

    def __init__(self, recorder: Recorder, keep: int, share: float, warn: Callable[[str, str], None]) -> None:
        self._recorder, self._keep, self._share, self._warn = recorder, keep, share, warn
        self._jobs: queue.Queue[tuple[Callable[[], Job], bool] | None] = queue.Queue(MOST_WAITING)
        self._began = time.perf_counter()
        self._spent = self._latest = 0.0
        self._batch = 0  # bytes of the batch that was compared last
        self.is_comparing = False
        self._last: _Written | None = None
        self._thread = threading.Thread(target=self._run, name="rnnviz-watch", daemon=True)
        self._thread.start()
        self._pid = os.getpid()

    def may_compare(self) -> bool:
        """Whether the next job is to be compared; the answer True makes it so."""
        if self.is_comparing:
            return False
        allowed = self._share * (time.perf_counter() - self._began)
        self.is_comparing = not self._latest or self._spent + self._latest <= allowed
        return self.is_comparing

    def may_hold(self) -> bool:
        """Whether the whole batch of a job is wanted that is not to be compared, since it may be the last."""
        return 0 < self._latest <= SECONDS_AT_THE_END and self._batch <= MOST_HELD

    def put(self, make: Callable[[], Job], is_compared: bool) -> None:
        """`make` is called in the writer's thread. is_compared: whether that job was to be; see `may_compare`."""
        if self._pid == os.getpid():  # the thread of another process stays there
            self._jobs.put((make, is_compared))

    def close(self) -> None:
        """Wait until everything is written."""
        if self._pid == os.getpid() and self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()

    # -- in the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        while (waiting := self._jobs.get()) is not None:
            make, is_compared = waiting
            try:
                self._write(make(), is_compared)
            except Exception as problem:
                self._warn("", f"{type(problem).__name__}: {problem}")
            finally:
                del waiting, make
                if is_compared:
                    self.is_comparing = False
                self._jobs.task_done()
        try:
            self._compare_last()
        except Exception as problem:
            self._warn("", f"{type(problem).__name__}: {problem}")

    def _write(self, job: Job, is_compared: bool) -> None:
        if not self._recorder.next_is_kept():
            if not self._recorder.stopped:
                self._recorder.add(step=job.step)
            return
        grads = job.grads()
        found: dict[str, dict[str, Any]] = {}
        for name, part in job.parts.items():
            try:
                found[name] = part.arrays()
            except Exception as problem:
                job.refused[name] = str(problem)
        uses = [key for part in job.parts.values() for key in set(part.shared.values())]
        alone = {name for name, part in job.parts.items() if all(uses.count(key) == 1 for key in part.shared.values())}
        others = {name for name in found if name not in alone or found[name]["total"] > self._keep}
        figures = self._compared(job, found, grads) if is_compared and (others or not self._latest) else {}
        extra = job.extra(grads)
        is_written = self._add(self._recorder.add, job, found, grads, alone, figures, extra)
        if is_written:
            is_whole = all(found[name]["x"].shape[1] == found[name]["total"] for name in found)
            self._last = _Written(job, found, grads, alone, extra) if others and not figures and is_whole else None

    def _compare_last(self) -> None:
        """What was written last, unless it was compared."""
        last, self._last = self._last, None
        if last is not None and self._latest <= SECONDS_AT_THE_END:
            figures = self._compared(last.job, last.found, last.grads)
            self._add(self._recorder.replace_last, last.job, last.found, last.grads, last.alone, figures, last.extra)

    def _add(
        self,
        add: Callable[..., bool],
        job: Job,
        found: Mapping[str, dict[str, Any]],
        grads: Mapping[int, Array],
        alone: set[str],
        figures: Mapping[str, float],
        extra: dict[str, Any],
    ) -> bool:
        """Make the record's layers, and write it. alone: layers whose weights are used once in the step."""
        layers = {}
        for name, arguments in found.items():
            part = job.parts[name]
            notes, figure = list(part.notes), figures.get(name)
            if name not in alone:
                notes.append("Its weights are used several times in a step: their gradients are compared as a sum.")
            try:
                own = {weight: grads[key] for weight, key in part.shared.items() if key in grads and name in alone}
                layers[name] = cut(arguments, self._keep, grads=own, agreement=figure, notes=notes)
            except Exception as problem:
                job.refused[name] = str(problem)
                continue
            if figure is not None and not notes and not passes.is_proved(layers[name], figure):
                reason = (
                    f"The weight gradients differ from PyTorch's by {figure:.0e}: besides this layer something else "
                    "acts on its weights or gradients (a penalty on the weights, a hook, a layer of your own class)."
                )
                layers[name] = replace(layers[name], notes=(reason,))
                self._warn(name, reason[0].lower() + reason[1:])
        for name, reason in job.refused.items():
            self._warn(name, f"not recorded: {reason}")
        if job.refused:
            extra["not_recorded"] = [f"{name}: {reason}" for name, reason in job.refused.items()]
        return add(step=job.step, loss=job.loss, layers=layers, extra=extra)

    def _compared(self, job: Job, found: Mapping[str, dict[str, Any]], grads: Mapping[int, Array]) -> dict[str, float]:
        """By layer the largest relative difference of the weight gradients, each summed over all uses of a weight."""
        began = time.perf_counter()
        ours: dict[int, Array] = {}
        for name, arguments in found.items():
            try:
                mine = passes.weight_gradients(LayerRecord(**arguments))
            except Exception as problem:
                job.refused[name] = str(problem)
                continue
            for weight, key in job.parts[name].shared.items():
                ours[key] = ours[key] + mine[weight] if key in ours else mine[weight]
        figures = {}
        for name in found.keys() - job.refused.keys():
            keys = [key for key in job.parts[name].shared.values() if key in grads]
            if keys:
                figures[name] = max(passes.difference(ours[key], grads[key]) for key in keys)
        took = time.perf_counter() - began
        self._spent, self._latest = self._spent + took, took
        self._batch = sum(arguments["x"].nbytes + arguments["direct"].nbytes for arguments in found.values())
        return figures


def cut(arguments: Mapping[str, Any], keep: int, **others: Any) -> LayerRecord:
    """The record of the first sequences of a batch, as long as the longest of these."""
    total = arguments.get("total", arguments["x"].shape[1])
    return LayerRecord(**{**first_sequences(arguments, keep), "total": total}, **others)
