"""Copies of a process that has imported its target: one serves until it ends, and then the next one.

To import a framework takes longer than all laws that a crash decides.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from attention_tests.execution.isolation.wire import Ended, Line, encode

TO_THE_NEXT = signal.SIGUSR1
"""The signal that ends the copy which serves now."""


def can_be_copied() -> bool:
    """Tell whether this process has no other threads, which a copy would not have and might wait for."""
    return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names are all that is needed


def serve_in_copies(line: Line, serve: Callable[[], None]) -> None:
    """Let one copy after the other serve, and say how each has ended, until the other side goes away."""
    serving = 0

    def end_it(_signal: int, _frame: FrameType | None) -> None:
        if serving:
            _kill(serving)

    def end_all(_signal: int, _frame: FrameType | None) -> NoReturn:
        end_it(_signal, _frame)
        os._exit(0)

    signal.signal(TO_THE_NEXT, end_it)
    signal.signal(signal.SIGTERM, end_all)
    with suppress(OSError):
        while True:
            serving = os.fork()
            if not serving:
                _serve(serve)
            _, status = os.waitpid(serving, 0)
            # What it started itself is ended with it.
            _kill(serving)
            serving = 0
            line.send(encode(Ended(os.waitstatus_to_exitcode(status))))


def _serve(serve: Callable[[], None]) -> NoReturn:
    for one in (TO_THE_NEXT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    os.setpgid(0, 0)
    try:
        serve()
    finally:
        os._exit(1)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
