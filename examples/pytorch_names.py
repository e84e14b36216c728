"""An LSTM learns to tell from which of three languages an invented name is, and rnnviz watches it.

    pip install torch rnnviz
    python examples/pytorch_names.py           # some seconds; records to runs/names
    rnnviz runs/names

It is the classifier of many tutorials: letters go in one by one, and only the last state is read. So the loss sends its
gradient into the last letter alone, and everything that reaches the first letters comes back through the recurrence.
"""

from __future__ import annotations

import argparse
import random

import torch
from torch import nn

import rnnviz

SYLLABLES = {
    "northern": ["stein", "gard", "ulf", "bjor", "run", "hild", "sven", "thor", "dag"],
    "southern": ["ana", "rico", "lio", "bella", "vino", "mari", "to", "sola", "nella"],
    "eastern": ["mi", "ko", "sato", "hana", "yu", "ki", "naru", "ren", "shi"],
}
LANGUAGES = list(SYLLABLES)
BATCH = 64
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def batch_of(size: int) -> tuple[nn.utils.rnn.PackedSequence, torch.Tensor]:
    """Names as one-hot letters, each as long as it is, and the numbers of their languages."""
    names, languages = [], []
    for _ in range(size):
        language = random.randrange(len(LANGUAGES))
        parts = random.choices(SYLLABLES[LANGUAGES[language]], k=random.randint(2, 4))
        indices = torch.tensor([LETTERS.index(letter) for letter in "".join(parts)])
        names.append(nn.functional.one_hot(indices, len(LETTERS)).float())
        languages.append(language)
    return nn.utils.rnn.pack_sequence(names, enforce_sorted=False), torch.tensor(languages)


class Classifier(nn.Module):
    def __init__(self, hidden_size: int = 32) -> None:
        super().__init__()
        self.lstm = nn.LSTM(len(LETTERS), hidden_size)
        self.out = nn.Linear(hidden_size, len(LANGUAGES))

    def forward(self, names: nn.utils.rnn.PackedSequence) -> torch.Tensor:
        _, (h_n, _) = self.lstm(names)
        return self.out(h_n[-1])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", nargs="?", default="runs/names", help="where to record; must not exist yet")
    options.add_argument("--steps", type=int, default=600)
    chosen = options.parse_args()

    random.seed(0)
    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    # All 64 sequences of a batch are kept, so that the weight gradients of every record can be compared with PyTorch's.
    with rnnviz.watch(model, chosen.folder, every=20, keep=BATCH, optimizer=optimizer) as watch:
        for step in range(chosen.steps):
            names, languages = batch_of(BATCH)
            scores = model(names)
            loss = nn.functional.cross_entropy(scores, languages)
            loss.backward()
            watch.step(loss)
            optimizer.step()
            optimizer.zero_grad()
            if step % 100 == 0:
                right = (scores.argmax(1) == languages).float().mean()
                print(f"step {step:4}  loss {loss:.3f}  {right:4.0%} right")

    records = rnnviz.Recording.open(chosen.folder)
    print(f"{len(records)} records; weight gradients as PyTorch's to {records[-1].agreement('lstm'):.0e}")
    print(f"rnnviz {chosen.folder}")


if __name__ == "__main__":
    main()
