"""What was understood of a person's data: read once, described in words, and kept while the file stays the same."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.errors import InputError
from rnnviz.glyphs import visible
from rnnviz.nn.types import ReadOnly
from rnnviz.numbers import counted, percent
from rnnviz.tasks.own import arrays, content, examples, table
from rnnviz.tasks.own.content import Content, SeriesContent
from rnnviz.tasks.own.decisions import MISSING, NONE, Decisions
from rnnviz.tasks.own.kind import kind_of, located
from rnnviz.tasks.own.layout import NAMES as DELIMITERS
from rnnviz.tasks.own.lines import named

#: Columns that have a line of their own.
LISTED = 12
#: The decisions that each kind of data takes.
USED = {
    "table": frozenset(Decisions.__dataclass_fields__),
    "arrays": frozenset(("standardize", "missing")),
    "labelled": frozenset(("rows",)),
    "folder": frozenset(("rows",)),
    "text": frozenset[str](),
}
TITLES = {
    "table": "a table", "arrays": "arrays of NumPy", "labelled": "lines of text<TAB>label",
    "folder": "a folder with a file for each class", "text": "a text",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Column:
    """A column: its kind, its role ("read", "predicted", "read and predicted", "label", "group", "dates", "left out"),
    and of numbers their extent."""

    name: str
    kind: str
    role: str
    missing: int | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None


@dataclass(frozen=True, eq=False)
class Understood(ReadOnly):
    """path     file or folder
    kind     one of USED
    task     "series", "labelled" or "characters"
    content  what a task learns; None for a text, which the task `characters` reads itself
    standardizes  whether the columns are scaled by the training part's mean and deviation
    columns  of a table
    facts    sentences about the file and its layout
    notes    sentences about what was left out
    """

    path: Path
    kind: str
    task: str
    decisions: Decisions
    content: Content | None
    standardizes: bool
    facts: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return visible(self.path.name or str(self.path))

    def lines(self) -> tuple[str, ...]:
        """What was understood, in sentences."""
        rest = Counter(column.role for column in self.columns[LISTED:])
        more = ", ".join(f"{count:,} {role}" for role, count in rest.items())
        others = (f"and {counted(rest.total(), 'column')} more: {more}.",) if rest else ()
        return (*self.facts, *map(_about, self.columns[:LISTED]), *others, *self.notes)


def read(data: str, decisions: Decisions = NONE) -> Understood:
    """Read a file or folder. Raises InputError, in one line, for what cannot be read or does not fit the decisions.

    The newest result is kept: the same file, unchanged, with the same decisions is read once.
    """
    path = located(data)
    key = (str(path.absolute()), _state(path), decisions)
    if _NEWEST and _NEWEST[0] == key:
        return _NEWEST[1]  # type: ignore[no-any-return]
    found = _read(path, decisions)
    _NEWEST[:] = [key, found]
    return found


_NEWEST: list[Any] = []


def _state(path: Path) -> Any:
    """Changes when the file does, or a file of the folder."""
    try:
        state = os.stat(path)
        inside: tuple[tuple[str, int], ...] = ()
        if path.is_dir():
            with os.scandir(path) as entries:
                inside = tuple(
                    (entry.name, entry.stat(follow_symlinks=False).st_mtime_ns)
                    for _, entry in zip(range(examples.ENTRIES), entries, strict=False)
                )
    except (OSError, ValueError):
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns, inside


def _read(path: Path, decisions: Decisions) -> Understood:
    kind = kind_of(path)
    _check(kind, decisions)
    if kind == "table":
        return _of_table(path, decisions)
    if kind == "arrays":
        return _of_arrays(path, decisions)
    if kind == "text":
        return Understood(path, kind, "characters", decisions, None, False, (f"{named(path)}: a text.",))
    found = (examples.read_folder if kind == "folder" else examples.read_lines)(path, decisions.rows)
    counts = np.bincount(found.labels, minlength=len(found.classes))
    most, least = int(counts.argmax()), int(counts.argmin())
    facts = (
        f"{named(path)}: {TITLES[kind]}, {counted(len(found.texts), 'text')}, {len(found.classes)} classes, "
        f"{found.encoding}; {found.layout}.",
        f"The largest class is {found.classes[most]} ({counts[most]:,}), the smallest {found.classes[least]} "
        f"({counts[least]:,}).",
    )
    notes = found.notes + (() if found.is_whole else (f"Only {len(found.texts):,} texts are read; --rows reads more.",))
    return Understood(path, kind, "labelled", decisions, content.of_examples(found), False, facts, notes=notes)


def _check(kind: str, decisions: Decisions) -> None:
    for name in Decisions.__dataclass_fields__:
        if getattr(decisions, name) is not None and name not in USED[kind]:
            raise InputError(f"{name}: {TITLES[kind]} has no use for it; leave it out")
    if decisions.missing is not None and decisions.missing not in MISSING:
        raise InputError(f"missing: {decisions.missing!r} is unknown; choose from {', '.join(MISSING)}")
    if decisions.target is not None and decisions.label is not None:
        raise InputError("target: a label is already to be learned; leave one of --target and --label out")


def _of_arrays(path: Path, decisions: Decisions) -> Understood:
    found = arrays.read(path)
    made = content.of_arrays(found)
    shape = ", ".join(str(n) for n in found.x.shape)
    facts = [f"{named(path)}: {TITLES['arrays']}: {', '.join(found.members)}; x has shape ({shape})."]
    is_series = isinstance(made, SeriesContent)
    if is_series:
        facts.append("Without y, the network predicts the next x.")
    gaps = int(np.isnan(found.x).sum())
    notes = (f"{counted(gaps, 'value')} of x {'is' if gaps == 1 else 'are'} missing or infinite.",) if gaps else ()
    task = "labelled" if not is_series and made.classes else "series"  # type: ignore[union-attr]
    return Understood(path, "arrays", task, decisions, made, bool(decisions.standardize), tuple(facts), notes=notes)


def _of_table(path: Path, decisions: Decisions) -> Understood:
    found = table.read(path, decisions)
    made = content.of_table(found)
    layout, rows = found.layout, len(found.values)
    delimiter = DELIMITERS.get(layout.delimiter, layout.delimiter)
    header = "the first row holds the names" if layout.has_header else "no header: columns have numbers from 1"
    facts = [
        f"{named(path)}: a table, {counted(rows, 'row')}, {counted(len(layout.names), 'column')}, {found.encoding}.",
        f"delimiter {delimiter} · {header} · decimal {'comma' if layout.decimal == ',' else 'point'}.",
    ]
    if found.first:
        facts.append(f"dates: {visible(found.first)} in the first row, {visible(found.last)} in the last.")
    if found.groups is not None:
        facts.append(f"{counted(len(found.group_names), 'group')} by {decisions.group}: each is a sequence of its own.")
    elif found.labels is not None:
        facts.append(f"Each row is a sequence of {counted(len(found.columns), 'value')}, because no --group is given.")
    notes = list(layout.doubts)
    if not found.is_whole:
        more = "no more of one file are read" if found.is_cut else "--rows reads more"
        share = percent(found.share, 1 if found.share < 0.1 else 0)
        notes.append(f"Only the first {rows:,} rows are read ({share} of the file); {more}.")
    if found.order:
        notes.append(found.order[0].upper() + found.order[1:] + ".")
    if found.infinite:
        notes.append(
            f"{counted(found.infinite, 'infinite value')} {'counts' if found.infinite == 1 else 'count'} as missing."
        )
    if found.left_out:
        notes.append(
            f"{counted(found.left_out, 'line')} after the last row {'is' if found.left_out == 1 else 'are'} left out."
        )
    standardizes = decisions.standardize is not False
    task = "series" if found.labels is None else "labelled"
    return Understood(
        path,
        "table",
        task,
        decisions,
        made,
        standardizes,
        tuple(facts),
        tuple(_columns(found, decisions)),
        tuple(notes),
    )


def _columns(found: table.Table, decisions: Decisions) -> Any:
    from rnnviz.tasks.own.layout import column_of

    names = found.layout.names
    kept = {flag: column_of(name, names, flag) for flag in ("label", "group") if (name := getattr(decisions, flag))}
    used = {number: k for k, number in enumerate(found.numbers)}
    is_by_row = found.labels is not None and found.groups is None
    for c, (name, kind) in enumerate(zip(names, found.layout.kinds, strict=True)):
        roles = [flag for flag, column in kept.items() if column == c]
        if c not in used:
            dates = kind == "date" and c == found.dates
            yield Column(name, kind, " and ".join(roles) or ("dates" if dates else "left out"))
            continue
        k = used[c]
        if k in found.columns:
            roles.append("read")
        if k in found.targets and not is_by_row and found.labels is None:
            roles.append("predicted")
        values = found.values[:, k]
        values = values[np.isfinite(values)]
        extent = (float(values.min()), float(values.max()), float(values.mean())) if len(values) else (None,) * 3
        yield Column(name, "number", " and ".join(roles), found.missing[k], *extent)


def _about(column: Column) -> str:
    held = {"number": "numbers", "date": "dates", "text": "text", "counter": "numbers that count the rows",
            "empty": "no values"}[column.kind]  # fmt: skip
    text = f"column {column.name}: {held}"
    if column.low is not None and column.high is not None and column.mean is not None:
        text += f" from {column.low:.6g} to {column.high:.6g}, mean {column.mean:.4g}"
    if column.missing:
        text += f", {column.missing:,} missing"
    return f"{text}; {column.role}."
