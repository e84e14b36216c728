"""The minGRU: gate and content depend on x_t alone, so there is no W_hh. PyTorch and Keras do not have it; exported
programs define it, with the names and shapes of rnnviz."""

from rnnviz.nn.cell import Block, Carry, Cell, Keras, Mix, Torch

PYTORCH = '''class MinGRU(nn.Module):
    """minGRU, which PyTorch does not have: https://arxiv.org/abs/2410.01201"""

    def __init__(self):
        super().__init__()
        for l in range(L):
            for name, shape in ("weight_ih", (2 * H, I if l == 0 else H)), ("bias_ih", (2 * H,)):
                self.register_parameter(f"{name}_l{l}", nn.Parameter(torch.empty(shape)))

    def forward(self, x, start=None):  # (N, T, I), (L, N, H)
        last = []
        for l in range(L):
            a = x @ getattr(self, f"weight_ih_l{l}").T + getattr(self, f"bias_ih_l{l}")
            h, states = x.new_zeros(len(x), H) if start is None else start[l], []
            for a_t in a.unbind(1):
                z, n = a_t.sigmoid()[:, :H], a_t[:, H:]
                h = (1 - z) * h + z * n
                states.append(h)
            x = torch.stack(states, 1)
            last.append(h)
        return x, torch.stack(last)
'''
KERAS = '''class MinGRUCell(layers.Layer):
    """minGRU, which Keras does not have: https://arxiv.org/abs/2410.01201"""

    def __init__(self, units, kernel_initializer="glorot_uniform", bias_initializer="zeros"):
        super().__init__()
        self.units = self.state_size = self.output_size = units
        self.initializers = kernel_initializer, bias_initializer

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], 2 * self.units), self.initializers[0])
        self.bias = self.add_weight((2 * self.units,), self.initializers[1])

    def call(self, x, states, training=False):
        z, n = keras.ops.split(x @ self.kernel + self.bias, 2, axis=-1)
        z = keras.ops.sigmoid(z)
        h = (1 - z) * states[0] + z * n
        return h, [h]


def MinGRU(units, return_sequences=False, return_state=False, **initializers):
    cell = MinGRUCell(units, **initializers)
    return layers.RNN(cell, return_sequences=return_sequences, return_state=return_state)
'''

CELL = Cell(
    name="mingru",
    order=4,
    title="minGRU",
    noun="a minGRU",
    blocks=(
        Block("z", "σ", "how much is new", "update z", "update", "what is new"),
        Block("n", "", "what is new", "new n"),
    ),
    mixes=(Mix("h", (("1-z", "h"), ("z", "n")), "(1-z)·h before + z·n"),),
    carry=Carry("z", "h", is_inverted=True),
    recurrent=False,
    is_linear=True,
    activation="identity",
    biases=1,
    chrono={"z": -1},
    rule="(1 − z{t}) ⊙ h{before} + z{t} ⊙ n{t}",
    step_back="1 − z alone: there is no W_hh",
    past_cut="(1 − zₜ) ⊙ h",
    no_split="No slope × weight here: h goes back through 1−z alone.",
    torch=Torch("MinGRU", PYTORCH),
    keras=Keras("MinGRU", ("z", "n"), KERAS),
)
