"""README says what is so: its keys are those of the app, its examples run, its pictures exist."""

import re
from pathlib import Path

import pytest

from rnnviz.cli.main import main
from rnnviz.experiment.experiment import Experiment
from rnnviz.tui.keys import ACTIONS, face

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def key_table() -> str:
    rows = ["| | key | what it does |", "|---|---|---|"]
    group = ""
    for action in ACTIONS:
        keys = " ".join(f"`{face(key)}`" for key in action.keys)
        rows.append(f"| {'' if action.group == group else action.group} | {keys} | {action.help} |")
        group = action.group
    return "\n".join(rows) + "\n"


def with_key_table(text: str) -> str:
    return re.sub(r"^\| \| key \|.*?\n(?=\n)", lambda _: key_table(), text, count=1, flags=re.MULTILINE | re.DOTALL)


def test_the_keys_are_those_of_the_app():
    assert key_table() in README, "the keys have changed: run `python -m tests.test_readme`"


@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_examples_run(code):
    exec(code, {})


@pytest.mark.parametrize("text", blocks("toml"))
def test_the_experiments_are_experiments(text):
    assert Experiment.from_toml(text).changes()


SHELL = "".join(blocks("sh")).splitlines()


@pytest.mark.parametrize("line", [line for line in SHELL if "--json" in line])
def test_the_commands_for_scripts_run(line, capsys, tmp_path, monkeypatch):
    command = line.partition("#")[0].split()
    if any(word.endswith(".toml") for word in command):
        (text,) = blocks("toml")
        (tmp_path / "experiment.toml").write_text(text)
        monkeypatch.chdir(tmp_path)
    assert command[0] == "rnnviz"
    assert not main(command[1:])
    assert capsys.readouterr().out.startswith("{")


def test_the_files_it_shows_exist():
    shown = re.findall(r"\]\(((?!https?:|#)[^)]+)\)", README)
    assert shown
    missing = [path for path in shown if not (ROOT / path).exists()]
    assert not missing


if __name__ == "__main__":
    (ROOT / "README.md").write_text(with_key_table(README), encoding="utf-8")
