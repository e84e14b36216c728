"""The GRU: two gates and a content, in the order of torch.nn.GRU; Keras stores z first. Its recurrent n-bias is
multiplied by the reset gate (PyTorch; Keras' reset_after=True), so it always has two biases."""

from rnnviz.nn.cell import Block, Carry, Cell, Keras, Mix, Onnx, Torch

CELL = Cell(
    name="gru",
    order=3,
    title="GRU",
    noun="a GRU",
    blocks=(
        Block("r", "σ", "how much of the past n sees", "reset r", "reset"),
        Block("z", "σ", "how much is kept", "keep z", "update", "what stays"),
        Block("n", "tanh", "what is new: r·u joins in", "new n", reset_by="r"),
    ),
    mixes=(Mix("h", (("1-z", "n"), ("z", "h")), "(1-z)·n + z·h before"),),
    carry=Carry("z", "h"),
    activation="tanh",
    biases=2,
    chrono={"z": 1},
    rule="(1 − z{t}) ⊙ n{t} + z{t} ⊙ h{before}",
    step_back="gates and W_hh, or through z alone",
    past_cut="zₜ ⊙ h",
    no_split="No slope × weight here: h goes back through three gates and through z.",
    torch=Torch("nn.GRU"),
    keras=Keras("GRU", ("z", "r", "n")),
    onnx=Onnx("GRU", ("z", "r", "n"), ("sigmoid", "tanh")),
)
