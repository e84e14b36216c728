"""The engine: cells, models, traces and training, in NumPy, and in compiled code once that is loaded.

    >>> from rnnviz.nn import Model
    >>> model = Model.create(cell="lstm", input_size=3, hidden_size=5, output_size=2)
    >>> trace = model.trace(x, targets)          # x (T, B, 3), targets (T, B, 2)

Importing this needs NumPy alone; `rnnviz.nn.engine.load_numba()` brings the fast engine.
"""

from __future__ import annotations

from rnnviz.nn.engine import current as current
from rnnviz.nn.engine import load_numba as load_numba
from rnnviz.nn.engine import select as select
from rnnviz.nn.initialise import INITIALISERS as INITIALISERS
from rnnviz.nn.ledger import Ledger as Ledger
from rnnviz.nn.losses import LOSSES as LOSSES
from rnnviz.nn.metrics import half_life as half_life
from rnnviz.nn.metrics import horizon as horizon
from rnnviz.nn.model import Model as Model
from rnnviz.nn.optimizer import OPTIMIZERS as OPTIMIZERS
from rnnviz.nn.spec import ACTIVATIONS as ACTIVATIONS
from rnnviz.nn.spec import CELLS as CELLS
from rnnviz.nn.spec import ModelSpec as ModelSpec
from rnnviz.nn.trace import Item as Item
from rnnviz.nn.trace import LayerTrace as LayerTrace
from rnnviz.nn.trace import Trace as Trace
from rnnviz.nn.training import (
    Data as Data,
)
from rnnviz.nn.training import (
    Optimizer as Optimizer,
)
from rnnviz.nn.training import (
    Snapshot as Snapshot,
)
from rnnviz.nn.training import (
    Training as Training,
)
from rnnviz.nn.training import (
    evaluate as evaluate,
)
