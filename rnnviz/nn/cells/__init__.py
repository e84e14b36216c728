"""The recurrent cells, each on one page: rnn.py, lstm.py, gru.py, to be read in this order; then mingru.py.

descriptions/ says what each is, in names and words; see nn/cell.py.
"""
