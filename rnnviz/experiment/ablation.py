"""The loop cut: the same network with W_hh = 0.

h_t is then made of x_t alone, through the same weights at every step: a plain hidden layer. What came before is
gone, and no gradient comes back through h. A gated cell still carries something past the cut (Cell.past_cut): an LSTM
its cell state, f ⊙ c, a GRU the share z ⊙ h that it keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnnviz.nn import Model


def without_loop(model: Model) -> Model:
    import numpy as np  # not above: the first paint needs no NumPy

    return model.with_params({name: np.zeros_like(w) if "weight_hh" in name else w for name, w in model.params.items()})
