"""Results of a lesson in marks and words: right at first try, right later, wrong, with hints, skipped.

    >>> standing(Answer("2", True, "it shrinks", tries=3), is_solved=False, hints=0, is_skipped=False)
    ('○', 'right at try 3')

A mark never appears without words: ✓ is done without help, ○ done otherwise, – skipped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

DONE, OTHERWISE, SKIPPED, NONE = "✓", "○", "–", " "


@dataclass(frozen=True)
class Mistake:
    """A first answer that was wrong: the question, the answer, the right one, and why, each as the learner read it."""

    question: str
    given: str
    right: str
    why: str = ""


@dataclass(frozen=True)
class Answer:
    """The last answer to a question, whether it was right, and the right one in words. tries: number of answers so far;
    first_right: whether the first one was right; mistake: that one, if it was wrong (None: it is not known)."""

    given: str
    is_right: bool
    right: str
    tries: int = 1
    first_right: bool = False
    mistake: Mistake | None = None


def standing(answer: Answer | None, *, is_solved: bool, hints: int, is_skipped: bool) -> tuple[str, str]:
    """Mark and words for a step with a question or an exercise; blank before the first answer."""
    if answer is not None:
        if answer.first_right:
            return DONE, "right at first try"
        return OTHERWISE, f"right at try {answer.tries}" if answer.is_right else "wrong"
    if is_solved:
        return (OTHERWISE, f"solved after {counted(hints, 'hint')}") if hints else (DONE, "solved")
    return (SKIPPED, "skipped") if is_skipped else (NONE, "")


def tally(
    answers: Mapping[str, Answer], solved: Collection[str], hints: Mapping[str, int], skipped: Collection[str]
) -> str:
    """`5 right at first try, 1 wrong, 1 solved after a hint, 1 skipped`; empty before the first answer."""
    first = sum(answer.first_right for answer in answers.values())
    later = sum(answer.is_right and not answer.first_right for answer in answers.values())
    helped = sum(hints.get(step, 0) > 0 for step in solved)
    parts = (
        (first, "right at first try"),
        (later, "right at a later try"),
        (len(answers) - first - later, "wrong"),
        (len(solved) - helped, "solved"),
        (helped, "solved after a hint"),
        (len(set(skipped) - set(solved) - set(answers)), "skipped"),
    )
    return ", ".join(f"{n} {what}" for n, what in parts if n)


def counted(n: int, what: str) -> str:
    """`1 hint`, `2 hints`"""
    return f"{n} {what}{'s' * (n != 1)}"
