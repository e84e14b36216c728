"""The model as a program in PyTorch."""

from __future__ import annotations

from rnnviz.export.program import Program, gate_biases

_TORCH_ACTIVATIONS = {"identity": "a", "sigmoid": "torch.sigmoid(a)"}


class TorchProgram(Program):
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
            called = "" if self.e.activation == "identity" else f"torch.{self.e.activation}"
            source, recurrent = f"{source}\n\n".replace("ACTIVATION", called), f"{layer}()"
        else:
            chosen = "" if self.cell.activation else f'nonlinearity="{self.e.activation}", '
            both = ", bidirectional=True" if self.e.bidirectional else ""
            recurrent = f"{layer}(I, H, L, {chosen}batch_first=True{both})"
        states = {"every": "h", "last": "h[:, -1]"}.get(str(self.steps), "h[:, steps]")
        given, returned = (", state=None", ", state") if self.e.carry else ("", "")
        return (
            source
            + f"""class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = {recurrent}
        self.readout = nn.Linear({"2 * H" if self.e.bidirectional else "H"}, O)

    def forward(self, x{given}):  # (N, T, I)
{self._states()}
        return self.readout({states}){returned}


model = Model()  # its state_dict has the same names, shapes and gate order as rnnviz
"""
        )

    @property
    def _has_own_activation(self) -> bool:
        """Whether the program needs its own RNN: nn.RNN has only tanh and relu."""
        is_fixed = self.cell.activation is not None or self.cell.torch.source
        return not is_fixed and self.e.activation in _TORCH_ACTIVATIONS

    def _states(self) -> str:
        carries = self.e.carry
        if self.e.truncation() is None:
            shape = "(N, T, 2 * H): both directions at each step" if self.e.bidirectional else "(N, T, H)"
            return f"        h, {'state' if carries else '_'} = self.rnn(x{', state' * carries})  # {shape}"
        if carries:
            return """        parts, begins = [], state
        for begin in range(0, T, K1):
            stop = min(begin + K1, T)
            first = max(stop - K2, 0)  # the gradient stops here; earlier steps only give a state
            with torch.no_grad():
                start = self.rnn(x[:, :first], begins)[1] if first else begins
            part, state = self.rnn(x[:, first:stop], start)
            parts.append(part[:, begin - first :])
        h = torch.cat(parts, 1)  # (N, T, H)"""
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
        own = self.diagonal_start(self.cell.torch.start)
        if e.init == "pytorch" and own:
            body += ['if "weight_hh" in name:', f"    {own}", "else:", "    nn.init.uniform_(p, -(H**-0.5), H**-0.5)"]
        elif e.init == "pytorch":
            body.append("nn.init.uniform_(p, -(H**-0.5), H**-0.5)")
        else:
            recurrent = {
                "keras": "nn.init.orthogonal_(p)  # all gates together, as in Keras",
                "identity": f"p.copy_(torch.eye(H).repeat({self.gates}, 1))",
            }.get(e.init, "p.copy_(torch.cat([nn.init.orthogonal_(torch.empty(H, H)) for _ in p.split(H)]))")
            other = "nn.init.normal_(p, 0, 0.001)" if e.init == "identity" else "nn.init.xavier_uniform_(p)"
            if self.cell.recurrent:
                recurrent = own or recurrent
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
        if self.cell.fixed_loop:
            return body
        if e.gain != 1.0 or e.spectral_radius is not None:
            body.append('if "weight_hh" in name:')
        if e.gain != 1.0:
            body.append(f"    p *= {e.gain!r}")
        if e.spectral_radius is not None and self.cell.diagonal:
            body += ["    radius = p.abs().max()", "    if radius > 0:  # 0 stays 0"]
            body.append(f"        p *= {e.spectral_radius!r} / radius")
        elif e.spectral_radius is not None:
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
        outputs = "out" if e.carry else "model(x[batch])"
        if self.task.loss == "mse":
            loss = f"loss = nn.functional.mse_loss({outputs}, y[batch])"
        else:
            loss = f"loss = nn.functional.cross_entropy({outputs}.reshape(-1, O), y[batch].reshape(-1))"
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
        batches = [f"    for batch in {order}.split({e.batch_size}):  # the rest of {len(self.task)} validates"]
        read, cut = [], []
        if e.carry:
            length = n // self.rows
            batches = [
                "    state = None  # each epoch begins from zeros",
                "    # row j of a batch continues row j of the batch before",
                f"    for batch in torch.arange({n}).reshape({self.rows}, {length}).T:",
            ]
            read = ["        out, state = model(x[batch], state)"]
            cut = ["        state = state.detach()  # its numbers go on; no gradient comes back"]
            if self.cell.has_cell_state:
                cut = [
                    "        state = tuple(s.detach() for s in state)  # their numbers go on; no gradient comes back"
                ]
        return "\n".join(
            [
                *self.notes(),
                f"optimizer = torch.optim.{rule}",
                f"for epoch in range({e.epochs}):",
                *batches,
                "        optimizer.zero_grad()",
                *read,
                f"        {loss}",
                "        loss.backward()",
                *clip,
                "        optimizer.step()",
                *cut,
                *([] if self.loops else no_loop),
                '    print(epoch + 1, f"{loss.item():.4f}")',
            ]
        )
