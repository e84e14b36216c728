"""The model as a program in Keras."""

from __future__ import annotations

from rnnviz.export.program import Program, gate_biases


class KerasProgram(Program):
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
        if self.diagonal_start(self.cell.keras.start):
            own = False
        if self.cell.recurrent and not self.cell.fixed_loop:
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
        if e.carry:
            lines.append("begins, ends = [], []  # the states before the first step and after the last, of each layer")
        for number in range(e.num_layers):
            whole = self.steps != "last" or number < e.num_layers - 1 or e.bidirectional
            sequences = ", return_sequences=True" if whole else ""
            if not e.carry:
                one = f"{layer}({', '.join(options)}{sequences})"
                lines.append(f"h = layers.Bidirectional({one})(h)" if e.bidirectional else f"h = {one}(h)")
                continue
            many = 2 if self.cell.has_cell_state else 1
            lines += [
                "begins += [keras.Input((H,))]" if many == 1 else "begins += [keras.Input((H,)), keras.Input((H,))]",
                f"h, *last = {layer}({', '.join(options)}{sequences}, return_state=True)(",
                f"    h, initial_state=begins[-{many}:]",
                ")",
                "ends += last",
            ]
        if e.bidirectional and self.steps == "last":  # without sequences Keras takes each direction's own last state
            lines.append("h = h[:, -1]  # both directions at step T, as in rnnviz; the backward one has read one step")
        if self.steps not in ("every", "last"):
            lines.append("h = keras.ops.take(h, steps, axis=1)")
        given = "[inputs, *begins]" if e.carry else "inputs"
        lines += [f"model = keras.Model({given}, layers.Dense({dense})(h))"]
        lines += ["states = keras.Model([inputs, *begins], ends)"] if e.carry else []
        if self._has_two_biases:
            fewer = self._fewer
            lines.append(
                f"# rnnviz has two biases per layer, as PyTorch; Keras has their sum: {fewer} parameters fewer"
            )
        lines.append(f'print(model.count_params(), "parameters")  # {self.parameter_count}')
        return "\n".join(lines)

    @property
    def _fewer(self) -> int:
        """The numbers in the second biases."""
        return len(self.spec.suffixes) * self.gates * self.e.hidden_size

    @property
    def parameter_count(self) -> int:
        return self.spec.parameter_count - (self._fewer if self._has_two_biases else 0)

    def start(self) -> str:
        e = self.e
        if not self._by_hand:
            return ""
        body: list[str] = []
        names = "kernel, recurrent, bias" if self.cell.recurrent else "kernel, bias"
        drawn = self.diagonal_start(self.cell.keras.start)
        if e.init == "identity":
            recurrent = drawn or f"recurrent = np.tile(np.eye(H), (1, {self.gates}))"
            body += [
                "kernel = rng.normal(0, 0.001, kernel.shape)",
                *([recurrent] if self.cell.recurrent else []),
                "bias = np.zeros(bias.shape)",
            ]
        elif drawn:
            body.append(drawn)
        elif e.init in ("orthogonal", "chrono") and self.cell.recurrent:
            draw = "np.linalg.qr(rng.standard_normal((H, H)))[0]"
            body.append(f"recurrent = np.concatenate([{draw} for _ in range({self.gates})], axis=1)")
        if self._has_two_drawn_biases:
            body.append("bias = bias + rng.uniform(-(H**-0.5), H**-0.5, bias.shape)  # the sum of both")
        if e.gain != 1.0 and not self.cell.fixed_loop:
            body.append(f"recurrent = {e.gain!r} * recurrent")
        if e.spectral_radius is not None and self.cell.diagonal and not self.cell.fixed_loop:
            body += ["radius = np.abs(recurrent).max()", "if radius > 0:  # 0 stays 0"]
            body.append(f"    recurrent *= {e.spectral_radius!r} / radius")
        elif e.spectral_radius is not None and not self.cell.fixed_loop:
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
        chosen_layers = f"model.layers[1 : {e.num_layers + 1}]"
        if e.carry:  # there are more inputs
            chosen_layers = f"[layer for layer in model.layers if layer.weights][:{e.num_layers}]"
        lines = [
            f"rng = np.random.default_rng({e.seed})",
            "for layer in (model.layers[1].forward_layer, model.layers[1].backward_layer):"
            if e.bidirectional
            else f"for layer in {chosen_layers}:",
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
        if e.carry:
            return "\n".join([*notes, f"model.compile(keras.optimizers.{rule}, loss={loss})", *self._carrying()])
        return "\n".join(
            [
                *notes,
                f"model.compile(keras.optimizers.{rule}, loss={loss})",
                f"model.fit(x, y, {', '.join(options)})",
            ]
        )

    def _carrying(self) -> list[str]:
        """The training with carried state, which is given and returned: on JAX the states of stateful=True stay 0 in
        fit, and on PyTorch an LSTM or a GRU with it cannot be trained (Keras 3.15)."""
        n = self.task.n_train
        # of one output Keras makes no list
        last = "last" if self.e.num_layers > 1 or self.cell.has_cell_state else "[last]"
        return [
            f"for epoch in range({self.e.epochs}):",
            f"    state = [np.zeros(({self.rows}, H)) for _ in begins]  # each epoch begins from zeros",
            "    # row j of a batch continues row j of the batch before",
            f"    for batch in np.arange({n}).reshape({self.rows}, {n // self.rows}).T:",
            "        last = states.predict_on_batch([x[batch], *state])",
            "        loss = model.train_on_batch([x[batch], *state], y[batch])",
            f"        state = {last}  # numbers: no gradient comes back through them",
            '    print(epoch + 1, f"{loss:.4f}")',
        ]
