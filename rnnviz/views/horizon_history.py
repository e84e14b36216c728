"""One epoch of the horizon's history: how far back the last step's error reaches (see scene/horizon_history.py)."""

from __future__ import annotations

import numpy as np

from rnnviz.nn import Trace
from rnnviz.nn.metrics import fades, horizon, lasting_horizon
from rnnviz.nn.readout import attends
from rnnviz.nn.types import frozen
from rnnviz.scene.horizon_history import Profile


def profile(trace: Trace) -> Profile:
    k = trace.loss_steps[-1]
    norms = trace.grad_norm(k)[: k + 1]
    with np.errstate(all="ignore"):
        kept = norms[::-1] / norms[k]
    far = lasting_horizon if attends(trace.spec) else horizon
    return Profile(frozen(kept), far(norms), fades(norms))
