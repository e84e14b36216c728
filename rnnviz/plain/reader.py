"""The reader: a line in, sentences out. It knows no terminal: loop.py reads and writes the lines.

line → words.understood → lesson, open panel, row, panel, action → player → report
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.errors import AlreadyThereError, InputError
from rnnviz.experiment.experiment import SETTINGS, in_labels
from rnnviz.glyphs import escaped
from rnnviz.lessons.arithmetic import evaluate
from rnnviz.numbers import counted, loss
from rnnviz.plain import actions, course_words, panels, rows
from rnnviz.plain.help import help_with, here
from rnnviz.plain.mask import NOTHING, Mask
from rnnviz.plain.moment import moment, where
from rnnviz.plain.panels import PANELS, Open, Paragraph, Verbatim
from rnnviz.plain.report import report
from rnnviz.plain.words import OF_ROWS, VOICE, Word, nearest, understood
from rnnviz.scene.commands import Command, Follow, Measure, SaveModel, Seek
from rnnviz.words.spoken import spoken

if TYPE_CHECKING:
    from rnnviz.plain.lesson import Guide
    from rnnviz.player.jobs import Job
    from rnnviz.player.player import Player
    from rnnviz.scene.frame import Frame, Progress

AT_ONCE = 10  # lines of an answer, before "more" reads on
LONGEST = 1000  # characters of a line that is read
_OF_A_LESSON = frozenset(
    ("lesson_next", "lesson_previous", "lesson_hint", "lesson_return", "lesson_leave", "lesson", "page", "reset",
     "closing", "contents", "search", "replay", "lesson_summary", "answer")
)  # fmt: skip
_PAGED = ("network", "code")  # panels of several pages


class Reader:
    """say: writes one line. guards: makes a job stoppable while it runs; whether the job was stopped is asked of it."""

    def __init__(
        self,
        player: Player,
        write: Callable[[str], object],
        *,
        symbols: bool = False,
        on_progress: Callable[[Progress], str | None] = lambda progress: None,
        guard: Callable[[Job], AbstractContextManager[object]] = lambda job: nullcontext(),
    ) -> None:
        self.player, self._write, self._symbols = player, write, symbols
        self._on_progress, self._guard = on_progress, guard
        self.guide: Guide | None = None
        self.open = Open()
        self._rest: list[str] = []
        self._last: list[str] = []

    # -- out -----------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        return self.player.frame

    @property
    def locked(self) -> tuple[str, ...]:
        return self.guide.locked if self.guide is not None else ()

    @property
    def mask(self) -> Mask:
        return NOTHING if self.guide is None else self.guide.mask(self.frame)

    def say(self, *texts: str, whole: bool = False) -> None:
        """Say these sentences, one a line. Of a long answer the first lines, unless `whole`; "more" reads on."""
        lines = [text for text in texts if text]
        if not whole and len(lines) > AT_ONCE + 1:
            self._rest = lines[AT_ONCE:]
            more = VOICE.say(
                f"{counted(len(self._rest), 'more line')}: [page_down] reads on, [everything] reads them all."
            )
            lines = [*lines[:AT_ONCE], more]
        for line in lines:
            self._put(line)
        self._last += lines

    def say_rest(self, *, whole: bool) -> None:
        lines, self._rest = self._rest, []
        self.say(*(lines or ["There is no more to read."]), whole=whole)

    def say_help(self, about: str) -> None:
        if about:
            self.say(*help_with(about, self.frame))
        else:
            self.say(*here(self.frame, self.mask, self.guide, self.open.panel), whole=True)

    def _put(self, text: str) -> None:
        if not isinstance(text, Verbatim):
            is_whole = isinstance(text, Paragraph) or text.endswith((".", "!", "?", ":", '."'))
            text = (text if self._symbols else spoken(text)) + ("" if is_whole else ".")
            text = f"T{text[1:]}" if text.startswith("the ") else text
        line = escaped(text)
        self._write(Verbatim(line) if isinstance(text, Verbatim) else line)

    # -- commands --------------------------------------------------------------------------------------------

    def carry_out(self, command: Command) -> bool:
        """Carry a command out to its end, with its progress; whether it was, and was not stopped. An error
        is one line."""
        try:
            job = self.player.begin(command)
        except InputError as error:
            self.say(in_labels(str(error)))
            return False
        if job is None:
            return True
        try:
            with self._guard(job):
                job.run(self._progress)
        except AlreadyThereError:
            path = command.path if isinstance(command, SaveModel) else ""
            self.say(VOICE.say(f"This file exists already. [save] over {path} overwrites it."))
            return False
        except InputError as error:
            self.say(in_labels(str(error)))
            return False
        except MemoryError:
            self.player.out_of_memory()
            self.say("This does not fit in memory. Changes before it cannot be undone any more.")
            return False
        finally:
            self.player.finish(job)
        if job.is_cancelled:
            self.say(VOICE.say(self.frame.hint) if self.frame.hint.startswith("Stopped") else "Stopped.")
            return False
        return True

    def _progress(self, progress: Progress) -> None:
        text = self._on_progress(progress)
        if text is not None:
            hidden = progress.loss is None or self.mask.hides("loss", "history")
            value = "" if hidden or progress.loss is None else f", loss {loss(progress.loss)}"
            unit = f" {progress.unit}" if progress.unit else ""
            self._put(f"{text[:1].upper()}{text[1:]}: {progress.done:,} of {progress.total:,}{unit}{value}.")

    def send(self, *commands: Command) -> None:
        """Carry out what a person asked for, and say what it did."""
        before, was_done = self.frame, False
        for command in commands:
            now = self.frame
            was_done = self.carry_out(command)
            if not was_done:
                break
            if len(commands) > 1 and self.frame.hint and self.frame.cursor == now.cursor:  # at the end
                break
        if was_done or self.frame.scene is not before.scene or self.frame.cursor != before.cursor:
            self.say(*report(before, self.frame, self.mask, was_stopped=not was_done))
            self._say_panel_here(before)
        if self.guide is not None:
            self.guide.observe()

    def _say_panel_here(self, before: Frame) -> None:
        """What the open panel says about the new moment."""
        panel = PANELS.get(self.open.panel)
        if panel is None or self.mask.hides(*panel.shows) or panels.why_not(self.open.panel, self.frame):
            return
        moved = self.frame.cursor != before.cursor or self.frame.scene is not before.scene
        if moved and self._prepare(self.open.panel):
            self.say(panel.here(self.frame))

    # -- panels and rows ---------------------------------------------------------------------------------------

    def open_panel(self, name: str) -> None:
        """Open a panel, or none with ""."""
        if self.open.panel == name:
            return
        old = PANELS.get(self.open.panel)
        self.open = replace(self.open, panel=name, page=0)
        if old is not None and old.on_close is not None:
            self.carry_out(old.on_close)

    def panel_lines(self, name: str) -> list[str]:
        """What a panel says, or why it has nothing to say here."""
        reason = panels.why_not(name, self.frame)
        if reason is not None:
            return [VOICE.say(reason)]
        if not self._prepare(name):
            return []
        alive = panels.knobs_here(self.frame, self.locked) if name == "knobs" else []
        if alive and self.open.knob not in alive:
            self.open = replace(self.open, knob=alive[0])
        return PANELS[name].say(self.frame, replace(self.open, panel=name, locked=self.locked))

    def _prepare(self, name: str) -> bool:
        """Work out what a panel needs; whether it was not stopped."""
        for command in PANELS[name].needs(self.frame):
            if not (isinstance(command, Measure) and command in self.frame.scene.known) and not self.carry_out(command):
                return False
        return True

    def say_panel(self, name: str) -> None:
        if self.mask.hides(*PANELS[name].shows):
            self.say(self.mask.reason)
            return
        if panels.why_not(name, self.frame) is None:
            self.open_panel(name)
        self.say(*self.panel_lines(name))

    def _row(self, name: str) -> None:
        if name == "where":
            self.say(*where(self.frame, self.mask), *moment(self.frame, self.mask))
            return
        if name == "reach" and self.frame.scene.outcome is None:
            self.carry_out(Measure("outcome"))
        if name == "evidence" and self.frame.scene.prove is not None:
            self.carry_out(Measure("evidence"))
        if name == "evidence" and self.frame.cell.is_own:
            self.carry_out(Measure("own_step"))
        self.say(*rows.row(name.removesuffix("_row"), self.frame, self.mask))

    # -- a line --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first lines of a session."""
        how = "Type a word and press Enter: [help] lists what can be done here, [quit] ends."
        self.say(VOICE.say(f"rnnviz in lines of text. {how}"))
        if self.guide is not None:
            self.guide.begin()
        else:
            hint = [VOICE.say(self.frame.hint)] if self.frame.hint else []
            self.say(*where(self.frame, self.mask), *hint, *moment(self.frame, self.mask))

    def answer(self, line: str) -> bool:
        """Answer one line; False for the word that ends the program."""
        text = "".join(c for c in line.strip()[:LONGEST] if c.isprintable() or c == " ")
        last, self._last = self._last, []
        if self.player.grows and self.player.has_news() and self.carry_out(Follow()):
            self.say(*where(self.frame, self.mask)[1:])
        word = understood(text)
        if word is not None and word.name == "quit":
            return False
        if word is not None and word.name == "page_up":
            self.say(*last, whole=True)
            return True
        if not (word is not None and word.name in ("page_down", "everything")):
            self._rest = []
        if self._is_answer(text, word):
            return True
        if word is None:
            number = text.lstrip("+")
            if number.isdecimal() and len(number) <= 6:
                self._number(int(number))
            else:
                self.say(nearest(text))
        elif word.is_knob:
            actions.set_knob(self, word.name, word.rest)
        else:
            self._do(word)
        return True

    def _is_answer(self, text: str, word: Word | None) -> bool:
        """Whether the line answers an open question; then it was given."""
        guide = self.guide
        if guide is None or not guide.is_on:
            return False
        question = guide.run.open_question
        given = word.rest if word is not None and word.name == "answer" else text
        if question is None:
            return False
        if word is not None and word.name != "answer" and (not word.rest or question.choices):
            return False
        if not question.choices:
            try:
                evaluate(given)
            except InputError:
                if word is not None:
                    return False  # else the lesson says what is wrong with it
        elif not given.isdecimal():
            return False
        guide.answer(given)
        return True

    def _number(self, number: int) -> None:
        guide = self.guide
        if guide is not None and guide.is_on and guide.run.answer is not None and number < 10:
            again = f"[lesson_return] asks it again, [seek] {number} goes to step {number}."
            self.say(VOICE.say(f"This question is answered. {again}"))
        else:
            self.send(Seek(self.frame.scene.time(number)))

    def _do(self, word: Word) -> None:
        name = word.name
        if self._in_lesson(word) or self._in_panel(word):
            return
        if name in OF_ROWS:
            self._row(name)
        elif name in PANELS:
            self.say_panel(name)
        elif (reason := self.frame.cannot.get(name)) is not None:
            self.say(VOICE.say(reason))
        else:
            actions.act(self, name, word.rest)

    def _in_lesson(self, word: Word) -> bool:
        guide, name = self.guide, word.name
        if name in _OF_A_LESSON:
            if guide is None:
                reason = self.frame.cannot.get(
                    "contents", "No lesson is open: rnnviz read without an experiment opens one."
                )
                self.say(reason)
            else:
                self._lead(guide, word)
            return True
        if guide is None or not guide.is_on:
            return False
        if name == "glossary" and not word.rest:
            self.say(*guide.terms())
            return True
        if (
            name == "next"
            and not self._panel_has_next()
            and not word.rest
            and (guide.run.is_done or guide.run.open_question)
        ):
            guide.next()
            return True
        if name == "type":
            self.say(
                VOICE.say("The sequence belongs to the lesson. [lesson_leave] starts free play, then [type] works.")
            )
            return True
        if name == "inputs" and not self.mask.knows("gradient"):
            self.say(VOICE.say("The gradient comes in a later lesson. [lesson_leave] starts free play."))
            return True
        return False

    def _panel_has_next(self) -> bool:
        """Whether the open panel has a meaning of its own for the next event."""
        panel = PANELS.get(self.open.panel)
        return panel is not None and ("next" in panel.acts or self.open.panel in _PAGED)

    def _lead(self, guide: Guide, word: Word) -> None:
        rest = word.rest.strip()
        alone: dict[str, Callable[[], object]] = {
            "lesson_previous": guide.previous, "lesson_hint": guide.hint, "lesson_return": guide.come_back,
            "lesson_leave": guide.leave, "reset": guide.reset, "closing": guide.close, "lesson_summary": guide.sum_up,
        }  # fmt: skip
        if word.name in alone:
            alone[word.name]()
            return
        match word.name:
            case "lesson_next":
                guide.next() if guide.is_on else guide.come_back()
            case "lesson" if rest:
                guide.open(rest)
            case "page" if rest.isdecimal():
                guide.jump(int(rest[:6]))
            case "page":
                self.say(*course_words.pages(guide.run), whole=True)
            case "search":
                guide.search(rest)
            case "replay":
                guide.replay(rest)
            case "answer":
                self.say("No question is open here.")
            case _:
                self.say(*guide.contents(), whole=True)

    def _in_panel(self, word: Word) -> bool:
        """What an open panel does with an action itself."""
        panel, name, open = PANELS.get(self.open.panel), word.name, self.open
        if panel is None or open.panel in self.frame.cannot:
            return False
        if name in panel.acts:
            command = panel.acts[name](self.frame)
            if not isinstance(command, Measure):
                self.send(command)
            elif self.carry_out(command):  # what the panel then says is the answer
                self.say(*self.panel_lines(open.panel))
            return True
        if name == "next" and open.panel in _PAGED:
            self.open = replace(open, page=open.page + 1)
            self.say(*self.panel_lines(open.panel))
            return True
        if open.panel == "knobs" and name in ("unit_up", "unit_down", "group_up", "group_down"):
            actions.choose_knob(self, name)
            return True
        if open.panel == "knobs" and name in ("left", "right"):
            actions.turn_knob(self, name)
            return True
        if open.panel == "knobs" and name == "next":
            if word.rest:
                actions.set_knob(self, open.knob, word.rest)
            else:
                self.say(f"Type the knob and its value, such as {SETTINGS[open.knob].label} and a value.")
            return True
        return False
