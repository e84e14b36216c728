"""Repeat results of papers: which networks learn long lags, and which do not.

    python benchmarks/papers.py               # all of it, some minutes on two cores
    python benchmarks/papers.py recall        # one part
    python benchmarks/papers.py --minutes 1   # give up on a run after a minute

adding   100 steps, 100 units. Hochreiter & Schmidhuber 1997 and Le, Jaitly & Hinton 2015 (arXiv:1504.00941): an
         LSTM and a ReLU network started at the identity (IRNN) learn it, a tanh RNN keeps guessing (MSE 1/6).
recall   name at the end which of four symbols came first. Bengio, Simard & Frasconi 1994: gradient descent does
         not teach a tanh RNN what lies far beyond its horizon (where its gradient has fallen to 1 %); gated
         cells learn it, their gates started for the lag (chrono: Tallec & Ollivier 2018, arXiv:1804.11188).
         Training stretches a horizon: of 7 steps at the start, it is enough for lags of some 30, not of 60.
         Adam, which scales small gradients up, stretches it further.

Each run ends when it has learnt the task (the validation loss is below the mark), or at the end of its budget.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

from rnnviz.experiment.build import trace_of
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run
from rnnviz.nn import Training, engine


@dataclass(frozen=True)
class Line:
    """One run of a table, and the result in the papers."""

    title: str
    experiment: Experiment
    learns: bool
    mark: float  # validation loss below which the task counts as learnt


ADDING = Experiment(
    task="adding", seq_len=100, hidden_size=100, samples=10_000, batch_size=50, optimizer="adam", clip_norm=1.0,
    epochs=60, dtype="float32",
)  # fmt: skip
RECALL = Experiment(
    task="recall", hidden_size=32, samples=4_000, batch_size=50, optimizer="sgd", learning_rate=0.1, momentum=0.9,
    clip_norm=1.0, epochs=40, dtype="float32",
)  # fmt: skip


def adding() -> list[Line]:
    irnn = {"cell": "rnn", "activation": "relu", "init": "identity"}
    return [
        Line("tanh RNN", ADDING.with_(init="pytorch", learning_rate=0.0003), False, 0.01),
        Line("IRNN", ADDING.with_(**irnn, learning_rate=0.0003), True, 0.01),
        Line("LSTM", ADDING.with_(cell="lstm", learning_rate=0.01), True, 0.01),
    ]


def recall() -> list[Line]:
    lines = []
    for lag in (5, 60):
        for title, settings in (
            ("tanh RNN", {"init": "pytorch"}),
            ("LSTM", {"cell": "lstm", "init": "chrono"}),
            ("GRU", {"cell": "gru", "init": "chrono"}),
        ):
            experiment = RECALL.with_(lag=lag, **settings)
            lines.append(Line(f"{title:9} lag {lag:3}", experiment, title != "tanh RNN" or lag <= 5, 0.1))
    return lines


def run(line: Line, minutes: float) -> tuple[bool, str]:
    """Train until the task is learnt or the budget is spent. Returns whether it is learnt, and the table's line."""
    ready = Run(line.experiment)
    training = ready.training
    horizon = trace_of(training.model, ready.task).horizon
    start, best = time.perf_counter(), float("inf")

    def on_epoch(training: Training) -> bool:
        nonlocal best
        best = min(best, training.history["val_loss"][-1])
        elapsed = time.perf_counter() - start
        if sys.stderr.isatty():
            print(f"\r\x1b[K{line.title}: epoch {training.epoch}, {best:.4f}", end="", file=sys.stderr)
        return best >= line.mark and elapsed < 60 * minutes

    ready.train(on_epoch)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    learnt = best < line.mark
    far = f"all {ready.task.seq_len}" if horizon is None else f"{horizon:.1f}"
    updates = training.epoch * training.batches_per_epoch
    verdict = f"{'learnt' if learnt else 'not learnt':10} {'as the papers say' if learnt == line.learns else 'UNLIKE'}"
    seconds = time.perf_counter() - start
    return learnt == line.learns, (
        f"{line.title:18} {far:>9} {best:11.4f} {line.mark:7.2f} {ready.task.baseline:9.4f} "
        f"{updates:8} {seconds:6.0f} s   {verdict}"
    )


def main() -> int:
    parts = {"adding": adding, "recall": recall}
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", nargs="*", choices=[*parts, []], help="adding, recall; both if left out")
    parser.add_argument("--minutes", type=float, default=3.0, help="give up on one run after this (default 3)")
    asked = parser.parse_args()
    try:
        engine.load_numba()
    except ImportError as error:
        print(f"without numba, which takes several times as long ({error})", file=sys.stderr)
    as_said = True
    for part in asked.part or parts:
        loss = "MSE" if part == "adding" else "cross-entropy"
        print(f"\n{part}: {loss} on sequences it was not trained on")
        print(f"{'':18} {'horizon':>9} {'best loss':>11} {'mark':>7} {'guess':>9} {'updates':>8}")
        for line in parts[part]():
            good, row = run(line, asked.minutes)
            print(row, flush=True)
            as_said &= good
    print("\nhorizon: steps back to 1 % of the gradient, before training. mark: the loss that counts as learnt.")
    return 0 if as_said else 1


if __name__ == "__main__":
    sys.exit(main())
