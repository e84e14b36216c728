"""The cells whose kernels these tests compile: that takes some twenty seconds a cell, so the default suite has one."""

import os

from rnnviz.nn import CELLS as EVERY

#: RNNVIZ_TEST_CELLS=all: every cell, as .ci/run does; without a compiler nothing takes long.
CELLS = (
    tuple(EVERY) if os.environ.get("RNNVIZ_TEST_CELLS") == "all" or os.environ.get("NUMBA_DISABLE_JIT") else ("rnn",)
)
