"""The three recurrent cells, each on one page. Read them in this order: rnn, lstm, gru."""

from __future__ import annotations

from rnnviz.nn.cells import gru, lstm, rnn

#: name -> the module with the cell's equations
CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru}
