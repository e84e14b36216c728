"""The app computes with one thread of NumPy's library, unless the user has set another number."""

import os
import subprocess
import sys

import pytest

from rnnviz.cli.surroundings import THREADS

CODE = """
import os, sys
from rnnviz.cli.main import main
main(sys.argv[1:])  # there is no terminal: it ends with an error
import numpy
print(len(os.listdir("/proc/self/task")))
"""


def threads(*arguments: str, **variables: str) -> int:
    clean = {name: value for name, value in os.environ.items() if name not in THREADS}
    return int(
        subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            env={**clean, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
@pytest.mark.parametrize("arguments", [(), ("--hidden", "64"), ("lesson", "1"), ("play", "1"), ("no-such-file.pt",)])
def test_the_app_has_one_thread_of_the_library(arguments):
    assert threads(*arguments) == 1
    assert threads(*arguments, OMP_NUM_THREADS="2") == threads("train", "--hiden", OPENBLAS_NUM_THREADS="2")
