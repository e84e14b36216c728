"""The loop cut: the same network with W_hh = 0.

h_t then depends on x_t alone, through the same weights at every step: a plain hidden layer. It does not know earlier
inputs, and no gradient flows back through h. A gated cell still carries part of its state past the cut
(Cell.past_cut): an LSTM the cell state f ⊙ c, a GRU the share z ⊙ h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.nn import Model


def without_loop(model: Model) -> Model:
    if model.spec.about_cell.fixed_loop:  # a person's own cell may call any of its weights weight_hh
        return model
    import numpy as np  # not at the top: the first paint needs no NumPy

    return model.with_params({name: np.zeros_like(w) if "weight_hh" in name else w for name, w in model.params.items()})
