"""One process that runs an implementation, from its start to its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import IO, Protocol, Self

from attention_tests.environment.suite import FOLDER, PACKAGE
from attention_tests.execution.isolation.copies import TO_THE_NEXT
from attention_tests.execution.isolation.wire import Line, Message, decode
from attention_tests.frameworks.found import Arrays

LAST_WORDS = 1000
SECONDS_TO_END = 0.2
"""The time that a process gets to end by itself."""
COMMAND = """\
import sys
sys.path[:0] = sys.argv[1:3]
from attention_tests.pytest_plugin.registration import hand_in_implementations
hand_in_implementations()
from attention_tests.execution.isolation.worker import main
from attention_tests.frameworks.found import Arrays
main(int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], Arrays(*sys.argv[6:]))
"""
GONE = (EOFError, ConnectionError, ValueError)
"""What is raised by a process that does not speak any more, or talks nonsense."""


class Closable(Protocol):
    """A resource to close in the end."""

    def close(self) -> None:
        """Close it."""


class Child(Protocol):
    """A process that was started here."""

    @property
    def pid(self) -> int:
        """Its number, and that of its group."""

    @property
    def returncode(self) -> int | None:
        """The code that it ended with; None while it runs."""

    def wait(self, timeout: float | None = None) -> object:
        """Wait until it has ended. Raises subprocess.TimeoutExpired."""


class Running:
    """A process that has been started, and is ended with this object if not before."""

    def __init__(self, start: Callable[[socket.socket, IO[bytes]], Child]) -> None:
        ours, theirs = socket.socketpair()
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._said_before = 0
        self._process = start(theirs, self._printed)
        theirs.close()
        self.line = Line(ours)
        self.end_at_last = weakref.finalize(self, _end, self._process, (self.line, self._printed))

    @classmethod
    def spawned(cls, target: str, arrays: Arrays, bytes_at_most: int) -> Self:
        """Start a new interpreter that imports a target."""

        def start(theirs: socket.socket, printed: IO[bytes]) -> Child:
            found_in = [str(PACKAGE.parent), str(FOLDER)]
            arguments = [*found_in, str(theirs.fileno()), str(bytes_at_most), target, arrays.framework, arrays.device]
            return subprocess.Popen(  # noqa: S603 - the implementation that the caller named
                # Without -P the caller's folder would come before the libraries.
                [sys.executable, "-P", "-c", COMMAND, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=printed,
                pass_fds=(theirs.fileno(),),
                # What it starts itself is ended with it.
                start_new_session=True,
            )

        return cls(start)

    def receive(self, seconds: float) -> Message:
        """Wait for a message, and for `seconds` since the last call began. Raises TimeoutError, or one of `GONE`."""
        return decode(self.line.receive(seconds))

    def how_it_ended(self, code: int) -> str:
        """Say in words how the copy ended that served until now."""
        return _how(code) + self._last_words()

    def end_this_copy(self) -> None:
        """End the copy that serves, which the process itself then says; it ends as a whole if it serves itself."""
        os.kill(self._process.pid, TO_THE_NEXT)

    def end(self) -> str:
        """End it if it has not ended, and say in words how it did."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        how = _how(self._process.returncode) + self._last_words()
        self.end_at_last()
        return how

    def _last_words(self) -> str:
        end = self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(self._said_before, end - LAST_WORDS))
        said = self._printed.read(end - self._printed.tell()).decode(errors="replace").strip()
        self._said_before = end
        return f"; its last words:\n{said}" if said else ""


def _end(process: Child, used: Iterable[Closable]) -> None:
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        # A process that serves in copies ends what they have started.
        os.kill(process.pid, signal.SIGTERM)
        process.wait(timeout=SECONDS_TO_END)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for one in used:
        one.close()


def _how(code: int | None) -> str:
    if code is None:
        return "its process closed the connection"
    if code >= 0:
        return f"its process exited with code {code}"
    return f"its process was ended by {signal.Signals(-code).name}"
