"""The network as a program in PyTorch or Keras, and the engine's code behind each phase."""
