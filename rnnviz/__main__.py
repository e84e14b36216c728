"""`python -m rnnviz` is `rnnviz`."""

import sys

from rnnviz.cli.main import main

sys.exit(main())
