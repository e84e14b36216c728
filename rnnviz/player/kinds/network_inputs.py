"""What a layer of a file reads: the data, as far as it fits the layer, or sequences that are generated here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnnviz.errors import InputError
from rnnviz.glyphs import cut, visible
from rnnviz.nn import checks
from rnnviz.nn.types import Array
from rnnviz.recordings.layer_record import LayerRecord
from rnnviz.tasks import Task
from rnnviz.tasks.recorded import read_by
from rnnviz.weights.contents import Embedding, Layer

#: The generated sequences: so many of so many steps, from this seed.
SEQUENCES, STEPS, SEED = 8, 40, 0


def record_of(layer: Layer, x: Array, direct: Array | None = None) -> LayerRecord:
    """The layer as it reads x (T, B, I). direct: dL/d(output_t) (T, B, D*H); None: zeros."""
    T, B = x.shape[:2]
    return LayerRecord(
        cell=layer.cell,
        weights=layer.weights,
        x=x,
        direct=np.zeros((T, B, layer.output_size), np.float32) if direct is None else direct,
        activation=layer.activation,
    )


def fitted(layer: Layer, embedding: Embedding | None, task: Task) -> tuple[Layer, list[str]]:
    """The layer as it reads the task's inputs, and what is assumed. An embedding, of whose rows the data has as many
    symbols, is multiplied into W_ih. Raises InputError if it reads other inputs."""
    if task.vocab and embedding is not None and embedding.words == len(task.vocab):
        table = np.asarray(embedding.weight, np.float64)
        weights = {
            name: array.astype(np.float64) @ table.T if name.startswith("weight_ih_l0") else array
            for name, array in layer.weights.items()
        }
        note = f"Row k of {embedding.name} is taken for symbol k of the data; it is multiplied into W_ih."
        return replace(layer, weights=weights), [note]
    if task.input_size != layer.input_size:
        has = f"{len(task.vocab)} symbols" if task.vocab else f"{task.input_size} inputs a step"
        through = f" through {embedding.name} ({embedding.words} rows)" if embedding is not None else ""
        raise InputError(
            f"data: it has {has}, but {layer.name} reads {layer.input_size}{through}; choose other columns"
        )
    return layer, [f"Input k is taken for symbol k of the data: {cut(' '.join(task.vocab), 24)}"] if task.vocab else []


def generated(layer: Layer, embedding: Embedding | None, title: str, *, has_readout: bool, steps: int) -> Task:
    """Sequences for a layer of which no data is known: rows of its embedding, drawn at random, or else noise."""
    rng = np.random.default_rng(SEED)
    many = SEQUENCES if steps <= STEPS * 10 else 2
    checks.memory("steps", 8 * many * steps * layer.input_size, f"{steps} steps of {layer.input_size} inputs")
    lengths = np.full(many, steps)
    if embedding is not None:
        tokens = rng.integers(0, embedding.words, (many, steps))
        words = tuple(tuple(str(token) for token in row) for row in tokens.tolist())
        names = (f"random rows of {visible(embedding.name)} (seed {SEED})",) * many
        x = np.asarray(embedding.rows(tokens), np.float64)
        return read_by(x, lengths, title, names, words, has_readout=has_readout)
    x = rng.standard_normal((many, steps, layer.input_size))
    names = (f"unit noise, made here (seed {SEED})",) * many
    return read_by(x, lengths, title, names, has_readout=has_readout)
