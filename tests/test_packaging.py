"""What is in the wheel: all that the app reads at run time, and nothing of the checkout besides."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import rnnviz

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, ROOT]
    subprocess.run(pip, check=True)
    (path,) = place.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_every_file_of_the_package_is_in_it(wheel):
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "rnnviz").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files <= set(wheel.namelist())


def test_every_lesson_is_in_it(wheel):
    lessons = {
        f"rnnviz/lessons/course/{path.relative_to(ROOT / 'lessons')}"
        for path in (ROOT / "lessons").rglob("*")
        if path.is_file()
    }
    assert lessons
    assert lessons <= set(wheel.namelist())


def test_nothing_else_is_in_it(wheel):
    info = f"rnnviz-{rnnviz.__version__}.dist-info"
    assert {name.split("/")[0] for name in wheel.namelist()} == {"rnnviz", info}
    assert f"{info}/licenses/LICENSE" in wheel.namelist()


def test_it_installs_one_command(wheel):
    entry_points = wheel.read(f"rnnviz-{rnnviz.__version__}.dist-info/entry_points.txt").decode()
    assert entry_points.strip() == "[console_scripts]\nrnnviz = rnnviz.cli.main:main"
