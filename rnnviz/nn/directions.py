"""The two directions in which a layer reads its sequences, and how PyTorch names the weights of each."""

from __future__ import annotations

FORWARD, BACKWARD = "forward", "backward"
DIRECTIONS = (FORWARD, BACKWARD)
SUFFIX = {FORWARD: "", BACKWARD: "_reverse"}
