"""An implementation in a process of its own, which may crash, hang or lie, and takes nothing else with it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from functools import partial

from attention_tests.declare.implementation import Implementation
from attention_tests.declare.validation import problems_of
from attention_tests.execution.executor import Executor
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.isolation.executor import RemoteExecutor
from attention_tests.execution.isolation.process import Limits, Process
from attention_tests.execution.isolation.running import Running
from attention_tests.frameworks.found import Arrays
from attention_tests.targets.registry import REGISTRY
from attention_tests.targets.resolve import ANY_ARRAYS, resolve
from attention_tests.text.wording import BadTarget

POSSIBLE: bool = sys.platform == "linux"
"""Whether this system has what it takes: Linux has."""


def isolated(target: str, limits: Limits, arrays: Arrays = ANY_ARRAYS) -> tuple[Implementation, Executor]:
    """Import a target in a process of its own, and return what it declares and the executor that runs it.

    Its memory is limited on the CPU only: the driver of a GPU takes parts of the address space that it never fills.
    Raises BadTarget with one sentence if it cannot be imported, or its declarations make no sense.
    """
    if arrays.device != "cpu":
        limits = replace(limits, gibibytes=0.0)
    return _started(Process(target, limits, partial(Running.spawned, target, arrays)))


THREADED = ("jax", "tensorflow", "mlx")
"""Packages that compute on threads of their own, which a copy of a process does not have, and would wait for."""


def no_copy(framework: str, device: str) -> str:
    """Say why a copy of this process could not run what a framework computes; empty if it could."""
    if device != "cpu":
        return f"a copy of this process cannot use the device {device}"
    begun = framework in THREADED and framework in sys.modules
    return f"a copy of this process cannot use {framework}, which has threads of its own here" if begun else ""


def copied(implementation: Implementation, limits: Limits) -> tuple[Implementation, Executor]:
    """Run an implementation of this process in a copy of it, and return what it declares and its executor."""
    from attention_tests.execution.isolation.forked import forked  # noqa: PLC0415 - needs what only POSSIBLE systems have

    return _started(Process(implementation.name, limits, partial(forked, implementation)))


def _started(process: Process) -> tuple[Implementation, Executor]:
    implementation = process.start()
    if problem := next(problems_of(implementation), ""):
        raise BadTarget(f"{process.target}: {problem}")
    return implementation, RemoteExecutor(process)


@dataclass(frozen=True)
class Isolation:
    """The choice of targets that run in a process of their own, and the limits of each."""

    everything: bool | None = None
    """All, or none; None: those that are not of the suite's own gate."""
    limits: Limits = field(default_factory=Limits)
    arrays: Arrays = ANY_ARRAYS
    """The arrays that bare callables are given."""

    def of_all(self) -> Isolation:
        """Isolate also what is of the gate, unless nothing is to be isolated or this system cannot."""
        return replace(self, everything=POSSIBLE) if self.everything is None else self

    def bring(self, target: str) -> tuple[Implementation, Executor]:
        """Import a target, and return what it declares and its executor. Raises BadTarget if it cannot be imported."""
        foreign = target not in REGISTRY.implementations.gate()
        if (POSSIBLE and foreign) if self.everything is None else self.everything:
            return isolated(target, self.limits, self.arrays)
        implementation = resolve(target, self.arrays)
        return implementation, LocalExecutor(implementation)
