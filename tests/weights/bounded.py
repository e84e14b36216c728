"""Runs `rnnviz inspect` on files with little memory, and reads every recurrent layer; prints a line of JSON for each.

python bounded.py MEGABYTES FILE…
"""

import contextlib
import io
import json
import resource
import sys

from rnnviz.cli.main import main
from rnnviz.errors import InputError
from rnnviz.weights import read

main(["inspect", sys.argv[2]])  # imports what is needed
limit = int(sys.argv[1]) * 2**20
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + limit, now + limit))
for path in sys.argv[3:]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["inspect", path])
    read_layers, reason = [], ""
    try:
        for layer in read(path).layers:
            read_layers.append([layer.name, *(array.size for array in layer.weights.values())])
    except InputError as error:
        reason = str(error)
    print(json.dumps({"code": code, "err": err.getvalue(), "layers": read_layers, "reason": reason}))
