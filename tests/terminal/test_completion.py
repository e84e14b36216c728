"""The tab key in real shells, and the manual page as man's programs read it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from rnnviz.cli import completion, man
from rnnviz.cli.commands import APP, COMMANDS
from rnnviz.experiment.experiment import SETTINGS
from rnnviz.lessons.course import find
from tests.terminal.driver import Terminal

#: What is typed before the tab key, and what is on the line or below it afterwards.
TYPED = {
    "rnnviz tra": "rnnviz train ",
    "rnnviz compl": "rnnviz completion ",
    "rnnviz --them": "rnnviz --theme",
    "rnnviz --theme solarized-d": "rnnviz --theme solarized-dark",
    "rnnviz --color tru": "rnnviz --color truecolor",
    "rnnviz train --cell lst": "rnnviz train --cell lstm",
    "rnnviz lesson why-": "rnnviz lesson why-gradients-vanish",
    "rnnviz --panel led": "rnnviz --panel ledger",
    "rnnviz --data my-d": "rnnviz --data my-data.csv",
    "rnnviz inspect my-d": "rnnviz inspect my-data.csv",
}
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "PS1='> '; source {}"),
    "zsh": (["zsh", "-f", "-i"], "PS1='> '; fpath=({} $fpath); autoload -U compinit; compinit -D -u"),
    "fish": (["fish", "--no-config", "-i"], "function fish_prompt; echo '> '; end; source {}"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes(shell, tmp_path):
    """zsh and fish need not be here."""
    command, begin = SHELLS[shell]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "_rnnviz"
    script.write_text(completion.script(shell))
    (tmp_path / "my-data.csv").write_text("1\n")
    with Terminal(command, columns=120, env={"HOME": str(tmp_path), "TERM": "xterm"}, cwd=tmp_path) as t:
        t.settle(0.4)
        t.type(begin.format(tmp_path if shell == "zsh" else script) + "\r")
        t.settle(0.5)
        for typed, wanted in TYPED.items():
            t.type(typed + "\t")
            t.wait_for(lambda rows, wanted=wanted: any(wanted in row + " " for row in rows), timeout=15)
            t.type("\x15")  # an empty line again
            t.settle(0.1)
        if shell == "bash":
            t.type("rnnviz my-d\t")
            t.wait_for("rnnviz my-data.csv")


def test_a_script_knows_every_command_and_flag_and_every_lesson():
    script = completion.script("bash")
    for command in COMMANDS.values():
        assert re.search(rf"_subparsers=\(.*\b{command.name}\b", script)
        for argument in command.arguments:
            assert argument.name in script or not argument.name.startswith("-")
    for setting in SETTINGS.values():
        assert setting.option in script
    course = find()
    assert all(course.slug(path) in script for path in course.files)


def test_the_manual_page_has_everything_and_no_request_of_a_text():
    page = man.page()
    assert page.isascii()
    plain = page.replace("\\-", "-")
    for command in (APP, *COMMANDS.values()):
        assert not command.name or f".SS {command.name}\n" in plain
        for argument in command.arguments:
            assert re.search(rf"^\.B .*{re.escape(argument.metavar or argument.name)}", plain, re.MULTILINE)
    for setting in SETTINGS.values():
        assert f".B {setting.option}" in plain
    requests = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert requests == {".TH", ".SH", ".SS", ".TP", ".B", ".PP", ".nf", ".fi", ".RS", ".RE"}
    assert man._text(r".a 'b' \c-d") == r"\&.a 'b' \ec\-d"


@pytest.mark.slow
@pytest.mark.parametrize("program", [["mandoc", "-Tlint", "-W", "warning"], ["groff", "-man", "-ww", "-Tutf8", "-z"]])
def test_what_reads_manual_pages_has_no_complaint(program, tmp_path):
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    (tmp_path / "rnnviz.1").write_text(man.page())
    done = subprocess.run([*program, tmp_path / "rnnviz.1"], capture_output=True, text=True)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "missing date" not in line]
    assert not complaints
