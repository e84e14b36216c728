"""The plain face line by line: its numbers are the frame's, every action of the app answers, nothing is given away."""

from __future__ import annotations

import random
import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rnnviz.experiment.experiment import SETTINGS, Experiment
from rnnviz.lessons.points import ROWS
from rnnviz.numbers import factor, fixed, scientific
from rnnviz.plain.panels import PANELS
from rnnviz.plain.reader import Reader
from rnnviz.plain.words import MEANINGS, OF_PANELS, OF_ROWS, SHORT, WORDS, understood
from rnnviz.player.jobs import Job
from rnnviz.player.kinds.opening import NetworkOpening, Opening
from rnnviz.player.player import open_player
from rnnviz.scene.cursor import Phase
from rnnviz.tui import panels as of_app
from rnnviz.tui.keys import ACTIONS
from rnnviz.words.spoken import spoken
from tests.plain.learner import Learner
from tests.plain.test_lessons import odd
from tests.recordings_here import Trainer, made

SINE = Experiment(seq_len=8, epochs=2)
LSTM = Experiment(task="recall", cell="lstm", seq_len=6, lag=4, hidden_size=5, samples=60, epochs=2)
WEIGHTS = Path(__file__).parents[2] / "lessons" / "recordings" / "remembers.safetensors"


class Heard:
    """A reader, and what it answers."""

    def __init__(self, source: Any = SINE, **options: Any) -> None:
        self.lines: list[str] = []
        self.reader = Reader(open_player(source), self.lines.append, **options)
        self.reader.begin()

    def type(self, line: str) -> str:
        self.lines.clear()
        assert self.reader.answer(line)
        assert self.lines, f"no answer to {line!r}"
        return " ".join(self.lines)

    @property
    def frame(self) -> Any:
        return self.reader.frame


# -- the numbers ---------------------------------------------------------------------------------------------


def test_the_numbers_of_a_walk_are_those_of_the_frame() -> None:
    heard = Heard()
    for t in range(1, 9):
        text, scene = heard.type("right"), heard.frame.scene
        assert f"Step {t} of 8: the input is {spoken(fixed(scene.input_curve[t - 1]))}" in text
        assert f"unit 0 of the hidden state is {spoken(fixed(scene.trace.h[t, 0, 0]))}" in text
        assert f"the output is {spoken(fixed(scene.trace.y[t - 1, 0, 0]))}" in text
        assert f"the target {spoken(fixed(scene.target_values[t - 1, 0]))}" in text
    assert f"{heard.frame.scene.loss:.4f}" in heard.type("right")
    for t in range(8, -1, -1):
        text, gradient = heard.type("left"), heard.frame.gradient
        assert f"Back at step {t}: " in text
        assert f" is {spoken(scientific(gradient.norms[t]))}" in text
        assert t == 8 or f"{factor(gradient.factors[t])} times that of step {t + 1}" in text
    assert heard.frame.cursor.phase is Phase.BACKWARD


def test_the_ledger_s_rows_are_those_of_the_frame() -> None:
    heard = Heard()
    heard.type("end")
    heard.type("enter")
    text = heard.type("ledger")
    for t in range(7, 0, -1):
        row = heard.frame.scene.gradient(8)
        assert (
            f"Step {t}: the gradient is {spoken(scientific(row.norms[t]))}; the step keeps {factor(row.factors[t])}"
            in text
        )


def test_one_is_singular() -> None:
    """A sequence of one step, one unit."""
    heard = Heard(Experiment(seq_len=1, hidden_size=1, epochs=1))
    assert heard.lines[-1] == '"right" reads the only step.'
    lines = ("where", "network", "enter", "end", "right", "left", "gradient", "gain 1.2", "time travel", "compare")
    text = " ".join(heard.type(line) for line in lines)
    assert not re.findall(r"\b1 (?:steps|units|copies)\b", text)


def test_nan_and_infinity_are_spoken() -> None:
    heard = Heard(Experiment(seq_len=30, gain=50.0, activation="relu", learning_rate=1e6, epochs=2))
    heard.type("train all")
    text = heard.type("where") + heard.type("end") + heard.type("hidden") + heard.type("right") + heard.type("left 3")
    assert re.search(r"infinity|not a number", text)
    assert not re.search(r"\b(inf|nan)\b", text)
    assert not np.isfinite(heard.frame.scene.trace.h).all()


def test_what_a_panel_measures_when_asked_is_read_out_at_once() -> None:
    heard = Heard(Experiment(task="flipflop", hidden_size=10, samples=20, gain=0.5))
    assert '"find" searches for fixed points' in heard.type("state space")
    assert "Where the network stays: 1 attractor at x equals 0. Attractor: small moves die out" in heard.type("find")
    assert "Nothing has changed" not in heard.type("find")


# -- everything the app can do ---------------------------------------------------------------------------------


def test_every_action_and_panel_of_the_app_has_a_word_and_its_key() -> None:
    assert {action.id for action in ACTIONS} <= WORDS.keys()
    assert all(understood(WORDS[action.id]).name == action.id for action in ACTIONS)  # type: ignore[union-attr]
    assert [*PANELS] == [*OF_PANELS] == [panel.id for panel in of_app.ALL]
    assert {panel.id: panel.key for panel in of_app.ALL} == {name: key for name, (_, key) in OF_PANELS.items()}
    assert {name.removesuffix("_row") for name in OF_ROWS} - {"where"} == set(ROWS) - {"time"}
    words = list(WORDS.values())
    assert len(words) == len(set(words))
    assert not set(MEANINGS) & {one.label for one in SETTINGS.values()}  # a knob's name is no other word


def test_a_panel_tells_no_figure_that_the_app_s_would_not() -> None:
    """What an open question hides is decided by these names."""
    assert {name: panel.shows for name, panel in PANELS.items()} == {panel.id: panel.shows for panel in of_app.ALL}
    assert {name: panel.about for name, panel in PANELS.items()} == {panel.id: panel.about for panel in of_app.ALL}


MORE = (
    "right 3", "enter 4", "7", "999", "gain 1.5", "gain", "units 5", "cell lstm", "cell gru", "loop off", "type abc",
    "type 1 2 3", "type 3 = 0.5", "sequence 2", "unit 2", "unit 99", "up 2", "help ledger", "help gain", "help xx",
    "find gain", "", "foo", "go to 3", "lr 1e5", "seed 4", "epochs 3", "play", "task recall", "everything", "more",
    "\x1b[A", "answer 2", "lesson 4", "page 3", "é", "hidden 7", "left 3", "save", "\x00", "right -1",
    "right 99999999999",
)  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        SINE,
        LSTM,
        pytest.param(
            Experiment(task="names", cell="gru", num_layers=2, hidden_size=6, epochs=1), marks=pytest.mark.slow
        ),
        pytest.param(Experiment(gain=50.0, activation="relu", seq_len=30, learning_rate=1e6), marks=pytest.mark.slow),
        NetworkOpening(str(WEIGHTS)),
        "recording",
    ],
    ids=["sine", "lstm", "gru", "overflow", "weights", "recording"],
)
def test_every_word_answers_everywhere_in_letters_digits_and_punctuation(source: Any, tmp_path: Path) -> None:
    if source == "recording":
        made(tmp_path / "run")
        source = Opening(str(tmp_path / "run"))
    heard = Heard(source)
    lines = [*(word for word in MEANINGS if MEANINGS[word] != "quit"), *(k for k in SHORT if SHORT[k] != "quit"), *MORE]
    random.Random(1).shuffle(lines)
    for line in lines:
        heard.type(line)
        code = heard.reader.open.panel == "code"  # a program is copied, not read aloud
        assert code or not [text for text in heard.lines if odd(text)], (line, heard.lines)


def test_help_tells_a_walk_by_the_arrows_only_where_they_walk() -> None:
    heard = Heard()
    assert 'Walk: "right" reads the first step, ' in heard.type("help")
    for panel in ("knobs", "time travel"):
        heard.type(panel)
        assert 'Walk: "go to" and a number go to a step, "play" to the end.' in heard.type("help")
    heard.type("ledger")
    assert 'Walk: "right" reads the first step, ' in heard.type("help")


def test_what_cannot_be_done_says_why() -> None:
    heard = Heard(NetworkOpening(str(WEIGHTS)))
    for line in ("gain 2", "train all", "cut", "time travel", "batch"):
        name = {"gain 2": "knobs", "train all": "all", "time travel": "travel"}.get(line, line)
        assert heard.type(line) == spoken(heard.frame.cannot[name]), line
    assert "Not here: " in heard.type("help cut")
    assert "Not here: " in heard.type("?")


def test_a_word_that_is_none_gets_the_nearest() -> None:
    heard = Heard()
    assert heard.type("legder") == 'There is no word "legder"; did you mean "ledger"?'
    assert heard.type("hiden 3") == 'There is no word "hiden 3"; did you mean "hidden"?'
    assert heard.type("xyzzy") == 'There is no word "xyzzy"; "help" lists what can be done here.'
    assert heard.type("gain much") == "recurrent gain: 'much' is not a number."
    assert heard.frame.requested == SINE


def test_the_code_offers_no_key_of_the_screen() -> None:
    heard = Heard()
    heard.type("code")
    assert heard.type("enter").startswith('PyTorch: the same model in PyTorch, ready to run. "enter" shows Keras.')
    assert "nothing to copy here" in heard.type("copy")


def test_a_long_answer_is_read_in_parts() -> None:
    heard = Heard(Experiment(seq_len=60, points=100, loss_at="every", epochs=1))
    heard.type("end")
    heard.type("right")
    assert len(heard.type("ledger").split("Step ")) == 10
    assert heard.lines[-1] == '52 more lines: "more" reads on, "everything" reads them all.'
    assert heard.type("more").startswith("Step 51:")
    assert heard.type("again").startswith("Step 51:")
    assert heard.lines[-1].startswith("42 more")
    assert " Step 0: " in heard.type("everything")


def test_undo_typed_sequences_and_knobs() -> None:
    heard = Heard()
    assert heard.type("gain 1.5").startswith("Recurrent gain is now 1.5 (it was 1.0).")
    assert heard.frame.requested.gain == 1.5
    assert "Recurrent gain is now 1.0" in heard.type("undo")
    heard.type("type 3 = 0.5")
    assert heard.frame.scene.trace.x[2, 0, 0] == 0.5
    heard.type("undo")
    assert not heard.frame.scene.is_typed
    heard.type("knobs")
    heard.type("down")
    chosen = heard.reader.open.knob
    before = getattr(heard.frame.experiment, chosen)
    heard.type("right")
    assert getattr(heard.frame.experiment, chosen) != before
    heard.type("close")
    heard.type("right")
    assert heard.frame.cursor.t == 1


def test_groups_of_knobs_are_walked_as_in_the_app() -> None:
    """To the first of the next one; back to the first of this one, then of the one before."""
    heard = Heard()
    heard.type("knobs")
    lines = ["next group"] * 2 + ["down"] + ["group before"] * 5
    chosen = [heard.type(line) and heard.reader.open.knob for line in lines]
    assert chosen == ["task", "optimizer", "learning_rate", "optimizer", "task", "init", "cell", "cell"]


def test_weights_are_saved_and_overwritten_only_when_asked(tmp_path: Path) -> None:
    heard, path = Heard(), tmp_path / "model.npz"
    assert path.name in heard.type(f"save {path}")
    size = path.stat().st_size
    assert f'"save" over {spoken(str(path))} overwrites it.' in heard.type(f"save {path}")
    path.write_bytes(b"")
    heard.type(f"save over {path}")
    assert path.stat().st_size == size
    assert ".toml for the settings" in heard.type("save")
    heard.type(f"save {tmp_path / 'own.toml'}")
    assert (tmp_path / "own.toml").read_text(encoding="utf-8") == heard.frame.requested.to_toml()


# -- lessons ---------------------------------------------------------------------------------------------------


def test_an_open_question_is_not_given_away() -> None:
    learner = Learner("why-gradients-vanish")
    learner.type("next")
    assert learner.run.open_question is not None
    horizon = f"{learner.reader.frame.gradient.horizon:.1f}"
    for line in ("gradient", "ledger", "triangle", "where", "left 20", "diagnosis", "compare", "neuron", "reach"):
        assert horizon not in learner.type(line), line
    assert "Answer the open question first" in learner.type("gradient")


def test_a_page_names_words_and_no_keys() -> None:
    learner = Learner("sequences-and-memory")
    text = " ".join(learner.heard[0])
    assert '"right" reads the next step, "left" undoes it. Type "next" for the next page.' in text
    assert "→" not in text
    assert "colours" in learner.type("next")
    assert "without colours" not in " ".join(learner.heard[-1]).lower()  # that is about the marks of the picture


def test_a_lesson_keeps_what_is_its_own() -> None:
    learner = Learner("state-or-layer")
    assert '"free play" starts free play, then "type" works.' in learner.type("type ABC")
    assert " type," not in learner.type("help")
    assert "This lesson has pages 1 to 5" in learner.type("page 9")
    learner.type("page 5")
    assert "locked" in learner.type("lag 3")
    assert learner.run.open_exercise is not None
    assert "once more skips it" in learner.type("next")
    assert learner.type("next").startswith("Summary of lesson 3, ")
    assert learner.type("next").startswith("Lesson 4, ")
    assert "Lesson 3, " in learner.type("lessons")
    assert "Free play" in learner.type("free play")
    assert " type," in learner.type("help")
    assert "Page 1 of " in learner.type("return")


def test_words_search_replay_and_jump() -> None:
    learner = Learner("state-or-layer")
    text = learner.type("search orthogonal turns")
    assert "Page 14.2 An orthogonal start." in text
    assert "No term, lesson or page" in learner.type("search orchid")
    assert "Page 2 of " in learner.type("lesson 14.2")
    assert learner.run.lesson.slug == "beyond"
    assert "has pages 1 to " in learner.type("lesson 14 99")
    learner.type("lesson 3.3")
    learner.type("1")
    first = learner.run.answers[learner.run.step.id]
    assert "Summary of lesson 3" in (text := learner.type("lesson summary"))
    assert "At the end of this lesson you can explain" in text
    assert ("What you predicted wrongly" in text) is not first.is_right
    assert not odd(text)
    assert "Page 1 of " in learner.type("replay")
    assert "Question: " in learner.type("page 3")
    learner.type("2")
    again = learner.run.answers[learner.run.step.id]
    assert (again.given, again.tries) == ("2", 1)
    assert not learner.run.again
    assert "Lesson 2, " in learner.type("replay 2")


def test_the_end_of_the_course() -> None:
    learner = Learner("your-turn")
    text = learner.type("closing page")
    assert "You can now explain" in text
    assert not odd(text)


def test_own_data_is_read_with_the_names_of_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "air.csv"
    rows = "\n".join(f"{100 + i % 12},{i % 5}" for i in range(80))
    file.write_text(f"passengers,temp_mean\n{rows}\n", encoding="utf-8")
    heard = Heard(Experiment(task="series", data=str(file), target="passengers", seq_len=8))
    heard.type("right")
    text = heard.type("input")
    assert "The input of step 1 has 2 numbers." in text
    assert f"passengers {spoken(fixed(heard.frame.scene.trace.x[0, 0, 0]))}, temp mean " in text
    assert "last value" in heard.type("fit")


def test_a_record_that_comes_meanwhile_is_followed(tmp_path: Path) -> None:
    trainer = Trainer(tmp_path / "run")
    trainer.record(epochs=2)
    heard = Heard(Opening(str(tmp_path / "run")))
    assert "Record 2 of 2" in heard.type("where")
    trainer.record()
    heard.type("right")
    assert "Record 3 of 3" in heard.type("where")


def stopping(job: Job) -> AbstractContextManager[None]:
    job.cancel()  # as ctrl+c does
    return nullcontext()


def test_a_job_that_is_stopped_keeps_what_there_was() -> None:
    heard = Heard(guard=stopping)
    for line in ("train all", "ledger", "time travel", "compare", "check", "next sequence"):
        assert "Stopped" in heard.type(line), line
    assert heard.frame.cursor.epoch < 2
    assert "Step 1 of 8" in heard.type("right")


def test_a_page_whose_picture_was_stopped_can_be_tried_again() -> None:
    learner = Learner("state-or-layer", guard=stopping)  # its first page trains
    assert "[lesson_return]" not in " ".join(learner.heard[0])
    assert 'This page\'s picture is not set up. "return" tries it again.' in learner.heard[0]
    learner.reader._guard = lambda job: nullcontext()
    assert "Page 1 of 5" in learner.type("return")


def test_symbols_hold_no_control_characters() -> None:
    heard = Heard(LSTM, symbols=True)
    for line in (*MEANINGS, *MORE):
        if MEANINGS.get(line) != "quit":
            heard.type(line)
            assert all(text.isprintable() for text in heard.lines), (line, heard.lines)


def test_the_glossary_is_read_aloud() -> None:
    learner = Learner("the-hidden-state")
    here = learner.type("glossary")
    assert here.startswith("Terms: ")
    assert "hidden state" in here
    assert "multiplied" in learner.type("what is a weight?")
    assert not odd(learner.type("define cell states"))
    assert 'no term "gat"' in learner.type("glossary gat")
    assert "has no term" in learner.type("define zzz")
    assert learner.run.at == 0
