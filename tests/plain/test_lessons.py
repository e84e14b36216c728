"""Every lesson of the course through the plain face, by words, and what it says on the way."""

from __future__ import annotations

import unicodedata

import pytest

from rnnviz.lessons.course import Course, find
from rnnviz.plain.panels import Verbatim
from rnnviz.words.spoken import PUNCTUATION
from tests.plain.learner import Learner

COURSE: Course = find()
QUICK = ("sequences-and-memory", "why-gradients-vanish")
SLUGS = [pytest.param(slug, marks=() if slug in QUICK else pytest.mark.slow) for slug in map(COURSE.slug, COURSE.files)]


def odd(text: str) -> list[str]:
    """The characters that are neither letters, digits nor punctuation of prose."""
    return [char for char in text if char not in PUNCTUATION and unicodedata.category(char)[0] not in "LN"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_is_learned_by_words_with_wrong_answers_first(slug: str) -> None:
    learner = Learner(slug)
    learner.play()
    said = [line for lines in learner.heard for line in lines if not isinstance(line, Verbatim)]  # a program is copied
    assert [(line, odd(line)) for line in said if odd(line)] == []
    assert not [line for line in said if "  " in line or " ." in line or " ," in line]
