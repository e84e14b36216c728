"""Each term is defined where the course first uses it, in bold, and again in the glossary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rnnviz.lessons.course import find
from rnnviz.lessons.glossary import page, places
from rnnviz.lessons.lesson import Lesson, Step
from rnnviz.lessons.prose import plain, spans
from rnnviz.lessons.reading import read
from rnnviz.lessons.run import texts
from rnnviz.words.glossary import term, terms_in
from rnnviz.words.terms import TERMS

#: Bold words that are no terms.
NO_TERMS = {"one"}
#: Words that mean a term in most texts and something else in these: (lesson, term).
OTHER_SENSE = {
    ("sequences-and-memory", "factor"),  # factors in a multiplication
    ("many-to-many", "finding"),  # finding a fault
    ("short-term-memory", "spectral radius"),  # the knob, by its name
    ("the-hidden-state", "activation"),  # tanh, in the formula that introduces it
}


def lessons() -> Iterator[Lesson]:
    for file in find().files:
        lesson, problems = read(file)
        assert lesson is not None, problems
        yield lesson


def bold(step: Step) -> set[str]:
    return {part for text in (*step.before, *step.after) for part, style in spans(text) if style == "bold"}


def test_each_bold_word_is_in_the_glossary() -> None:
    missing = {
        (lesson.slug, word) for lesson in lessons() for step in lesson.steps for word in bold(step)
        if term(word) is None and word not in NO_TERMS
    }  # fmt: skip
    assert missing == set()


def test_no_term_is_used_before_the_page_that_defines_it() -> None:
    defined: set[str] = set()
    early = []
    for lesson in lessons():
        for number, step in enumerate(lesson.steps, start=1):
            here = {one.name for word in bold(step) if (one := term(word)) is not None}
            defined |= here
            for one in terms_in(" ".join(plain(spans(text)) for text in texts(step))):
                if one.name not in defined and (lesson.slug, one.name) not in OTHER_SENSE:
                    early.append(f"{lesson.slug} page {number}: {one.name}")
    assert early == []


def test_each_term_has_a_page() -> None:
    course = find()
    found = places(course)
    assert {one.name for one in TERMS} - set(found) == set()
    place = found["hidden state"]
    assert (place.lesson, place.heading) == (1, "Something is kept")
    assert re.search(rf"^## {place.heading}$", place.file.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_beside_the_lessons_is_this_glossary() -> None:
    file = find().folder / "glossary.md"
    assert file.read_text(encoding="utf-8") == page(find()), "python -m rnnviz.lessons.glossary > lessons/glossary.md"
