"""Charts for the app and for the command line: numbers in, a sheet of cells out."""
