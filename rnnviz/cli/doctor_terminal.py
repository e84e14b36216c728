"""The terminal, for `rnnviz doctor`: its size, its colours and the rule that decided them, and what it answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from rnnviz import terminal
from rnnviz.cli import terminal_answers
from rnnviz.cli.surroundings import is_tty
from rnnviz.cli.terminal_answers import SAMPLES, Answers
from rnnviz.numbers import counted


def answers() -> Answers:
    """Ask the terminal on standard input and output. Before all else: what a person types ahead stays where it is."""
    try:
        source, target = sys.stdin.fileno(), sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return Answers(why_not="not asked: input or output is closed")
    sys.stdout.flush()
    return terminal_answers.ask(source, target, encoding=sys.stdout.encoding or "ascii")


def findings(
    answered: Answers, choice: str | None, problems: list[str], environ: Mapping[str, str] = os.environ
) -> dict[str, Any]:
    """choice: of colours, by the configuration."""
    columns, rows = terminal.size_of(1, 0, 2)
    is_terminal = {name: is_tty(getattr(sys, name)) for name in ("stdin", "stdout")}
    colors, by = terminal.colors_and_reason(environ, choice, is_terminal=is_terminal["stdout"])
    wrong = answered.wrong_widths
    if wrong:
        some = ", ".join(f"{SAMPLES[kind][0]} {counted(width, 'cell')} wide" for kind, width in wrong.items())
        problems.append(
            f"The terminal draws {some}, and pictures would be askew: set ambiguous characters to narrow in its "
            "settings, or use rnnviz --ascii."
        )  # fmt: skip
    if answered.typed:
        problems.append(f"Keys were typed while the terminal was asked, and are lost: {answered.typed}")
    light = terminal.is_light(environ)
    return {
        "is_terminal": is_terminal,
        "columns": columns,
        "rows": rows,
        "TERM": environ.get("TERM"),
        "program": " ".join(filter(None, (environ.get("TERM_PROGRAM"), environ.get("TERM_PROGRAM_VERSION")))) or None,
        "colors": colors,
        "colors_by": by,
        "background": None if light is None else "light" if light else "dark",
        "encoding": sys.stdout.encoding,
        "unicode": not terminal.lacks_unicode(sys.stdout),
        "ascii_because": terminal.why_ascii(sys.stdout, environ) or None,
        "multiplexer": "tmux" if environ.get("TMUX") else "screen" if environ.get("STY") else None,
        "ssh": bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")),
        "latency_ms": None if answered.latency is None else round(1000 * answered.latency, 1),
        "widths": dict(answered.widths),
        "attributes": answered.attributes or None,
        "version": answered.version or None,
        "no_answer": answered.why_not or None,
    }


def lines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, text) of each line."""
    kind = "" if all(found["is_terminal"].values()) else "input or output is not a terminal; "
    term = f"TERM {found['TERM']}" if found["TERM"] else "TERM is not set"
    within = [
        found["program"],
        found["multiplexer"] and f"in {found['multiplexer']}",
        "over SSH" if found["ssh"] else "",
    ]
    out = [
        ("terminal", f"{kind}{found['columns']} × {found['rows']}, {', '.join(filter(None, [term, *within]))}"),
        ("colors", f"{found['colors']}, decided by {found['colors_by']}"),
        ("encoding", f"{found['encoding']}{'' if found['unicode'] else '  (no Unicode: ASCII is used)'}"),
    ]
    if found["ascii_because"] and found["unicode"]:
        out.append(("drawing", f"ASCII, because {found['ascii_because']}"))
    if found["no_answer"]:
        out.append(("answers", found["no_answer"]))
        return out
    says = ", ".join(filter(None, (found["version"], found["attributes"] and f"attributes {found['attributes']}")))
    out.append(("answers", f"in {found['latency_ms']:g} ms (median){f'; {says}' if says else ''}"))
    widths = found["widths"]
    wrong = [f"{kind} {SAMPLES[kind][0]} {widths[kind]} cells" for kind in widths if widths[kind] != SAMPLES[kind][1]]
    text = f"wrong: {', '.join(wrong)}" if wrong else f"right, {len(widths)} kinds of characters: "
    out.append(("widths", text if wrong else text + "".join(SAMPLES[kind][0] for kind in widths)))
    return out
