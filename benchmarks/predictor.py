"""Does any measure before training predict which network will learn? Results for several hundred networks.

    python benchmarks/predictor.py --networks 480 --record predictor.jsonl

Recall with lags of 10, 20 and 30; RNN, LSTM and GRU, several initialisations and gains; Adam, RMSprop and clipped SGD;
each with a seed of its own, drawn from the grid. Of each network the reach before training and whether 90 % of its
answers are right after 20 epochs, on sequences it was not trained on. For each measure: the area under its ROC curve
(0.5: tells nothing; 1: tells all), over all networks and, since cells and optimizers differ, within each combination of
cell and optimizer. And the table of the old rule: horizon as long as the lag, or shorter.

Finished networks are saved in the record, and the next run continues after them. Use `nice -n 19` on a shared machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rnnviz.experiment.evaluate import accuracy
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.nn import engine
from rnnviz.views.prepare import read
from rnnviz.views.reach import LEARNT, reach

RECALL = Experiment(task="recall", hidden_size=16, samples=240, batch_size=32, epochs=20)
NETWORKS = [
    *({"cell": "rnn", "init": "keras", "gain": gain} for gain in (0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5)),
    *({"cell": "rnn", "init": "identity", "gain": gain} for gain in (0.9, 1.0)),
    *({"cell": "lstm", "forget_bias": bias} for bias in (0.0, 1.0, 2.0, 3.0)),
    {"cell": "lstm", "init": "chrono"},
    {"cell": "gru"},
    {"cell": "gru", "init": "pytorch"},
    {"cell": "gru", "init": "chrono"},
]
OPTIMIZERS = [
    {"optimizer": "adam", "learning_rate": 0.02},
    {"optimizer": "adam", "learning_rate": 0.005},
    {"optimizer": "rmsprop", "learning_rate": 0.005},
    {"optimizer": "sgd", "learning_rate": 0.3, "clip_norm": 1.0},
]
MEASURES: dict[str, Callable[[dict[str, Any]], float]] = {
    "horizon / lag": lambda row: row["horizon"] / row["lag"],
    "arrives": lambda row: row["arrives"],
    "share of the weights' gradient": lambda row: row["share"],
    "short lag": lambda row: -row["lag"],
}


def experiments(count: int) -> list[Experiment]:
    """Drawn from the grid, always the same; each with a seed of its own."""
    grid = list(itertools.product(NETWORKS, OPTIMIZERS, (10, 20, 30)))
    drawn: list[Experiment] = []
    for round_ in range(-(-count // len(grid))):
        random.Random(round_).shuffle(grid)
        drawn += [
            RECALL.with_(**network, **optimizer, lag=lag, seed=1000 * round_ + number)
            for number, (network, optimizer, lag) in enumerate(grid)
        ]
    return drawn[:count]


def measured(experiment: Experiment) -> dict[str, Any]:
    """The reach before training, and the answers after it. A horizon beyond the sequence counts as all its steps."""
    ready = Run(experiment)
    model = ready.training.model
    found = reach(read(ready.task, 0, model))
    assert found is not None
    ready.train()
    right = accuracy(ready.training.model, ready.task)
    return {
        **{name: getattr(experiment, name) for name in ("cell", "init", "gain", "forget_bias", "optimizer")},
        "learning_rate": experiment.learning_rate, "seed": experiment.seed, "lag": found.lag,
        "horizon": found.loss_step if found.horizon is None else found.horizon,
        "arrives": found.arrives, "share": found.share, "right": right,
    }  # fmt: skip


def area(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Area under the ROC curve: how often one that learnt has more of it than one that did not (a tie is half)."""
    if not positive or not negative:
        return math.nan
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def within(rows: Sequence[dict[str, Any]], measure: Callable[[dict[str, Any]], float]) -> float:
    """The same among networks of one cell, optimizer, learning rate and lag alone: over all such pairs."""
    wins = pairs = 0.0
    kind = lambda row: (row["cell"], row["optimizer"], row["learning_rate"], row["lag"])  # noqa: E731
    for _, group in itertools.groupby(sorted(rows, key=kind), key=kind):
        members = list(group)
        learnt = [measure(row) for row in members if row["right"] >= LEARNT]
        others = [measure(row) for row in members if row["right"] < LEARNT]
        if learnt and others:
            wins += area(learnt, others) * len(learnt) * len(others)
            pairs += len(learnt) * len(others)
    return wins / pairs if pairs else math.nan


def report(rows: Sequence[dict[str, Any]]) -> None:
    learnt = [row for row in rows if row["right"] >= LEARNT]
    others = [row for row in rows if row["right"] < LEARNT]
    print(f"{len(rows)} networks, {len(learnt)} of them right in 90 % and more after {RECALL.epochs} epochs\n")
    print(f"{'before training':32} {'area':>6} {'within one kind':>16}")
    for name, measure in MEASURES.items():
        whole = area([measure(row) for row in learnt], [measure(row) for row in others])
        print(f"{name:32} {whole:6.2f} {within(rows, measure):16.2f}")
    print(f"\n{'':32} {'learnt':>6} {'not':>6}")
    for title, far in (("horizon as long as the lag", True), ("horizon shorter than the lag", False)):
        counts = [sum((row["horizon"] >= row["lag"]) is far for row in part) for part in (learnt, others)]
        print(f"{title:32} {counts[0]:6} {counts[1]:6}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", type=int, default=480, help="how many (default 480)")
    parser.add_argument("--record", type=Path, help="file for the finished networks, to continue from")
    parser.add_argument("--minutes", type=float, default=15.0, help="stop after this (default 15)")
    asked = parser.parse_args()
    try:
        engine.load_numba()
    except ImportError as error:
        print(f"without numba, which takes several times as long ({error})", file=sys.stderr)
    kept = asked.record.read_text(encoding="utf-8").splitlines() if asked.record and asked.record.exists() else []
    rows = [json.loads(line) for line in kept]
    start = time.perf_counter()
    for experiment in experiments(asked.networks)[len(rows) :]:
        if time.perf_counter() - start > 60 * asked.minutes:
            break
        rows.append(measured(experiment))
        if asked.record:
            with asked.record.open("a", encoding="utf-8") as file:
                print(json.dumps(rows[-1]), file=file)
        if sys.stderr.isatty():
            print(f"\r{len(rows)} of {asked.networks}", end="", file=sys.stderr)
    print(f"{time.perf_counter() - start:.0f} s")
    report(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
