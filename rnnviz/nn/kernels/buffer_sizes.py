"""The sizes and settings of a kernel call, and the size of its buffers. Does not import numba."""

from __future__ import annotations

from typing import NamedTuple

#: Rows that a sum over time takes at once, so that they stay in the cache.
BLOCK = 128
#: At most this many numbers are held in one row of a tile (see product.py).
WIDEST_PANEL = 48


class Plan(NamedTuple):
    """The sizes and choices of a call, and the room (in numbers) of each part of its `work`."""

    steps: int  # T
    batch_size: int  # B
    inputs: int  # I
    hidden: int  # H
    outputs: int  # O
    layers: int  # L
    gates: int  # G, blocks of H rows in the weights
    biases: int  # 1 or 2
    loss: int  # position in spec.LOSSES
    activation: int  # position in spec.ACTIVATIONS
    rule: int  # position in spec.OPTIMIZERS
    bias_size: int  # a bias of all gates
    panels_size: int  # the largest packed weight matrix, filled up to whole panels
    room_size: int  # BLOCK packed rows of any two arrays
    step_size: int  # all gates of one step
    input_size: int  # x of the batch
    output_size: int  # y of the batch
    states_size: int  # h of one layer
    gates_size: int  # all gates of one layer at all steps

    @property
    def scratch_size(self) -> int:
        """What a pass over one layer needs besides the arrays it fills."""
        return self.panels_size + self.room_size + self.step_size

    @property
    def work_size(self) -> int:
        """What gradients and train need: scratch, the batch, and per layer h, c, their gradients and `extra`, and
        the pre-activations, gates and their gradients."""
        batch = self.input_size + 2 * self.output_size
        layer = 5 * self.states_size + 3 * self.gates_size
        return 2 * self.bias_size + self.scratch_size + batch + self.layers * layer


class Rates(NamedTuple):
    """The numbers of an Optimizer. A clip of 0 means none."""

    learning_rate: float
    momentum: float
    epsilon: float
    clip_norm: float
    clip_value: float
    clip_epsilon: float
    beta1: float
    beta2: float  # Adam's; RMSprop's alpha
    keras: float  # 1 for Keras' convention, else 0


def make_plan(
    *, steps: int, batch_size: int, inputs: int, hidden: int, outputs: int, layers: int, gates: int, biases: int,
    activation: int = 0, loss: int = 0, rule: int = 0,
) -> Plan:  # fmt: skip
    width = gates * hidden
    widest = max(width, inputs, outputs)
    sizes = (
        width,
        max(width, inputs) * (max(width, outputs) + WIDEST_PANEL),
        2 * BLOCK * (widest + WIDEST_PANEL),
        batch_size * width,
        steps * batch_size * inputs,
        steps * batch_size * outputs,
        (steps + 1) * batch_size * hidden,
        steps * batch_size * width,
    )
    # rounded up so that each part starts on a cache line, as `work` does
    whole = [(size + 15) // 16 * 16 for size in sizes]
    return Plan(
        steps, batch_size, inputs, hidden, outputs, layers, gates, biases, loss, activation, rule, *whole
    )  # fmt: skip
