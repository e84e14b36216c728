"""A learner made of words: plays any lesson through the plain face, line by line, and listens to what it says.

It knows no answer: it gives a wrong one, hears which is right, and is asked again.
"""

from __future__ import annotations

from typing import Any

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.lessons.course import find
from rnnviz.lessons.lesson import Do, Exercise, Prediction
from rnnviz.lessons.progress import InMemory, Progress
from rnnviz.lessons.run import LessonRun
from rnnviz.lessons.setup import END, Setup
from rnnviz.plain.lesson import Guide
from rnnviz.plain.reader import Reader
from rnnviz.player.player import Player
from rnnviz.scene.cursor import Cursor, Phase


class Learner:
    """heard: everything that was said, a list for each line that was typed."""

    def __init__(self, slug: str, progress: Progress | None = None, **options: Any) -> None:
        course = find()
        self.heard: list[list[str]] = [[]]
        self.lines: list[str] = [""]
        kept = progress or InMemory(course.name)
        player = Player()
        self.reader = Reader(player, lambda text: self.heard[-1].append(text), **options)
        self.reader.guide = Guide(self.reader, course, kept, slug)
        self.progress = kept
        self.reader.begin()

    def type(self, line: str) -> str:
        """Type a line; what is said to it."""
        self.lines.append(line)
        self.heard.append([])
        assert self.reader.answer(line)
        return " ".join(self.heard[-1])

    @property
    def run(self) -> LessonRun:
        assert self.reader.guide is not None
        return self.reader.guide.run

    def play(self, *, hints: bool = True, solution: int = 0) -> None:
        """The lesson from here to its end, wrong answers first."""
        slug = self.run.lesson.slug
        for _ in range(len(self.run.lesson.steps)):
            step = self.run.step
            if isinstance(step.task, Prediction):
                self.answer()
            elif isinstance(step.task, Exercise):
                self.exercise(hints=hints, solution=solution)
            is_last = self.run.is_last
            heard = self.type("next")
            if is_last:
                assert "You can now explain" in heard
                break
            assert self.run.step is not step, heard
            assert f"Page {self.run.at + 1} of {len(self.run.lesson.steps)}" in heard
        assert self.progress.of(slug).finished

    def answer(self) -> None:
        """Wrong first; then what was said to be right, unless its answer takes a long training once more."""
        question, step = self.run.open_question, self.run.step.id
        assert question is not None
        if question.choices:
            choices = {
                line[0]: line[3:].rstrip(".") for line in self.heard[-1] if line[1:3] == ": " and line[0] in "1234"
            }
            assert len(choices) == len(question.choices), self.heard[-1]
            heard = self.type("1")
            if heard.startswith("Right"):
                if self.trains:
                    return
                self.type("return")
                heard = self.type("2")
            assert heard.startswith("No: "), heard
            right = max(
                (n for n, text in choices.items() if heard.startswith(f"No: {text}")), key=lambda n: len(choices[n])
            )
        else:
            heard = self.type("1e9")
            assert heard.startswith("Your answer: 1e9. Right: ") or "Right: " in heard, heard
            words = heard.partition("Right: ")[2].replace("minus ", "-").replace(" times ten to the ", "e").split()
            right = words[0].rstrip(".,")
        assert self.run.answers[step].is_right is False
        if self.trains:
            return
        assert "Question: " in self.type("return")
        heard = self.type(right)
        assert heard.startswith("Right"), heard
        assert self.run.answers[step].is_right is True

    @property
    def trains(self) -> bool:
        """Whether the answer to this question trains the network."""
        return any(name == "train" and amount != "batch" for name, amount in self.run.step.reveal)

    def exercise(self, *, hints: bool, solution: int) -> None:
        step, exercise = self.run.step, self.run.open_exercise
        assert exercise is not None
        if hints:
            for number in range(len(exercise.hints)):
                assert f"Hint {number + 1} of {len(exercise.hints)}" in self.type("hint")
        self.carry_out(exercise.solutions[min(solution, len(exercise.solutions) - 1)])
        assert step.id in self.run.solved, self.heard[-1]
        assert any(line.startswith("Done.") for line in self.heard[-1]), self.heard[-1]

    def carry_out(self, do: Do) -> None:
        for name, argument in do:
            match name:
                case "settings":
                    for setting, value in argument.items():
                        written = "auto" if value is None else str(value).lower() if isinstance(value, bool) else value
                        self.type(f"{SETTINGS[setting].label} {written}")
                case "train":
                    words = {"all": "train all", "epoch": "epoch", "batch": "batch"}
                    self.type(words[argument] if isinstance(argument, str) else f"epoch {argument}")
                case "record":
                    by = argument - 1 - self.reader.frame.cursor.epoch
                    for _ in range(abs(by)):
                        self.type("epoch" if by > 0 else "epoch back")
                case "untrain":
                    self.type("untrain")
                case "cut":
                    if self.reader.frame.cut != argument:
                        self.type("cut")
                case "loss_step":
                    self.loss_step(argument)
                case "sample":
                    self.type(f"sequence {argument + 1}")
                case "unit":
                    self.type(f"unit {argument}")
        if any(name in ("phase", "seek") for name, _ in do):
            self.walk(self.run.target.after(do))

    def loss_step(self, wanted: object) -> None:
        if (wanted == "total") != (self.reader.frame.loss_step is None):
            self.type("switch gradient")
        while isinstance(wanted, int) and self.reader.frame.loss_step != wanted:
            self.type("earlier loss" if (self.reader.frame.loss_step or 0) > wanted else "later loss")

    def walk(self, target: Setup) -> None:
        """One event after the other: a lesson's enter would go to the next page."""
        T = self.reader.frame.T
        t = T if target.t == END or target.phase is Phase.LOSS else target.t
        places = 2 * T + 3 if target.phase is Phase.UPDATE else Cursor(phase=target.phase, t=t).place(T)
        while (here := self.reader.frame.cursor.place(T)) != places and self.run.step.id not in self.run.solved:
            by = places - here
            self.type(f"enter {by}" if by > 0 else f"back {-by}")
