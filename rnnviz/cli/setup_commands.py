"""The commands about rnnviz itself on this machine."""

from __future__ import annotations

from rnnviz.cli.command import Argument, Command, as_json

_DOCTOR = Command(
    "doctor",
    "show versions, paths, the terminal, the engine, and any problems",
    "rnnviz doctor [--json]",
    "Show what rnnviz uses: versions, paths, the terminal, the engine and the reason for it, and the last\n"
    "compiler error in full. The exit code is 0 if everything works and 1 if there is a problem.",
    "rnnviz.cli.doctor:run",
    (
        as_json(
            "versions, platform, executable, paths, writable, terminal, engine, kernels, import_error, "
            "last_compiler_error, problems"
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

SETUP = (_DOCTOR, _CONFIG)
