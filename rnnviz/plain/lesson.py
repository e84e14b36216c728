"""The lessons, read aloud: pages, questions, exercises. The same runs, pictures and progress as in the app.

words → LessonRun (lessons/run.py) → the player is brought to its picture → the page is read
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.errors import InputError
from rnnviz.lessons.closing_page import after, closing, lesson_closing
from rnnviz.lessons.course import introduced
from rnnviz.lessons.introductions import tools
from rnnviz.lessons.lesson import Exercise, Lesson, Prediction, Step
from rnnviz.lessons.opening import first_lesson, once_more, read_lesson
from rnnviz.lessons.pages import no_hint, page, status, unfinished
from rnnviz.lessons.prose import Line, plain, spans
from rnnviz.lessons.run import LessonRun, references, texts
from rnnviz.lessons.searching import Index
from rnnviz.lessons.setup import toward
from rnnviz.plain import course_words, mask
from rnnviz.plain.panels import PANELS, Paragraph, Verbatim
from rnnviz.plain.rows import row
from rnnviz.plain.words import SHORT, VOICE, quoted
from rnnviz.tui.keys import INTRODUCED
from rnnviz.views.metrics import needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rnnviz.lessons.course import Course
    from rnnviz.lessons.progress import Progress
    from rnnviz.plain.host import Host
    from rnnviz.scene.frame import Frame

MOST = 60  # commands for one picture: more would be an endless loop
#: What is a key in a lesson's code; a question mark there is a symbol of a task.
_KEYS = {key: name for key, name in SHORT.items() if key != "?"}
_CODE = re.compile(r"`([^`{}\s]{1,9})`")
#: An arrow is a key unless it stands between a symbol and what becomes of it: W ← W − ….
_ARROW = re.compile(r"(?:(?<=^)|(?<=[.,;:(!?)] )|(?<=\()|(?<=\band )|(?<=\bor ))([←→↑↓])(?= )")


#: What a sentence says about the marks of a picture.
_ABOUT_MARKS = re.compile(r"\s*\([^()]*[▲△▼▽][^()]*\)|:?\s*[▲△▼▽][^.]*\.")


def in_words(text: str) -> str:
    """A lesson's text with the names of actions in place of keys: `e` and → become [epoch] and [right]."""
    text = _ABOUT_MARKS.sub(lambda found: "" if found[0].lstrip().startswith("(") else ".", text)
    text = _CODE.sub(lambda found: f"[{_KEYS[found[1]]}]" if found[1] in _KEYS else found[0], text)
    text = _ARROW.sub(lambda found: f"[{_KEYS[found[1]]}]", text)
    return re.sub(r"\b([Pp])ress (?=`?\[)", lambda found: "Type " if found[1] == "P" else "type ", text)


def with_words(lesson: Lesson) -> Lesson:
    return replace(lesson, steps=tuple(map(_step, lesson.steps)))


def _step(step: Step) -> Step:
    task = step.task
    if isinstance(task, Prediction):
        choices = tuple(replace(c, say=in_words(c.say), why=in_words(c.why)) for c in task.choices)
        task = replace(task, question=in_words(task.question), choices=choices)
    elif isinstance(task, Exercise):
        task = replace(task, goal=in_words(task.goal), hints=tuple(map(in_words, task.hints)))
    return replace(step, before=tuple(map(in_words, step.before)), after=tuple(map(in_words, step.after)), task=task)


_MARKS = (("✓ solved", "Solved"), ("✓ Right", "Right"), ("✓ Done", "Done"), ("✗ No:", "No:"), ("✗ Your", "Your"))


class Guide:
    """`run` is its whole state of the lesson."""

    def __init__(self, reader: Host, course: Course, progress: Progress, slug: str | None) -> None:
        self.reader, self.course, self.progress = reader, course, progress
        run = first_lesson(course, progress, slug, PANELS)
        self.run = replace(run, lesson=with_words(run.lesson))
        self._skip_asked = False
        self._is_over = False  # the lesson's summary has just been read
        self._index: Index | None = None
        self._notes: list[str] = []
        self._status = ""
        self._lesson_before = ""
        self._point_before: list[str] = []

    @property
    def is_on(self) -> bool:
        return not self.run.is_free_play

    def mask(self, frame: Frame) -> mask.Mask:
        return mask.of(self.run, frame, self._introduced())

    def _introduced(self) -> frozenset[str] | None:
        """What the lessons have introduced; to that this step's panel and the words it names or needs."""
        known = introduced(self.course.files, self.run.lesson.path)
        if known is None:
            return None
        words = (name for text in texts(self.run.step) for name in re.findall(r"\[([a-z_]{2,})\]", text))
        named = {INTRODUCED.get(name, name) for name in words}
        return known | named | {*tools(self.run), *filter(None, [self.run.target.panel])}

    @property
    def locked(self) -> tuple[str, ...]:
        exercise = self.run.open_exercise if self.is_on else None
        return exercise.locked if exercise is not None else ()

    # -- its page --------------------------------------------------------------------------------------------

    def say_page(self, *, is_new: bool = True) -> None:
        run, reader = self.run, self.reader
        lines = []
        if is_new:
            lesson = run.lesson
            place = f"Lesson {lesson.number}, {lesson.title}. " if lesson.slug != self._lesson_before else ""
            self._lesson_before = lesson.slug
            end = "" if run.step.heading.endswith(("?", "!", ".")) else "."
            lines.append(f"{place}Page {run.at + 1} of {len(lesson.steps)}: {run.step.heading}{end}")
            if run.standing[1]:
                lines.append(f"So far: {run.standing[1]}.")
        shown = page(run, reader.frame, VOICE, in_rows=False)
        sentences = map(self._sentence, shown.lines)
        lines += [text if isinstance(text, Verbatim) else Paragraph(text) for text in sentences if text]
        reader.say(
            *lines, *self._pointed(shown.point.at if shown.point is not None else ""), self._onward(), whole=True
        )

    def _sentence(self, line: Line) -> str:
        """A line of the page, its marks in words."""
        run = self.run
        if any(style == "typed" for _, style in line):
            return ""  # _onward has what can be typed
        text = plain(line).strip()
        if len(line) == 1 and line[0][1] == "code" and " " in text:
            return Verbatim(text)
        if line and run.open_question is not None and text[:1].isdigit() and any(s == "code" for _, s in line[:2]):
            return f"{text[0]}: {text[1:].strip()}."
        task = "Question: " if isinstance(run.task, Prediction) else "Exercise: "
        for mark, what in (("▸ ", task), *_MARKS):
            if text.startswith(mark):
                rest = text[len(mark) :]
                return what + (rest.replace(" · ", "; ") if what == "Solved" else rest)
        if text.startswith(("✓ ", "✗ ")) or (
            isinstance(run.task, Exercise) and text == status_of(run, self.reader.frame)
        ):
            return _conditions(text)
        return text

    def _pointed(self, at: str) -> list[str]:
        """What the page is about, in its present numbers: a row of the score, or the open panel."""
        kind, _, name = at.partition(":")
        frame, hidden = self.reader.frame, self.mask(self.reader.frame)
        panel = self.run.target.panel
        if panel:
            if hidden.hides(*PANELS[panel].shows):
                return []
            some = self.reader.panel_lines(panel)
            more = [f"{quoted(panel)} reads it whole."] if len(some) > 4 else []
            return [f"Open here, {quoted(panel)}: {some[0]}", *some[1:4], *more] if some else []
        if not at or name or kind in ("time", "side"):
            return []
        some = row(kind, frame, hidden)
        is_new, self._point_before = some != self._point_before, some
        key = "gradient_row" if kind == "gradient" else kind
        now = "Now" if self.run.answer is not None or self.run.step.id in self.run.solved else "This page is about"
        first = f"{some[0][:1].lower()}{some[0][1:]}" if some[0].startswith("The ") else some[0]
        return [f"{now} {quoted(key)}: {first}", *some[1:3]] if is_new or now != "Now" else []

    def _onward(self) -> str:
        run = self.run
        if run.open_question is not None:
            question = run.open_question
            if question.choices:
                return f"Type the number of your answer, 1 to {len(question.choices)}."
            unit = f" of {question.unit}" if question.unit else ""
            off = str(question.tolerance)
            return f"Type a number{unit}, {f'an error of {off[2:]} is accepted' if off.startswith('±') else off}."
        if run.open_exercise is not None:
            keys = [quoted(name) for name in tools(run) if name in ("knobs", "cut")]
            keys += [quoted("epoch"), quoted("all")] if "train" in tools(run) else []
            hint = " [lesson_hint] gives a hint." if len(run.hints_given) < len(run.open_exercise.hints) else ""
            use = f"Use {', '.join(keys)}." if keys else ""
            return VOICE.say(f"{use}{hint} [lesson_return] restores this page.").strip()
        again = " [lesson_return] asks the question again." if run.answer is not None else ""
        if not run.is_last:
            return VOICE.say(f"[lesson_next] goes to the next page.{again}")
        return VOICE.say(f"[lesson_next] reads the summary of this lesson.{again}")

    # -- opening and ending ------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.become(once_more(self.run))

    def open(self, which: str) -> None:
        """Open a lesson, by its slug or number, where the learner left it; 6.3 is page 3 of lesson 6."""
        which, page = course_words.place(which)
        try:
            slug = self.course.slug(self.course.file(which))
            run = self.progress.resume(with_words(read_lesson(self.course, slug, PANELS)))
        except InputError as error:
            self.reader.say(str(error).replace("rnnviz lessons lists them", VOICE.say("[contents] lists them")))
            return
        if page is None:
            self.become(once_more(run))
        elif 1 <= page <= len(run.lesson.steps):
            self.become(run.jump(page - 1))
        else:
            self.reader.say(f"Lesson {run.lesson.number} has pages 1 to {len(run.lesson.steps)}.")

    def contents(self) -> list[str]:
        return course_words.contents(self.course, self.progress, self.run)

    def terms(self) -> list[str]:
        """The terms of this page."""
        return course_words.terms(page(self.run, self.reader.frame, VOICE))

    def close(self) -> None:
        """Read the closing page of the course."""
        self.reader.say("The end of the course.", *_read(closing(self.course, self.progress)), whole=True)

    def sum_up(self) -> None:
        """Read the page at the end of this lesson."""
        lesson = self.run.lesson
        lines = _read(lesson_closing(self.course, self.progress, lesson))
        self.reader.say(f"Summary of lesson {lesson.number}, {lesson.title}.", *lines, whole=True)

    def search(self, words: str) -> None:
        if self._index is None:
            self._index = Index(self.course)
        self.reader.say(*course_words.found(self._index, words, self.progress))

    def replay(self, which: str) -> None:
        """Begin a lesson (this one without a name) from its first page; what has a result is asked again."""
        before = self.run
        if which:
            self.open(which)
        if not which or self.run is not before:
            self.become(self.run.replay())

    def reset(self) -> None:
        self.progress.forget(self.run.lesson.slug)
        self.reader.say("The progress of this lesson is forgotten.")
        self.become(self.run.reset())

    # -- words -------------------------------------------------------------------------------------------------

    def answer(self, given: str) -> None:
        try:
            run = self.run.submit(given, self.reader.frame)
        except InputError as error:
            self.reader.say(str(error))
            return
        self.become(run, is_new=False)

    def next(self) -> None:
        """Go to the next page; skip an open question or exercise only at a second request."""
        run = self.run
        first = unfinished(run)
        if first and not self._skip_asked:
            self._skip_asked = True
            self.reader.say(VOICE.say(f"{first}; [lesson_next] once more skips it."))
            return
        moved = run.next(self.reader.frame)
        if not run.is_last:
            self.become(moved)
            return
        self.run = moved
        self._keep()
        if not self._is_over:
            self._is_over = True
            self.sum_up()
            return
        following = after(self.course, run.lesson.slug)
        if following is not None:
            self.open(following)
        else:
            self.close()

    def previous(self) -> None:
        if self.run.at == 0:
            self.reader.say(VOICE.say("This is the first page. [contents] lists all lessons."))
        else:
            self.become(self.run.previous())

    def jump(self, number: int) -> None:
        if 1 <= number <= len(self.run.lesson.steps):
            self.become(self.run.jump(number - 1))
        else:
            self.reader.say(f"This lesson has pages 1 to {len(self.run.lesson.steps)}.")

    def come_back(self) -> None:
        run = self.run
        if run.answer is not None and not run.is_free_play:
            self.become(run.retry(), is_new=False)
        else:
            self.become(run.restore())

    def leave(self) -> None:
        self.run = self.run.explore()
        self.reader.say(VOICE.say("Free play: explore as you like. [lesson_return] returns to the lesson."))

    def hint(self) -> None:
        exercise = self.run.open_exercise
        reason = no_hint(self.run)
        if exercise is None or reason:
            self.reader.say(reason)
            return
        self.run = self.run.show_hint()
        self._keep()
        hints = self.run.hints_given
        self.reader.say(f"Hint {len(hints)} of {len(exercise.hints)}. {self._filled(hints[-1])}")

    def _filled(self, text: str) -> str:
        """A text of the lesson as its page says it."""
        shown = page(self.run, self.reader.frame, VOICE, in_rows=False)
        first = next((plain(line) for line in shown.lines if plain(line).startswith("Hint ")), text)
        return first.partition(". ")[2] or first

    # -- getting there -----------------------------------------------------------------------------------------

    def become(self, run: LessonRun, *, is_new: bool = True) -> None:
        """Take over a new state of the lesson, go to its picture, and say its page."""
        self.run, self._skip_asked, self._is_over, self._status = run, False, False, ""
        if not self._arrive(run):
            self.reader.say(VOICE.say("This page's picture is not set up. [lesson_return] tries it again."))
            return
        reader, first = self.reader, not run.is_set_up
        self.run = run.arrive(reader.frame)
        reader.player.settle(ghost=False)
        is_answered = run.pending is not None or run.answer is not None
        do = run.step.do + (run.step.reveal if is_answered else ())
        if first and (not run.keep_cursor or any(name == "panel" for name, _ in do)):
            reader.open_panel(run.target.panel)
        self._keep()
        self.say_page(is_new=is_new)

    def _arrive(self, run: LessonRun) -> bool:
        for _ in range(MOST):
            frame = self.reader.frame
            command = toward(frame, run.target, cursor=not run.keep_cursor) or needs(frame, references(run.step))
            if command is None:
                return True
            if not self.reader.carry_out(command):
                return False
        return False

    def observe(self) -> None:
        """See the frame after a command: it may solve the exercise."""
        frame = self.reader.frame
        if not self.is_on or self.run.open_exercise is None:
            return
        run = self.run.observe(frame)
        if run is not self.run:
            self.run = run
            self._keep()
            self.say_page(is_new=False)
            return
        now = status_of(run, frame)
        if now != self._status:
            self._status = now
            self.reader.say(_conditions(now))

    def _keep(self) -> None:
        self.progress.keep(self.run)
        for note in self.progress.notes:
            if note not in self._notes:
                self._notes.append(note)
                self.reader.say(f"{note}." if not note.endswith(".") else note)


def _read(paragraphs: Iterable[str]) -> list[str]:
    """The paragraphs of a closing page, as sentences."""
    return [plain(spans(VOICE.say(in_words(text)))).removeprefix("• ") for text in paragraphs if text]


def status_of(run: LessonRun, frame: Frame) -> str:
    """The conditions of the open exercise, as the page has them."""
    return plain(spans(VOICE.say(status(run, frame)))) if run.is_set_up else ""


def _conditions(text: str) -> str:
    return " ".join(_condition(part) for part in text.split(" · "))


def _condition(text: str) -> str:
    for mark, what in (("✓ ", "Reached"), ("✗ ", "Not yet")):
        if text.startswith(mark):
            return f"{what}: {text[2:]}."
    return f"Needed: {text}."
