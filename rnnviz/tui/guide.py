"""The guide through the lessons of a course: keys and clicks become a new LessonRun, and the player is brought to the
picture that run wants.

    key or click → LessonRun (lessons/run.py) → Pursuit, to its picture → arrived → progress kept, drawn
    every frame  → observe: on the way on, or perhaps with an exercise solved
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.lessons.masking import masked
from rnnviz.lessons.opening import once_more, read_lesson
from rnnviz.lessons.pages import no_hint, page, unfinished
from rnnviz.lessons.points import POINTS
from rnnviz.lessons.run import LessonRun, references, right_answer, setup_of
from rnnviz.scene.cursor import Phase
from rnnviz.sheet import Sheet
from rnnviz.tui import corner, lesson_view, panels
from rnnviz.tui.answer_line import AnswerLine
from rnnviz.tui.introduced import Introduced
from rnnviz.tui.lesson_text import LessonText
from rnnviz.tui.lesson_view import needed
from rnnviz.tui.progress_keeper import ProgressKeeper
from rnnviz.tui.pursuit import Presenter, Pursuit
from rnnviz.tui.training_film import LEAST_ROWS, OF_TRAINING
from rnnviz.views.metrics import needs

if TYPE_CHECKING:
    from rnnviz.lessons.course import Course
    from rnnviz.lessons.lesson import Lesson
    from rnnviz.lessons.progress import Progress
    from rnnviz.lessons.setup import Setup
    from rnnviz.scene.commands import Command
    from rnnviz.scene.frame import Frame
    from rnnviz.tui.notice import Notice
    from rnnviz.tui.stage import Stage
    from rnnviz.tui.view import View


class Guide:
    """`run` is its whole state of the lesson; everything else brings the player to the run's picture."""

    def __init__(self, stage: Stage, course: Course, progress: Progress) -> None:
        self.stage, self.course, self.progress = stage, course, progress
        self.run: LessonRun | None = None
        self.pursuit = Pursuit(stage, self._arrived)
        self.answer_line, self.text = AnswerLine(stage, self.answer), LessonText()
        self.keeper = ProgressKeeper(stage, progress)
        self._introduced = Introduced(course)
        self._skip_asked = False

    # -- what the screen asks ------------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether a lesson is open and not in free play."""
        return self.run is not None and not self.run.is_free_play

    @property
    def is_busy(self) -> bool:
        return self.pursuit.is_on

    @property
    def typed(self) -> str:
        return self.answer_line.typed

    @property
    def title(self) -> str:
        assert self.run is not None
        return f" {self.run.lesson.name} "

    @property
    def point(self) -> str | None:
        """What the step points at: a row of the score by its name, or panel:NAME."""
        point = page(self.run, self.stage.frame).point if self.run is not None and self.is_on else None
        return None if point is None else point.at

    @property
    def locked(self) -> tuple[str, ...]:
        """Settings that the open exercise locks."""
        exercise = self.run.open_exercise if self.run is not None and self.is_on else None
        return exercise.locked if exercise is not None else ()

    def limited(self, view: View) -> View:
        """The view without the answer to an open question, and without anything no lesson has introduced yet."""
        run, frame = self.run, self.stage.frame
        if run is None or frame is None or not self.is_on:
            return replace(view, masked=frozenset(), introduced=None)
        kept = masked(run, frame)
        return replace(
            view, masked=kept.names, masked_from=kept.since, masked_until=kept.until,
            introduced=self._introduced.names(run),
        )  # fmt: skip

    def points_at(self, panel: str) -> bool:
        return self.point == f"panel:{panel}"

    @property
    def row(self) -> str | None:
        """The row of the score that the step points at, if it points at a row."""
        return self.point if self.point in POINTS else None

    @property
    def corner(self) -> tuple[str, ...]:
        """The panels that a large screen shows below the step's text."""
        return self.run.target.beside or corner.USUAL if self.run is not None and self.is_on else ()

    def rows(self, width: int, height: int, panel_open: bool, text_width: int) -> tuple[int, int, int]:
        """Rows for the lesson under the score, for the lesson beside it, and at most for an open panel below."""
        assert self.run is not None
        frame, moment = self.stage.frame, self.stage.moment_rows
        below, room = lesson_view.rows(
            self.run, frame, width, height, moment=moment, panel_open=panel_open, typed=self.typed
        )
        return below, needed(self.run, frame, text_width, self.typed), room

    def has_room_for_film(self, width: int, height: int) -> bool:
        """Whether the loss curve fits below the score."""
        return not self.is_on or self.rows(width, height, True, width)[2] >= LEAST_ROWS

    def needs(self, frame: Frame) -> Command | None:
        """The command that computes slow results which this step needs, for the present network; or None."""
        if self.run is None or self.run.is_free_play or self.pursuit.is_on:
            return None
        return needs(frame, references(self.run.step))

    def keys(self) -> list[tuple[str, str]]:
        """The keys a lesson adds to the key bar, the most useful first."""
        run = self.run
        if run is None:
            return []
        return lesson_view.keys(run, "summary" if run.is_last else "next")

    # -- its text, which may need scrolling ----------------------------------------------------------------

    def sheet(self, width: int, height: int, note: Notice | None) -> Sheet:
        stage = self.stage
        if self.run is None:
            return Sheet(width, height)
        return self.text.sheet(self.run, stage.frame, width, height, stage.palette, typed=self.typed, note=note)

    def scroll(self, by: int, lines: int | None = None) -> None:
        self.text.scroll(by, lines)
        self.stage.draw()

    def can_scroll(self, by: int) -> bool:
        """Whether there is text below (1) or above (-1) what is shown."""
        return self.is_on and self.text.can_scroll(by)

    def clicked(self, x: int, y: int, width: int) -> None:
        """A click on a choice is its digit."""
        run = self.run
        if run is None or not self.is_on or run.open_question is None:
            return
        digit = self.text.choice_at(run, self.stage.frame, x, y, width, self.typed)
        if digit is not None:
            self.answer(digit)

    # -- opening and ending --------------------------------------------------------------------------------

    def open(self, slug: str) -> None:
        """Open a lesson where the learner left it. A lesson with an error shows it and changes nothing."""
        try:
            run = self.progress.resume(read_lesson(self.course, slug, panels.BY_ID))
        except InputError as error:
            self.stage.warn(str(error))
            return
        self.become(once_more(run))

    def open_at(self, slug: str, step: int | None) -> None:
        """Open a lesson at this step, from 0; None: where the learner left it."""
        if self.run is None or self.run.lesson.slug != slug:
            self.open(slug)
        elif step is None:
            self.restore()
        if step is not None and self.run is not None and self.run.lesson.slug == slug:
            self.jump(step)

    def begin_autoplay(self, run: LessonRun, presenter: Presenter) -> None:
        """Start a lesson from its beginning, led by a presenter."""
        self.pursuit.be_led_by(presenter)
        self.become(run.reset())
        presenter.begin()

    def _finish(self, run: LessonRun) -> None:
        """Open the page that sums a finished lesson up."""
        self.run = run
        self._keep()
        if self.pursuit.presenter is not None:
            self.pursuit.presenter.end()
        else:
            self.close(run.lesson)

    def close(self, lesson: Lesson | None = None) -> None:
        """Open the page at the end of a lesson; None: of the course."""
        from rnnviz.tui.closing_page import ClosingScreen

        self.stage.open_screen(ClosingScreen(self, lesson))

    def replay(self, slug: str) -> None:
        """Open a lesson at its first step; what has a result is asked again."""
        self.open(slug)
        if self.run is not None and self.run.lesson.slug == slug:
            self.become(self.run.replay())

    def reset(self, slug: str) -> None:
        """Clear the progress of one lesson."""
        self.keeper.forget(slug)
        if self.run is not None and self.run.lesson.slug == slug:
            self.become(self.run.reset())

    # -- keys ----------------------------------------------------------------------------------------------

    def handle_key(self, key: str) -> bool:
        """Handle any key before all other listeners; whether an autoplay used it."""
        return self.pursuit.presenter is not None and self.pursuit.presenter.handle_key(key)

    def pause(self) -> None:
        """Pause an autoplay that runs."""
        presenter = self.pursuit.presenter
        if presenter is not None and not presenter.is_paused:
            presenter.handle_key("")

    def handle_action(self, name: str) -> bool:
        """Handle an action; whether the lesson used it."""
        run = self.run
        if name == "cancel" and self.pursuit.is_on and not self.stage.shows_film:
            self.pursuit.stop()
            self.stage.say("Stopped. Press [lesson_return] to restore this step's picture.")
            return False
        if run is None or run.is_free_play:
            return False
        if name != "lesson_next":
            self._skip_asked = False
        if self.answer_line.handle_action(run, name):
            return True
        panel = panels.BY_ID.get(self.stage.view.panel or "")
        panel_wants_it = panel is not None and "next" in panel.actions
        if name == "next" and not panel_wants_it and (run.is_done or run.open_question is not None):
            self.next()
            return True
        return False

    def handle_character(self, character: str | None) -> bool:
        """Handle a character that may belong to an answer; whether it did."""
        is_asked = self.is_on and not self.pursuit.is_on and self.stage.view.prompt is None
        if not is_asked or self.run is None or character is None or not character.isprintable():
            return False
        return self.answer_line.handle_character(self.run, character)

    def answer(self, given: str) -> None:
        assert self.run is not None
        try:
            run = self.run.submit(given, self.stage.frame)
        except InputError as error:
            self.stage.warn(str(error))  # the text stays, to be corrected
            return
        self.answer_line.clear()
        self.become(run)

    def next(self) -> None:
        """Go to the next step; skip an open question or exercise only at a second request."""
        run = self.run
        if run is None:
            return
        first = unfinished(run)
        if first and not self._skip_asked:
            self._skip_asked = True
            self.stage.say(f"{first}; press [lesson_next] again to skip.")
            return
        moved = run.next(self.stage.frame)
        if run.is_last:
            self._finish(moved)
        else:
            self.become(moved)

    def previous(self) -> None:
        if self.run is None:
            return
        if self.run.at == 0:
            self.stage.say("This is the first step. Press [contents] for all lessons.")
            return
        self.become(self.run.previous())

    def jump(self, at: int) -> None:
        if self.run is not None:
            self.become(self.run.jump(at))

    def come_back(self) -> None:
        """Handle the return key: ask an answered question again, or restore the step's picture and end free play."""
        run = self.run
        if run is not None and run.answer is not None and not run.is_free_play:
            self.become(run.retry())
        else:
            self.restore()

    def restore(self) -> None:
        """End free play and restore the step's picture."""
        if self.run is not None:
            self.become(self.run.restore())

    def leave(self) -> None:
        if self.run is not None and not self.run.is_free_play:
            self.run = self.run.explore()
            self.pursuit.stop()
            self.stage.share_out()
            self.stage.say("Free play: explore as you like. Press [lesson_return] to return to the lesson.")

    def hint(self) -> None:
        run = self.run
        if run is None:
            return
        reason = no_hint(run)
        if reason:
            self.stage.say(reason)
        else:
            self.stage.hush()
            self.take_over(run.show_hint())

    # -- getting there -------------------------------------------------------------------------------------

    def become(self, run: LessonRun) -> None:
        """Take over a new state of the lesson and go to its picture."""
        self.pursuit.stop()
        self.stage.skip_film()
        self.run, self._skip_asked = run, False
        self.answer_line.clear()
        self.text.to_top()
        self.stage.pause()
        self.pursuit.set_off(run, self._question_of(run))
        self.stage.share_out()
        self.stage.hush()
        self.pursuit.go_on()

    @staticmethod
    def _question_of(run: LessonRun) -> Setup | None:
        """The network of an answered question, where the answer's bars are held against its: come back to, the answer
        has its ghost again."""
        question = setup_of(run.lesson, run.at, revealed=False)
        is_compared = run.answer is not None and run.target.phase is Phase.BACKWARD
        return question if is_compared and question.source != run.target.source else None

    def _arrived(self) -> None:
        stage, run, pursuit = self.stage, self.run, self.pursuit
        assert run is not None
        assert stage.frame is not None
        if pursuit.has_solved:  # an autoplay has solved an exercise
            self.observe(stage.frame)
            return
        watched = OF_TRAINING if pursuit.has_trained and stage.view.panel == OF_TRAINING else None
        wanted = run.target.panel or watched
        first = not run.is_set_up
        if self.pursuit.presenter is not None and run.pending is not None:
            run = replace(run, pending=right_answer(run.task, stage.frame, run.start))
        stage.settle(ghost=pursuit.keeps_ghost(run, self._question_of(run) is not None))
        self.run = run.arrive(stage.frame)
        do = run.step.do + (run.step.reveal if run.pending is not None or run.answer is not None else ())
        if first and stage.view.panel != wanted and (not run.keep_cursor or any(name == "panel" for name, _ in do)):
            stage.open_panel(wanted)
        self._keep()
        stage.share_out()
        stage.look()

    def solve(self) -> None:
        """Carry out the first solution of the open exercise, for an autoplay."""
        if self.run is not None and self.run.open_exercise is not None:
            self.pursuit.aim_at(self.run.target.after(self.run.open_exercise.solutions[0]))
            self.pursuit.go_on()

    def observe(self, frame: Frame) -> None:
        """See every frame: one on the way to a picture, or one that may solve the exercise."""
        if self.run is None or self.run.is_free_play or self.pursuit.is_sending:
            return
        if self.pursuit.is_on:
            if frame.job is None:
                self.pursuit.go_on()
            return
        run = self.run.observe(frame)
        if run is not self.run:
            if run.target.panel and self.stage.view.panel == "knobs":  # the step's own panel shows the result
                self.run = run
                self.stage.open_panel(run.target.panel)
            self.take_over(run)

    def take_over(self, run: LessonRun) -> None:
        """Take over a new state of the lesson with the same picture."""
        self.run = run
        self.text.to_top()
        self._keep()
        self.stage.share_out()
        self.stage.draw()

    def _keep(self) -> None:
        if self.pursuit.presenter is None and self.run is not None:  # an autoplay is no learner's progress
            self.keeper.keep(self.run)
