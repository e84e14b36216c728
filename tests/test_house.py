"""Files beside the code that must agree with it, and how it is packed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from packaging.requirements import Requirement

import rnnviz
from rnnviz.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_pre_commit_uses_the_ruff_of_the_dev_extra():
    (pinned,) = [line for line in PROJECT["optional-dependencies"]["dev"] if line.startswith("ruff")]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"\bruff==[\d.]+", hooks)) == {pinned}


def test_the_workflow_runs_every_python_that_is_promised():
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    (row,) = re.findall(r"^ +python: \[(.*)\]$", workflow, re.MULTILINE)
    versions = re.findall(r'"(3\.\d+)"', row)
    assert f">={versions[0]}" == PROJECT["requires-python"]
    promised = [line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert versions == promised
    assert "os: [ubuntu-latest, macos-latest, windows-latest]" in workflow


def test_the_version_and_its_date_are_the_same_everywhere():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, date = re.findall(r"^## \[(\d.*)\] - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)[0]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert version == rnnviz.__version__
    assert f"\nversion: {version}\ndate-released: {date}\n" in citation


def test_the_tests_use_one_textual_and_one_rich():
    """Their pictures differ from release to release; users may have any release in the range."""
    for library in ("textual", "rich"):
        (pinned,) = [line for line in PROJECT["optional-dependencies"]["test"] if line.startswith(library)]
        (range_of,) = [line for line in PROJECT["dependencies"] if line.startswith(library)]
        assert re.fullmatch(rf"{library}==[\d.]+", pinned)
        assert Requirement(range_of).specifier.contains(pinned.partition("==")[2])


def test_inside_an_archive_it_says_how_to_install_it(tmp_path):
    """Lessons, styles and the kernels' sources are read as files."""
    archive = tmp_path / "rnnviz.whl"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (ROOT / "rnnviz").rglob("*.py"):
            file.write(path, path.relative_to(ROOT))
    for words, code, line in [
        (
            ["train"],
            2,
            f"rnnviz train: rnnviz cannot run inside an archive; install it: python -m pip install {archive}\n",
        ),
        (["--free"], 2, f"rnnviz: rnnviz cannot run inside an archive; install it: python -m pip install {archive}\n"),
        (["--version"], 0, f"rnnviz {rnnviz.__version__}\n"),
    ]:
        run = subprocess.run(
            [sys.executable, "-m", "rnnviz", *words],
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(archive)}, cwd=tmp_path,
        )  # fmt: skip
        assert (run.returncode, run.stdout + run.stderr) == (code, line)


def test_the_form_of_a_bug_asks_for_a_command_there_is():
    form = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"`rnnviz (\w+)`", form)) == {"doctor"}
    assert "doctor" in COMMANDS
