"""Where does learning end? A map of recall: recurrent gain × lag, the tanh RNN beside an LSTM.

    python benchmarks/recall_map.py --seeds 8 -o recall-map

Theory (Hochreiter 1991; Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013): gradient descent cannot
use what its gradient does not reach. So with the same few epochs of SGD the learnt region should end near the line
where the horizon, the lag at which 1 % of the gradient is left before training, equals the lag of the task.

Each network's horizon is measured before training, on a sequence long enough for it (LONG steps), and for each seed the
benchmark looks for the ratio horizon / lag that parts best what learnt from what did not: 1 is the theory. What learnt
within fewer epochs is known from the same runs. CONTRIBUTING.md has the result. It is about SGD: Adam scales a small
gradient up (benchmarks/predictor.py).
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

import rnnviz
from rnnviz.experiment.build import build_model, build_task, resolved
from rnnviz.experiment.experiment import Experiment
from rnnviz.maps.grid import Site
from rnnviz.maps.result import MapResult
from rnnviz.views.reach import horizon_of

BASE = Experiment(
    task="recall", hidden_size=16, samples=240, batch_size=16, learning_rate=0.3, clip_norm=1.0, epochs=60,
    forget_bias=1.0,
)  # fmt: skip
GAIN, BIAS, LAG = "gain=0.3,0.4,0.5,0.6,0.7,0.8,0.9,1", "forget_bias=-1:4:6", "lag=4,6,9,13,19,28"
EPOCHS = (15, 30, 60)
LONG = 150
BINS = (0.0, 0.25, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0, math.inf)


def ratios(found: MapResult, cell: str, epochs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(horizon / lag before training, whether it learnt within these epochs, seed) of every point of a cell."""
    rows = []
    for site, point in found.points.items():
        if site.cell == cell:
            long = found.spec.experiment(Site(cell, site.seed, site.x, LONG))
            rows.append((horizon(long) / site.y, point.learnt and point.epoch <= epochs, site.seed))
    ratio, learnt, seed = map(np.array, zip(*rows, strict=True))
    return ratio, learnt, seed


@cache
def horizon(experiment: Experiment) -> float:
    experiment = resolved(experiment)
    task = build_task(experiment)
    return min(horizon_of(build_model(experiment, task), task)[0], LONG)


def parting(ratio: np.ndarray, learnt: np.ndarray) -> tuple[float, float]:
    """The ratio that parts best what learnt from what did not, and the share of points on the right side of it."""
    order = np.argsort(ratio)
    ratio, learnt = ratio[order], learnt[order]
    # the k smallest did not learn, the others did
    right = np.array([(~learnt[:k]).sum() + learnt[k:].sum() for k in range(len(ratio) + 1)]) / len(ratio)
    right[1:-1][ratio[1:] == ratio[:-1]] = 0.0  # equal ratios are on one side
    best = np.flatnonzero(right == right.max())
    edges = np.concatenate([ratio[:1], np.sqrt(ratio[1:] * ratio[:-1]), ratio[-1:]])
    return float(np.exp(np.log(edges[best]).mean())), float(right.max())


def report(found: MapResult) -> None:
    for cell in found.cells:
        within = {epochs: ratios(found, cell, epochs) for epochs in EPOCHS}
        ratio, _, seed = within[EPOCHS[0]]
        print(f"\n{cell}: {len(ratio)} networks; learnt within")
        print("  horizon / lag    networks" + "".join(f"{epochs:4} epochs" for epochs in EPOCHS))
        for low, high in itertools.pairwise(BINS):
            here = (ratio >= low) & (ratio < high)
            if here.any():
                shares = "".join(f"{learnt[here].mean():11.0%}" for _, learnt, _ in within.values())
                print(f"  {low:4.2f} to {high:4.2f} {here.sum():12}{shares}")
        for epochs, (_, learnt, _) in within.items():
            each = [parting(ratio[seed == s], learnt[seed == s]) for s in sorted(set(seed.tolist()))]
            lines, right = zip(*each, strict=True)
            whole, share = parting(ratio, learnt)
            print(
                f"  {epochs} epochs: parted best at {whole:.2f}, {share:.0%} on their side; each seed alone at "
                f"{min(lines):.2f} to {max(lines):.2f} (median {np.median(lines):.2f}), {min(right):.0%} to "
                f"{max(right):.0%} on their side"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=8, help="repeats of each point (default 8)")
    parser.add_argument("--seed", type=int, default=100, help="the first of them (default 100)")
    parser.add_argument("-o", dest="folder", type=Path, help="folder for the points, to continue from")
    asked = parser.parse_args(arguments)
    maps = {
        "recurrent gain × lag": (GAIN, BASE, ("rnn", "lstm")),
        "forget bias × lag": (BIAS, BASE.with_(forget_bias=None), ("lstm",)),
    }
    for title, (x, experiment, cells) in maps.items():
        start = time.perf_counter()
        folder = None if asked.folder is None else asked.folder / x.partition("=")[0]
        experiment = experiment.with_(seed=asked.seed)
        found = rnnviz.map(x, LAG, experiment=experiment, cells=cells, seeds=asked.seeds, folder=folder)
        print(f"{title}: {found} in {time.perf_counter() - start:.0f} s", file=sys.stderr)
        print_map(found)
        report(found)
    return 0


def print_map(found: MapResult) -> None:
    """The share of the seeds that learnt within EPOCHS[1] epochs; lag upwards."""
    learnt = (found.learnt == 1) & (found["epoch"] <= EPOCHS[1])
    for cell, shares in zip(found.cells, learnt.mean(axis=-1), strict=True):
        print(f"\n{cell}")
        for lag, row in reversed(list(zip(found.y, shares, strict=True))):
            print(f"  lag {lag:3}  " + "".join(f"{share:6.2f}" for share in row))
        print("           " + "".join(f"{x:6g}" for x in found.x))


if __name__ == "__main__":
    sys.exit(main())
