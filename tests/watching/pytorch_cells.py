# ruff: noqa: B023  each function is called before its loop goes on
"""nn.RNNCell, nn.LSTMCell, nn.GRUCell in loops of the user's own: total gradients as autograd's, direct gradients
without what comes back through the recurrence, and a reason where a loop cannot be recorded."""

from __future__ import annotations

import contextlib
import io
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from checks import run
from torch import nn

import rnnviz
from rnnviz.recordings.recording import Recording
from rnnviz.watching.torch_graph import edges

KINDS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def recorded(model: nn.Module, work: Callable[[], Any], **options: Any) -> tuple[Any, str]:
    """The first record of a step, and what stderr received."""
    errors = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(errors):
        with rnnviz.watch(model, Path(folder) / "r", **{"every": 1, "keep": 99, **options}) as watch:
            loss = work()
            loss.backward()
            watch.step(loss)
        record = Recording.open(Path(folder) / "r")[0]
        layers = {name: (record.layer(name), record.trace(name)) for name in record.layers}
        proved = {name: record.is_proved(name) for name in record.layers}
        return (layers, proved, record.extra.get("not_recorded", [])), errors.getvalue()


def step_of(kind: str, cell: Any, x: Any, state: Any) -> tuple[Any, Any]:
    """h and the state to hand to the next call."""
    state = cell(x, state)
    return (state[0] if kind == "lstm" else state), state


HEADS: dict[str, Callable[[list[Any], Any], Any]] = {
    "last": lambda hs, out: out(hs[-1]).square().mean(),
    "every": lambda hs, out: sum(out(h).square().mean() for h in hs),
    "third": lambda hs, out: out(hs[2]).square().mean(),
    "attention": lambda hs, out: (torch.stack(hs) * out(torch.stack(hs)).softmax(0)).sum(0).square().mean(),
    "many uses": lambda hs, out: sum(out(h).square().mean() + h.pow(3).mean() + (h * hs[-1]).mean() for h in hs),
}


def check_loops_have_autograds_gradients() -> None:
    """And the direct gradient is exactly 0 wherever the loss sends nothing."""
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)
    T, B, inputs, H = 6, 3, 2, 4
    for kind, (name, head), bias, start, single in itertools.product(
        KINDS, HEADS.items(), (True, False), (True, False), (True, False)
    ):
        model = nn.ModuleDict({"cell": KINDS[kind](inputs, H, bias=bias), "out": nn.Linear(H, 1)})
        x = torch.randn(T, inputs) if single else torch.randn(T, B, inputs)
        h0 = torch.randn((*x.shape[1:-1], H))
        states, hs = [], []

        def work() -> Any:
            states.clear(), hs.clear()
            state = None if not start else (h0, h0.cos()) if kind == "lstm" else h0
            for t in range(T):
                h, state = step_of(kind, model["cell"], x[t], state)
                h.retain_grad()
                hs.append(h)
                states.append(state)
            return head(hs, model["out"])

        ((layers, proved, refused), errors) = recorded(model, work)
        assert (list(layers), proved, refused, errors) == (["cell"], {"cell": True}, [], ""), (kind, name, errors)
        layer, trace = layers["cell"]
        grads = [np.zeros(h.shape) if h.grad is None else h.grad.numpy() for h in hs]
        expected = np.stack(grads) if single else np.stack(grads)[:, 0]
        np.testing.assert_allclose(trace.grad_h[1:, 0], expected, atol=1e-10)
        silent = {"last": slice(0, T - 1), "third": [0, 1, 3, 4, 5]}.get(name)
        if silent is not None:
            assert not layer.direct[silent].any(), (kind, name)
        assert layer.direct.any()
        assert (layer.h0 is not None) == start


def check_float32_too() -> None:
    torch.set_default_dtype(torch.float32)
    for kind, head in itertools.product(KINDS, HEADS.values()):
        model = nn.ModuleDict({"cell": KINDS[kind](3, 20), "out": nn.Linear(20, 1)})
        x, hs = torch.randn(50, 8, 3), []

        def work() -> Any:
            state = None
            for t in range(50):
                h, state = step_of(kind, model["cell"], x[t], state)
                h.retain_grad()
                hs.append(h)
            return head(hs, model["out"])

        (layers, proved, _), errors = recorded(model, work)
        assert proved == {"cell": True}, errors
        zero = torch.zeros_like(hs[0])
        expected = np.stack([(zero if h.grad is None else h.grad).numpy() for h in hs])[:, 0]
        np.testing.assert_allclose(layers["cell"][1].grad_h[1:, 0], expected, atol=1e-5 * np.abs(expected).max())


def check_a_node_that_gives_both_states_is_read_once() -> None:
    """As of a fused cell on a graphics card."""

    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, h: Any, c: Any) -> Any:
            return h * 2, c * 3

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            return grads[0] * 2, grads[1] * 3

    h, c = (torch.ones(1, requires_grad=True) * 1 for _ in range(2))
    assert [(i, name) for _, i, name in edges(Both.apply(h, c), {"h": h, "c": c}, [])] == [(0, "h"), (1, "c")]


def check_two_stacked_loops_and_an_encoder_before_a_decoder() -> None:
    torch.set_default_dtype(torch.float64)
    for kind in KINDS:
        model = nn.ModuleDict({n: KINDS[kind](2 if n == "low" else 4, 4) for n in ("low", "high", "decoder")})
        model["out"], model["back"] = nn.Linear(4, 1), nn.Linear(1, 4)
        x, low, high, decoded = torch.randn(5, 3, 2), [], [], []

        def work() -> Any:
            a = b = None
            for t in range(5):
                h, a = step_of(kind, model["low"], x[t], a)
                h.retain_grad()
                low.append(h)
                h, b = step_of(kind, model["high"], h, b)
                h.retain_grad()
                high.append(h)
            y, total = torch.ones(3, 1), 0
            for _ in range(4):  # reads its own prediction, and starts where the encoder ended
                h, b = step_of(kind, model["decoder"], model["back"](y), b)
                h.retain_grad()
                decoded.append(h)
                y = model["out"](h)
                total = total + y.square().mean()
            return total

        (layers, proved, _), errors = recorded(model, work)
        assert (set(proved.values()), errors) == ({True}, "")
        for name, hs in (("low", low), ("high", high), ("decoder", decoded)):
            expected = np.stack([h.grad.numpy() for h in hs])[:, 0]
            np.testing.assert_allclose(layers[name][1].grad_h[1:, 0], expected, atol=1e-10)


def check_two_loops_of_one_cell_are_two_records_whose_weight_gradients_are_a_sum() -> None:
    torch.set_default_dtype(torch.float64)
    model = nn.ModuleDict({"cell": nn.GRUCell(2, 4)})
    x = torch.randn(5, 3, 2)

    def work() -> Any:
        ends = []
        for order in (range(5), range(4, -1, -1)):
            h = torch.zeros(3, 4)
            for t in order:
                h = model["cell"](x[t], h)
            ends.append(h)
        return (ends[0] * ends[1]).sum()

    (layers, proved, _), errors = recorded(model, work)
    assert list(layers) == ["cell", "cell#2"]
    assert (proved, errors) == ({"cell": True, "cell#2": True}, "")
    assert all("used several times" in " ".join(layer.notes) for layer, _ in layers.values())
    np.testing.assert_array_equal(layers["cell"][0].x, layers["cell#2"][0].x[::-1])


def refused_because(kind: str, work: Callable[[Any, Any], Any], reason: str) -> None:
    torch.set_default_dtype(torch.float64)
    model = nn.ModuleDict({"cell": KINDS[kind](4, 4)})
    x = torch.randn(5, 3, 4)
    (layers, _, refused), errors = recorded(model, lambda: work(model["cell"], x))
    assert layers == {}
    assert len(refused) == 1
    assert reason in refused[0], refused
    assert errors.count("\n") == 1, errors
    assert errors.startswith("rnnviz.watch: cell: not recorded: ")


def check_a_state_that_is_changed_between_the_calls_is_refused() -> None:
    def work(cell: Any, x: Any) -> Any:
        h = torch.zeros(3, 4)
        for t in range(5):
            h = nn.functional.dropout(cell(x[t], h), 0.5)
        return h.sum()

    for kind in ("rnn", "gru"):
        refused_because(kind, work, "its state is changed between the calls")


def check_a_loss_on_inner_cell_states_is_refused() -> None:
    def work(cell: Any, x: Any) -> Any:
        state, total = None, 0
        for t in range(5):
            state = cell(x[t], state)
            total = total + state[1].sum()
        return total

    refused_because("lstm", work, "the loss reads the cell state c_t before the last step")


def check_a_state_as_its_own_input_is_refused() -> None:
    def work(cell: Any, x: Any) -> Any:
        h = cell(x[0], None)
        for _ in range(4):
            h = cell(h, h)
        return h.sum()

    refused_because("gru", work, "it reads its own state as its input")


def check_a_loss_on_the_last_cell_state_is_recorded() -> None:
    torch.set_default_dtype(torch.float64)
    model, x = nn.LSTMCell(2, 4), torch.randn(5, 3, 2)

    def work() -> Any:
        state = None
        for t in range(5):
            state = model(x[t], state)
        return state[1].square().sum()

    (layers, proved, _), errors = recorded(model, work)
    assert (proved, errors) == ({"lstmcell": True}, "")
    layer = layers["lstmcell"][0]
    assert not layer.direct.any()
    assert layer.direct_c.any()


def check_a_fused_layer_called_once_a_step_is_one_record() -> None:
    """A decoder that feeds its prediction back, looks at its own last state, and has chunks of one or more steps."""
    torch.set_default_dtype(torch.float64)
    for kind, first, looks, chunk in itertools.product(KINDS, (True, False), (True, False), (1, 3)):
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind](2, 4, num_layers=2, batch_first=first)
        model = nn.ModuleDict({"decoder": layer, "out": nn.Linear(4, 2)})
        x, hs = torch.randn(chunk, 3, 2), []

        def work() -> Any:
            state, y, total = None, x.transpose(0, 1) if first else x, 0
            for _ in range(4):
                output, state = layer(y, state)
                h = state[0] if kind == "lstm" else state
                hs.append((output, h))
                output.retain_grad(), h.retain_grad()
                y = model["out"](output)
                total = total + y.square().mean()
                if looks:
                    total = total + h[-1].pow(3).sum()
            return total

        (layers, proved, refused), errors = recorded(model, work)
        assert (list(proved.items()), refused, errors) == ([("decoder", True)], [], ""), (kind, errors)
        layer_, trace = layers["decoder"]
        assert layer_.x.shape == (4 * chunk, 3, 2)
        last = hs[-1][0].grad
        last = (last.transpose(0, 1) if first else last)[-1].numpy()
        np.testing.assert_allclose(layer_.direct[-1], last, atol=1e-12)
        for i, (_, h) in enumerate(hs[:-1], 1):  # to the end of a chunk: what h_n receives, and output as well
            output = hs[i - 1][0].grad
            output = (output.transpose(0, 1) if first else output)[-1]
            expected = (h.grad[-1] + output)[0].numpy()
            np.testing.assert_allclose(trace.grad_h[i * chunk, 0], expected, atol=1e-10)


def check_a_lower_state_read_between_two_calls_is_refused() -> None:
    torch.set_default_dtype(torch.float64)
    layer, x = nn.GRU(2, 4, num_layers=2), torch.randn(1, 3, 2)

    def work() -> Any:
        state, total = None, 0
        for _ in range(3):
            _, state = layer(x, state)
            total = total + state.square().sum()
        return total

    (layers, _, refused), errors = recorded(layer, work)
    assert layers == {}
    assert "h_n of a lower level" in refused[0]
    assert errors.count("\n") == 1


def check_truncation_by_detach_makes_a_record_of_each_part() -> None:
    torch.set_default_dtype(torch.float64)
    model, x = nn.GRUCell(2, 4), torch.randn(6, 3, 2)

    def work() -> Any:
        h, total = torch.zeros(3, 4), 0
        for t in range(6):
            h = model(x[t], h.detach() if t == 3 else h)
            total = total + h.square().sum()
        return total

    (layers, proved, _), errors = recorded(model, work)
    assert (proved, errors) == ({"grucell": True, "grucell#2": True}, "")
    assert [layer.T for layer, _ in layers.values()] == [3, 3]
    assert layers["grucell#2"][0].h0.any()


if __name__ == "__main__":
    run(globals())
