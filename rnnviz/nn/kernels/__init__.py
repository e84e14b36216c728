"""The fast engine's kernels: jitted functions that only fill the buffers they are given.

Read rnn.py first: its equations are beside the loops, as in nn/cells/. train.py combines the kernels into whole
batches. Every error is raised in Python before a kernel runs; no kernel allocates.

Importing one of these modules imports numba, which takes long and much memory. The app never does: another
process compiles (nn/compiler.py), and nn/numba_engine.py runs the finished machine code.
"""
