"""The glossary, read aloud."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rnnviz.lessons.glossary import definition
from rnnviz.plain.words import VOICE
from rnnviz.words.glossary import search, term
from rnnviz.words.terms import TERMS, Term


def explained(asked: str) -> list[str]:
    """The definition of a term, or of the nearest ones; without one, all names."""
    if not asked:
        return [names(TERMS), VOICE.say("[glossary] and a term explain it.")]
    asked = re.sub(r"^(?:an?|the) +", "", asked.strip(" ?.\"'"), flags=re.IGNORECASE)
    one = term(asked)
    if one is not None:
        symbol = f", on the screen {one.symbol}" if one.symbol else ""
        first, *others = definition(one)
        return [f"{one.name}{symbol}: {first}", *others]
    found = search(asked)
    if not found:
        return [VOICE.say(f'The glossary has no term with "{asked}". [glossary] alone lists all terms.')]
    return [f'The glossary has no term "{asked}". {names(found[:6])}']


def names(terms: Iterable[Term]) -> str:
    """The names of these terms in one sentence."""
    return f"Terms: {', '.join(one.name for one in terms)}."
