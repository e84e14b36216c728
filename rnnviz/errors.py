"""The one error a person may see: what is wrong, where, and what to do."""


class InputError(ValueError):
    """Bad input (a flag, a file, a weight, a setting), told in one line.

    The command line prints it as it is and exits with 2; the app shows it and carries on.
    """
