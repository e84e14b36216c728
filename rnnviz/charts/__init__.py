"""Charts for the app and the command line: each function turns numbers into a sheet of cells."""
