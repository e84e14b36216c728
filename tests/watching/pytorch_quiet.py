"""Watching leaves a training as it is: the same losses, weights and random numbers bit for bit, no hook, no memory, and
no exception of ours."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from checks import run
from torch import nn

import rnnviz
from rnnviz.recordings.recording import Recording

torch.set_num_threads(1)  # a fork has not the threads of its parent


class Net(nn.Module):
    def __init__(self, **form: Any) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 16, batch_first=True, **form)
        self.gru = nn.GRU(16 * (1 + self.lstm.bidirectional), 8, batch_first=True)
        self.cell, self.rest = nn.GRUCell(8, 8), nn.LSTMCell(8, 8)
        self.out = nn.Linear(8, 1)

    def forward(self, x: Any) -> Any:
        a, _ = self.lstm(x)
        a, h = self.gru(nn.functional.dropout(a, 0.2, self.training))
        h, state = h[0], None
        for t in range(x.shape[1]):
            h = self.cell(a[:, t], h)
            state = self.rest(h, state)
        return self.out(h + state[0] * a.mean(1) + h * h)


def training(around: Callable[[nn.Module, Any], Any], form: dict[str, Any], steps: int = 7) -> tuple[Any, ...]:
    """Everything that a training leaves behind, as bytes."""
    torch.manual_seed(0)
    model = Net(**form)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    losses = []
    with around(model, optimizer) as watch:
        for _ in range(steps):
            loss = (model(torch.randn(6, 9, 3)) - torch.randn(6, 1)).square().mean()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            if hasattr(watch, "step"):
                watch.step(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.detach())
    weights = [p.detach().numpy().tobytes() for p in model.parameters()]
    return torch.stack(losses).numpy().tobytes(), weights, torch.get_rng_state().numpy().tobytes()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path) / "r"


def check_losses_weights_and_random_numbers_are_the_same_bit_for_bit() -> None:
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        for form in ({}, {"num_layers": 2, "dropout": 0.3}, {"bidirectional": True}):
            without = training(lambda *_: contextlib.nullcontext(), form)
            for every in (1, 3):
                with folder() as path:

                    def around(model: nn.Module, optimizer: Any) -> Any:
                        return rnnviz.watch(model, path, every=every, keep=2, optimizer=optimizer)  # noqa: B023

                    assert training(around, form) == without, (dtype, form, every)
                    found = Recording.open(path)
                    assert [record.step for record in found] == list(range(0, 7, every))
                    assert form.get("dropout") or all(found[-1].is_proved(name) for name in found[-1].layers)
    torch.set_default_dtype(torch.float32)


def hooks_of(model: nn.Module) -> int:
    parameters = sum(len(p._backward_hooks or ()) for p in model.parameters())
    return parameters + sum(len(module._forward_hooks) for module in model.modules())


def check_hooks_are_removed_also_after_an_exception() -> None:
    model = Net()
    with folder() as path, contextlib.suppress(ZeroDivisionError), rnnviz.watch(model, path, every=1) as watch:
        model(torch.randn(2, 5, 3)).sum().backward()
        watch.step(1.0)
        assert hooks_of(model) == 4  # the forward hooks
        model(torch.randn(2, 5, 3)).sum().backward()
        raise ZeroDivisionError
    assert hooks_of(model) == 0
    with folder() as path:
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        watch = rnnviz.watch(model, path, every=1, optimizer=optimizer)
        model(torch.randn(2, 5, 3)).sum().backward()
        watch.close()
        watch.close()
        watch.step(1.0)
        assert len(Recording.open(path)) == 1
    assert hooks_of(model) == 0
    assert not optimizer._optimizer_step_pre_hooks


def check_no_graph_is_kept_alive() -> None:
    """Neither of a step that is over, nor of a forward pass that never got a backward."""
    model = Net()
    with folder() as path, rnnviz.watch(model, path, every=1) as watch:
        x, y = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
        gc.collect()
        gc.disable()  # nothing may need it
        for is_trained in (False, True) * 8:

            class Mark: ...

            loss, mark = model(torch.randn(2, 5, 3)).sum(), Mark()
            loss.grad_fn.register_hook(lambda *_, mark=mark: None)  # its graph holds the mark
            alive = weakref.ref(mark)
            del mark
            if is_trained:
                loss.backward()
                watch.step(loss)
            del loss
            assert alive() is None
        del x, y
        uses = sum(type(o).__name__ in ("FusedUse", "LoopUse") for o in gc.get_objects())
        gc.enable()
        assert uses <= 4 * 4, uses  # a step is held back, two wait, one is written


def check_a_forgotten_zero_grad_is_recorded_and_accumulation_on_purpose_is_not() -> None:
    for every_update, when in ((1, "never"), (1, "after"), (1, "before"), (2, "after")):
        model = Net()
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        with folder() as path:
            with rnnviz.watch(model, path, every=1) as watch:
                for i in range(6):
                    loss = model(torch.randn(2, 5, 3)).square().sum()
                    if when == "before":
                        optimizer.zero_grad()
                    loss.backward()
                    watch.step(loss)
                    if i % every_update == every_update - 1:
                        optimizer.step()
                        if when == "after":
                            optimizer.zero_grad(set_to_none=bool(i % 3))
            left = [record.extra.get("left_over") for record in Recording.open(path)]
        assert left[0] is None
        if when == "never":
            assert min(left[1:]) > 0.01, left
        else:
            assert set(left[1:]) <= {0.0, None}, left


def check_a_pass_without_a_gradient_is_no_record() -> None:
    model = Net()
    with folder() as path:
        with rnnviz.watch(model, path, every=1) as watch:
            for i in range(3):
                with torch.no_grad():
                    model(torch.randn(4, 5, 3))
                model(torch.randn(3, 5, 3))  # the author forgot no_grad
                model(torch.randn(2, 5, 3)).sum().backward()
                watch.step(i)
        records = Recording.open(path)
        assert [(r.step, r.loss) for r in records] == [(0, 0.0), (1, 1.0), (2, 2.0)]
        assert [r.layer("lstm").B for r in records] == [2, 2, 2]
        assert all(r.layers == ("lstm", "gru", "cell", "rest") for r in records)
        assert all(r.is_proved(name) for r in records for name in r.layers)


def check_a_copy_and_a_pickle_of_the_model_have_no_hook_that_records() -> None:
    model, x = Net(), torch.randn(2, 5, 3)
    with folder() as path:
        with rnnviz.watch(model, path, every=1) as watch:
            twin = copy.deepcopy(model)
            saved = io.BytesIO()
            torch.save(model, saved)
            saved.seek(0)
            loaded = torch.load(saved, weights_only=False)
            averaged = torch.optim.swa_utils.AveragedModel(model)
            for other in (twin, loaded, averaged.module):
                assert torch.equal(other.eval()(x), model.eval()(x))
                other(x).sum().backward()
            watch.step()
        assert len(Recording.open(path)) == 0


def silent_errors() -> Any:
    return contextlib.redirect_stderr(io.StringIO())


def check_a_full_or_lost_disk_ends_the_recording_and_not_the_training() -> None:
    model = Net()
    with folder() as path, silent_errors() as errors, rnnviz.watch(model, path, every=1) as watch:
        for i in range(6):
            model(torch.randn(2, 5, 3)).sum().backward()
            watch.step(i)
            if i == 2:
                path.rename(path.parent / "gone")
                path.write_text("now a file")
    assert "The training continues." in errors.getvalue(), errors.getvalue()
    assert len(errors.getvalue().splitlines()) <= 2, errors.getvalue()


def check_an_error_of_ours_is_one_line_and_no_exception() -> None:
    class Odd(nn.GRU):
        """A layer of somebody's own, which returns something else."""

        def forward(self, x: Any) -> Any:
            output, h = super().forward(x)
            return {"output": output, "h": h}

    model = Odd(3, 4)
    with folder() as path, silent_errors() as errors, rnnviz.watch(model, path, every=1) as watch:
        for _ in range(3):
            model(torch.randn(5, 2, 3))["output"].sum().backward()
            watch.step()
    assert len(errors.getvalue().splitlines()) == 1, errors.getvalue()
    assert "rnnviz.watch: odd: not recorded: " in errors.getvalue()


WITHOUT_CLOSE = """
import sys, torch, rnnviz
model = torch.nn.GRU(3, 4)
watch = rnnviz.watch(model, sys.argv[1], every=1)
for i in range(4):
    model(torch.randn(5, 2, 3))[0].sum().backward()
    watch.step(i)
if sys.argv[2:]:
    raise SystemExit("ended early")
"""


def check_without_close_everything_is_written_at_the_end_of_the_program() -> None:
    for words in ([], ["early"]):
        with folder() as path:
            done = subprocess.run([sys.executable, "-c", WITHOUT_CLOSE, path, *words], capture_output=True, text=True)
            assert done.stderr == ("ended early\n" if words else ""), done.stderr
            assert [record.loss for record in Recording.open(path)] == [0, 1, 2, 3]


def check_a_fork_records_nothing_and_does_not_wait() -> None:
    if not hasattr(os, "fork"):
        return
    model = Net()
    with folder() as path:
        with rnnviz.watch(model, path, every=1) as watch:
            model(torch.randn(2, 5, 3)).sum().backward()
            watch.step(1)
            child = os.fork()
            if child == 0:
                try:
                    nn.Module.train(model)
                    for _ in range(5):
                        model(torch.randn(2, 5, 3))
                        watch.step(2)
                    watch.close()
                finally:
                    os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        assert [record.loss for record in Recording.open(path)] == [1.0]


if __name__ == "__main__":
    run(globals())
