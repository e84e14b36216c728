"""A learner made of keys: plays any lesson through the real app, as a person would, and reads the screen.

    learner = Learner(app, pilot)
    await learner.play(wrong=True, hints=True, solution=0)

Questions are answered with digits, numbers are typed, settings are changed at the knobs, training is done with
its keys, and places are reached by walking. What is right is found out on a network of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from textual.pilot import Pilot

from rnnviz.experiment.experiment import SETTINGS
from rnnviz.lessons.lesson import Do, Exercise, Prediction
from rnnviz.lessons.run import LessonRun, right_answer
from rnnviz.lessons.setup import END, Setup, arrive
from rnnviz.player.player import Player
from rnnviz.scene.cursor import Cursor, Phase
from rnnviz.tui import keymap
from rnnviz.tui.app import RnnvizApp
from rnnviz.tui.canvas import Canvas
from rnnviz.tui.voice import VOICE

NAMES = {".": "full_stop", "-": "minus", "+": "plus", "_": "underscore", ",": "comma"}


@dataclass
class Report:
    """What happened, by step id: what the screen said after an answer, and which exercises were solved."""

    verdicts: dict[str, str] = field(default_factory=dict)
    solved: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


class Learner:
    def __init__(self, app: RnnvizApp, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot
        self.report = Report()

    # -- hands and eyes ------------------------------------------------------------------------------------

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(self.own(NAMES.get(key, key)))
            await self.app.settled()

    def own(self, key: str) -> str:
        """The key that does what this one does by default, where the session has keys of its own."""
        guide = self.app.main.guide
        if self.app.main.view.typing is not None or (guide is not None and guide.typed):
            return key
        action = next((name for name, usual in keymap.DEFAULTS.items() if key in usual), None)
        return self.app.session.keys.get(action or "", (key,))[0]

    async def type(self, text: str) -> None:
        for key in text:
            await self.pilot.press(NAMES.get(key, key))
            await self.app.settled()

    @property
    def run(self) -> LessonRun:
        guide = self.app.main.guide
        assert guide is not None
        assert guide.run is not None
        return guide.run

    def screen(self) -> str:
        """The lesson's text, wherever it stands."""
        canvases = (self.app.main.query_one(f"#{name}", Canvas) for name in ("lesson", "lesson-beside"))
        return "\n".join(line.rstrip() for c in canvases if c.display and c.size for line in c.plain())

    def words(self) -> str:
        return " ".join(self.screen().split())

    # -- a lesson ------------------------------------------------------------------------------------------

    async def play(self, *, wrong: bool = False, hints: bool = True, solution: int = 0) -> Report:
        """The lesson from here to its end. solution: which of the known ones (the last, where there are fewer)."""
        slug = self.run.lesson.slug
        for _ in range(len(self.run.lesson.steps)):
            step = self.run.step
            self.pointed()
            if isinstance(step.task, Prediction):
                await self.answer(wrong=wrong)
            elif isinstance(step.task, Exercise):
                await self.exercise(hints=hints, solution=solution)
            last = self.run.is_last
            await self.press("n")
            if last:
                await self.summary()
                break
            assert self.run.step is not step, f"n does not lead on from {step.heading!r}: {self.words()}"
        assert self.app.main.guide is not None
        assert self.app.main.guide.progress.of(slug).finished, self.words()
        return self.report

    async def summary(self) -> None:
        """The page at the lesson's end, read to its own end; and on to the next lesson."""
        lesson, told = self.run.lesson, ""
        while "↓" in (shown := " ".join(self.app.screen.query_one("#contents", Canvas).plain())).replace("↑↓", ""):
            told += shown
            await self.press("pagedown")
        told = " ".join((told + shown).split())
        assert f"{lesson.title}: summary" in told
        assert "You can now explain" in told
        wrong = any(not answer.first_right for answer in self.run.answers.values())
        assert ("What you predicted wrongly" in told) is wrong, told
        await self.press("n")

    def pointed(self) -> None:
        """What the step speaks of is marked on the screen."""
        guide = self.app.main.guide
        assert guide is not None
        if guide.point is None:
            return
        names = ("tabs", "tabs-beside") if guide.point.startswith("panel:") else ("score",)
        canvases = [self.app.main.query_one(f"#{name}", Canvas) for name in names]
        rows = [row for canvas in canvases if canvas.display for row in canvas.plain()]
        marks = "◂▌▸" if guide.point in ("hidden", "cell") else "◂▌▐"  # the selected unit keeps its own mark
        marks += "▶◀" if guide.point == "time" else ""  # its name has an arrow already
        assert any(mark in row for row in rows for mark in marks), (guide.point, rows)

    async def skip(self) -> Report:
        """Nothing but n, twice where it asks back."""
        for _ in range(len(self.run.lesson.steps)):
            step, last = self.run.step, self.run.is_last
            await self.press("n")
            if step.task is not None:
                assert "press n again to skip" in self.message()
                self.report.skipped.append(step.id)
                await self.press("n")
            if last:
                await self.press("n")
                break
        return self.report

    def message(self) -> str:
        notice = self.app.main.view.notice
        return self.screen() + (VOICE.say(notice.text) if notice is not None else "")

    async def answer(self, *, wrong: bool) -> None:
        step, question = self.run.step, self.run.open_question
        if question is None:
            return
        right = self.right()
        if question.choices:
            said = str(next(i for i in range(1, 5) if str(i) != right)) if wrong else right
            says = question.choices[0].say.partition("{")[0].strip()
            assert says in self.words() or "…" in self.words(), self.words()
            await self.press(said)
        else:
            await self.type(f"{float(right) * 7 + 1e3:.4g}" if wrong else right)
            assert f"{'▏'}" in self.screen()
            await self.press("enter")
        told = self.words()
        assert ("✗" if wrong else "✓") in told, told
        assert self.run.answers[step.id].is_right is not wrong
        self.report.verdicts[step.id] = told
        self.pointed()

    def right(self) -> str:
        """Found out on another network, with the same answer given."""
        run = self.run
        player = Player(run.lesson.experiment)
        arrive(player, run.target)
        start = run.start
        frame = arrive(player, run.submit("1").target)
        return right_answer(run.task, frame, start)

    async def exercise(self, *, hints: bool, solution: int) -> None:
        step, exercise = self.run.step, self.run.open_exercise
        if exercise is None:
            return
        assert step.id not in self.run.solved or self.run.is_retry, f"{step.heading!r} was solved by doing nothing"
        if hints:
            for i in range(len(exercise.hints)):
                await self.press("H")
                assert f"Hint {i + 1} of {len(exercise.hints)}" in self.words(), self.words()
        await self.carry_out(exercise.solutions[min(solution, len(exercise.solutions) - 1)])
        assert self.run.is_done, f"{step.heading!r}: {self.words()}"
        assert "✓ Done." in self.words()
        self.report.solved.append(step.id)

    # -- the commands of a solution, by keys ---------------------------------------------------------------

    async def carry_out(self, do: Do) -> None:
        for name, argument in do:
            match name:
                case "settings":
                    for setting, value in argument.items():
                        await self.set(setting, value)
                case "train":
                    keys = {"all": "a", "epoch": "e", "batch": "b"}
                    await self.press(*([keys[argument]] if isinstance(argument, str) else ["e"] * argument))
                case "record":
                    frame = self.app.main.frame
                    assert frame is not None
                    by = argument - 1 - frame.cursor.epoch
                    await self.press(*(["e"] * by if by > 0 else ["E"] * -by))
                case "untrain":
                    await self.press("A")
                case "cut":
                    if self.app.main.frame is not None and self.app.main.frame.cut != argument:
                        await self.press("x")
                case "loss_step":
                    await self.loss_step(argument)
                case "sample":
                    for _ in range(argument):
                        await self.press("w")
                case "unit":
                    await self.press(*["down"] * argument)
        target = self.run.target.after(do)
        if any(name in ("phase", "seek") for name, _ in do):
            await self.walk(target)

    async def set(self, setting: str, value: object) -> None:
        """Open the knobs, find this one, type the value."""
        await self.press("o", "slash")
        await self.type(SETTINGS[setting].label)
        await self.press("enter")
        written = "auto" if value in (None, "auto") else f"{value:g}" if isinstance(value, float) else str(value)
        await self.press("enter")
        await self.type(written.lower() if isinstance(value, bool) else written)
        await self.press("enter", "o")

    async def loss_step(self, wanted: object) -> None:
        frame = self.app.main.frame
        assert frame is not None
        if (wanted == "total") != (frame.loss_step is None):
            await self.press("t")
        while isinstance(wanted, int) and (now := self.app.main.frame) is not None and now.loss_step != wanted:
            await self.press("less_than_sign" if (now.loss_step or 0) > wanted else "greater_than_sign")

    async def walk(self, target: Setup) -> None:
        frame = self.app.main.frame
        assert frame is not None
        if target.phase is Phase.UPDATE:
            places = 2 * frame.T + 3
        else:
            t = frame.T if target.t == END or target.phase is Phase.LOSS else target.t
            places = Cursor(phase=target.phase, t=t).place(frame.T)
        while (here := frame.cursor.place(frame.T)) != places:
            await self.press("enter" if here < places else "backspace")
            frame = self.app.main.frame
            assert frame is not None
