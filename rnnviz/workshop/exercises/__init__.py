"""The exercises, in their order."""

from __future__ import annotations

from rnnviz.workshop.exercise import Exercise
from rnnviz.workshop.exercises.clip import CLIP
from rnnviz.workshop.exercises.gated import GRU_STEP, LSTM_BACKWARD, LSTM_STEP
from rnnviz.workshop.exercises.own_cell import YOUR_CELL
from rnnviz.workshop.exercises.rnn import BACKWARD_STEP, BPTT, FORWARD, LOSS, UNROLL

EXERCISES: tuple[Exercise, ...] = (
    FORWARD, UNROLL, LOSS, BACKWARD_STEP, BPTT, CLIP, LSTM_STEP, LSTM_BACKWARD, GRU_STEP, YOUR_CELL,
)  # fmt: skip
