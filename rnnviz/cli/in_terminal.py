"""`python -m rnnviz.cli.in_terminal …`: rnnviz as the first program of a terminal that was opened for it; in a session
of `rnnviz host` where one waits (attach.py).

Standard input is that terminal, and this process leads its session; so the kernel tells it when the terminal hangs up
or is resized.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    import fcntl
    import termios

    from rnnviz import attach

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    sys.exit(attach.main(sys.argv[1:]))
