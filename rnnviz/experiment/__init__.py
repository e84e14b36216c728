"""What determines a run: the experiment, its settings, what it costs, and how it is built and evaluated."""
