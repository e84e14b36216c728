"""Evidence from weights alone: some sequences are read, and the way back is that of the last state, since no loss is
known.

    >>> evidence = examine(NetworkRun(NetworkOpening("model.pt")))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from rnnviz.diagnosis.evidence import Evidence, Layer, Moment, NotFinite, layer_of
from rnnviz.glyphs import visible
from rnnviz.nn.layer_layout import SUFFIX
from rnnviz.nn.types import Array
from rnnviz.numbers import counted
from rnnviz.player.kinds.network import NetworkRun, Part

#: (sequences read, of how many); may raise an exception to stop.
Report = Callable[[int, int], None]

#: Sequences that are traced; multiplications of one part's traces, beyond which there are fewer.
SEQUENCES, WORK = 4, 2e11


def examine(network: NetworkRun, report: Report = lambda done, total: None) -> Evidence:
    parts = network.parts_of_layer()
    layers: list[Layer] = []
    for number, part in enumerate(parts):
        layers.append(_layer(network, part, several=len(parts) > 1))
        report(number + 1, len(parts))
    layer, file = network.layer, network.file
    about = layers[0].about_cell.described(layer.activation)
    levels = f" × {counted(layer.levels, 'level')}" if layer.levels > 1 else ""
    both = ", both directions" if len(layer.directions) > 1 else ""
    task = network.task
    return Evidence(
        kind="network",
        title=f"{file.path}: {visible(layer.name)}: {about}, {counted(layer.hidden_size, 'unit')}{levels}{both}",
        moments=(Moment("with these weights", 0, tuple(layers)),),
        not_finite=_not_finite(network),
        has_loss=network.has_loss,
        notes=(
            f"No training is known. Read: {task.in_words(0)}.",
            *task.notes,
            *file.notes,
            *layer.notes,
        ),
    )


def _layer(network: NetworkRun, part: Part, *, several: bool) -> Layer:
    layer, task = network.layer, network.task
    steps = int(task.lengths.max())
    work = steps * layer.hidden_size**3 * 4
    traces = [network.trace(layer, part, n) for n in range(max(1, min(SEQUENCES, len(task), int(WORK // work))))]
    with np.errstate(all="ignore"):
        found = layer_of(part.title if several else visible(layer.name), traces)
    suffix = f"_l{part.level}{SUFFIX[part.direction]}"
    own = {kind: found.params[kind] for kind in found.params if kind + suffix in layer.stored}
    torch = f"model.{layer.name}.{{}}{suffix}" if layer.name.replace(".", "").isidentifier() else f"rnn.{{}}{suffix}"
    return replace(found, params=own, grads={}, torch=torch)


def _not_finite(network: NetworkRun) -> NotFinite | None:
    weights: Mapping[str, Array] = network.layer.weights
    for name, array in weights.items():
        if not np.isfinite(array).all():
            value = "nan" if np.isnan(array).any() else "inf"
            return NotFinite("in the file", 0, f"the weight {name} of {network.layer.name}", value)
    return None
