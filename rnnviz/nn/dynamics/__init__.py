"""The recurrence as a dynamical system: what its Jacobian does to small changes in the long run, and where it rests."""
