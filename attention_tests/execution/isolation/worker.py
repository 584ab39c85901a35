"""The process of one implementation: imports it, does what it is asked to, and sends back numbers and words."""

from __future__ import annotations

import ctypes
import faulthandler
import pickle
import resource
import signal
import socket
import sys
from functools import partial
from pathlib import Path

from attention_tests.declare.implementation import Implementation
from attention_tests.environment import suite
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.isolation.copies import can_be_copied, serve_in_copies
from attention_tests.execution.isolation.declaration import without_callables
from attention_tests.execution.isolation.operations import Operations
from attention_tests.execution.isolation.wire import Declared, Line, Refused, encode
from attention_tests.frameworks.found import Arrays
from attention_tests.guards.warnings import unwarned
from attention_tests.targets.registry import REGISTRY
from attention_tests.targets.resolve import resolve
from attention_tests.text.wording import BadTarget

LARGEST_FILE = 1 << 28
PR_SET_PDEATHSIG = 1


def main(connection: int, bytes_at_most: int, target: str, arrays: Arrays) -> None:
    """Serve until the other side goes away."""
    limit(bytes_at_most)
    line = Line(socket.socket(fileno=connection))
    try:
        implementation = _imported(target, arrays)
    except BadTarget as refusal:
        line.send(encode(Refused(str(refusal))))
        return
    declare(line, implementation)
    if arrays.device == "cpu" and can_be_copied():
        serve_in_copies(line, partial(_serve_a_while, line, implementation))
    else:
        answer(line, implementation)


def _serve_a_while(line: Line, implementation: Implementation) -> None:
    end_with_parent()
    answer(line, implementation)


def limit(bytes_at_most: int) -> None:
    """Limit what this process may take, which ends with the one that started it."""
    faulthandler.enable()
    end_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    if bytes_at_most:
        resource.setrlimit(resource.RLIMIT_DATA, (bytes_at_most, bytes_at_most))


def end_with_parent() -> None:
    """End with the process that started this one: nobody would stop an endless loop whose suite was killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _imported(target: str, arrays: Arrays) -> Implementation:
    ours = target in REGISTRY.implementations.names()
    # The suite has what it needs of itself by now. What it compares with is nothing for an implementation to find,
    # and the names are free for the caller's own packages.
    freed = suite.COMPARED_WITH if ours else suite.PACKAGES
    for name in [name for name in sys.modules if name.partition(".")[0] in freed]:
        del sys.modules[name]
    if not ours:
        others = [place for place in sys.path if place != str(suite.FOLDER)]
        sys.path[:] = [*others, str(Path.cwd()), *([] if suite.FOLDER == suite.INSIDE else [str(suite.FOLDER)])]
    return resolve(target, arrays)


def declare(line: Line, implementation: Implementation) -> None:
    """Say what is declared."""
    line.send(encode(Declared(without_callables(implementation))))


def answer(line: Line, implementation: Implementation) -> None:
    """Do what is asked for, until the other side goes away."""
    operations = Operations(LocalExecutor(implementation, line.say_that_a_call_begins))
    with unwarned():
        while True:
            try:
                # The suite asks, and the implementation trusts it.
                forgotten, asked = pickle.loads(line.receive())  # noqa: S301
            except (EOFError, ConnectionError):
                return
            line.send(encode(operations.perform(forgotten, asked)))
