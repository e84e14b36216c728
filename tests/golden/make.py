"""Makes the golden files: what PyTorch and Keras say, so that the tests need neither.

    KERAS_BACKEND=torch python tests/golden/make.py [pytorch] [mingru] [indrnn] [lru] [attention] [bidirectional]
                                                    [keras] [histories] [cell_histories] [sine_runs] [carried]
                                                    [masked] [recordings]

Needs torch, keras and numpy. Everything is float64 and seeded, except Keras' own recipe, which runs as its users
run it, in float32. `sine_runs` trains 200 models with Keras and takes some minutes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np

HERE = Path(__file__).parent
EPOCHS, BATCH, WINDOW = 20, 8, 10
#: The cells that PyTorch does not have.
OWN = ("mingru", "indrnn", "lru")


def save(name: str, arrays: dict[str, np.ndarray]) -> None:
    np.savez_compressed(HERE / f"{name}.npz", **arrays)
    print(f"{name}.npz: {len(arrays)} arrays, {(HERE / f'{name}.npz').stat().st_size / 1024:.0f} KiB")


def noisy_sine(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The windows (40, 10, 1) of 50 points over -2π..2π with noise 0.1, and the same shifted by one."""
    x = np.linspace(-2 * np.pi, 2 * np.pi, 50)
    series = np.sin(x) + 0.1 * np.random.default_rng(seed).standard_normal(50)
    windows = np.stack([series[i : i + WINDOW + 1] for i in range(50 - WINDOW)])[..., None]
    return windows[:, :-1], windows[:, 1:]


# -- PyTorch: outputs and all gradients -------------------------------------------------------------------


def pytorch() -> None:
    """cases "cell.activation.layers": x, h0, c0, targets, classes, params, y, h, and for each loss the loss, the
    parameters' gradients, and ∂L_k/∂h_t (K, T+1, B, H) and ∂L_k/∂c_t of the top layer for each loss step k."""
    rnns = [("rnn", a, n) for a in ("tanh", "relu") for n in (1, 2, 3)]
    save("pytorch", autograd(rnns + [(c, "tanh", n) for c in ("lstm", "gru") for n in (1, 2, 3)]))


def mingru() -> None:
    """The same of a minGRU. PyTorch has none, so its few lines are written here; the gradients are autograd's."""
    save("mingru", autograd([("mingru", "identity", n) for n in (1, 2, 3)]))


def indrnn() -> None:
    """The same of an IndRNN."""
    save("indrnn", autograd([("indrnn", "relu", 1), ("indrnn", "tanh", 2)]))


def lru() -> None:
    """The same of an LRU, on complex numbers."""
    save("lru", autograd([("lru", "identity", 1), ("lru", "identity", 2)]))


def make_own(cell: str, inputs: int, H: int, layers: int, activation: str = "identity"):
    """A cell that PyTorch does not have, from the equations of its paper."""
    import torch

    blocks = 2 if cell == "mingru" else 1
    hidden = {"mingru": None, "indrnn": (1, H), "lru": (3, H // 2)}[cell]

    class Own(torch.nn.Module):
        hidden_size, num_layers = H, layers

        def __init__(self):
            super().__init__()
            for layer in range(layers):
                linear = torch.nn.Linear(inputs if layer == 0 else H, blocks * H)
                self.register_parameter(f"weight_ih_l{layer}", linear.weight)
                if hidden is not None:
                    self.register_parameter(f"weight_hh_l{layer}", torch.nn.Parameter(torch.empty(hidden)))
                self.register_parameter(f"bias_ih_l{layer}", linear.bias)

        def step(self, layer, x, h):
            a = x @ getattr(self, f"weight_ih_l{layer}").T + getattr(self, f"bias_ih_l{layer}")
            if cell == "indrnn":
                return getattr(torch, activation)(a + getattr(self, f"weight_hh_l{layer}") * h)
            if cell == "lru":
                nu, theta, log_gamma = getattr(self, f"weight_hh_l{layer}")
                turn = torch.exp(torch.complex(-nu.exp(), theta.exp()))
                state, given = (torch.complex(*both.chunk(2, dim=-1)) for both in (h, a))
                state = turn * state + log_gamma.exp() * given
                return torch.cat([state.real, state.imag], dim=-1)
            z, new = torch.sigmoid(a[..., :H]), a[..., H:]
            return (1 - z) * h + z * new

        def forward(self, x, h0):
            last = []
            for layer in range(layers):
                h, hs = h0[layer], []
                for x_t in x:
                    h = self.step(layer, x_t, h)
                    hs.append(h)
                x = torch.stack(hs)
                last.append(h)
            return x, torch.stack(last)

    return Own()


def attention() -> None:
    """cases "cell.readout": x, targets, params, y, α of the last step, and of the loss at every step and at the last
    the loss, the parameters' gradients and ∂L/∂h_t (T, B, H). The dot product is PyTorch's own."""
    import torch

    torch.set_default_dtype(torch.float64)
    out: dict[str, np.ndarray] = {}
    T, B, H, inputs, outputs = 6, 2, 4, 2, 3
    for number, (cell, kind) in enumerate((c, k) for c in ("rnn", "lstm", "gru") for k in ("attention", "additive")):
        torch.manual_seed(number)
        module, linear = getattr(torch.nn, cell.upper())(inputs, H), torch.nn.Linear(H, outputs)
        context, query, key = (torch.nn.Linear(H, n, bias=False) for n in (outputs, H, H))
        score = torch.nn.Linear(H, 1, bias=False)
        named = {f"rnn.{n}": p for n, p in module.named_parameters()}
        named |= {f"readout.{n}": p for n, p in linear.named_parameters()}
        named |= {"readout.context": context.weight, "readout.query": query.weight, "readout.key": key.weight}
        named |= {"readout.score": score.weight} if kind == "additive" else {}
        for p in named.values():
            torch.nn.init.uniform_(p, -0.9, 0.9)
        x, targets = torch.randn(T, B, inputs), torch.randn(T, B, outputs)
        states, state = [], None
        for x_t in x:  # step by step, so that each h_t has a gradient of its own
            read, state = module(x_t[None], state)
            states.append(read[0])
            state = (states[-1][None], state[1]) if cell == "lstm" else states[-1][None]
        h = torch.stack(states, 1)  # (B, T, H)
        seen = torch.tril(torch.ones(T, T, dtype=torch.bool))
        if kind == "attention":
            c = torch.nn.functional.scaled_dot_product_attention(query(h), key(h), h, attn_mask=seen)
            e = query(h) @ key(h).mT / H**0.5
        else:
            e = score(torch.tanh(query(h)[:, :, None] + key(h)[:, None]))[..., 0]
            c = torch.softmax(e.masked_fill(~seen, -torch.inf), -1) @ h
        y = (linear(h) + context(c)).swapaxes(0, 1)
        found = {"x": x, "targets": targets, "y": y, "alpha": torch.softmax(e[:, -1], -1).T}
        found |= {f"params/{n}": p for n, p in named.items()}
        for where, steps in (("every", slice(None)), ("last", slice(-1, None))):
            loss = ((y - targets)[steps] ** 2).mean()
            grads = torch.autograd.grad(loss, [*named.values(), *states], retain_graph=True)
            found |= {f"{where}/loss": loss, f"{where}/grad_h": torch.stack(grads[len(named) :])}
            found |= {f"{where}/grads/{n}": g for n, g in zip(named, grads, strict=False)}
        out |= {f"{cell}.{kind}/{n}": a.detach().numpy().copy() for n, a in found.items()}
    save("attention", out)


def autograd(cases: list[tuple[str, str, int]]) -> dict[str, np.ndarray]:
    import torch

    torch.set_default_dtype(torch.float64)
    out: dict[str, np.ndarray] = {}
    T, B, H, inputs, outputs = 6, 3, 4, 2, 3
    for number, (cell, activation, layers) in enumerate(cases):
        torch.manual_seed(number)
        kwargs = {"nonlinearity": activation} if cell == "rnn" else {}
        if cell in OWN:
            module = make_own(cell, inputs, H, layers, activation)
        else:
            module = getattr(torch.nn, cell.upper())(inputs, H, layers, **kwargs)
        readout = torch.nn.Linear(H, outputs)
        for p in (*module.parameters(), *readout.parameters()):
            torch.nn.init.uniform_(p, -0.9, 0.9)
        x, targets = torch.randn(T, B, inputs), torch.randn(T, B, outputs)
        classes = torch.randint(0, outputs, (T, B))
        h0, c0 = 0.5 * torch.randn(layers, B, H), 0.5 * torch.randn(layers, B, H)
        case = f"{cell}.{activation}.{layers}"

        def put(case: str = case, /, **arrays: torch.Tensor) -> None:
            for name, value in arrays.items():
                out[f"{case}/{name}"] = value.detach().numpy().copy()

        hs, _ = module(x, (h0, c0) if cell == "lstm" else h0)
        y = readout(hs)
        put(x=x, targets=targets, classes=classes, h0=h0, c0=c0, y=y, h=hs)
        named = {f"rnn.{n}": p for n, p in module.named_parameters()}
        named |= {f"readout.{n}": p for n, p in readout.named_parameters()}
        put(**{f"params/{n}": p for n, p in named.items()})

        losses = {
            "mse": ((y - targets) ** 2).sum(dim=(1, 2)) / targets.numel(),
            "cross_entropy": torch.nn.functional.cross_entropy(
                y.reshape(-1, outputs), classes.reshape(-1), reduction="none"
            )
            .reshape(T, B)
            .sum(dim=1)
            / classes.numel(),
        }
        for loss, steps in losses.items():
            grads = torch.autograd.grad(steps.sum(), list(named.values()), retain_graph=True)
            put(**{f"{loss}/loss": steps.sum(), f"{loss}/step_loss": steps})
            put(**{f"{loss}/grads/{n}": g for n, g in zip(named, grads, strict=True)})
        itemised(cell, activation, module, readout, x, targets, h0, c0, put)
    return out


def bidirectional() -> None:
    """cases "cell.layers" of PyTorch's bidirectional=True: x, h0, c0, targets, params, y, h of both directions, and for
    the loss at every step and at the last the loss and the gradients of the parameters and of x. A minGRU, which
    PyTorch does not have, reads the flipped sequence."""
    import torch

    torch.set_default_dtype(torch.float64)
    out: dict[str, np.ndarray] = {}
    T, B, H, inputs, outputs = 5, 2, 3, 2, 2
    for number, (cell, layers) in enumerate((c, n) for c in ("rnn", "lstm", "gru", "mingru") for n in (1, 2)):
        torch.manual_seed(number)
        if cell == "mingru":
            sides = [make_own("mingru", inputs if level == 0 else 2 * H, H, 1) for level in range(layers) for _ in "fb"]
            ends = [f"_l{level}{way}" for level in range(layers) for way in ("", "_reverse")]
            named = {
                f"rnn.{n.removesuffix('_l0')}{end}": p
                for one, end in zip(sides, ends, strict=True)
                for n, p in one.named_parameters()
            }

            def module(x, h0, sides=sides, layers=layers):
                for level in range(layers):
                    ahead, _ = sides[2 * level](x, h0[2 * level, None])
                    back, _ = sides[2 * level + 1](x.flip(0), h0[2 * level + 1, None])
                    x = torch.cat([ahead, back.flip(0)], dim=2)
                return x, None
        else:
            module = getattr(torch.nn, cell.upper())(inputs, H, layers, bidirectional=True)
            named = {f"rnn.{n}": p for n, p in module.named_parameters()}
        readout = torch.nn.Linear(2 * H, outputs)
        named |= {f"readout.{n}": p for n, p in readout.named_parameters()}
        for p in named.values():
            torch.nn.init.uniform_(p, -0.9, 0.9)
        x, targets = torch.randn(T, B, inputs, requires_grad=True), torch.randn(T, B, outputs)
        h0, c0 = 0.5 * torch.randn(2 * layers, B, H), 0.5 * torch.randn(2 * layers, B, H)
        hs, _ = module(x, (h0, c0) if cell == "lstm" else h0)
        y = readout(hs)
        found = {"x": x, "targets": targets, "h0": h0, "c0": c0, "y": y, "h": hs}
        found |= {f"params/{n}": p for n, p in named.items()}
        for where, steps in (("every", slice(None)), ("last", slice(-1, None))):
            loss = ((y - targets)[steps] ** 2).mean()
            grads = torch.autograd.grad(loss, [x, *named.values()], retain_graph=True)
            found |= {f"{where}/loss": loss, f"{where}/grad_x": grads[0]}
            found |= {f"{where}/grads/{n}": g for n, g in zip(named, grads[1:], strict=True)}
        out |= {f"{cell}.{layers}/{name}": value.detach().numpy().copy() for name, value in found.items()}
    save("bidirectional", out)


def itemised(cell, activation, module, readout, x, targets, h0, c0, put) -> None:
    """Unrolled with PyTorch's single-step cells, so that every state is a node autograd can be asked about."""
    import torch

    T, B, H, layers = len(x), x.shape[1], module.hidden_size, module.num_layers
    kwargs = {"nonlinearity": activation} if cell == "rnn" else {}
    cells = []
    for layer in range(layers):
        if cell in OWN:
            cells.append(lambda x, h, layer=layer: module.step(layer, x, h))
            continue
        one = getattr(torch.nn, {"rnn": "RNNCell", "lstm": "LSTMCell", "gru": "GRUCell"}[cell])(
            x.shape[2] if layer == 0 else H, H, **kwargs
        )
        one.load_state_dict({n: getattr(module, f"{n}_l{layer}") for n in one.state_dict()})
        cells.append(one)
    h = [state.clone().requires_grad_() for state in h0]
    c = [state.clone().requires_grad_() for state in c0]
    top_h, top_c, ys = [h[-1]], [c[-1]], []
    for t in range(T):
        inputs = x[t]
        for layer in range(layers):
            if cell == "lstm":
                h[layer], c[layer] = cells[layer](inputs, (h[layer], c[layer]))
            else:
                h[layer] = cells[layer](inputs, h[layer])
            inputs = h[layer]
        top_h.append(h[-1])
        top_c.append(c[-1])
        ys.append(readout(h[-1]))
    states = top_h + (top_c if cell == "lstm" else [])
    rows = []
    for k in range(T):
        share = ((ys[k] - targets[k]) ** 2).sum() / targets.numel()
        found = torch.autograd.grad(share, states, retain_graph=True, allow_unused=True)
        rows.append(torch.stack([torch.zeros(B, H) if g is None else g for g in found]))
    by_step = torch.stack(rows)
    put(**{"mse/item_h": by_step[:, : T + 1]})
    if cell == "lstm":
        put(**{"mse/item_c": by_step[:, T + 1 :]})


# -- Keras: outputs and all gradients, in Keras' own layout -----------------------------------------------


def keras_layers() -> None:
    """cases "SimpleRNN", "LSTM", "GRU", each with the loss at every step or ".last": x, targets, y, the weights
    and their gradients in the order of get_weights()."""
    import keras
    import torch

    # Away from TensorFlow Keras rounds every product to float32, whatever the policy; with TensorFlow it does not.
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    out: dict[str, np.ndarray] = {}
    N, T, H, inputs, outputs = 4, 7, 5, 3, 2
    for kind in ("SimpleRNN", "LSTM", "GRU"):
        for where in ("every", "last"):
            keras.utils.set_random_seed(3)
            rng = np.random.default_rng(3)
            every = where == "every"
            model = keras.Sequential(
                [
                    keras.Input((T, inputs)),
                    getattr(keras.layers, kind)(H, return_sequences=every),
                    keras.layers.Dense(outputs),
                ]
            )
            model.set_weights([w + 0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
            x = rng.standard_normal((N, T, inputs))
            targets = rng.standard_normal((N, T, outputs) if every else (N, outputs))
            y = model(x)
            loss = keras.ops.mean(keras.losses.mean_squared_error(targets, y))
            found = torch.autograd.grad(loss, [v.value for v in model.trainable_variables])
            case = f"{kind}.{where}"
            out |= {f"{case}/x": x, f"{case}/targets": targets, f"{case}/y": y.detach().numpy()}
            out[f"{case}/loss"] = loss.detach().numpy()
            for n, (w, g) in enumerate(zip(model.get_weights(), found, strict=True)):
                out[f"{case}/weights/{n}"], out[f"{case}/grads/{n}"] = w, g.numpy()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float32"
    save("keras", out)


# -- sequences of unequal lengths: PyTorch's packed sequences, Keras' masks -----------------------------------

LENGTHS = (6, 2, 4)


def masked() -> None:
    """cases "rnn", "lstm", "gru" of two layers in PyTorch, packed: params, x, targets, h (0 after the end), h_n, and of
    the loss "every" at the sequences' own steps and "last" at their ends: the loss, the parameters' gradients, grad_x.
    cases "SimpleRNN.after", … of Keras with a Masking layer, padded after or before: x, targets, weights, h at every
    step, and of the loss at the last step: loss, the weights' gradients."""
    save("masked", packed_sequences() | keras_masks())


def packed_sequences() -> dict[str, np.ndarray]:
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    torch.set_default_dtype(torch.float64)
    out: dict[str, np.ndarray] = {}
    T, B, H, inputs, outputs = max(LENGTHS), len(LENGTHS), 4, 2, 3
    for cell in ("rnn", "lstm", "gru"):
        torch.manual_seed(7)
        module, readout = getattr(torch.nn, cell.upper())(inputs, H, 2), torch.nn.Linear(H, outputs)
        for p in (*module.parameters(), *readout.parameters()):
            torch.nn.init.uniform_(p, -0.9, 0.9)
        x, targets = torch.randn(T, B, inputs, requires_grad=True), torch.randn(T, B, outputs)
        packed, state = module(pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False))
        hs, _ = pad_packed_sequence(packed)
        h_n = (state[0] if cell == "lstm" else state)[-1]
        own = torch.arange(T)[:, None] < torch.tensor(LENGTHS)
        ends = targets[torch.tensor(LENGTHS) - 1, torch.arange(B)]
        named = {f"rnn.{n}": p for n, p in module.named_parameters()}
        named |= {f"readout.{n}": p for n, p in readout.named_parameters()}
        arrays = {"x": x, "targets": targets, "h": hs, "h_n": h_n} | {f"params/{n}": p for n, p in named.items()}
        losses = {
            "every": ((readout(hs) - targets)[own] ** 2).mean(),
            "last": ((readout(h_n) - ends) ** 2).mean(),
        }
        for where, loss in losses.items():
            *grads, grad_x = torch.autograd.grad(loss, [*named.values(), x], retain_graph=True)
            arrays |= {f"{where}/loss": loss, f"{where}/grad_x": grad_x}
            arrays |= {f"{where}/grads/{n}": g for n, g in zip(named, grads, strict=True)}
        out |= {f"{cell}/{name}": value.detach().numpy().copy() for name, value in arrays.items()}
    return out


def keras_masks() -> dict[str, np.ndarray]:
    import keras
    import torch
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # see keras_layers
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    out: dict[str, np.ndarray] = {}
    T, B, H, inputs, outputs = max(LENGTHS), len(LENGTHS), 4, 2, 3
    for kind in ("SimpleRNN", "LSTM", "GRU"):
        keras.utils.set_random_seed(4)
        rng = np.random.default_rng(4)
        whole = keras.Input((T, inputs))
        states = getattr(keras.layers, kind)(H, return_sequences=True)(keras.layers.Masking(0.0)(whole))
        every = keras.Model(whole, states)
        dense = keras.layers.Dense(outputs)
        dense.build((None, H))
        drawn = [w + 0.3 * rng.standard_normal(w.shape) for w in [*every.get_weights(), *dense.get_weights()]]
        every.set_weights(drawn[:-2])
        dense.set_weights(drawn[-2:])
        steps, targets = rng.standard_normal((B, T, inputs)), rng.standard_normal((B, outputs))
        for where in ("after", "before"):
            x = np.zeros_like(steps)
            for row, own, n in zip(x, steps, LENGTHS, strict=True):
                row[slice(n) if where == "after" else slice(T - n, T)] = own[:n]
            h = every(x)
            loss = keras.ops.mean(keras.losses.mean_squared_error(targets, dense(h[:, -1])))
            variables = [*every.trainable_variables, *dense.trainable_variables]
            found = torch.autograd.grad(loss, [v.value for v in variables])
            case = f"{kind}.{where}"
            out |= {f"{case}/x": x, f"{case}/targets": targets, f"{case}/h": h.detach().numpy()}
            out[f"{case}/loss"] = loss.detach().numpy()
            for n, (w, g) in enumerate(zip(drawn, found, strict=True)):
                out[f"{case}/weights/{n}"], out[f"{case}/grads/{n}"] = w, g.numpy()
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float32"
    return out


# -- the sine recipe: loss histories ----------------------------------------------------------------------

RULES = {
    "sgd": ("SGD", {"lr": 0.01}, {}),
    "momentum": ("SGD", {"lr": 0.01, "momentum": 0.9}, {}),
    "adam": ("Adam", {"lr": 0.01}, {}),
    "rmsprop": ("RMSprop", {"lr": 0.001}, {}),
    "clip_norm": ("SGD", {"lr": 0.05}, {"clip_norm": 0.3}),
    "clip_value": ("SGD", {"lr": 0.05}, {"clip_value": 0.05}),
}


def histories() -> None:
    """x, targets, order (epochs, 36), the weights, and loss and val_loss of 20 epochs by Keras (float32, SGD and
    Adam) and by PyTorch (float64, all rules), from the same weights, data and batch order."""
    x, targets = noisy_sine(0)
    train = 36
    order = np.stack([np.random.default_rng([1, e]).permutation(train) for e in range(EPOCHS)])
    out: dict[str, np.ndarray] = {"x": x, "targets": targets, "order": order}
    weights = keras_start()
    out |= {f"weights/{n}": w for n, w in enumerate(weights)}
    for name in ("sgd", "adam"):
        out |= keras_history(name, weights, x, targets, order)
    for name in RULES:
        out |= pytorch_history(name, weights, x, targets, order)
    save("histories", out)


def keras_recipe(optimizer):
    import keras

    model = keras.Sequential(
        [
            keras.Input((WINDOW, 1)),
            keras.layers.SimpleRNN(20, return_sequences=True),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer=optimizer, loss="mse")
    return model


def keras_start() -> list[np.ndarray]:
    import keras

    keras.utils.set_random_seed(5)
    return [w.astype(np.float64) for w in keras_recipe("sgd").get_weights()]


def keras_history(name, weights, x, targets, order) -> dict[str, np.ndarray]:
    import keras

    rule = {"sgd": keras.optimizers.SGD(0.01), "adam": keras.optimizers.Adam(0.01)}[name]
    model = keras_recipe(rule)
    model.set_weights(weights)
    losses, val_losses = [], []
    for permutation in order:
        done = model.fit(
            x[permutation],
            targets[permutation],
            batch_size=BATCH,
            epochs=1,
            shuffle=False,
            validation_data=(x[order.shape[1] :], targets[order.shape[1] :]),
            verbose=0,
        )
        losses += done.history["loss"]
        val_losses += done.history["val_loss"]
    return {f"keras/{name}/loss": np.array(losses), f"keras/{name}/val_loss": np.array(val_losses)}


def pytorch_history(name, weights, x, targets, order) -> dict[str, np.ndarray]:
    import torch

    torch.set_default_dtype(torch.float64)
    kernel, recurrent, bias, dense, dense_bias = (torch.tensor(w) for w in weights)
    rnn, readout = torch.nn.RNN(1, 20), torch.nn.Linear(20, 1)
    start = [kernel.T, recurrent.T, bias, torch.zeros(20), dense.T, dense_bias]
    with torch.no_grad():
        for p, w in zip([*rnn.parameters(), *readout.parameters()], start, strict=True):
            p.copy_(w)
    trained = [p for n, p in rnn.named_parameters() if n != "bias_hh_l0"] + list(readout.parameters())
    rule, kwargs, clip = RULES[name]
    optimizer = getattr(torch.optim, rule)(trained, **kwargs)
    X, Y = (torch.tensor(a).transpose(0, 1).contiguous() for a in (x, targets))
    n = order.shape[1]
    losses, val_losses = [], []
    for permutation in order:
        total = 0.0
        for at in range(0, n, BATCH):
            batch = permutation[at : at + BATCH]
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(readout(rnn(X[:, batch])[0]), Y[:, batch])
            loss.backward()
            if "clip_norm" in clip:
                torch.nn.utils.clip_grad_norm_(trained, clip["clip_norm"])
            if "clip_value" in clip:
                torch.nn.utils.clip_grad_value_(trained, clip["clip_value"])
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / n)
        with torch.no_grad():
            val_losses.append(torch.nn.functional.mse_loss(readout(rnn(X[:, n:])[0]), Y[:, n:]).item())
    return {f"pytorch/{name}/loss": np.array(losses), f"pytorch/{name}/val_loss": np.array(val_losses)}


# -- every cell, every rule: loss histories ---------------------------------------------------------------


def cell_histories() -> None:
    """x, targets, and for each cell the weights in Keras' layout, two layers of it, and the loss of 20 epochs in
    order: by Keras with its own defaults, and by PyTorch with its own, both in float64."""
    import keras
    import torch
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    keras.config.set_dtype_policy("float64")
    keras.config.set_floatx("float64")
    torch.set_default_dtype(torch.float64)
    x, targets = noisy_sine(3)
    out: dict[str, np.ndarray] = {"x": x, "targets": targets}
    H = 6
    for cell, kind in (("rnn", "SimpleRNN"), ("lstm", "LSTM"), ("gru", "GRU")):
        keras.utils.set_random_seed(9)
        layer = getattr(keras.layers, kind)
        model = keras.Sequential(
            [
                keras.Input((WINDOW, 1)),
                layer(H, return_sequences=True),
                layer(H, return_sequences=True),
                keras.layers.Dense(1),
            ]
        )
        weights = model.get_weights()
        out |= {f"{cell}/weights/{n}": w for n, w in enumerate(weights)}
        for name, optimizer in {
            "momentum": keras.optimizers.SGD(0.02, momentum=0.9),
            "adam": keras.optimizers.Adam(0.01),
            "rmsprop": keras.optimizers.RMSprop(0.003),
            "clip_norm": keras.optimizers.SGD(0.1, global_clipnorm=0.2),
            "clip_each": keras.optimizers.SGD(0.1, clipnorm=0.05),
            "clip_value": keras.optimizers.SGD(0.1, clipvalue=0.02),
        }.items():
            model.set_weights(weights)
            model.compile(optimizer, loss="mse")
            done = model.fit(x, targets, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
            out[f"{cell}/keras/{name}"] = np.array(done.history["loss"])
        for name in ("momentum", "adam", "rmsprop", "clip_norm", "clip_each", "clip_value"):
            out[f"{cell}/pytorch/{name}"] = pytorch_cell_history(cell, name, weights, x, targets)
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float32"
    save("cell_histories", out)


def pytorch_cell_history(cell, name, weights, x, targets) -> np.ndarray:
    import torch

    H = weights[1].shape[0]
    module, readout = getattr(torch.nn, cell.upper())(1, H, 2), torch.nn.Linear(H, 1)
    named = dict(module.named_parameters())
    # Keras stores the gates of a GRU as z, r, n
    rows = np.r_[H : 2 * H, 0:H, 2 * H : 3 * H] if cell == "gru" else slice(None)
    with torch.no_grad():
        for layer in range(2):
            kernel, recurrent, bias = weights[3 * layer : 3 * layer + 3]
            b_ih, b_hh = bias if cell == "gru" else (bias, np.zeros_like(bias))
            for part, w in (
                ("weight_ih", kernel.T), ("weight_hh", recurrent.T), ("bias_ih", b_ih), ("bias_hh", b_hh),
            ):  # fmt: skip
                named[f"{part}_l{layer}"].copy_(torch.tensor(np.ascontiguousarray(w[rows])))
        readout.weight.copy_(torch.tensor(weights[-2].T))
        readout.bias.copy_(torch.tensor(weights[-1]))
    kept = [p for n, p in named.items() if cell == "gru" or "bias_hh" not in n]
    trained = [*kept, *readout.parameters()]
    optimizer = {
        "momentum": lambda: torch.optim.SGD(trained, 0.02, momentum=0.9),
        "adam": lambda: torch.optim.Adam(trained, 0.01),
        "rmsprop": lambda: torch.optim.RMSprop(trained, 0.003),
    }.get(name, lambda: torch.optim.SGD(trained, 0.1))()
    X, Y = (torch.tensor(a).transpose(0, 1).contiguous() for a in (x, targets))
    losses = []
    for _ in range(EPOCHS):
        total = 0.0
        for at in range(0, len(x), BATCH):
            batch = slice(at, at + BATCH)
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(readout(module(X[:, batch])[0]), Y[:, batch])
            loss.backward()
            if name == "clip_norm":
                torch.nn.utils.clip_grad_norm_(trained, 0.2)
            if name == "clip_each":
                for p in trained:
                    torch.nn.utils.clip_grad_norm_(p, 0.05)
            if name == "clip_value":
                torch.nn.utils.clip_grad_value_(trained, 0.02)
            optimizer.step()
            total += loss.item() * X[:, batch].shape[1]
        losses.append(total / len(x))
    return np.array(losses)


# -- state carried from batch to batch --------------------------------------------------------------------


def carried() -> None:
    """x (N, T, I), targets; for each cell the weights, and of 4 epochs of 3 rows of 4 sequences each, with
    h = h.detach() between the batches: loss and val_loss (the last 3 sequences as one stream), the weights in the end,
    and the state after the last batch. Then, for the first two batches and the first weights: the gradient of the
    second one's loss, cut at the border (grads) and not (full)."""
    import torch

    torch.set_default_dtype(torch.float64)
    rows, length, T, H, inputs, outputs = 3, 4, 5, 4, 2, 3
    n = rows * length
    torch.manual_seed(21)
    x, targets = torch.randn(n + 3, T, inputs), torch.randn(n + 3, T, outputs)
    out = {"x": x.numpy().copy(), "targets": targets.numpy().copy()}
    batches = [[row * length + number for row in range(rows)] for number in range(length)]
    for cell in ("rnn", "lstm", "gru"):
        module = getattr(torch.nn, cell.upper())(inputs, H, 2, batch_first=True)
        readout = torch.nn.Linear(H, outputs)
        for p in (*module.parameters(), *readout.parameters()):
            torch.nn.init.uniform_(p, -0.9, 0.9)
        named = {f"rnn.{name}": p for name, p in module.named_parameters()}
        named |= {f"readout.{name}": p for name, p in readout.named_parameters()}
        out |= {f"{cell}/params/{name}": p.detach().numpy().copy() for name, p in named.items()}

        def loss_of(batch, state, module=module, readout=readout):
            h, state = module(x[batch], state)
            return torch.nn.functional.mse_loss(readout(h), targets[batch]), state

        _, state = loss_of(batches[0], None)
        loss, _ = loss_of(batches[1], detached(state))
        grads = torch.autograd.grad(loss, list(named.values()))
        loss, _ = loss_of(batches[1], state)
        full = torch.autograd.grad(loss, list(named.values()))
        for name, g, f in zip(named, grads, full, strict=True):
            out |= {f"{cell}/grads/{name}": g.numpy(), f"{cell}/full/{name}": f.numpy()}

        optimizer = torch.optim.Adam(named.values(), 0.02)
        losses, val_losses = [], []
        for _ in range(4):
            state, total = None, 0.0
            for batch in batches:
                optimizer.zero_grad()
                loss, state = loss_of(batch, state)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(named.values(), 0.5)
                optimizer.step()
                state = detached(state)
                total += loss.item()
            losses.append(total / length)
            with torch.no_grad():
                whole = x[n:].reshape(1, 3 * T, inputs)
                y = readout(module(whole)[0])
                val_losses.append(torch.nn.functional.mse_loss(y, targets[n:].reshape(y.shape)).item())
        h, c = state if cell == "lstm" else (state, state)
        out |= {f"{cell}/loss": np.array(losses), f"{cell}/val_loss": np.array(val_losses)}
        out |= {f"{cell}/h": h.numpy(), f"{cell}/c": c.numpy()}
        out |= {f"{cell}/trained/{name}": p.detach().numpy().copy() for name, p in named.items()}
    save("carried", out)


def detached(state):
    return tuple(one.detach() for one in state) if isinstance(state, tuple) else state.detach()


# -- the sine recipe: where Keras lands over many seeds ---------------------------------------------------


def sine_runs(runs: int = 200) -> None:
    """loss and val_loss (runs, epochs) of the recipe with everything drawn anew each time: noise, weights, order."""
    import keras

    losses, val_losses = [], []
    for seed in range(runs):
        keras.utils.set_random_seed(seed)
        x, targets = noisy_sine(10_000 + seed)
        model = keras_recipe(keras.optimizers.SGD(0.01))
        done = model.fit(x, targets, batch_size=BATCH, epochs=EPOCHS, validation_split=0.1, verbose=0)
        losses.append(done.history["loss"])
        val_losses.append(done.history["val_loss"])
        keras.backend.clear_session()
    save("keras_sine_runs", {"loss": np.array(losses), "val_loss": np.array(val_losses)})


# -- what a recording shows of a fused layer, and what autograd says of the same as a loop of cells ----------


def recordings() -> None:
    """See tests/recordings/autograd.py."""
    import runpy

    main = runpy.run_path(str(HERE.parent / "recordings" / "autograd.py"))["main"]
    main(HERE / "recordings.npz", seed=1, count=12)


if __name__ == "__main__":
    parts = {
        "pytorch": pytorch,
        "mingru": mingru,
        "attention": attention,
        "indrnn": indrnn,
        "lru": lru,
        "bidirectional": bidirectional,
        "keras": keras_layers,
        "masked": masked,
        "histories": histories,
        "cell_histories": cell_histories,
        "sine_runs": sine_runs,
        "carried": carried,
        "recordings": recordings,
    }
    for part in sys.argv[1:] or parts:
        parts[part]()
