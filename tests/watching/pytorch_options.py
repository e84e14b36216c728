"""Every way to use a layer works, or is refused or flagged with its reason."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from checks import run
from torch import nn

import rnnviz
from rnnviz.recordings.recording import Recording

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self, kind: Any = nn.LSTM, **form: Any) -> None:
        super().__init__()
        self.rnn = kind(3, 6, batch_first=True, **form)
        self.out = nn.Linear(6, 1)

    def forward(self, x: Any) -> Any:
        return self.out(self.rnn(x)[0][:, -1]).square().mean()


def recorded(model: nn.Module, work: Callable[[Any], None], **options: Any) -> SimpleNamespace:
    """All records that `work(watch)` leads to, read whole, and what stderr received."""
    errors = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(errors):
        path = Path(folder) / "r"
        with rnnviz.watch(model, path, **{"every": 1, "keep": 99, **options}) as watch:
            work(watch)
        records = [
            SimpleNamespace(
                step=r.step, loss=r.loss, names=r.layers, extra=dict(r.extra),
                notes={n: " ".join(r.notes(n)) for n in r.layers},
                layers={n: r.layer(n) for n in r.layers}, agreement={n: r.agreement(n) for n in r.layers},
                proved={n: r.is_proved(n) for n in r.layers},
            )
            for r in Recording.open(path)
        ]  # fmt: skip
        return SimpleNamespace(records=records, first=records[0] if records else None, errors=errors.getvalue())


def once(model: nn.Module, forward: Callable[[], Any], **options: Any) -> SimpleNamespace:
    """A step of work: forward, backward, step."""

    def work(watch: Any) -> None:
        loss = forward()
        loss.backward()
        watch.step(loss)

    return recorded(model, work, **options)


def data(B: int = 5, T: int = 7) -> Any:
    return torch.randn(B, T, 3)


def check_a_part_of_the_batch_is_kept_and_the_whole_is_compared() -> None:
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        model, x = Net(kind), data(B=20)
        found = once(model, lambda: model(x), keep=4)  # noqa: B023
        layer = found.first.layers["rnn"]
        assert (layer.B, layer.total) == (4, 20)
        assert found.first.proved == {"rnn": True}
        np.testing.assert_array_equal(layer.x, x[:4].transpose(0, 1))


def check_records_that_are_not_compared_are_the_same_but_for_that() -> None:
    """A share of the time decides which are compared: of the others a part of the batch is collected from the start."""
    for form in ("batch first", "time first", "packed", "cell", "calls"):
        torch.manual_seed(1)
        first = form == "batch first"
        model = nn.LSTMCell(3, 6) if form == "cell" else nn.LSTM(3, 6, batch_first=first)
        x = torch.randn(7, 20, 3)

        def forward() -> Any:
            if form == "cell":  # noqa: B023
                state = None
                for t in range(7):
                    state = model(x[t], state)  # noqa: B023
                return state[0].square().sum()
            if form == "calls":  # noqa: B023
                total, state = 0, (torch.ones(1, 20, 6), torch.ones(1, 20, 6))
                for t in range(7):
                    out, state = model(x[t : t + 1], state)  # noqa: B023
                    total = total + out.square().sum()
                return total + state[0].sum()
            if form == "packed":  # noqa: B023
                lengths = torch.arange(20) % 7 + 1
                given = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)  # noqa: B023
                return model(given)[0].data.square().sum()  # noqa: B023
            return model(x.transpose(0, 1) if first else x)[0].square().sum()  # noqa: B023

        with tempfile.TemporaryDirectory() as folder:
            with rnnviz.watch(model, Path(folder) / "r", every=1, keep=4) as watch:
                watch._writer._share = 0.0
                for step in range(8):
                    forward().backward()
                    watch.step()
                    while watch._writer._jobs.unfinished_tasks:
                        time.sleep(0.001)
                    watch._writer._share = 1e9 * (step > 3)
                    model.zero_grad()
            records = Recording.open(Path(folder) / "r")
            (name,) = records[0].layers
            layers = [record.layer(name) for record in records]
            compared = [layer.agreement is not None for layer in layers]
            assert compared[:5] == [True, False, False, False, False]
            assert any(compared[5:])
            assert all(record.is_proved() == was for record, was in zip(records, compared, strict=True))
        with_, without = layers[0], layers[1]
        for field in ("x", "direct", "direct_h", "direct_c", "h0", "c0", "lengths", "total"):
            one, other = getattr(without, field), getattr(with_, field)
            assert (one is None) == (other is None), (form, field)
            assert one is None or np.array_equal(one, other), (form, field)
        assert (without.B, without.total) == (4, 20)


def check_packed_sequences_are_kept_as_long_as_those_that_are_kept() -> None:
    layer = nn.GRU(3, 6)
    x = nn.utils.rnn.pack_sequence([torch.randn(n, 3) for n in (4, 2, 9, 1)], enforce_sorted=False)
    found = once(layer, lambda: layer(x)[0].data.sum(), keep=2)
    kept = found.first.layers["gru"]
    assert (kept.T, list(kept.lengths), kept.total) == (4, [4, 2], 4)
    assert found.first.proved == {"gru": True}


def check_dropout_between_layers_is_flagged_unless_it_does_nothing() -> None:
    model = Net(num_layers=3, dropout=0.4)
    found = once(model, lambda: model(data()))
    assert found.first.proved == {"rnn": False}
    assert "Dropout of 0.4 acts between the layers" in found.first.notes["rnn"]
    model.eval()
    found = once(model, lambda: model(data()))
    assert (found.first.proved, found.first.notes) == ({"rnn": True}, {"rnn": ""})
    for form in ({"num_layers": 3, "dropout": 0.0},):
        model = Net(**form)
        found = once(model, lambda: model(data()))  # noqa: B023
        assert (found.first.proved, found.first.notes) == ({"rnn": True}, {"rnn": ""})


def check_half_precision_is_flagged() -> None:
    for kind in (nn.RNN, nn.GRU):  # PyTorch has no LSTM in bfloat16 for some processors
        model = Net(kind)

        def forward() -> Any:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return model(data())  # noqa: B023

        found = once(model, forward)
        assert "Autocast computed this layer in bfloat16" in found.first.notes["rnn"], (kind, found.first.notes)
        assert found.first.agreement["rnn"] < 0.1
        assert np.isfinite(found.first.layers["rnn"].x).all()
        whole = Net(kind).bfloat16()
        found = once(whole, lambda: whole(data().bfloat16()))  # noqa: B023
        assert "PyTorch computed this layer in bfloat16" in found.first.notes["rnn"]
        assert found.first.agreement["rnn"] < 0.1


def check_a_scaled_loss_is_divided_by_its_scale() -> None:
    model, x = Net(), data()
    scaler = torch.amp.GradScaler("cpu", init_scale=4096.0)
    plain = once(model, lambda: model(x)).first
    model.zero_grad()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def work(watch: Any) -> None:
        loss = model(x)
        scaler.scale(loss).backward()
        watch.step(loss)
        scaler.step(optimizer)
        scaler.update()

    scaled = recorded(model, work, scaler=scaler, optimizer=optimizer).first
    assert scaled.proved == {"rnn": True}
    assert scaled.loss == plain.loss
    assert scaled.extra["clip_factor"] == 1.0
    for name in ("direct",):
        one, other = (getattr(r.layers["rnn"], name) for r in (plain, scaled))
        np.testing.assert_allclose(one, other, rtol=1e-5)


def check_frozen_layers_have_no_agreement() -> None:
    model = Net()
    model.embed = nn.Linear(3, 3)
    for p in model.rnn.parameters():
        p.requires_grad_(False)
    x = data()
    found = once(model, lambda: model(model.embed(x)))
    assert found.first.agreement == {"rnn": None}
    assert "frozen" in found.first.notes["rnn"]
    assert found.first.layers["rnn"].direct.any()
    model.rnn.weight_hh_l0.requires_grad_(True)
    found = once(model, lambda: model(model.embed(x)))
    assert found.first.proved == {"rnn": True}
    assert set(found.first.layers["rnn"].grads) == {"weight_hh_l0"}


def check_several_uses_of_a_layer_are_compared_as_a_sum() -> None:
    model, x, y = Net(), data(), data(B=4, T=3)
    found = once(model, lambda: model(x) * model(y))
    assert found.first.names == ("rnn", "rnn#2")
    assert found.first.proved == {"rnn": True, "rnn#2": True}
    assert [layer.T for layer in found.first.layers.values()] == [7, 3]
    assert all("as a sum" in note for note in found.first.notes.values())


def check_two_layers_with_the_same_weights_are_compared_as_a_sum() -> None:
    model = nn.ModuleDict({"a": Net(), "b": Net()})
    model["b"].rnn.weight_hh_l0 = model["a"].rnn.weight_hh_l0
    x = data()
    found = once(model, lambda: model["a"](x) + model["b"](x) * 2)
    assert found.first.proved == {"a.rnn": True, "b.rnn": True}, found.errors


def check_accumulated_gradients_do_not_matter() -> None:
    """Neither what .grad held before, nor the passes of a step before the last one."""
    model = Net()
    model(data()).backward()

    def work(watch: Any) -> None:
        for _ in range(2):
            for part in range(3):
                loss = model(data(B=part + 1))
                loss.backward()
            watch.step(loss)

    found = recorded(model, work)
    assert [r.proved["rnn"] for r in found.records] == [True] * len(found.records)
    assert found.records[-1].layers["rnn"].B == 3
    assert found.errors == ""


def check_two_losses_with_a_backward_each_are_one_record() -> None:
    model, x = Net(), data()

    def work(watch: Any) -> None:
        output = model.rnn(x)[0]
        output[:, -1].sum().backward(retain_graph=True)
        output[:, 2].square().sum().backward()
        watch.step()

    (record,) = recorded(model, work).records
    assert record.proved == {"rnn": True}
    assert [t for t in range(7) if record.layers["rnn"].direct[t].any()] == [2, 6]


def check_without_step_each_backward_counts() -> None:
    model = Net()

    def work(watch: Any) -> None:
        for _ in range(7):
            model(data()).backward()
            with torch.no_grad():
                model(data())

    found = recorded(model, work, every=3).records
    assert [(r.step, r.loss) for r in found] == [(0, None), (3, None), (6, None)]
    assert all(r.proved["rnn"] for r in found)


def check_a_penalty_on_the_weights_is_flagged() -> None:
    model = Net()
    found = once(model, lambda: model(data()) + model.rnn.weight_hh_l0.square().sum())
    assert found.first.proved == {"rnn": False}
    assert "a penalty on the weights" in found.first.notes["rnn"]
    assert "rnnviz.watch: rnn: the weight gradients differ from PyTorch's by" in found.errors


def check_projected_layers_are_refused() -> None:
    model = nn.ModuleDict({"good": Net(), "bad": nn.LSTM(3, 6, proj_size=2, batch_first=True)})
    found = once(model, lambda: model["good"](data()) + model["bad"](data())[0].sum())
    assert found.first.names == ("good.rnn",)
    assert list(found.first.extra["not_recorded"]) == [
        "bad: it projects its state (proj_size), which rnnviz does not compute"
    ]
    assert found.errors.count("rnnviz.watch: ") == 1, found.errors
    refused("proj_size", model["bad"])


def refused(words: str, model: Any, path: Any = "never made", **options: Any) -> None:
    try:
        rnnviz.watch(model, path, **options)
        reason = ""
    except rnnviz.InputError as error:
        reason = str(error)
    assert words in reason, reason
    assert "\n" not in reason
    assert not os.path.exists("never made")


def check_what_cannot_work_is_refused_at_the_start() -> None:
    model = Net()
    refused("contains no nn.RNN", nn.Linear(2, 2))
    refused("layers: 'lstm' is not a recurrent layer of the model: rnn", model, layers=["lstm"])
    refused("every", model, every=0)
    refused("keep", model, keep=0)
    refused("limit", model, limit="much")
    refused("optimizer", model, optimizer=0.1)
    refused("scaler", model, scaler=2.0)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "file").write_text("x")
        refused("cannot be written", model, Path(folder) / "file" / "r")
        refused("holds other files", model, folder)
        rnnviz.watch(model, Path(folder) / "r").close()
        refused("already holds a recording", model, Path(folder) / "r")


def check_layers_are_chosen_by_name_and_a_layer_may_be_the_model() -> None:
    model = nn.ModuleDict({"a": Net(), "b": nn.ModuleDict({"c": Net()})})
    found = once(model, lambda: model["a"](data()) + model["b"]["c"](data()), layers=["b.c.rnn"])
    assert found.first.names == ("b.c.rnn",)
    layer = nn.GRU(3, 4)
    assert once(layer, lambda: layer(torch.randn(5, 2, 3))[0].sum()).first.names == ("gru",)


def check_append_continues_the_steps() -> None:
    model = Net()
    with tempfile.TemporaryDirectory() as folder:
        for append in (False, True):
            with rnnviz.watch(model, Path(folder) / "r", every=2, append=append) as watch:
                for _ in range(3):
                    model(data()).backward()
                    watch.step()
        assert Recording.open(Path(folder) / "r").steps == (0, 2, 4, 6)


def check_learning_rate_clipping_norm_and_update() -> None:
    model, x = Net(), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    norms = []

    def work(watch: Any) -> None:
        for most in (1e9, 1e-3):
            optimizer.zero_grad()
            loss = model(x)
            loss.backward()
            norms.append(nn.utils.clip_grad_norm_(model.rnn.parameters(), most).item())
            watch.step(loss)
            optimizer.step()

    free, clipped = recorded(model, work, optimizer=optimizer).records
    assert free.extra["learning_rate"] == 0.5
    assert free.extra["clip_factor"] == 1.0
    assert abs(clipped.extra["clip_factor"] - 1e-3 / norms[1]) < 1e-3 * clipped.extra["clip_factor"]
    for record, norm, factor in ((free, norms[0], 1.0), (clipped, norms[1], 1e-3 / norms[1])):
        assert abs(record.extra["gradient_norm: rnn"] / norm - 1) < 1e-5
        size = np.sqrt(sum((w.astype(float) ** 2).sum() for w in record.layers["rnn"].weights.values()))
        assert abs(record.extra["update_ratio: rnn"] / (0.5 * norm * factor / size) - 1) < 2e-2


def check_nan_and_inf_are_recorded() -> None:
    for value in (float("nan"), float("inf")):
        model = Net()
        found = once(model, lambda: model(data()) * value)  # noqa: B023
        assert not np.isfinite(found.first.loss)
        assert not np.isfinite(found.first.layers["rnn"].direct[-1]).any()
        assert found.errors == ""


def check_a_checkpoint_that_computes_again_during_backward() -> None:
    from torch.utils.checkpoint import checkpoint

    for reentrant in (False, True):
        model, x = Net(), data().requires_grad_()

        def work(watch: Any) -> None:
            for _ in range(2):
                loss = checkpoint(model, x, use_reentrant=reentrant)  # noqa: B023
                loss.backward()
                watch.step(loss)

        found = recorded(model, work)
        assert [r.step for r in found.records] == [0, 1], found.errors
        assert all(r.proved == {"rnn": True} for r in found.records)


def check_of_checkpoints_without_step_a_backward_is_one_step() -> None:
    from torch.utils.checkpoint import checkpoint

    for reentrant in (False, True):
        model = nn.ModuleDict({"low": nn.GRU(3, 4), "high": nn.LSTM(4, 4)})

        def work(_: Any) -> None:
            for _ in range(3):
                x = torch.randn(5, 2, 3, requires_grad=True)
                low = checkpoint(lambda x: model["low"](x)[0], x, use_reentrant=reentrant)  # noqa: B023
                high = checkpoint(lambda x: model["high"](x)[0], low, use_reentrant=reentrant)  # noqa: B023
                high.square().sum().backward()

        found = recorded(model, work)
        assert [r.step for r in found.records] == [0, 1, 2], (reentrant, [r.step for r in found.records], found.errors)
        assert all(r.proved == {"low": True, "high": True} for r in found.records), reentrant


def check_parametrized_weights() -> None:
    model = Net()
    nn.utils.parametrizations.weight_norm(model.rnn, "weight_hh_l0")
    found = once(model, lambda: model(data()))
    assert (found.first.proved, found.errors) == ({"rnn": True}, "")


def check_compiled_models() -> None:
    """Compiled before and after, as a copy and in place. Hooks break the graph, and layers go their own way anyway."""
    for when in ("compile, watch", "watch, compile", "compile, run, watch"):
        torch._dynamo.reset()
        model, x = Net(), data()
        compiled = model
        if when != "watch, compile":
            compiled = torch.compile(model, backend="aot_eager")
        if "run" in when:
            compiled(x)

        def work(watch: Any) -> None:
            run_ = compiled if when != "watch, compile" else torch.compile(model, backend="aot_eager")  # noqa: B023
            run_(x).backward()  # noqa: B023
            watch.step()

        found = recorded(compiled, work)
        name = "rnn" if when == "watch, compile" else "_orig_mod.rnn"
        assert found.first is not None, (when, found.errors)
        assert found.first.proved == {name: True}, (when, found.errors)


def check_a_scripted_copy_has_no_hooks() -> None:
    model = Net()
    scripted = torch.jit.trace(model, data(), check_trace=False)

    def work(watch: Any) -> None:
        scripted(data()).backward()
        watch.step()

    found = recorded(model, work)
    assert found.first is None
    assert "no watched layer has run" in found.errors


def check_a_step_before_backward_is_pointed_out_once() -> None:
    model = Net()

    def work(watch: Any) -> None:
        for _ in range(3):
            loss = model(data())
            watch.step(loss)
            loss.backward()
        model(data()).backward()
        watch.step()

    found = recorded(model, work, keep=2)
    assert [(r.step, r.proved) for r in found.records] == [(3, {"rnn": True})]  # and compared, as the first
    assert found.errors.count("\n") == 1
    assert "call watch.step after loss.backward()" in found.errors


PROCESSES = """
import os, sys, torch, rnnviz, torch.distributed as dist
from torch import nn
rank, port, path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
dist.init_process_group("gloo", rank=rank, world_size=2)
torch.manual_seed(0)
model = nn.parallel.DistributedDataParallel(nn.GRU(3, 4))
torch.manual_seed(rank)
with rnnviz.watch(model, path, every=1) as watch:
    for _ in range(2):
        loss = model(torch.randn(5, 2, 3))[0].square().sum()
        loss.backward()
        watch.step(loss)
        model.zero_grad()
dist.barrier()
dist.destroy_process_group()
os._exit(0)  # at the end of Python the threads of a group that a model still holds may abort (pytorch issue 190489)
"""


def check_of_distributed_processes_the_first_records_its_own_part() -> None:
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r"
        words = [[sys.executable, "-c", PROCESSES, str(rank), port, str(path)] for rank in (0, 1)]
        started = [subprocess.Popen(w, stderr=subprocess.PIPE, text=True) for w in words]
        errors = [process.communicate(timeout=100)[1] for process in started]
        assert [process.returncode for process in started] == [0, 0], errors
        records = Recording.open(path)
        assert records.steps == (0, 1)
        assert all(record.is_proved("module") for record in records), [r.agreement() for r in records]


def check_weights_that_are_whole_only_while_the_layer_computes() -> None:
    """As FSDP has them, here of one process."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    with tempfile.TemporaryDirectory() as folder:
        dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=0, world_size=1)
        try:
            model, x = Net(), data()
            fully_shard(model, mesh=init_device_mesh("cpu", (1,)))
            optimizer = torch.optim.SGD(model.parameters(), 0.1)

            def work(watch: Any) -> None:
                for _ in range(2):
                    loss = model(x)
                    loss.backward()
                    watch.step(loss)
                    optimizer.step()
                    optimizer.zero_grad()

            found = recorded(model, work, optimizer=optimizer)
        finally:
            dist.destroy_process_group()
    assert [record.proved for record in found.records] == [{"rnn": True}] * 2
    assert found.errors == ""


if __name__ == "__main__":
    run(globals())
