"""`python -m rnnviz.cli.in_terminal …`: rnnviz as the first program of a terminal that was opened for it.

Standard input is that terminal, and this process leads its session; so the kernel tells it when the terminal hangs up
or is resized.
"""

from __future__ import annotations

import sys

from rnnviz.cli.main import main

if __name__ == "__main__":
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.argv[0] = "rnnviz"
    sys.exit(main(sys.argv[1:]))
