"""Holding a kernel against every law, in a process of its own where that can be."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from attention_tests.claims.finding import found_out
from attention_tests.claims.words import said
from attention_tests.declare.implementation import Implementation
from attention_tests.diagnosis.shown import in_short
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import PROFILES, Profile, profile_named
from attention_tests.engine.row import Row
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.executor import Executor
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.isolation import POSSIBLE, copied, isolated, no_copy
from attention_tests.execution.isolation.process import Limits
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import subjects_of, trial
from attention_tests.frameworks.found import Arrays, framework_of
from attention_tests.pytest_plugin.registration import hand_in
from attention_tests.targets.resolve import implementation_of, resolve
from attention_tests.text.wording import BadTarget, unknown
from attention_tests.verification.report import Report

Kernel = Callable[..., Any] | Implementation | str

_ONE_AT_A_TIME = Lock()
"""Problems are drawn, and warnings kept, by what belongs to the whole process."""


def report_of(  # noqa: PLR0913 - everything that `verify` is told
    kernel: Kernel,
    *,
    profile: str,
    dtypes: Collection[str],
    arrays: Arrays,
    isolate: bool | None,
    limits: Limits,
) -> Report:
    """Return what became of a kernel: see `verify`."""
    if profile not in PROFILES:
        raise BadTarget(f"profile: {unknown(profile, PROFILES)}")
    if isolate and not POSSIBLE:
        raise BadTarget("isolate=True needs Linux: leave it out, and run only what you trust")
    with _ONE_AT_A_TIME:
        hand_in()
        with _brought(kernel, limits, arrays, isolate=isolate) as (implementation, executor):
            return _report(implementation, executor, tuple(dtypes), profile_named(profile))


@contextmanager
def _brought(
    kernel: Kernel, limits: Limits, arrays: Arrays, *, isolate: bool | None
) -> Iterator[tuple[Implementation, Executor]]:
    """Bring in a kernel, and let its process end."""
    if isinstance(kernel, str):
        apart = POSSIBLE if isolate is None else isolate
        implementation, executor = isolated(kernel, limits, arrays) if apart else _here(resolve(kernel, arrays))
    else:
        named = implementation_of(kernel, _name(kernel), arrays)
        apart = _may_be_copied(arrays.framework or _framework_of(kernel), arrays.device, isolate=isolate)
        implementation, executor = copied(named, limits) if apart else _here(named)
    try:
        yield implementation, executor
    finally:
        executor.rest()


def _here(implementation: Implementation) -> tuple[Implementation, Executor]:
    return implementation, LocalExecutor(implementation)


def _framework_of(kernel: Callable[..., Any] | Implementation) -> str:
    if not isinstance(kernel, Implementation):
        return framework_of(kernel)
    named = (framework_of(getattr(kernel, step)) for step in kernel.steps)
    return next((name for name in named if name != "numpy"), "numpy")


def _may_be_copied(framework: str, device: str, *, isolate: bool | None) -> bool:
    """Tell whether a callable is to run in a copy of this process. Raises BadTarget where it must and cannot."""
    why_not = no_copy(framework, device)
    if isolate and why_not:
        raise BadTarget(f"isolate=True: {why_not}; name the kernel as package.module:callable, or leave isolate out")
    return (POSSIBLE and not why_not) if isolate is None else isolate


def _name(kernel: object) -> str:
    return str(getattr(kernel, "name", None) or getattr(kernel, "__name__", None) or type(kernel).__name__)


def _report(given: Implementation, executor: Executor, dtypes: tuple[str, ...], profile: Profile) -> Report:
    claims = found_out(given, executor)
    implementation = claims.implementation if claims else given
    subjects = subjects_of([implementation], dtypes, {implementation.name: executor})
    sentences = {} if claims else {subject.dtype: trial(subject) for subject in subjects}
    if sentences and all(sentences.values()):
        return Report(implementation.name, [], refusal=next(iter(sentences.values())))
    rows = [row for subject in subjects for row in _rows(subject, sentences.get(subject.dtype, ""), profile)]
    failures = in_short(rows, subjects, profile)
    shown = {row.key: row for row in failures.shown}
    rows = [shown.get(row.key, row) for row in rows]
    return Report(implementation.name, rows, said(claims) if claims else (), of_failures=failures)


def _rows(subject: Subject, unverifiable: str, profile: Profile) -> Iterator[Row]:
    for law in all_laws():
        start = time.perf_counter()
        outcome = Outcome(Verdict.ERROR, unverifiable) if unverifiable else hold(law, subject, profile, shrinking=False)
        yield Row.of(law, subject, outcome, time.perf_counter() - start, calls=subject.account.taken())
