"""Line pacing: how many bytes are on their way to the terminal, and whether the next frame may be sent.

Between the app and a remote terminal lie buffers of a megabyte. On a slow line they fill long before a write is
refused, and the screen falls behind by minutes. So after a frame the app sends the terminal a status request. The
time its answer takes beyond the quickest answer is the time the line needed for the frame. From that follows when
the line will be free again; until then the next frame is held back, and the newest state is drawn afterwards.

The app never waits for a terminal that has never answered. On a fast line nothing is held back, and requests are
few: four bytes in two kilobytes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Condition
from typing import NamedTuple

ASK = "\x1b[5n"  # device status report; the answer, CSI 0 n, is no key of any terminal
SOME = 2048  # bytes after which a line that is not slow is measured again
LEAST = 256  # bytes from which a frame says something about the line
SLOW = 2e-5  # seconds a byte, 50 kB/s: from there on each frame is measured
SLACK = 0.01  # seconds of what was sent that may be left when the next frame follows
LATE = 0.3  # seconds after which an answer that should have come is missed
GIVE_UP = 3.0  # seconds after which a missed answer does not come any more
STUCK = 1 << 16  # bytes the terminal has not even been handed


class _Question(NamedTuple):
    when: float
    due: float  # by when it should be answered
    sent: int  # bytes before it
    began: tuple[float, int]  # when its frame was sent, and the bytes before that


class Line:
    """What is known of the line. `answered` is called on another thread than the rest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = Condition()
        self._asked: deque[_Question] = deque()  # unanswered
        self._sent = 0  # bytes
        self._arrived = (0.0, 0)  # when the newest answer came, and the bytes before its question
        self._costs: deque[float] = deque(maxlen=3)  # seconds a byte, lately
        self._quickest: float | None = None  # answer, seconds; None: never heard
        self._busy_until = 0.0
        self._began = (0.0, 0)

    @property
    def cost(self) -> float:
        """Seconds a byte. A line is slow, or fast again, when two answers say so: a busy machine can make one late,
        and what it kept back for a while then comes at once."""
        costs = sorted(self._costs)
        middle = costs[(len(costs) - 1) // 2] if costs else 0.0
        return max(list(self._costs)[-2:]) if middle >= SLOW else middle

    @property
    def is_fast(self) -> bool:
        """Whether a frame has been measured, and the line is not slow."""
        return bool(self._costs) and self.cost < SLOW

    def wrote(self, size: int) -> None:
        """So many bytes were sent."""
        with self._changed:
            self._sent += size
            self._busy_until = max(self._busy_until, self._clock()) + size * self.cost

    def begins(self) -> str:
        """What to send before all frames, to see whether and how fast it is answered."""
        with self._changed:
            self._asked.clear()
            self._began = (self._clock(), self._sent)
            self._ask()
        return ASK

    def before_frame(self) -> None:
        with self._changed:
            self._began = (self._clock(), self._sent)

    def after_frame(self) -> str:
        """What to send after a frame: a question, or nothing."""
        with self._changed:
            newest = self._asked[-1].sent if self._asked else self._arrived[1]
            if self._quickest is None or (self.cost < SLOW and self._sent - newest < SOME):
                return ""
            self._ask()
        return ASK

    def _ask(self) -> None:
        now = self._clock()
        due = max(self._busy_until, now) + (self._quickest or 0.0) + LATE
        self._asked.append(_Question(now, due, self._sent, self._began))

    def answered(self) -> None:
        """The terminal has come to the oldest question."""
        now = self._clock()
        with self._changed:
            if not self._asked:
                return
            question = self._asked.popleft()
            took = now - question.when
            self._quickest = took if self._quickest is None else min(took, self._quickest)
            (before, bytes_before), self._arrived = self._arrived, (now, question.sent)
            began, bytes_began = question.began
            size = question.sent - max(bytes_began, bytes_before)
            if size >= LEAST:  # the line began with it when it came, or when it had done with what was before
                self._costs.append(max(0.0, now - max(began + self._quickest, before)) / size)
            self._busy_until = now - self._quickest + (self._sent - question.sent) * self.cost
            self._changed.notify_all()

    def is_free(self, pending: int = 0) -> bool:
        """Whether the next frame may follow. pending: bytes that have not even left."""
        if pending > STUCK:
            return False
        with self._changed:
            now = self._clock()
            if self._quickest is None:
                return True
            if self._asked and now > self._asked[0].due:
                if now - self._asked[0].when < GIVE_UP:
                    return False
                self._asked.clear()
            return self._busy_until - now <= SLACK

    def await_answers(self, seconds: float) -> None:
        """At the end: an answer that comes later would be read by the shell. What is missing for long is not waited
        for, be it that this terminal never answers."""
        with self._changed:
            if self._asked and self._clock() - self._asked[-1].when < GIVE_UP:
                self._changed.wait_for(lambda: not self._asked, seconds)
