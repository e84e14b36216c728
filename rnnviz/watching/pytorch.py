"""Watch a training in PyTorch: hooks on the recurrent layers of a model become records.

    with rnnviz.watch(model, "runs/lstm", every=100, keep=8) as watch:
        for x, y in loader:
            loss = criterion(model(x), y)
            loss.backward()
            watch.step(loss)
            optimizer.step()
            optimizer.zero_grad()

A forward hook on each layer copies what the layer reads, hooks on what it returns receive the direct gradients, and
hooks on its weights receive their gradients, of this step's backward alone, before anything is accumulated, averaged
over processes or clipped. The numbers of the training, its random state and its graph stay as they are. PyTorch is not
imported here: a model that is one has imported it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

from rnnviz.errors import InputError, short_repr
from rnnviz.nn.spec import whole_number
from rnnviz.recordings.recorder import Recorder
from rnnviz.watching.torch_cells import LoopUse
from rnnviz.watching.torch_fused import FusedUse
from rnnviz.watching.torch_hook import Hook
from rnnviz.watching.torch_layers import (
    MOST_USES,
    Layer,
    Moment,
    RefusalError,
    Use,
    copy_of,
    data_of,
    on_host,
    recurrent_layers,
)
from rnnviz.watching.torch_private import current_backward, version_of
from rnnviz.watching.torch_step import FinishedStep
from rnnviz.watching.writer import Job, Writer


def watch(
    model: Any,
    path: str | os.PathLike[str],
    every: int = 100,
    keep: int = 8,
    layers: Sequence[str] | None = None,
    limit: str | int = "1 GB",
    append: bool = False,
    *,
    optimizer: Any = None,
    scaler: Any = None,
) -> Watch:
    """Record the recurrent layers of a model while it trains. Returns a Watch, which is also a context manager.

    model      a torch.nn.Module with nn.RNN, nn.LSTM, nn.GRU or their cells anywhere in it
    path       the folder of the recording; see Recorder, which also explains limit and append
    every      record each every-th step, from the first
    keep       sequences of the batch that are written; the weight gradients are compared on the whole batch, in a
               thread of its own: of the first record, of as many as a small share of the time allows, and of the last
               when the watch is closed. With keep as large as the batch every record is compared, when it is read
    layers     names of the layers, as in model.named_modules(); None: all
    optimizer  the optimizer, to record the learning rate and by which factor gradients are clipped
    scaler     the GradScaler of a training in float16: gradients are divided by its scale

    In a process of rank 1 or more of torch.distributed it does nothing. Raises InputError for a model without such
    layers, for a folder that cannot be used, and for settings out of range; after that nothing is raised, and what
    cannot be recorded is noted in the recording and once on stderr.
    """
    return Watch(model, path, every, keep, layers, limit, append, optimizer, scaler)


class Watch:
    """A training under observation; made by `watch`."""

    def __init__(
        self,
        model: Any,
        path: str | os.PathLike[str],
        every: int,
        keep: int,
        layers: Sequence[str] | None,
        limit: str | int,
        append: bool,
        optimizer: Any,
        scaler: Any,
    ) -> None:
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(model, torch.nn.Module):
            raise InputError(f"model: {short_repr(model)} is not a torch.nn.Module")
        self._torch = torch
        self._every = whole_number("every", every, low=1)
        self._keep = whole_number("keep", keep, low=1)
        if optimizer is not None and not hasattr(optimizer, "register_step_pre_hook"):
            raise InputError(f"optimizer: {short_repr(optimizer)} is not a torch.optim.Optimizer")
        if scaler is not None and not hasattr(scaler, "get_scale"):
            raise InputError(f"scaler: {short_repr(scaler)} is not a torch.amp.GradScaler")
        if isinstance(model, torch.nn.DataParallel) and len(model.device_ids) > 1:
            raise InputError(
                "model: DataParallel trains copies of the model that no hook reaches; use DistributedDataParallel"
            )
        found = recurrent_layers(torch, model, layers)
        self._layers = [layer for layer in found if layer.refusal is None]
        self._refused = {layer.name: layer.refusal for layer in found if layer.refusal is not None}
        if not self._layers:
            name, reason = next(iter(self._refused.items()))
            raise InputError(f"layers: {name} cannot be recorded: {reason}")
        self._optimizer, self._scaler = optimizer, scaler
        self._warned: set[tuple[str, str]] = set()
        self._handles: list[Any] = []
        self._pid = os.getpid()
        self._is_open = _rank(torch) == 0
        if not self._is_open:
            return
        about = {"framework": f"PyTorch {torch.__version__}", "every": self._every, "keep": self._keep,
                 "layers": {layer.name: repr(layer.module) for layer in self._layers}}  # fmt: skip
        self._recorder = Recorder(path, limit=limit, append=append, about=about)
        self._number = _next_step(self._recorder, self._every) if append else 0
        self._first = self._number
        self._writer = Writer(
            self._recorder, self._keep, share=min(0.03, max(0.001, 0.05 / self._every)), warn=self._warn
        )
        # A device's memory is slower to read: each record's whole batch is only brought over where records are rare.
        self._may_hold = self._every >= 10 or all(
            tensor.is_cpu for layer in self._layers for tensor in layer.weights().values()
        )
        weights = [p for layer in self._layers for p in layer.module.parameters() if p.requires_grad]
        self._smallest = min(weights, key=lambda p: p.numel(), default=None)
        self._version: int | None = None  # of it, at the end of the step before
        self._has_steps = False  # whether step() is called; if not, each backward counts
        self._backward_seen = False
        self._tasks: set[int] = set()  # the backward passes of this step
        self._forward_seen = False
        self._latest: dict[str, Callable[[], Use | None]] = {}  # by layer; weak, since a graph owns its uses
        self._held: FinishedStep | None = None
        self._ready: tuple[Callable[[], Job], bool] | None = None
        self._moment: Moment | None = None
        self._begin()
        for layer in self._layers:
            self._handles.append(layer.module.register_forward_hook(Hook(self._on_forward, layer), with_kwargs=True))
        if optimizer is not None:
            self._handles.append(optimizer.register_step_pre_hook(self._before_update))
        self._at_exit = partial(_close, weakref.ref(self))
        atexit.register(self._at_exit)
        for name, reason in self._refused.items():
            self._warn(name, f"not recorded: {reason}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self, loss: Any = None) -> None:
        """End a step of the training: after loss.backward(), before optimizer.zero_grad().

        loss: a number or a tensor with one. Without calls of step each backward ends a step, and no loss is recorded.
        """
        if not self._is_here():
            return
        self._has_steps = True
        self._end(loss)

    def close(self) -> None:
        """Remove all hooks, and wait until everything is written."""
        if not self._is_open:
            return
        is_here = self._is_here()
        self._is_open = False
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        if not is_here:
            return
        atexit.unregister(self._at_exit)
        try:
            if self._moment is not None and self._moment.uses and not self._has_steps:
                self._finish(None)
            self._release()
            self._send()
            if self._moment is not None:
                self._moment.close()
                self._moment.uses.clear()
        except Exception as problem:
            self._warn("", f"{type(problem).__name__}: {problem}")
        self._writer.close()
        self._recorder.close()

    # -- steps -----------------------------------------------------------------------------------------

    def _is_here(self) -> bool:
        """Whether this process is the one that records: a fork has the hooks, but not the thread."""
        return self._is_open and os.getpid() == self._pid

    def _begin(self) -> None:
        """Start the next step. It is recorded if its number is due."""
        self._backward_seen = False
        self._tasks.clear()
        self._latest.clear()
        due = (self._number - self._first) % self._every == 0 and not self._recorder.stopped
        self._moment = None
        if due:
            is_compared = self._writer.may_compare()
            is_whole = is_compared or (self._may_hold and self._writer.may_hold())
            self._moment = Moment(keep=None if is_whole else self._keep, is_compared=is_compared)
        self._is_idle = self._has_steps and not due and self._held is None and self._ready is None

    def _end(self, loss: Any) -> None:
        try:
            if self._moment is None:
                self._release()
            else:
                self._finish(loss)
        except Exception as problem:
            self._warn("", f"{type(problem).__name__}: {problem}")
        if self._moment is not None and self._moment.is_compared and self._held is None:
            self._writer.is_comparing = False  # the step that was to be compared has no record
        if self._smallest is not None:
            self._version = version_of(self._smallest)
        self._number += 1
        self._begin()

    def _finish(self, loss: Any) -> None:
        """Hold the step back until the next forward pass, which shows what the update did to the weights."""
        self._release()
        moment = self._moment
        assert moment is not None
        moment.close()
        if not moment.uses and not moment.refused:
            if not self._forward_seen:
                reason = "no watched layer has run: torch.compile and torch.jit replace a layer without its hooks"
            else:
                reason = "no gradient reached a watched layer in this step; call watch.step after loss.backward()"
            self._warn("", f"step {self._number} is not recorded: {reason}")
            return
        if self._optimizer is not None:
            self._look_at_optimizer(moment)
        value = None if loss is None else float(loss.detach() if hasattr(loss, "detach") else loss)
        self._held = FinishedStep(self._number, value, moment)

    def _release(self) -> None:
        """Make the finished step ready for the writer, with the weights as they are after its update."""
        self._send()
        held, self._held = self._held, None
        if held is None:
            return
        uses, held.moment.uses = held.moment.uses, []  # they know the moment: a circle would keep all tensors alive
        after = {}
        for use in uses:
            layer = use.layer
            if layer.name not in after and not layer.is_spread:
                now = (self._moment or held.moment).snapshot(layer)
                if now.state != use.weights.state:
                    after[layer.name] = now
        self._ready = partial(held.job, uses, after, self._refused), held.moment.is_compared

    def _send(self) -> None:
        """Give what is ready to the writer. At the begin of a backward pass, if there is one: what follows is the
        longest time for which PyTorch does without Python, so that the writer's thread has it for itself."""
        ready, self._ready = self._ready, None
        if ready is not None:
            self._writer.put(*ready)

    # -- hooks -----------------------------------------------------------------------------------------

    def _on_forward(self, layer: Layer, args: Any, kwargs: Any, output: Any) -> None:
        if self._is_idle or not self._is_here() or not self._torch.is_grad_enabled():
            return
        try:
            outputs = output if isinstance(output, tuple) and not hasattr(output, "batch_sizes") else (output,)
            first = data_of(outputs[0])
            self._forward_seen = True
            if not first.requires_grad:
                return
            task = current_backward(self._torch)
            inside = task != -1  # a checkpoint computes it again during backward
            if self._backward_seen and not self._has_steps and not (inside and task in self._tasks):
                self._end(None)
            if not inside:
                self._release()
            self._tasks.add(task)
            if self._moment is None:
                if not self._has_steps or self._ready is not None:
                    first.register_hook(self._on_backward)
                self._is_idle = self._has_steps and self._held is None
            else:
                self._record(layer, self._moment, args, kwargs, output, inside)
                first.register_hook(self._on_backward)
        except RefusalError as problem:
            self._refuse(layer, str(problem))
        except Exception as problem:
            self._refuse(layer, f"{type(problem).__name__}: {problem}")

    def _record(self, layer: Layer, moment: Moment, args: Any, kwargs: Any, output: Any, inside: bool) -> None:
        if layer.name in moment.refused:
            return
        use: Use | None = self._latest.get(layer.name, _nothing)()
        if not inside and self._backward_seen and any(other.layer is layer for other in moment.uses):
            moment.forget(layer)  # gradients accumulate over several passes
            use = None
        if self._scaler is not None:
            moment.is_scaled, moment.scale = True, float(self._scaler.get_scale())
        x = args[0] if args else kwargs["input"]
        state = args[1] if len(args) > 1 else kwargs.get("hx")
        states = () if state is None else tuple(state) if isinstance(state, tuple | list) else (state,)
        if use is None or not use.is_continued_by(states):
            count = moment.made[layer.name] = moment.made.get(layer.name, 0) + 1
            if count > MOST_USES:
                raise RefusalError(f"it is used more than {MOST_USES} times in one step, each time from another state")
            use = (LoopUse if layer.is_cell else FusedUse)(layer, moment, states, output)
            self._latest[layer.name] = weakref.ref(use)
        use.add(x, states, output)

    def _on_backward(self, _: Any) -> None:
        if not self._backward_seen and self._moment is not None:
            self._look_for_left_over(self._moment)
        self._backward_seen = True
        self._send()
        self._tasks.add(current_backward(self._torch))

    def _look_for_left_over(self, moment: Moment) -> None:
        """What stands in .grad when a step's first backward begins, after an update that has used it: nothing, unless
        zero_grad was forgotten. Without an update in between it is accumulated on purpose."""
        with contextlib.suppress(Exception):
            weight = self._smallest
            if weight is not None and self._version not in (None, version_of(weight)):
                moment.left = id(weight), None if weight.grad is None else on_host(copy_of(weight.grad))

    def _before_update(self, optimizer: Any, *_: Any) -> None:
        """The optimizer is about to read the gradients, clipped if they are."""
        with contextlib.suppress(Exception):
            moment = self._held.moment if self._held is not None else self._moment
            if self._is_here() and moment is not None:
                self._look_at_optimizer(moment)
                tensors = [tensor for use in moment.uses for tensor in use.weights.tensors.values()]
                tensors = [tensor for tensor in tensors if tensor.is_leaf and tensor.grad is not None]
                if tensors:
                    smallest = min(tensors, key=lambda tensor: tensor.numel())
                    moment.clipped = id(smallest), on_host(copy_of(smallest.grad))

    def _look_at_optimizer(self, moment: Moment) -> None:
        watched = {id(tensor) for use in moment.uses for tensor in use.weights.tensors.values()}
        groups = self._optimizer.param_groups
        rates = [group["lr"] for group in groups if any(id(parameter) in watched for parameter in group["params"])]
        moment.extra.setdefault("learning_rate", float((rates or [groups[0]["lr"]])[0]))

    # -- what goes wrong ---------------------------------------------------------------------------------

    def _refuse(self, layer: Layer, reason: str) -> None:
        if self._moment is not None:
            self._moment.refused[layer.name] = reason
            self._moment.uses = [use for use in self._moment.uses if use.layer is not layer]
        self._warn(layer.name, f"not recorded: {reason}")

    def _warn(self, name: str, reason: str) -> None:
        """One line on stderr, once for each layer and reason."""
        kind = (name.partition("#")[0], "".join(c for c in reason if not c.isdigit()))
        if kind not in self._warned:
            self._warned.add(kind)
            with contextlib.suppress(OSError, ValueError):
                print(f"rnnviz.watch: {name + ': ' if name else ''}{reason}", file=sys.stderr)


def _nothing() -> None:
    """What a weak reference to nothing would return."""


def _rank(torch: Any) -> int:
    distributed = torch.distributed
    return int(distributed.get_rank()) if distributed.is_available() and distributed.is_initialized() else 0


def _next_step(recorder: Recorder, every: int) -> int:
    """The next step to record after the last that is there."""
    from rnnviz.recordings.recording import Recording

    steps = Recording.open(recorder.path).steps
    return steps[-1] + every if steps else 0


def _close(watch: weakref.ref[Watch]) -> None:
    found = watch()
    if found is not None:
        found.close()
