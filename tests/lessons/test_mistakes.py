"""One mistake in a good lesson: the checker names its line and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from rnnviz.lessons.check import check
from rnnviz.tui import panels
from rnnviz.tui.voice import MEASURE
from tests.lessons.half_is_gone import LESSON

PANELS = tuple(panels.BY_ID)


class Mistake(NamedTuple):
    """line, what, remedy: where it is reported, and parts of how. changes: the good text, the bad."""

    name: str
    line: int
    what: str
    remedy: str
    changes: tuple[tuple[str, str], ...]


def mistake(name: str, line: int, what: str, remedy: str, *changes: tuple[str, str]) -> Mistake:
    return Mistake(name, line, what, remedy, changes)


MISTAKES = [
    mistake("answer-nobody-can-type", 31, "train_loss is nan here", "another metric",
            ('answer = "half_life"', 'answer = "train_loss"'),
            ('phase = "backward"\n',
             'settings = { learning_rate = 1000.0, activation = "identity" }\ntrain = "all"\nphase = "backward"\n'),
            ("A step keeps {mean_factor:.2f} of it, so half is gone after {half_life:.1f} steps",
             "It is {train_loss}"),
            ("gain to 1.\n\n```toml\n",
             'gain to 1.\n\n```toml\n[do]\nsettings = { learning_rate = 0.01, activation = "tanh" }\n\n')),
    mistake("answer-not-defined", 31, "needed_lag is not defined here", "another metric",
            ('answer = "half_life"', 'answer = "needed_lag"')),
    mistake("answer-told-before", 26, "half_life gives the answer away", "after the question",
            ("On the way back each step keeps a share of the gradient",
             "Half is gone after {half_life} steps; each step keeps a share")),
    mistake("answer-on-an-earlier-page", 31, "'The end of the sequence' gives the answer away: it quotes sigma_max",
            "change the network first", ("{loss:.3f}", "{sigma_max:.3f}"),
            ('answer = "half_life"', 'answer = "sigma_max"')),
    mistake("answer-typed-in", 31, "2.5 is not a metric", "metric of the live frame",
            ('answer = "half_life"', "answer = 2.5")),
    mistake("any-number-is-right", 32, "tolerance: inf", "20 %", ("tolerance = 1", "tolerance = inf")),
    mistake("bad-argument", 18, "'lost' is not a phase", "forward, loss, backward",
            ('phase = "loss"', 'phase = "lost"')),
    mistake("bad-format", 14, "'.3q' is not a format", ".2f", ("{loss:.3f}", "{loss:.3q}")),
    mistake("bad-toml-in-a-block", 32, "bad TOML", "one key per line", ("tolerance = 1", "tolerance = ")),
    mistake("bad-toml-in-front-matter", 2, "bad TOML", "quotes", ('title = "Half is gone"', "title = Half is gone")),
    mistake("beside-nobody", 19, "unknown panel 'legder' in beside", "did you mean ledger",
            ('phase = "loss"\n', 'phase = "loss"\nbeside = "legder"\n')),
    mistake("beside-a-number", 19, "beside: 3 names no panels", 'beside = "ledger"',
            ('phase = "loss"\n', 'phase = "loss"\nbeside = 3\n')),
    mistake("beside-what-trains", 19, "'compare' cannot stand beside a step", 'panel = "compare"',
            ('phase = "loss"\n', 'phase = "loss"\nbeside = ["compare"]\n')),
    mistake("block-indented", 64, "does not begin a block", "at the margin",
            ("arrives.\n\n```toml", "arrives.\n\n  ```toml")),
    mistake("block-without-a-kind", 16, "[do] in a block without a kind", "write ```toml",
            ("{loss:.3f}.\n\n```toml", "{loss:.3f}.\n\n```")),
    mistake("block-without-end", 78, "the block is not closed", "```", ("Now it is {grad_ratio:.1e}.", "```toml")),
    mistake("brace-without-partner", 14, "unmatched {", "close it", ("{T}", "{T")),
    mistake("cannot-be-reached", 70, "can never hold: accuracy lies in 0 to 1", "in that range",
            ('solved = ["grad_ratio >= 0.01"]', 'solved = ["accuracy >= 1.5"]')),
    mistake("choice-never-right", 51, "choice 2 does not say when it is right", "add if",
            (', if = "grad_ratio >= start.grad_ratio"', "")),
    mistake("choice-quotes-nothing", 51, "forget_mean is not defined here", "another metric",
            ('"it grows"', '"it grows, as {forget_mean} does"')),
    mistake("condition-on-what-is-locked", 70, "seq_len is locked", "unlock it",
            ('solved = ["grad_ratio >= 0.01"]', 'solved = ["seq_len <= 10"]')),
    mistake("experiment-that-cannot-run", 9, "cannot run: lag", "leave it out", ("gain = 0.7\n", "lag = 4\n")),
    mistake("explains-a-figure", 5, "a figure in the explains", "quote it in the step's text",
            ("\n\n[experiment]", '\nexplains = ["why {half_life} steps are enough"]\n\n[experiment]')),
    mistake("explains-a-sentence", 5, "the entry of explains 'Why it fades.' is a sentence", "small letter",
            ("\n\n[experiment]", '\nexplains = ["Why it fades."]\n\n[experiment]')),
    mistake("explains-at-length", 6, "an entry of explains has 109 characters; the limit is 100", "shorten it",
            ("\n\n[experiment]", f'\nexplains = ["how",\n  "why {"x" * 105}"]\n\n[experiment]')),
    mistake("explains-no-list", 5, "explains is not a list of strings", "write explains = [",
            ("\n\n[experiment]", '\nexplains = "why a gradient vanishes"\n\n[experiment]')),
    mistake("figure-in-a-heading", 24, "a figure in the heading", "the step's text",
            ("## How far back?", "## Back from {T}")),
    mistake("front-matter-has-no-end", 1, "the front matter is not closed", "+++",
            ("gain = 0.7\n+++\n", "gain = 0.7\n")),
    mistake("heading-too-long", 24, "70 cells; 66 fit", "shorten",
            ("far back", "far back does the gradient of the last loss reach in this network")),
    mistake("heading-under-text", 63, "'###' is not allowed in a step", "## begins the next step",
            ("arrives.\n", "arrives.\n### One thing more\n")),
    mistake("hides-nothing", 34, "unknown name 'gradent' in hides", "did you mean gradient",
            ('unit = "steps"\n', 'unit = "steps"\nhides = ["ledger", "gradent"]\n')),
    mistake("hint-says-nothing", 68, "hints are missing", "add hints", ('weights?"]', 'weights?", ""]')),
    mistake("locked-is-nested", 71, "unknown setting ['seq_len', 'loss_at'] in locked", "seq_len",
            ('locked = ["seq_len", "loss_at"]', 'locked = [["seq_len", "loss_at"]]')),
    mistake("metric-not-defined-here", 14, "forget_mean is not defined here", "set it up",
            ("{loss:.3f}", "{forget_mean:.2f}")),
    mistake("index-outside", 14, "slope[21] is not defined here", "index 21 lies outside 1 to 20",
            ("{loss:.3f}", "{slope[21]}")),
    mistake("nested-too-deep", 16, "nested too deeply", "a number, a string",
            ('phase = "loss"', "settings = { gain = " + "[" * 30 + "]" * 30 + " }")),
    mistake("no-answer", 29, "the question has no answer", 'answer = "METRIC"', ('answer = "half_life"\n', "")),
    mistake("no-explanation", 29, "the answer has no explanation", "as text after the block",
            ("A step keeps {mean_factor:.2f} of it, so half is gone after {half_life:.1f} steps.\n\n", "")),
    mistake("no-front-matter", 1, "the front matter is missing", "+++",
            ('+++\ntitle = "Half is gone"\n', 'title = "Half is gone"\n')),
    mistake("no-hints", 68, "hints are missing", "add hints",
            ('hints = ["Which setting multiplies the recurrent weights?"]\n', "")),
    mistake("no-solution", 68, "the exercise has no solution", "[[exercise.solution]]",
            ("[[exercise.solution]]\nsettings = { gain = 1.2 }\n", "")),
    mistake("no-sources", 2, "sources", "add sources", ('sources = ["Bengio, Simard and Frasconi 1994"]\n', "")),
    mistake("no-such-row", 21, "there is no row 'gates': the cell is rnn", "lstm or gru",
            ('at = "output"', 'at = "gates"')),
    mistake("no-title", 1, "title is missing", "add title", ('title = "Half is gone"\n', "")),
    mistake("no-tolerance", 29, "tolerance is missing", "20 %", ("tolerance = 1\n", "")),
    mistake("not-a-condition", 70, "'grad_ratio is large' is not a condition", "METRIC OP VALUE",
            ('solved = ["grad_ratio >= 0.01"]', 'solved = ["grad_ratio is large"]')),
    mistake("not-a-toml-fence", 16, "'~~~toml' does not begin a block", "```toml",
            ("{loss:.3f}.\n\n```toml", "{loss:.3f}.\n\n~~~toml"),
            ('\n[point]\nat = "output"\n```\n', "~~~\n")),
    mistake("start-of-nothing", 51, "unknown metric 'start'", "start.horizon",
            ("grad_ratio >= start.grad_ratio", "grad_ratio >= start")),
    mistake("nothing-to-point-at", 21, "'outputs' is not on the screen", "did you mean output",
            ('at = "output"', 'at = "outputs"')),
    mistake("point-without-at", 20, "[point] lacks at", "output",
            ('[point]\nat = "output"', '[point]\nrow = "output"')),
    mistake("panel-not-open", 21, "panel 'ledger' is not open here", "[do] panel",
            ('at = "output"', 'at = "panel:ledger"')),
    mistake("quotes-around-a-number", 9, "gain: '0.7' is not a number", "write it without quotes: 0.7",
            ("gain = 0.7\n", 'gain = "0.7"\n')),
    mistake("quotes-that-are-curly", 30, "bad TOML", "straight quotes",
            ('question = "After how many steps is half of it gone?"',
             "question = \u201cAfter how many steps is half of it gone?\u201d")),
    mistake("reveal-without-question", 20, "[reveal] without a question", "[predict]",
            ('phase = "loss"\n', 'phase = "loss"\n\n[reveal]\nunit = 1\n')),
    mistake("setting-by-its-label", 9, "unknown setting 'units' in experiment", "did you mean hidden_size?",
            ("gain = 0.7\n", "units = 8\n")),
    mistake("setting-by-its-flag", 7, "unknown setting 'seq-length' in experiment", "did you mean seq_len?",
            ("seq_len = 20", "seq-length = 20")),
    mistake("solution-without-its-training", 74, "solution 1 does not solve it", 'train = "all" trains',
            ('solved = ["grad_ratio >= 0.01"]', 'solved = ["train_loss < 10"]')),
    mistake("same-choice-twice", 50, "choice 2 repeats another choice", "a different choice",
            ('"it grows"', '"it shrinks"')),
    mistake("same-heading-twice", 42, "also used in line 24", "its own", ("## Larger weights", "## How far back?")),
    mistake("seek-beyond-the-end", 37, "there is no step 99", "0 to 20", ("seek = 0", "seek = 99")),
    mistake("setting-of-another-kind", 9, "gain: 'much' is not a number", "an allowed value",
            ("gain = 0.7\n", 'gain = "much"\n')),
    mistake("setting-out-of-range", 9, "-1 is out of range", "at least 0", ("gain = 0.7\n", "gain = -1\n")),
    mistake("solution-changes-what-is-locked", 74, "solution 1 changes seq_len", "unlock it",
            ("settings = { gain = 1.2 }", "settings = { seq_len = 5 }")),
    mistake("solution-does-not-solve", 74, "solution 1 does not solve it", "correct it",
            ("settings = { gain = 1.2 }", "settings = { gain = 0.8 }")),
    mistake("solved-at-its-start", 68, "already solved at its start", "raise the goal",
            ('solved = ["grad_ratio >= 0.01"]', 'solved = ["grad_ratio >= 1e-9"]')),
    mistake("sources-say-nothing", 4, "sources", "add sources",
            ('sources = ["Bengio, Simard and Frasconi 1994"]', 'sources = [""]')),
    mistake("stars-without-partner", 26, "unmatched **", "close it", ("On the way", "**On the way")),
    mistake("start-not-defined", 58, "start.forget_mean is not defined here", "another metric",
            ("{start.grad_ratio:.1e}", "{start.forget_mean:.2f}")),
    mistake("text-before-the-first-step", 12, "text before the first step", "## heading",
            ("\n## The end of the sequence\n", "")),
    mistake("text-too-long", 24, "too long: 9 lines of 78 cells; 6 fit", "shorten it",
            ("On the way back",
             "On the way back, and this is a long story that goes on and on. " * 7 + "On the way back")),
    mistake("two-choices-right", 47, "'it shrinks' and 'it grows' are right", "exactly one",
            ("< start.grad_ratio", "> 0")),
    mistake("two-points-at-once", 25, "a second [point] at once", "one thing",
            ('at = "output"\n', 'at = "output"\n```\n\n```toml\n[point]\nat = "hidden"\n')),
    mistake("two-questions-in-one-step", 46, "a second question in one step", "heading of its own",
            ("## Larger weights\n", "")),
    mistake("unknown-block", 20, "unknown block [pointer]", "did you mean [point]", ("[point]", "[pointer]")),
    mistake("unknown-command", 18, "unknown command 'fase'", "did you mean phase", ('phase = "loss"', 'fase = "loss"')),
    mistake("unknown-key", 3, "unknown key 'sumary'", "did you mean summary", ("summary =", "sumary =")),
    mistake("unknown-locked-setting", 71, "unknown setting 'loss_on'", "did you mean loss_at",
            ('locked = ["seq_len", "loss_at"]', 'locked = ["seq_len", "loss_on"]')),
    mistake("unknown-metric-quoted", 14, "unknown metric 'lost'", "did you mean loss", ("{loss:", "{lost:")),
    mistake("unknown-panel", 21, "unknown panel 'nothing'", "loss", ('at = "output"', 'at = "panel:nothing"')),
    mistake("unknown-setting", 7, "unknown setting 'seqlen'", "did you mean seq_len", ("seq_len = 20", "seqlen = 20")),
    mistake("wide-character", 26, "is not one terminal cell wide", "another character",
            ("each step ", "each step 🙂 ")),
]  # fmt: skip


def test_the_lesson_they_are_made_in_is_good(tmp_path: Path) -> None:
    path = tmp_path / "01-half-is-gone.md"
    path.write_text(LESSON, encoding="utf-8")
    assert check([path], PANELS, MEASURE) == []


@pytest.mark.parametrize("made", MISTAKES, ids=lambda made: made.name)
def test_a_mistake_is_refused_with_line_and_remedy(made: Mistake, tmp_path: Path) -> None:
    text = LESSON
    for good, bad in made.changes:
        assert text.count(good) == 1, good
        text = text.replace(good, bad)
    path = tmp_path / f"01-{made.name}.md"
    path.write_text(text, encoding="utf-8")
    problems = check([path], PANELS, MEASURE)
    assert any(p.line == made.line and made.what in p.what and made.remedy in p.remedy for p in problems), problems
    assert all(p.path == path and p.remedy for p in problems), problems
    assert len(problems) <= 2, "one mistake is reported once, not over and over"
    assert str(problems[0]).startswith(f"{path}:{problems[0].line}: ")
