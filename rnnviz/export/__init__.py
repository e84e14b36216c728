"""The same network as a program in PyTorch or Keras, and the lines of the engine behind a moment."""
