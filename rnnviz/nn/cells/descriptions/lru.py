"""The linear recurrent unit: a complex diagonal in pairs of real units. PyTorch and Keras do not have it; exported
programs define it, with the names and shapes of rnnviz."""

from rnnviz.nn.cell import Block, Cell, Diagonal, Keras, Torch

PYTORCH = '''class LRU(nn.Module):
    """LRU, which PyTorch does not have: https://arxiv.org/abs/2303.06349"""

    def __init__(self):
        super().__init__()
        for l in range(L):
            for name, shape in ("weight_ih", (H, I if l == 0 else H)), ("weight_hh", (3, H // 2)), ("bias_ih", (H,)):
                self.register_parameter(f"{name}_l{l}", nn.Parameter(torch.empty(shape)))

    def forward(self, x, start=None):  # (N, T, I), (L, N, H)
        last = []
        for l in range(L):
            W_ih, (nu, theta, log_gamma), b = (
                getattr(self, f"{name}_l{l}") for name in ("weight_ih", "weight_hh", "bias_ih")
            )
            size, phase = torch.exp(-nu.exp()), theta.exp()
            re, im, gamma = size * phase.cos(), size * phase.sin(), log_gamma.exp()
            h, states = x.new_zeros(len(x), H) if start is None else start[l], []
            for a in (x @ W_ih.T + b).unbind(1):
                u, v = h[:, : H // 2], h[:, H // 2 :]  # the real and the imaginary parts
                h = torch.cat([re * u - im * v, im * u + re * v], 1) + torch.cat([gamma, gamma]) * a
                states.append(h)
            x = torch.stack(states, 1)
            last.append(h)
        return x, torch.stack(last)


def on_a_ring(p):
    """The first weights of the loop: 0.9 < |lambda| < 0.999."""
    size = torch.empty(H // 2).uniform_(0.9**2, 0.999**2).sqrt()
    phase = torch.empty(H // 2).uniform_(0, 2 * np.pi)
    p.copy_(torch.stack([torch.log(-size.log()), phase.log(), torch.log1p(-(size**2)) / 2]))
'''
KERAS = '''class LRUCell(layers.Layer):
    """LRU, which Keras does not have: https://arxiv.org/abs/2303.06349"""

    def __init__(self, units, kernel_initializer="glorot_uniform", recurrent_initializer="zeros",
                 bias_initializer="zeros"):
        super().__init__()
        self.units = self.state_size = self.output_size = units
        self.initializers = kernel_initializer, recurrent_initializer, bias_initializer

    def build(self, shape):
        kernel, recurrent, bias = self.initializers
        self.kernel = self.add_weight((shape[-1], self.units), kernel)
        self.loop = self.add_weight((3, self.units // 2), recurrent)
        self.bias = self.add_weight((self.units,), bias)

    def call(self, x, states, training=False):
        nu, theta, log_gamma = self.loop[0], self.loop[1], self.loop[2]
        size, phase, gamma = keras.ops.exp(-keras.ops.exp(nu)), keras.ops.exp(theta), keras.ops.exp(log_gamma)
        re, im = size * keras.ops.cos(phase), size * keras.ops.sin(phase)
        u, v = keras.ops.split(states[0], 2, axis=-1)  # the real and the imaginary parts
        h = keras.ops.concatenate([re * u - im * v, im * u + re * v], -1)
        h = h + keras.ops.concatenate([gamma, gamma], 0) * (x @ self.kernel + self.bias)
        return h, [h]


def LRU(units, return_sequences=False, return_state=False, **initializers):
    cell = LRUCell(units, **initializers)
    return layers.RNN(cell, return_sequences=return_sequences, return_state=return_state)


def on_a_ring(rng):
    """The first weights of the loop: 0.9 < |lambda| < 0.999."""
    size, phase = np.sqrt(rng.uniform(0.9**2, 0.999**2, H // 2)), rng.uniform(0, 2 * np.pi, H // 2)
    return np.stack([np.log(-np.log(size)), np.log(phase), np.log1p(-(size**2)) / 2])
'''

CELL = Cell(
    name="lru",
    order=6,
    title="LRU",
    noun="an LRU",
    blocks=(Block("h", ""),),
    diagonal=Diagonal(("ν", "θ", "log γ"), units=2, fixed="an LRU keeps |λ| = exp(−exp(ν)) below 1 by itself"),
    is_linear=True,
    activation="identity",
    biases=1,
    rule="λ ⊙ h{before} + γ ⊙ (W_ih·x{t} + b)",
    step_back="|λ| alone, and a turn",
    torch=Torch("LRU", PYTORCH, {"": "on_a_ring(p)"}),
    keras=Keras("LRU", ("h",), KERAS, {"": "recurrent = on_a_ring(rng)"}),
)
