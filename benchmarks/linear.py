"""Which cells hold a lag of 60 steps, ten seeds each: recall, 16 units, 300 samples, Adam 0.01, 10 epochs.

python benchmarks/linear.py            # some minutes on two cores
python benchmarks/linear.py lru        # one cell
"""

from __future__ import annotations

import sys

from rnnviz.experiment.build import trace_of
from rnnviz.experiment.evaluate import accuracy
from rnnviz.experiment.experiment import Experiment
from rnnviz.experiment.run import Run

SEEDS = range(10)
LEARNT = 0.9
RECALL = Experiment(
    task="recall", lag=60, hidden_size=16, samples=300, batch_size=20, optimizer="adam", learning_rate=0.01, epochs=10
)
CELLS = {
    "tanh RNN, PyTorch's start": {"cell": "rnn", "init": "pytorch"},
    "tanh RNN, orthogonal": {"cell": "rnn"},
    "tanh IndRNN": {"cell": "indrnn"},
    "minGRU, chrono": {"cell": "mingru", "init": "chrono"},
    "LRU": {"cell": "lru"},
}


def main() -> None:
    print(f"recall over {RECALL.lag} steps: right answers of 30 sequences that were not trained on, seeds 0 to 9\n")
    for name, settings in CELLS.items():
        if sys.argv[1:] and settings["cell"] not in sys.argv[1:]:
            continue
        right, horizons = [], []
        for seed in SEEDS:
            ready = Run(RECALL.with_(seed=seed, **settings))
            horizons.append(trace_of(ready.training.model, ready.task).horizon)
            for _ in range(RECALL.epochs):
                ready.training.run_epoch()
            right.append(accuracy(ready.training.model, ready.task) or 0.0)
        learnt = sum(share >= LEARNT for share in right)
        known = [horizon for horizon in horizons if horizon is not None]
        reach = f"{min(known):.0f} to {max(known):.0f}" if len(known) == len(horizons) else "beyond the lag in some"
        print(f"{name:26} {learnt:2} of 10 learn it   horizon at first {reach:24}"
              f" {' '.join(f'{share:.2f}' for share in right)}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
