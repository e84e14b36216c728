"""What is in the sdist and in the wheel made from it: all that the app reads at run time, and nothing besides."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import rnnviz

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """The folder of a release: RNNVIZ_DIST where one has been built, or one built here."""
    if built := os.environ.get("RNNVIZ_DIST"):
        return Path(built)
    pytest.importorskip("build")
    place = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", place, ROOT], check=True, stdout=subprocess.DEVNULL)
    return place


@pytest.fixture(scope="module")
def wheel(dist):
    (path,) = dist.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(dist) -> set[str]:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {name.split("/", 1)[1] for name in archive.getnames()}


def files_of(*folders: str) -> set[str]:
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_has_the_package_and_the_course_and_nothing_else(wheel):
    info = f"rnnviz-{rnnviz.__version__}.dist-info"
    course = {f"rnnviz/lessons/course/{name.removeprefix('lessons/')}" for name in files_of("lessons")}
    about = {f"rnnviz-{rnnviz.__version__}.data/data/share/man/man1/rnnviz.1"}
    about |= {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert "rnnviz/py.typed" in wheel.namelist()
    assert len(course) > 15
    assert set(wheel.namelist()) == files_of("rnnviz") | course | about


def test_the_sdist_has_what_the_tests_need(sdist):
    assert files_of("rnnviz", "lessons", "docs", "tests", "screenshots", "benchmarks", "examples") <= sdist
    assert {"pyproject.toml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "CITATION.cff", "LICENSE"} <= sdist
    assert not [name for name in sdist if name.startswith((".venv", ".git/", "dist"))]


def test_it_installs_one_command(wheel):
    entry_points = wheel.read(f"rnnviz-{rnnviz.__version__}.dist-info/entry_points.txt").decode()
    assert entry_points.strip() == "[console_scripts]\nrnnviz = rnnviz.cli.main:main"
