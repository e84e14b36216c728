"""Files of weights, of any framework: what is in them, as layers in PyTorch's names and shapes. Nothing in them is run.

>>> from rnnviz.weights import read
>>> read("model.pt").layer("encoder.lstm")
"""
