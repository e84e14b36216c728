"""The three recurrent cells, each on one page. Read them in this order: rnn, lstm, gru."""
