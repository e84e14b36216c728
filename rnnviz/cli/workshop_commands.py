"""The command for the learner's own code."""

from __future__ import annotations

from rnnviz.cli.command import Argument, Command

WORKSHOP = (
    Command(
        "workshop",
        "write the forward and the backward pass yourself, checked number by number",
        "rnnviz workshop init [DIR]\n       rnnviz workshop [DIR]\n       rnnviz workshop list [DIR]\n"
        "       rnnviz workshop check [FILE|DIR…] [--json]\n       rnnviz workshop hint FILE [N]",
        "Ten exercises as Python files of your own, from one step forward to backpropagation through time,\n"
        "an LSTM, a GRU and a cell of your own. init writes them into DIR (default: workshop) and never\n"
        "overwrites a file. Then rnnviz workshop watches them: edit a file in any editor, save it, and see\n"
        "which number is the first that differs from the exact one, and why. list shows which are solved;\n"
        "check runs files once: exit code 0 if all are solved, else 1; hint prints a file's first hint, or\n"
        "hint N. The files are your own code: each runs in a process of its own, for at most 5 seconds.",
        "rnnviz.cli.workshop:run",
        (
            Argument(
                "--json",
                "of check and list: print a JSON list instead, with an object for each file: file, status (solved, "
                "unwritten, wrong, error, stopped, missing), headline, details, place (the first value that differs), "
                "step, as_if (the mistake that gives these numbers), line, printed",
                default=False,
                more={"action": "store_true"},
            ),
            Argument("action", "see above", metavar="init|list|check|hint|DIR", more={"nargs": "?"}),
            Argument("words", "files or a folder; after hint also its number", metavar="FILE", more={"nargs": "*"}),
        ),
        has_experiment=False,
    ),
)
