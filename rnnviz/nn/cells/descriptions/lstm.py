"""The LSTM: three gates and a content, in the order of torch.nn.LSTM and Keras."""

from rnnviz.nn.cell import Block, Carry, Cell, Keras, Mix, Onnx, Torch

CELL = Cell(
    name="lstm",
    order=2,
    title="LSTM",
    noun="an LSTM",
    blocks=(
        Block("i", "σ", "how much is written", "input i", "input", state="c"),
        Block("f", "σ", "how much is kept", "forget f", "forget", state="c"),
        Block("g", "tanh", "what is written", "new g", state="c"),
        Block("o", "σ", "how much is shown", "output o", "output"),
    ),
    mixes=(
        Mix("c", (("f", "c"), ("i", "g")), "f·c before + i·g"),
        Mix("h", (("o", "tanh c"),), "o·tanh c"),
    ),
    carry=Carry("f", "c"),
    activation="tanh",
    remembers="f",
    chrono={"f": 1, "i": -1},
    rule="o{t} ⊙ tanh(c{t}), with c{t} = f{t} ⊙ c{before} + i{t} ⊙ g{t}",
    step_back="gates and W_hh, or along c through f alone",
    past_cut="c: fₜ ⊙ c",
    no_split="No slope × weight here: h goes back through four gates, c through f.",
    torch=Torch("nn.LSTM"),
    keras=Keras("LSTM", ("i", "f", "g", "o")),
    onnx=Onnx("LSTM", ("i", "o", "f", "g"), ("sigmoid", "tanh", "tanh")),
)
