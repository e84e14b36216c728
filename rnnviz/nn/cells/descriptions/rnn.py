"""The simple RNN: one block, which is the state itself."""

from rnnviz.nn.cell import CHOSEN, Block, Cell, Keras, Onnx, Torch

CELL = Cell(
    name="rnn",
    order=1,
    title="RNN",
    noun="a simple RNN",
    blocks=(Block("h", CHOSEN),),
    rule="{g}(W_ih·x{t} + W_hh·h{before} + b)",
    step_back="the activation's slope and W_hh",
    torch=Torch("nn.RNN"),
    keras=Keras("SimpleRNN", ("h",)),
    onnx=Onnx("RNN", ("h",), (CHOSEN,)),
)
