"""The process of an implementation: started when it is needed, ended when it goes wrong, and then replaced."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from attention_tests.declare.implementation import Implementation
from attention_tests.execution.failures import Crashed, TimedOut
from attention_tests.execution.isolation.running import GONE, Running
from attention_tests.execution.isolation.wire import Declared, Ended, Message, Refused
from attention_tests.text.wording import BadTarget

SECONDS_TO_IMPORT = 300.0
SECONDS_TO_END = 5.0
"""The longest time until a copy that was ended is known to have."""
ON_ITS_WAY = 1 << 16
"""The length of a question of which a part may lie between two processes."""
SHORTER = 10
"""By how much less time a call gets once the implementation has not answered one; and how many times as long as the
longest call that it did answer, once it has not answered two."""
SHORTEST = 0.5
"""The seconds that any call gets."""


@dataclass(frozen=True)
class Limits:
    """The limits of an implementation."""

    seconds: float = 60.0
    """The longest time of one call."""
    gibibytes: float = 8.0
    """The largest memory of the process; 0: any."""


class Process:
    """A process for one target."""

    def __init__(self, target: str, limits: Limits, begin: Callable[[int], Running]) -> None:
        self.target = target
        self._begin = begin
        self.losses = 0
        self._limits = limits
        self._seconds = limits.seconds
        self._running: Running | None = None
        self._longest = 0.0
        """The seconds of the longest question that was answered."""
        self._deadly: dict[bytes, Crashed | TimedOut] = {}

    def start(self) -> Implementation:
        """Import the target in a new process, and return what it declares. Raises BadTarget where it cannot be."""
        running = self._begin(int(self._limits.gibibytes * 2**30))
        try:
            match running.receive(SECONDS_TO_IMPORT):
                case Declared(implementation):
                    self._running = running
                    return implementation
                case Refused(sentence):
                    why = sentence
                case _:
                    why = f"{self.target}: its process declares nothing"
        except TimeoutError:
            why = f"{self.target}: importing it took more than {SECONDS_TO_IMPORT:g} seconds"
        except ValueError as error:
            why = f"{self.target}: its process declares what makes no sense ({error})"
        except GONE:
            why = f"{self.target}: while it was imported, {running.end()}"
        running.end_at_last()
        raise BadTarget(why)

    def ask(self, message: Any) -> Message:
        """Have a message answered. Raises Crashed or TimedOut, and at once if this message has led to it before."""
        if self._running is None:
            self._start_again()
        running = self._running
        assert running is not None
        question = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        if question in self._deadly:
            raise self._deadly[question]
        try:
            start = time.monotonic()
            running.line.send(question)
            answer = running.receive(self._seconds)
            if not isinstance(answer, Ended):
                self._longest = max(self._longest, time.monotonic() - start)
                return answer
            failure: Crashed | TimedOut = Crashed(f"{self.target}: {running.how_it_ended(answer.code)}")
            self._keep(running, question)
        except GONE:
            failure = Crashed(f"{self.target}: {running.end()}")
            self._running = None
        except TimeoutError:
            failure = TimedOut(f"{self.target} gave no answer for {self._seconds:g} seconds", self._seconds)
            self._seconds = self._shorter()
            self._end_late(running, question)
        self.losses += 1
        self._deadly[question] = failure
        raise failure

    def _shorter(self) -> float:
        """Return how long a call may take after one that did not end: less, and less again after two."""
        if self._seconds == self._limits.seconds:
            return self._limits.seconds / SHORTER
        return min(self._seconds, max(SHORTER * self._longest, SHORTEST))

    def _keep(self, running: Running, question: bytes) -> None:
        """Go on with the next copy, unless part of the question may still be on its way to the one that ended."""
        if len(question) > ON_ITS_WAY:
            running.end()
            self._running = None

    def _end_late(self, running: Running, question: bytes) -> None:
        """End the copy that does not answer, or the process as a whole where it serves itself."""
        try:
            running.end_this_copy()
            running.line.listen_again()
            while not isinstance(running.receive(SECONDS_TO_END), Ended):
                pass
            running.how_it_ended(0)
            self._keep(running, question)
        except (*GONE, TimeoutError):
            running.end()
            self._running = None

    def end(self) -> None:
        """End it without a loss; the next question starts it again."""
        if self._running is not None:
            self._running.end_at_last()
            self._running = None

    def _start_again(self) -> None:
        try:
            self.start()
        except BadTarget as refusal:
            raise Crashed(f"{self.target} cannot be started again: {refusal}") from None
