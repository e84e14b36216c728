"""The answer to a lesson's question while the learner enters it: one digit for a choice, or a number key by key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rnnviz.lessons import arithmetic
from rnnviz.tui.lesson_view import DIGITS

if TYPE_CHECKING:
    from rnnviz.lessons.run import LessonRun
    from rnnviz.tui.stage import Stage

ANSWERED = "This question is answered. Press [lesson_return] to try again, or [seek] to go to a time step."


class AnswerLine:
    """submit: called with a finished answer."""

    def __init__(self, stage: Stage, submit: Callable[[str], None]) -> None:
        self._stage, self._submit = stage, submit
        self.typed = ""

    def clear(self) -> None:
        self.typed = ""

    def handle_action(self, run: LessonRun, name: str) -> bool:
        """Edit or submit the number being typed; whether the key was used."""
        if not self.typed:
            return False
        if name == "cancel":
            self._edit("")
        elif name == "previous":
            self._edit(self.typed[:-1])
        elif name == "next" and run.open_question is not None:
            self._submit(self.typed)
        else:
            return False
        return True

    def handle_character(self, run: LessonRun, character: str) -> bool:
        """Handle a character while a question is open; whether it was used. Once a number has begun, every character
        belongs to it and is no key; only n submits it, as n continues elsewhere."""
        question = run.open_question
        if question is None or question.choices:
            return character in DIGITS and self._choose(run, character)
        if character == "n" and self.typed and not self.typed.endswith("l"):  # ln begins with an l
            self._submit(self.typed)
        elif self.typed or character in arithmetic.STARTS:
            self._edit(self.typed + character)
        else:
            return False
        return True

    def _choose(self, run: LessonRun, digit: str) -> bool:
        """Handle a digit when no number is expected: submit a choice; whether it was used."""
        question = run.open_question
        if question is None and run.answer is None:
            return False
        if question is None:
            self._stage.say(ANSWERED)
        elif digit in "1234"[: len(question.choices)]:
            self._submit(digit)
        else:
            self._stage.say(f"Choose 1 to {len(question.choices)}. Press [seek] to go to a time step.")
        return True

    def _edit(self, text: str) -> None:
        self.typed = text[: arithmetic.LONGEST]
        self._stage.hush()
        self._stage.draw()
