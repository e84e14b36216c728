"""The glossary: what each term of the course means, in one or two sentences, for any face.

    >>> term("cell states").name
    'cell state'

The terms are in terms.py. The lessons set a term in bold where they define it; `lessons/glossary.py` finds the page.
"""

from __future__ import annotations

import re
from functools import cache

from rnnviz.words.terms import TERMS, Term


def spellings(of: Term) -> tuple[str, ...]:
    """Its name and other forms, and their plurals."""
    names = (of.name, *of.forms)
    return (*names, *(f"{name}s" for name in names if not name.endswith("s")))


@cache
def _by_spelling() -> dict[str, Term]:
    found: dict[str, Term] = {}
    for one in TERMS:
        for name in spellings(one):
            found.setdefault(name.lower(), one)
    return found


def term(name: str) -> Term | None:
    """The term with this name, in any of its forms; None if the glossary has none."""
    return _by_spelling().get(" ".join(name.split()).lower())


@cache
def _words() -> re.Pattern[str]:
    names = sorted(_by_spelling(), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])", re.IGNORECASE)


def terms_in(text: str) -> list[Term]:
    """The terms that a text uses, each once, in their order; the longest that fits: `cell state`, not `state`."""
    found = (term(match[0]) for match in _words().finditer(text))
    return list(dict.fromkeys(one for one in found if one is not None))


def search(text: str) -> list[Term]:
    """The terms whose name or form begins with the text, then those that hold it, then those whose definition does."""
    wanted = " ".join(text.split()).lower()
    names = {one: [name.lower() for name in (*spellings(one), one.symbol)] for one in TERMS}

    def rank(one: Term) -> int:
        if any(name.startswith(wanted) for name in names[one]):
            return 0
        if any(wanted in name for name in names[one]):
            return 1
        return 2 if wanted in one.about.lower() else 3

    return sorted((one for one in TERMS if rank(one) < 3), key=rank)
