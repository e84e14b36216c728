"""The experiment's model in PyTorch and in Keras: complete programs to copy and run.

They have the same layers, sizes, initialiser, loss, optimizer and training. The program for the sine makes the same
data, number for number; other tasks, whose sequences come from rnnviz, get random data of the same shape.
Weights start from the same distribution, not from the same numbers. A comment notes each difference of a framework.
"""

from __future__ import annotations

import zlib

import numpy as np

from rnnviz.experiment.experiment import Experiment
from rnnviz.glyphs import one_line
from rnnviz.nn.cell_table import CELLS
from rnnviz.nn.optimizer import CONVENTIONS
from rnnviz.nn.spec import ModelSpec
from rnnviz.tasks import Task


def pytorch(experiment: Experiment, task: Task) -> str:
    return _Torch(experiment, task).program()


def keras(experiment: Experiment, task: Task) -> str:
    return _Keras(experiment, task).program()


_OTHER = {"PyTorch": "Keras", "Keras": "PyTorch"}


class _Program:
    """The parts that both programs share. `experiment` is a resolved one, without open settings."""

    framework = ""

    def __init__(self, experiment: Experiment, task: Task) -> None:
        self.e, self.task = experiment, task
        self.cell = CELLS[experiment.cell]
        self.gates = len(self.cell.blocks)
        self.T = int(task.seq_len)
        self.spec = ModelSpec(
            cell=experiment.cell,
            input_size=task.input_size,
            hidden_size=experiment.hidden_size,
            output_size=task.output_size,
            num_layers=experiment.num_layers,
            activation=experiment.activation,
            biases=experiment.biases,
        )
        self.steps = self._loss_steps()

    @property
    def dimensions(self) -> str:
        return f"{self.T}, {self.task.input_size}, {self.e.hidden_size}, {self.task.output_size}"

    @property
    def loops(self) -> bool:
        """Whether the loop is closed; always true for a cell without recurrent weights."""
        return self.e.loop or not self.cell.recurrent

    def _loss_steps(self) -> tuple[int, ...] | str:
        """ "every", "last" (of each sequence's own length), or steps counted from 0."""
        mask = self.task.loss_mask
        if (mask.sum(axis=1) == 1).all() and mask[np.arange(len(mask)), self.task.lengths - 1].all():
            return "last"
        chosen = np.flatnonzero(mask.any(axis=0))
        return "every" if len(chosen) == self.T else tuple(int(k) for k in chosen)

    def program(self) -> str:
        parts = [self.heading(), self.sizes(), self.data(), self.model(), self.start(), self.training()]
        return "\n".join(line.rstrip() for part in parts if part for line in [*part.splitlines(), ""])

    def heading(self) -> str:
        e, layers = self.e, f", {self.e.num_layers} layers" if self.e.num_layers > 1 else ""
        what = f"{self.cell.described(e.activation)}, {e.hidden_size} units{layers}, {one_line(self.task.title)}"
        return f"# {what}: the model that rnnviz shows, in {self.framework}.{self.about_truncation()}"

    def about_truncation(self) -> str:
        """A second line for the heading: whether the program truncates back-propagation as the experiment does."""
        return ""

    def sizes(self) -> str:
        raise NotImplementedError

    def model(self) -> str:
        raise NotImplementedError

    def start(self) -> str:
        raise NotImplementedError

    def training(self) -> str:
        raise NotImplementedError

    # -- the data, in NumPy, sample-major -------------------------------------------------------------

    def data(self) -> str:
        """x (N, T, I) and targets y for the steps that carry loss."""
        e, task = self.e, self.task
        if task.series is not None:
            lines = [
                f"rng = np.random.default_rng([{e.seed}, {zlib.crc32(b'sine')}])  # the same points as in rnnviz",
                f"series = np.sin(np.linspace(-2 * np.pi, 2 * np.pi, {e.points}))",
                f"series += {e.noise!r} * rng.standard_normal({e.points})",
                f"x = np.stack([series[i : i + T] for i in range({e.points} - T)])[..., None]",
                f"y = np.stack([series[i + 1 : i + T + 1] for i in range({e.points} - T)])[..., None]",
            ]
        else:
            N = len(task)
            target = (
                f"y = rng.standard_normal(({N}, T, O))" if task.loss == "mse" else f"y = rng.integers(0, O, ({N}, T))"
            )
            lines = [
                f"# {one_line(task.title)}: replace this random data of the same shape by your sequences",
                f"rng = np.random.default_rng({e.seed})",
                f"x = rng.standard_normal(({N}, T, I))",
                target,
            ]
        if self.steps == "last":
            lines.append("y = y[:, -1]  # only the last step carries loss")
        elif self.steps != "every":
            lines += [f"steps = {list(self.steps)}  # the steps that carry loss, from 0", "y = y[:, steps]"]
        return "\n".join(lines)

    def notes(self) -> list[str]:
        """Comments on the differences between this program and the training in rnnviz."""
        notes = []
        if self.e.convention != self.framework.lower() and self.e.optimizer != "sgd":
            notes.append(f"# rnnviz adds epsilon where {_OTHER[self.framework]} does (--convention)")
        if self.task.series is None and len(set(self.task.lengths.tolist())) > 1:
            notes.append("# in rnnviz the sequences differ in length; here each has T steps")
        return notes

    def constants(self, alpha: str, epsilon: str) -> str:
        """The arguments that give the framework's Adam or RMSprop the alpha and epsilon of rnnviz."""
        usual, ours = CONVENTIONS[self.framework.lower()], CONVENTIONS[self.e.convention]
        arguments = f", {alpha}={ours.alpha!r}" if self.e.optimizer == "rmsprop" and ours.alpha != usual.alpha else ""
        value = ours.epsilon if self.e.epsilon is None else self.e.epsilon
        return arguments + (f", {epsilon}={value!r}" if value != usual.epsilon else "")


# -- PyTorch -------------------------------------------------------------------------------------------

_TORCH_ACTIVATIONS = {"identity": "a", "sigmoid": "torch.sigmoid(a)"}


class _Torch(_Program):
    framework = "PyTorch"

    def sizes(self) -> str:
        e = self.e
        lines = ["import numpy as np", "import torch", "from torch import nn", ""]
        if e.dtype == "float64":
            lines.append("torch.set_default_dtype(torch.float64)")
        lines += [
            f"torch.manual_seed({e.seed})",
            f"T, I, H, O, L = {self.dimensions}, {e.num_layers}",
        ]
        truncation = e.truncation()
        if truncation is not None:
            lines.append(f"K1, K2 = {truncation[0]}, {truncation[1]}")
        return "\n".join(lines)

    def about_truncation(self) -> str:
        if self.e.truncation() is None:
            return ""
        return "\n# It truncates back-propagation in the same way: every K1 steps, their errors go K2 steps back."

    def data(self) -> str:
        kind = "torch.get_default_dtype()" if self.task.loss == "mse" else "torch.long"
        return (
            super().data()
            + "\nx = torch.tensor(x, dtype=torch.get_default_dtype())"
            + f"\ny = torch.tensor(y, dtype={kind})"
        )

    def model(self) -> str:
        layer, source = self.cell.torch.layer, self.cell.torch.source
        if self._has_own_activation:
            source, recurrent = self._own_cell(), "SimpleRNN()"
        elif source:
            source, recurrent = f"{source}\n\n", f"{layer}()"
        else:
            chosen = "" if self.cell.activation else f'nonlinearity="{self.e.activation}", '
            recurrent = f"{layer}(I, H, L, {chosen}batch_first=True)"
        states = {"every": "h", "last": "h[:, -1]"}.get(str(self.steps), "h[:, steps]")
        return (
            source
            + f"""class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = {recurrent}
        self.readout = nn.Linear(H, O)

    def forward(self, x):  # (N, T, I)
{self._states()}
        return self.readout({states})


model = Model()  # its state_dict has the same names, shapes and gate order as rnnviz
"""
        )

    @property
    def _has_own_activation(self) -> bool:
        """Whether the program needs its own RNN: nn.RNN has only tanh and relu."""
        return self.cell.activation is None and self.e.activation in _TORCH_ACTIVATIONS

    def _states(self) -> str:
        if self.e.truncation() is None:
            return "        h, _ = self.rnn(x)  # (N, T, H)"
        return """        parts = []
        for begin in range(0, T, K1):
            stop = min(begin + K1, T)
            first = max(stop - K2, 0)  # the gradient stops here; earlier steps only give a state
            with torch.no_grad():
                state = self.rnn(x[:, :first])[1] if first else None
            parts.append(self.rnn(x[:, first:stop], state)[0][:, begin - first :])
        h = torch.cat(parts, 1)  # (N, T, H)"""

    def _own_cell(self) -> str:
        two = self.e.biases == 2
        names = '("weight_ih", "weight_hh", "bias_ih"' + (', "bias_hh")' if two else ")")
        shapes = "(H, I if l == 0 else H), (H, H), (H,)" + (", (H,)" if two else "")
        biases = "b_ih + b_hh" if two else "b_ih"
        return f"""class SimpleRNN(nn.Module):
    \"\"\"nn.RNN with {self.e.activation}, which nn.RNN does not have.\"\"\"

    names = {names}

    def __init__(self):
        super().__init__()
        for l in range(L):
            for name, shape in zip(self.names, [{shapes}]):
                self.register_parameter(f"{{name}}_l{{l}}", nn.Parameter(torch.empty(shape)))

    def forward(self, x, start=None):  # (N, T, I), (L, N, H)
        last = []
        for l in range(L):
            W_ih, W_hh, {"b_ih, b_hh" if two else "b_ih"} = (getattr(self, f"{{name}}_l{{l}}") for name in self.names)
            h, states = x.new_zeros(len(x), H) if start is None else start[l], []
            for x_t in x.unbind(1):
                a = x_t @ W_ih.T + h @ W_hh.T + {biases}
                h = {_TORCH_ACTIVATIONS[self.e.activation]}
                states.append(h)
            x = torch.stack(states, 1)
            last.append(h)
        return x, torch.stack(last)


"""

    def start(self) -> str:
        e = self.e
        one_bias = self.spec.biases == 1 and not (self._has_own_activation or self.cell.torch.source)
        body: list[str] = []
        if e.init == "pytorch":
            body.append("nn.init.uniform_(p, -(H**-0.5), H**-0.5)")
        else:
            recurrent = {
                "keras": "nn.init.orthogonal_(p)  # all gates together, as in Keras",
                "identity": f"p.copy_(torch.eye(H).repeat({self.gates}, 1))",
            }.get(e.init, "p.copy_(torch.cat([nn.init.orthogonal_(torch.empty(H, H)) for _ in p.split(H)]))")
            other = "nn.init.normal_(p, 0, 0.001)" if e.init == "identity" else "nn.init.xavier_uniform_(p)"
            if self.cell.recurrent:
                body += ['if "weight_hh" in name:', f"    {recurrent}"]
            body += [
                f"{'elif' if body else 'if'} p.dim() == 2:",
                f"    {other}",
                "else:",
                "    nn.init.zeros_(p)",
            ]
        body += self._recurrent_scale()
        body += self._gate_biases()
        if not self.loops:
            body += ['if "weight_hh" in name:  # no loop', "    p.zero_()"]
        if one_bias:
            body += [
                'if "bias_hh" in name:  # one bias is enough, as in Keras',
                "    p.zero_().requires_grad_(False)",
            ]
        lines = ["with torch.no_grad():", "    for name, p in model.named_parameters():"]
        lines += [f"        {line}" for line in body]
        count = "sum(p.numel() for p in model.parameters() if p.requires_grad)"
        return "\n".join([*lines, f'print({count}, "parameters")  # {self.spec.parameter_count}'])

    def _recurrent_scale(self) -> list[str]:
        e = self.e
        body: list[str] = []
        if not self.cell.recurrent:
            return body
        if e.gain != 1.0 or e.spectral_radius is not None:
            body.append('if "weight_hh" in name:')
        if e.gain != 1.0:
            body.append(f"    p *= {e.gain!r}")
        if e.spectral_radius is not None:
            body += [
                "    for W in p.split(H):",
                "        radius = torch.linalg.eigvals(W).abs().max()",
                "        if radius > 0:  # 0 stays 0",
                f"            W *= {e.spectral_radius!r} / radius",
            ]
        return body

    def _gate_biases(self) -> list[str]:
        chosen = gate_biases(self.e, self.task, "torch.empty(H).uniform_(1, {most:g}).log()")
        if not chosen:
            return []
        body = ['if "bias_ih" in name:']
        if "log_tau" in chosen:
            body.append(f"    log_tau = {chosen.pop('log_tau')}")
        for gate, value in chosen.items():
            n = self.cell.block_names.index(gate)
            body.append(f"    p[{n} * H : {n + 1} * H] = {value}  # gate {gate}")
        if self.spec.biases == 2 and self.e.init == "pytorch":
            body.append('if "bias_hh" in name:')
            body += [f"    p[{n} * H : {n + 1} * H] = 0" for n in (self.cell.block_names.index(g) for g in chosen)]
        return body

    def training(self) -> str:
        e, n = self.e, self.task.n_train
        momentum = f", momentum={e.momentum!r}" if e.momentum else ""
        constants = self.constants("alpha", "eps")
        rule = {
            "sgd": f"SGD(model.parameters(), lr={e.learning_rate!r}{momentum})",
            "adam": f"Adam(model.parameters(), lr={e.learning_rate!r}{constants})",
            "rmsprop": f"RMSprop(model.parameters(), lr={e.learning_rate!r}{constants})",
        }[e.optimizer]
        if self.task.loss == "mse":
            loss = "loss = nn.functional.mse_loss(model(x[batch]), y[batch])"
        else:
            loss = "loss = nn.functional.cross_entropy(model(x[batch]).reshape(-1, O), y[batch].reshape(-1))"
        clip = []
        if e.clip_value is not None:
            clip.append(f"        nn.utils.clip_grad_value_(model.parameters(), {e.clip_value!r})")
        if e.clip_each is not None:
            clip += [
                "        for p in model.parameters():  # each by its own norm",
                f"            nn.utils.clip_grad_norm_(p, {e.clip_each!r})",
            ]
        if e.clip_norm is not None:
            clip.append(f"        nn.utils.clip_grad_norm_(model.parameters(), {e.clip_norm!r})")
        no_loop = [
            "        for name, p in model.named_parameters():",
            '            if "weight_hh" in name:  # no loop',
            "                p.data.zero_()",
        ]
        order = f"torch.randperm({n})" if e.shuffle else f"torch.arange({n})"
        return "\n".join(
            [
                *self.notes(),
                f"optimizer = torch.optim.{rule}",
                f"for epoch in range({e.epochs}):",
                f"    for batch in {order}.split({e.batch_size}):  # the rest of {len(self.task)} validates",
                "        optimizer.zero_grad()",
                f"        {loss}",
                "        loss.backward()",
                *clip,
                "        optimizer.step()",
                *([] if self.loops else no_loop),
                '    print(epoch + 1, f"{loss.item():.4f}")',
            ]
        )


# -- Keras ---------------------------------------------------------------------------------------------


class _Keras(_Program):
    framework = "Keras"

    def about_truncation(self) -> str:
        if not self.e.truncate:
            return ""
        return f"\n# Unlike rnnviz here (k1,k2 = {self.e.truncate}), it does not truncate back-propagation."

    def sizes(self) -> str:
        e = self.e
        lines = ["import numpy as np", "import keras", "from keras import layers", ""]
        if e.dtype == "float64":
            lines.append('keras.backend.set_floatx("float64")')
        lines += [
            f"keras.utils.set_random_seed({e.seed})",
            f"T, I, H, O = {self.dimensions}",
        ]
        return "\n".join(lines)

    @property
    def _by_hand(self) -> bool:
        """Whether the program must set the initial weights, because Keras' layers start from others."""
        e = self.e
        own = e.init in ("keras", "pytorch") and not self._has_two_drawn_biases
        if self.cell.recurrent:
            own = own and e.gain == 1.0 and e.spectral_radius is None and e.loop
        return not own or (self.cell.remembers != "" and e.forget_bias is not None)

    @property
    def _has_two_drawn_biases(self) -> bool:
        """Whether Keras' one bias is the sum of two nonzero biases."""
        return self.e.init == "pytorch" and self._has_two_biases

    @property
    def _has_two_biases(self) -> bool:
        """Whether rnnviz has two biases and Keras' layer one. A cell that always has two has two in Keras as well."""
        return self.spec.biases == 2 and self.cell.biases is None

    def model(self) -> str:
        e = self.e
        options = ["H"]
        if self.cell.activation is None:
            activation = {"identity": "linear"}.get(e.activation, e.activation)
            options.append(f'activation="{activation}"')
        dense, lines = "O", [*self.cell.keras.source.splitlines(), "", ""] if self.cell.keras.source else []
        layer = self.cell.keras.layer if lines else f"layers.{self.cell.keras.layer}"
        if e.init == "pytorch":
            lines.append("u = keras.initializers.RandomUniform(-(H**-0.5), H**-0.5)")
            recurrent = "recurrent_initializer=u, " if self.cell.recurrent else ""
            options.append(f"kernel_initializer=u, {recurrent}bias_initializer=u")
            options += ["unit_forget_bias=False"] if self.cell.remembers else []
            dense = "O, kernel_initializer=u, bias_initializer=u"
        if not self.loops:
            options.append("recurrent_constraint=lambda w: 0 * w")  # Keras applies it after each update
        lines.append("inputs = h = keras.Input((T, I))")
        for number in range(e.num_layers):
            whole = self.steps != "last" or number < e.num_layers - 1
            sequences = ", return_sequences=True" if whole else ""
            lines.append(f"h = {layer}({', '.join(options)}{sequences})(h)")
        if self.steps not in ("every", "last"):
            lines.append("h = keras.ops.take(h, steps, axis=1)")
        lines += [f"model = keras.Model(inputs, layers.Dense({dense})(h))"]
        if self._has_two_biases:
            fewer = e.num_layers * self.gates * e.hidden_size
            lines.append(
                f"# rnnviz has two biases per layer, as PyTorch; Keras has their sum: {fewer} parameters fewer"
            )
        lines.append(f'print(model.count_params(), "parameters")  # {self.parameter_count}')
        return "\n".join(lines)

    @property
    def parameter_count(self) -> int:
        fewer = self.e.num_layers * self.gates * self.e.hidden_size
        return self.spec.parameter_count - (fewer if self._has_two_biases else 0)

    def start(self) -> str:
        e = self.e
        if not self._by_hand:
            return ""
        body: list[str] = []
        names = "kernel, recurrent, bias" if self.cell.recurrent else "kernel, bias"
        if e.init == "identity":
            recurrent = f"recurrent = np.tile(np.eye(H), (1, {self.gates}))"
            body += [
                "kernel = rng.normal(0, 0.001, kernel.shape)",
                *([recurrent] if self.cell.recurrent else []),
                "bias = np.zeros(bias.shape)",
            ]
        elif e.init in ("orthogonal", "chrono") and self.cell.recurrent:
            draw = "np.linalg.qr(rng.standard_normal((H, H)))[0]"
            body.append(f"recurrent = np.concatenate([{draw} for _ in range({self.gates})], axis=1)")
        if self._has_two_drawn_biases:
            body.append("bias = bias + rng.uniform(-(H**-0.5), H**-0.5, bias.shape)  # the sum of both")
        if e.gain != 1.0 and self.cell.recurrent:
            body.append(f"recurrent = {e.gain!r} * recurrent")
        if e.spectral_radius is not None and self.cell.recurrent:
            body += [
                f"for W in np.split(recurrent, {self.gates}, axis=1):",
                "    radius = np.abs(np.linalg.eigvals(W)).max()",
                "    if radius > 0:  # 0 stays 0",
                f"        W *= {e.spectral_radius!r} / radius",
            ]
        if not self.loops:
            body.append("recurrent = 0 * recurrent  # no loop")
        chosen = gate_biases(e, self.task, "np.log(rng.uniform(1, {most:g}, H))")
        row = "bias" if self.cell.biases is None or self.cell.biases == 1 else "bias[0]"
        if "log_tau" in chosen:
            body.append(f"log_tau = {chosen.pop('log_tau')}")
        for gate, value in chosen.items():
            n = self.cell.keras.order.index(gate)
            body.append(f"{row}[{n} * H : {n + 1} * H] = {value}  # gate {gate}")
        lines = [
            f"rng = np.random.default_rng({e.seed})",
            f"for layer in model.layers[1 : {e.num_layers + 1}]:",
            f"    {names} = (w.copy() for w in layer.get_weights())",
            *(f"    {line}" for line in body),
            f"    layer.set_weights([{names}])",
        ]
        if e.init == "identity":
            lines += [
                "kernel, bias = model.layers[-1].get_weights()",
                "model.layers[-1].set_weights([rng.normal(0, 0.001, kernel.shape), bias])",
            ]
        return "\n".join(lines)

    def training(self) -> str:
        e = self.e
        clip = ""
        notes = self.notes()
        kinds = [("global_clipnorm", e.clip_norm), ("clipnorm", e.clip_each), ("clipvalue", e.clip_value)]
        wanted = [(name, limit) for name, limit in kinds if limit is not None]
        if wanted:
            clip = f", {wanted[0][0]}={wanted[0][1]!r}"
        if len(wanted) > 1:
            others = " and ".join(f"{name}={limit:g}" for name, limit in reversed(wanted[1:]))
            notes.append(f"# rnnviz also clips by {others} first; Keras allows one kind of clipping")
        momentum = f", momentum={e.momentum!r}" if e.momentum else ""
        constants = self.constants("rho", "epsilon")
        rule = {
            "sgd": f"SGD({e.learning_rate!r}{momentum}{clip})",
            "adam": f"Adam({e.learning_rate!r}{constants}{clip})",
            "rmsprop": f"RMSprop({e.learning_rate!r}{constants}{clip})",
        }[e.optimizer]
        loss = '"mse"' if self.task.loss == "mse" else "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"
        split = 1 - self.task.n_train / len(self.task) if self.task.n_train < len(self.task) else 0.0
        options = [f"batch_size={e.batch_size}", f"epochs={e.epochs}"]
        if split:
            options.append(f"validation_split={e.validation_split!r}")
        if not e.shuffle:
            options.append("shuffle=False")
        return "\n".join(
            [
                *notes,
                f"model.compile(keras.optimizers.{rule}, loss={loss})",
                f"model.fit(x, y, {', '.join(options)})",
            ]
        )


def gate_biases(e: Experiment, task: Task, drawn: str) -> dict[str, str]:
    """gate -> the program's expression for its initial bias; `log_tau` -> the expression that draws it, for chrono."""
    chosen: dict[str, str] = {}
    cell = CELLS[e.cell]
    if e.init == "chrono" and cell.chrono:
        chosen["log_tau"] = drawn.format(most=max(2, task.lag or task.seq_len) - 1)
        chosen |= {gate: "log_tau" if sign > 0 else "-log_tau" for gate, sign in cell.chrono.items()}
    elif cell.remembers and e.init in ("keras", "orthogonal"):
        chosen[cell.remembers] = "1.0"
    if cell.remembers and e.forget_bias is not None:
        chosen[cell.remembers] = repr(e.forget_bias)
    return chosen
