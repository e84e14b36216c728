"""Frames on a line of any speed, in a time of its own: nothing here waits."""

from __future__ import annotations

import heapq
from threading import Thread

import pytest

from rnnviz.tui.line_pacing import ASK, GIVE_UP, STUCK, Line

FRAME = 1200


class Far:
    """A terminal behind a line that takes `seconds` a byte and `way` there and back; time is what it is set to."""

    def __init__(self, seconds: float, way: float, answers: bool = True) -> None:
        self.now = 1000.0
        self.line = Line(lambda: self.now)
        self._seconds, self._way, self._answers = seconds, way, answers
        self._free = 0.0
        self._answer_times: list[float] = []
        self.arrived: list[float] = []
        self.requested = 0
        self._send(self.line.begins())

    def _send(self, text: str, size: int = 0) -> None:
        self.line.wrote(size + len(text))
        self._free = max(self._free, self.now) + (size + len(text)) * self._seconds
        if text:
            self.requested += 1
            if self._answers:
                heapq.heappush(self._answer_times, self._free + self._way)

    def wait_until(self, when: float) -> None:
        while self._answer_times and self._answer_times[0] <= when:
            self.now = max(self.now, heapq.heappop(self._answer_times))
            self.line.answered()
        self.now = max(self.now, when)

    def frame(self, size: int = FRAME) -> None:
        self.line.before_frame()
        self._send("", size)
        self._send(self.line.after_frame())
        self.arrived.append(self._free)

    @property
    def behind(self) -> float:
        """Seconds of what waits before the line."""
        return max(0.0, self._free - self.now)

    def hold(self, seconds: float, size: int = FRAME) -> float:
        """A frame is wanted 30 times a second, and sent when there is room; the most that waited."""
        most, end = 0.0, self.now + seconds
        while self.now < end:
            self.wait_until(self.now + 1 / 30)
            if self.line.is_free():
                self.frame(size)
                most = max(most, self.behind - size * self._seconds)
        return most


def test_on_a_slow_line_at_most_a_moment_waits_before_a_frame_and_it_is_used_to_the_full() -> None:
    far = Far(1 / 8000, 0.2)
    far.wait_until(far.now + 1)
    far.frame(11_000)  # the first paint
    far.wait_until(far.now + 3)
    before = len(far.arrived)
    assert far.hold(5.0) < 0.05
    assert len(far.arrived) - before > 0.6 * 5.0 / (FRAME / 8000)


def test_it_is_found_out_by_the_first_frames_that_are_answered() -> None:
    far = Far(1 / 8000, 0.2)
    far.wait_until(far.now + 0.5)
    far.hold(2.0)
    assert far.hold(3.0) < 0.05


@pytest.mark.parametrize(("seconds", "way"), [(0.0, 0.0002), (1e-7, 0.2), (1e-6, 0.05)])
def test_a_fast_line_shows_every_frame_and_is_hardly_asked(seconds: float, way: float) -> None:
    far = Far(seconds, way)
    far.wait_until(far.now + 1)
    far.frame(11_000)
    far.wait_until(far.now + 1)
    before = len(far.arrived)
    far.hold(5.0)
    assert len(far.arrived) - before >= 149
    assert far.requested < 0.6 * len(far.arrived) + 3


def test_a_line_that_becomes_slow_is_noticed_and_one_that_becomes_fast_again_too() -> None:
    far = Far(1e-6, 0.05)
    far.wait_until(far.now + 1)
    far.hold(2.0)
    far._seconds = 1 / 4000
    far.hold(3.0)
    assert far.hold(3.0) < 0.1
    far._seconds = 1e-6
    far.hold(2.0)
    before = len(far.arrived)
    far.hold(2.0)
    assert len(far.arrived) - before > 50


def test_one_answer_that_comes_too_early_does_not_make_a_slow_line_fast() -> None:
    far = Far(1 / 8000, 0.2)
    far.wait_until(far.now + 1)
    far.hold(3.0)
    far._seconds = 1e-6  # what a busy machine kept back comes at once
    far.wait_until(far.now + 1)
    far.frame()
    far.wait_until(far.now + 1)
    far._seconds = 1 / 8000
    assert not far.line.is_fast
    assert far.hold(3.0) < 0.05


@pytest.mark.parametrize(("seconds", "is_fast"), [(1e-6, True), (1 / 8000, False)])
def test_a_line_is_fast_only_once_a_frame_has_been_measured(seconds: float, is_fast: bool) -> None:
    far = Far(seconds, 0.05)
    assert not far.line.is_fast
    far.wait_until(far.now + 1)  # the first answer has come: it says how far the terminal is, not how fast
    assert not far.line.is_fast
    far.frame(11_000)
    far.wait_until(far.now + 3)
    assert far.line.is_fast is is_fast


def test_who_never_answers_is_never_waited_for() -> None:
    far = Far(1e-6, 0.05, answers=False)
    far.hold(10.0)
    assert len(far.arrived) >= 299
    assert far.requested == 1


def test_answers_that_get_lost_are_given_up() -> None:
    far = Far(1e-6, 0.05)
    far.wait_until(far.now + 1)
    far.hold(1.0)
    far._answers = False
    far._answer_times.clear()
    for _ in range(4):
        far.frame()
    far.wait_until(far.now + 1.0)
    assert not far.line.is_free()
    far.wait_until(far.now + GIVE_UP)
    assert far.line.is_free()


def test_what_the_terminal_does_not_even_take_is_not_added_to() -> None:
    line = Line(lambda: 0.0)
    assert line.is_free(STUCK)
    assert not line.is_free(STUCK + 1)


def test_an_answer_nobody_asked_for_is_nothing() -> None:
    line = Line(lambda: 0.0)
    line.answered()
    assert line.begins() == ASK
    line.answered()
    line.answered()
    assert line.is_free()


def test_the_end_waits_for_an_answer_that_may_still_come_and_for_no_other() -> None:
    now = 0.0
    line = Line(lambda: now)
    line.await_answers(3600.0)  # nothing was asked
    line.begins()
    waiting = Thread(target=line.await_answers, args=(3600.0,), daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    line.answered()
    waiting.join(60.0)
    assert not waiting.is_alive()
    line.begins()
    line.await_answers(0.001)  # no longer than the end has
    now = GIVE_UP
    line.await_answers(3600.0)  # it has been missing for so long that it will not come
