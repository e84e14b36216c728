"""Classes that act when a pickle makes them, for the tests of hostile files."""

from __future__ import annotations

import os
from typing import Any


class New:
    """Acts in __new__, as NEWOBJ and NEWOBJ_EX call it."""

    def __new__(cls, path: str = "", **more: str) -> Any:
        os.mkdir(path or more["path"])
        return object.__new__(cls)


class State:
    """Acts in __setstate__, as BUILD calls it."""

    def __setstate__(self, path: str) -> None:
        os.mkdir(path)


class Item(dict):
    """Acts in __setitem__, as SETITEM and SETITEMS call it; and in extend and append."""

    def __setitem__(self, key: str, path: str) -> None:
        os.mkdir(path)

    def append(self, path: str) -> None:
        os.mkdir(path)
