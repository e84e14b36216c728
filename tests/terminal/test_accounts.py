"""The accounts of the benchmark of a class exist inside alone, and nothing of this machine can be written there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal import accounts

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs namespaces of Linux")]

INSIDE = """
import os, pwd, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.terminal import accounts
names = accounts.make(2)
assert [pwd.getpwnam(name).pw_uid for name in names] == [accounts.FIRST, accounts.FIRST + 1]
mounted = [Path(line.split()[1]) for line in Path("/proc/mounts").read_text().splitlines()
           if line.split()[1].startswith(str(accounts.folder()))]
for place in (Path("/etc/passwd"), *mounted):
    if not os.statvfs(place).f_flag & os.ST_RDONLY:  # asked, and not tried: a write would be one outside
        print("can be written:", place)
pid = os.fork()
if pid == 0:
    os.setgid(accounts.FIRST), os.setuid(accounts.FIRST)
    os.execv(sys.executable, [sys.executable, "-c", "import rnnviz"])
assert os.waitpid(pid, 0)[1] == 0
print(accounts.folder())
"""


def test_accounts_exist_inside_alone_and_nothing_outside_can_be_written(capfd):
    if not accounts.possible():
        pytest.skip("needs root and unshare")
    before = Path("/etc/passwd").read_text()
    root = str(Path(__file__).parents[2])
    assert accounts.run_inside([sys.executable, "-c", INSIDE, root]) == 0
    out, _ = capfd.readouterr()
    assert "can be written" not in out
    assert not Path(out.strip()).exists()
    assert Path("/etc/passwd").read_text() == before
    assert subprocess.run(["id", "learner000"], capture_output=True).returncode != 0
