"""Texts with a class each: lines of text<TAB>label, or a folder with a file for each class, one text a line."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from rnnviz.errors import InputError, short_repr
from rnnviz.glyphs import visible
from rnnviz.tasks.own.lines import named, opened, unreadable

MOST = 200_000  # texts that are read
CLASSES = 1_000
CHARACTERS = 20_000_000  # of all texts together
NAME = 40  # characters of a class's name
ENTRIES = 10_000  # of a folder


@dataclass(frozen=True)
class Examples:
    """texts    in the order of the file
    labels     number of each text's class
    classes    names, sorted
    notes      what was left out
    is_whole   whether all were read
    layout     how a text's class is found
    """

    texts: tuple[str, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    is_whole: bool
    layout: str
    encoding: str


class _Found:
    def __init__(self, path: Path, limit: int | None) -> None:
        self.path, self.limit = path, limit or MOST
        self.texts: list[str] = []
        self.labels: list[str] = []
        self.characters, self.is_whole = 0, True
        self.encodings: set[str] = set()

    def add(self, text: str, label: str) -> bool:
        """Whether there was room for it."""
        self.characters += len(text)
        if len(self.texts) == self.limit or self.characters > CHARACTERS:
            self.is_whole = False
            return False
        self.texts.append(text)
        self.labels.append(label)
        return True

    def examples(self, layout: str, notes: list[str]) -> Examples:
        classes = tuple(sorted(set(self.labels)))
        if len(classes) > CLASSES:
            raise InputError(f"{named(self.path)}: {len(classes):,} different labels; at most {CLASSES:,} are classes")
        if len(classes) < 2:
            raise InputError(
                f"{named(self.path)}: {'one class' if classes else 'no class'} has texts; to tell classes apart, give "
                "two or more"
            )
        if len(self.texts) < 4:
            raise InputError(f"{named(self.path)}: {len(self.texts)} texts are too few; give at least 4")
        at = {name: k for k, name in enumerate(classes)}
        return Examples(
            tuple(self.texts), tuple(at[label] for label in self.labels), classes, tuple(notes), self.is_whole, layout,
            " and ".join(sorted(self.encodings)),
        )  # fmt: skip


def read_lines(path: Path, limit: int | None) -> Examples:
    """Read lines of text<TAB>label. Raises InputError with the line that is neither empty nor one."""
    found = _Found(path, limit)
    with opened(path) as lines:
        for line in lines:
            text, tab, label = line.rpartition("\t")
            text, label = text.strip(), _name(label)
            if not line.strip():
                continue
            if not tab or not text or not label:
                raise InputError(
                    f"{named(path)}: line {lines.number:,} is not text, a tab and a label: {short_repr(line[:80])}; "
                    "correct it, or remove the line"
                )
            if not found.add(text, label):
                break
        found.is_whole = found.is_whole and not lines.is_cut
        found.encodings.add(lines.encoding)
    return found.examples("each line is a text, a tab and its class", [])


def read_folder(folder: Path, limit: int | None) -> Examples:
    """Read a folder with a file for each class. Links, pipes, hidden files and folders in it are left out."""
    names, folders, others = _entries(folder)
    if len(names) < 2:
        inside = [name for name in folders if len(_entries(folder / name)[0]) > 1]
        hint = (
            f"did you mean {named(folder / inside[0])}?" if inside else "give a folder with a text file for each class"
        )
        raise InputError(f"data: {named(folder)} has {'one text file' if names else 'no text file'}; {hint}")
    if len(names) > CLASSES:
        raise InputError(f"data: {named(folder)} has {len(names):,} files; at most {CLASSES:,} are classes")
    found = _Found(folder, limit)
    notes = []
    if others:
        was = "1 entry that is not a text file is" if others == 1 else f"{others:,} entries that are not text files are"
        notes.append(f"{was} left out.")
    shares = _shares(folder, names, found.limit)
    for name, share in zip(names, shares, strict=True):
        taken = 0
        with opened(folder / name) as lines:
            for line in lines:
                if not (text := line.strip()):
                    continue
                if taken == share:
                    found.is_whole = False
                    break
                if not found.add(text, _name(Path(name).stem)):
                    break
                taken += 1
            found.encodings.add(lines.encoding)
    return found.examples("each file is a class, by its name; each line of it is a text", notes)


def _shares(folder: Path, names: list[str], limit: int) -> list[int]:
    """The most texts of each class. All classes have the same, so that the last ones are not left out."""
    return [max(1, limit // len(names)) if limit < MOST else limit for _ in names]


def _entries(folder: Path) -> tuple[list[str], list[str], int]:
    """(names of text files, names of folders, how many others), sorted; hidden ones are not counted."""
    texts, folders, others = [], [], 0
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                if count >= ENTRIES:
                    raise InputError(
                        f"data: {named(folder)} has more than {ENTRIES:,} entries; choose a smaller folder"
                    )
                if entry.name.startswith("."):
                    continue
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    folders.append(entry.name)
                elif stat.S_ISREG(mode) and Path(entry.name).suffix.lower() in (".txt", ".text", ""):
                    texts.append(entry.name)
                else:
                    others += 1
    except OSError as error:
        raise unreadable(folder, error) from None
    return sorted(texts), sorted(folders), others + (len(folders) if texts else 0)


def _name(text: str) -> str:
    return " ".join(visible(text).split())[:NAME]
