"""Networks in PyTorch, saved as people save them, with what autograd says: python network_in_pytorch.py FOLDER

Of each: NAME.pt, a state_dict; in found.npz the inputs (moved or typed), the outputs, the loss and ∂L/∂x.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn


class Network(nn.Module):
    def __init__(self, kind: type, inputs: int, outputs: int, words: int = 0, **options: object) -> None:
        super().__init__()
        if words:
            self.embedding = nn.Embedding(words, inputs)
        self.rnn = kind(inputs, 7, **options)
        self.head = nn.Linear(7 * (1 + bool(options.get("bidirectional"))), outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0])


LETTERS, LANGUAGES = 26, 8
NETWORKS = {
    "classifier": (nn.GRU, LETTERS, LANGUAGES, {"num_layers": 2}),
    "both": (nn.LSTM, LETTERS, LANGUAGES, {"num_layers": 2, "bidirectional": True}),
    "words": (nn.LSTM, 5, LANGUAGES, {"words": LETTERS}),
    "forecast": (nn.LSTM, 1, 1, {}),
}


def main(folder: Path) -> None:
    torch.manual_seed(1)
    found: dict[str, np.ndarray] = {}
    for name, (kind, inputs, outputs, options) in NETWORKS.items():
        model = Network(kind, inputs, outputs, **options)
        torch.save(model.state_dict(), folder / f"{name}.pt")
        model = model.double()
        if name == "forecast":  # the sine that was moved comes from us
            series = torch.tensor(np.load(folder / "moved.npz")["x"])
            targets = torch.tensor(np.load(folder / "moved.npz")["targets"])
            x = series.clone().requires_grad_()
            y = model(x)
            loss = ((y - targets) ** 2).mean()
        else:
            word = [ord(letter) - ord("a") for letter in "rossi"]
            x = torch.eye(LETTERS, dtype=torch.float64)[word][:, None].requires_grad_()
            y = model(x @ model.embedding.weight if name == "words" else x)
            loss = nn.functional.cross_entropy(y[-1], torch.tensor([4]))  # Italian
        loss.backward()
        found |= {f"{name}.y": y.detach().numpy(), f"{name}.loss": loss.detach().numpy(), f"{name}.x": x.grad.numpy()}
    np.savez(folder / "found.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
