"""The independently recurrent network: W_hh is a diagonal u, one weight a unit. PyTorch and Keras do not have it;
exported programs define it, with the names and shapes of rnnviz."""

from rnnviz.nn.cell import CHOSEN, Block, Cell, Diagonal, Keras, Torch

PYTORCH = '''class IndRNN(nn.Module):
    """IndRNN, which PyTorch does not have: https://arxiv.org/abs/1803.04831"""

    def __init__(self):
        super().__init__()
        for l in range(L):
            for name, shape in ("weight_ih", (H, I if l == 0 else H)), ("weight_hh", (1, H)), ("bias_ih", (H,)):
                self.register_parameter(f"{name}_l{l}", nn.Parameter(torch.empty(shape)))

    def forward(self, x, start=None):  # (N, T, I), (L, N, H)
        last = []
        for l in range(L):
            W_ih, u, b = (getattr(self, f"{name}_l{l}") for name in ("weight_ih", "weight_hh", "bias_ih"))
            h, states = x.new_zeros(len(x), H) if start is None else start[l], []
            for a in (x @ W_ih.T + b).unbind(1):
                h = ACTIVATION(a + u * h)
                states.append(h)
            x = torch.stack(states, 1)
            last.append(h)
        return x, torch.stack(last)
'''
KERAS = '''class IndRNNCell(layers.Layer):
    """IndRNN, which Keras does not have: https://arxiv.org/abs/1803.04831"""

    def __init__(self, units, activation="tanh", kernel_initializer="glorot_uniform", recurrent_initializer="ones",
                 bias_initializer="zeros", recurrent_constraint=None):
        super().__init__()
        self.units = self.state_size = self.output_size = units
        self.activation = keras.activations.get(activation)
        self.initializers = kernel_initializer, recurrent_initializer, bias_initializer
        self.constraint = recurrent_constraint

    def build(self, shape):
        kernel, recurrent, bias = self.initializers
        self.kernel = self.add_weight((shape[-1], self.units), kernel)
        self.u = self.add_weight((1, self.units), recurrent, constraint=self.constraint)
        self.bias = self.add_weight((self.units,), bias)

    def call(self, x, states, training=False):
        h = self.activation(x @ self.kernel + self.u * states[0] + self.bias)
        return h, [h]


def IndRNN(units, return_sequences=False, return_state=False, **options):
    cell = IndRNNCell(units, **options)
    return layers.RNN(cell, return_sequences=return_sequences, return_state=return_state)
'''

CELL = Cell(
    name="indrnn",
    order=5,
    title="IndRNN",
    noun="an IndRNN",
    blocks=(Block("h", CHOSEN),),
    diagonal=Diagonal(("u",)),
    biases=1,
    rule="{g}(W_ih·x{t} + u ⊙ h{before} + b)",
    step_back="the activation's slope and u",
    torch=Torch(
        "IndRNN",
        PYTORCH,
        {
            "pytorch": "",
            "identity": "nn.init.ones_(p)",
            "": "p.copy_(2 * torch.randint(0, 2, p.shape) - 1)  # -1 or 1: an orthogonal diagonal",
        },
    ),
    keras=Keras(
        "IndRNN",
        ("h",),
        KERAS,
        {
            "pytorch": "",
            "identity": "recurrent = np.ones((1, H))",
            "": "recurrent = rng.choice((-1.0, 1.0), (1, H))  # an orthogonal diagonal",
        },
    ),
)
