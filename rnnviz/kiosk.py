"""A kiosk: a session for a stranger. What it refuses, what one learner may ask of the machine, and where progress goes.

The learner of a kiosk names no file, and writes none but the progress; `cli/kiosk.py` builds the wall around the
process. Imports nothing slow.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rnnviz import files
from rnnviz.errors import InputError, short_repr

LONGEST_NAME = 64  # characters of a learner's name
LONGEST_NAME_BYTES = 200  # of it in UTF-8; a file system allows 255

#: What a kiosk does not do, by the name of an action or a setting, with the reason.
REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "save": "This is a kiosk: no file is written.",
        "picture": "This is a kiosk: no file is written.",
        "suspend": "This is a kiosk: rnnviz cannot be suspended.",
        "source": "a kiosk reads no file",
        "data": "a kiosk reads no file",
    }
)


@dataclass(frozen=True)
class Kiosk:
    """folder   of the learner's progress; None: it lasts as long as the session
    idle     seconds without a key after which the session ends; 0: never
    job      seconds after which a training or another long computation is stopped
    bytes    the most that one network with its data, or one request for memory, may take
    memory   the most that the session may take for itself (RLIMIT_DATA); the app alone takes 160 to 200 MB of it
    seconds  the most that a whole training may take, as it is estimated before it begins
    """

    folder: Path | None = None
    idle: float = 30 * 60.0
    job: float = 60.0
    bytes: int = 64_000_000
    memory: int = 400_000_000
    seconds: float = 300.0


# -- the learner's folder ------------------------------------------------------------------------------------


def learner_name(text: str) -> str:
    """The name of a learner, as the name of a folder: letters and digits of any script, and - _ . after the first.

    It is in Unicode's form NFC, so that an é is one name, however it was typed. Raises InputError.
    """
    name = unicodedata.normalize("NFC", text)
    is_short = 0 < len(name) <= LONGEST_NAME and len(name.encode(errors="replace")) <= LONGEST_NAME_BYTES
    if not is_short or not _begins_a_name(name[0]) or not all(_is_in_a_name(char) for char in name):
        raise InputError(
            f"learner: {short_repr(text)} is not a learner's name: use letters, digits, and - _ . after the first, at "
            f"most {LONGEST_NAME}"
        )
    return name


def _begins_a_name(char: str) -> bool:
    return unicodedata.category(char)[0] == "L" or unicodedata.category(char) == "Nd"


def _is_in_a_name(char: str) -> bool:
    return _begins_a_name(char) or char in "-_." or unicodedata.category(char) in ("Mn", "Mc")  # vowel signs, accents


def learner_folder(name: str, within: str | None) -> Path:
    """The learner's own folder inside the teacher's (None: `learners` in the data folder of this account), made if it
    is missing, for this account alone. No link is followed below the teacher's folder. Raises InputError."""
    try:
        return _made(learner_name(name), _teachers(within))
    except OSError as error:
        raise InputError(f"progress: {error.filename or within}: {error.strerror or error}") from None


def _teachers(within: str | None) -> Path:
    if within is not None:
        return files.trusted(Path(within), above=True)
    data = files.user_folder("data")
    if data is None:
        raise InputError("progress: this account has no home folder; name a folder with --progress DIR")
    files.make_folder(data / "learners")
    return files.trusted(data / "learners")


def _made(name: str, teachers: Path) -> Path:
    folder = teachers / name
    try:
        os.mkdir(folder, files.PRIVATE_FOLDER)
    except FileExistsError:
        state = os.lstat(folder)
        if not stat.S_ISDIR(state.st_mode):
            raise InputError(f"progress: {folder}: is a link or a file, not a folder; remove it") from None
        files.trusted(folder)
    return folder
