"""A process that is a copy of this one, for a callable that no other could import: a closure, or one of a notebook."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import warnings
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import IO

from attention_tests.declare.implementation import Implementation
from attention_tests.execution.isolation.running import Child, Running
from attention_tests.execution.isolation.wire import Line
from attention_tests.execution.isolation.worker import answer, declare, limit

FORK = get_context("fork")


class Forked:
    """A child of this process, as `subprocess` would have it."""

    def __init__(self, process: ForkProcess) -> None:
        assert process.pid is not None, "it was started"
        self._process, self.pid = process, process.pid
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has ended, and release what it used here. Raises subprocess.TimeoutExpired."""
        if self.returncode is not None:
            return
        self._process.join(timeout)
        self.returncode = self._process.exitcode
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a copy of this process", timeout or 0.0)
        self._process.close()


def forked(implementation: Implementation, bytes_at_most: int) -> Running:
    """Start a copy of this process that serves an implementation, with so much memory besides what there is now."""

    def start(theirs: socket.socket, printed: IO[bytes]) -> Child:
        process = FORK.Process(target=_serve, args=(theirs, printed, bytes_at_most, implementation), daemon=True)
        with warnings.catch_warnings():
            # Python warns where there are other threads, whose locks nobody would release. The copy calls the
            # implementation alone, on one thread of its own.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        return Forked(process)

    return Running(start)


def _serve(theirs: socket.socket, printed: IO[bytes], bytes_at_most: int, implementation: Implementation) -> None:
    # What it starts itself is ended with it.
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number, file in enumerate((nothing, nothing, printed.fileno())):
        os.dup2(file, number)
    limit(bytes_at_most and bytes_at_most + _bytes_now())
    torch = sys.modules.get("torch")
    if torch is not None:
        # Its other threads, if it has had any, are not in this copy, which would wait for them.
        torch.set_num_threads(1)
    line = Line(theirs)
    declare(line, implementation)
    answer(line, implementation)


def _bytes_now() -> int:
    """Return how much memory of its own this process has."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[5]) * resource.getpagesize()
