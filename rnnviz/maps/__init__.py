"""Maps: one experiment at every point of a grid, until it has learnt, has diverged, or its epochs are over."""
