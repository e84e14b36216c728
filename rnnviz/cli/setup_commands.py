"""The commands about rnnviz itself on this machine."""

from __future__ import annotations

from rnnviz.cli.command import Argument, Command, as_json
from rnnviz.errors import InputError, short_repr

_DOCTOR = Command(
    "doctor",
    "show versions, places, the terminal, the engine, and any problems",
    "rnnviz doctor [--json]",
    "Show what rnnviz uses: versions, the machine, places, the configuration, the terminal and what it\n"
    "answers (how wide it draws, how long a round trip takes), the engine and the last compiler error in\n"
    "full: a text for a report, without your name. The exit code is 1 if there is a problem, else 0.",
    "rnnviz.cli.doctor:run",
    (
        as_json(
            "versions, platform, executable, machine, paths, writable, config, terminal, engine, kernels, "
            "import_error, last_compiler_error, problems"
        ),
    ),
    has_experiment=False,
)

_CONFIG = Command(
    "config",
    "show your configuration with its defaults, and check it",
    "rnnviz config [--check [FILE]]",
    "Print your configuration file as it is in use, with its path, all defaults and every key. rnnviz needs no\n"
    "such file. --check reports the first mistake in it, with its line.",
    "rnnviz.cli.config:run",
    (
        Argument(
            "--check", "check FILE, or your own configuration, in place of printing it", metavar="FILE",
            more={"nargs": "?", "const": ""},
        ),
    ),
    has_experiment=False,
)  # fmt: skip

SHELLS = ("bash", "zsh", "fish")


def _shell(text: str) -> str:
    if text not in SHELLS:
        raise InputError(f"{short_repr(text)} is no shell that can be completed; choose {', '.join(SHELLS)}")
    return text


_COMPLETION = Command(
    "completion",
    "print the completion of rnnviz's command line for a shell",
    "rnnviz completion bash|zsh|fish",
    "Print a script that lets the tab key complete commands, flags, their values and files:\n"
    "  bash  rnnviz completion bash > ~/.local/share/bash-completion/completions/rnnviz\n"
    "  zsh   rnnviz completion zsh > ~/.zfunc/_rnnviz, with fpath+=~/.zfunc before compinit in ~/.zshrc\n"
    "  fish  rnnviz completion fish > ~/.config/fish/completions/rnnviz.fish",
    "rnnviz.cli.completion:run",
    (Argument("shell", "bash, zsh or fish", metavar="SHELL", read=_shell),),
    has_experiment=False,
)

_MAN = Command(
    "man",
    "print the manual page",
    "rnnviz man",
    "Print the manual page in the format of man: rnnviz man | man -l -",
    "rnnviz.cli.man:run",
    has_experiment=False,
)

SETUP = (_DOCTOR, _CONFIG, _COMPLETION, _MAN)
