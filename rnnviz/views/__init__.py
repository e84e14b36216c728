"""Pure functions of a scene or a frame: what its panels, rows and metrics are about."""
