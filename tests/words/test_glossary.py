"""The glossary: its records, and how a term is found by any of its forms."""

from __future__ import annotations

import pytest

from rnnviz.words.glossary import search, spellings, term, terms_in
from rnnviz.words.terms import TERMS


def test_the_terms_are_sorted_and_name_each_other() -> None:
    names = [one.name for one in TERMS]
    assert names == sorted(set(names), key=str.lower)
    for one in TERMS:
        assert set(one.see) <= set(names) - {one.name}, one.name
        assert one.about.endswith("."), one.name
        assert one.about[0].isupper(), one.name


def test_no_spelling_means_two_terms() -> None:
    every = [name.lower() for one in TERMS for name in dict.fromkeys(spellings(one))]
    assert sorted(every) == sorted(set(every))


@pytest.mark.parametrize(
    ("name", "found"),
    [("cell states", "cell state"), ("BPTT", "back-propagation through time"), ("Weights", "weight"), ("h", None),
     ("time\nsteps", "time step"), ("", None)],
)  # fmt: skip
def test_a_term_is_found_by_each_of_its_forms(name: str, found: str | None) -> None:
    one = term(name)
    assert (None if one is None else one.name) == found


def test_the_longest_term_is_found_in_a_text() -> None:
    found = [one.name for one in terms_in("The cell state, not the state; statements and a restate count for nothing.")]
    assert found == ["cell state", "hidden state"]


def test_search_puts_names_before_definitions() -> None:
    assert search("gru")[0].name == "GRU"
    found = [one.name for one in search("gate")]
    assert found[0] == "gate"
    assert found.index("reset gate") < found.index("cell state")
    assert search("σ_max")[0].name == "largest singular value"
    assert search("no such letters") == []
    assert search("  FORGET   bias ")[0].name == "forget bias"
