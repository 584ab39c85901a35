"""Search: the problems of a law are tried one after the other, and one that breaks it is shrunk.

Hypothesis draws the problems and shrinks them. But an example of Hypothesis costs more than a call of attention, so a
stream of plans is drawn once, and every law that draws from it is held against the same plans. Only when one breaks
does Hypothesis run the law itself, on the same stream, to find that plan again and to shrink it:
docs/explanation/generation.md#one-stream-for-many-laws.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from hypothesis import Phase
from hypothesis.strategies import SearchStrategy

from attention_tests.declare.dialect import Dialect
from attention_tests.declare.features import Feature
from attention_tests.engine import few
from attention_tests.engine.calls import NUMBERS, Call
from attention_tests.engine.drawing import drive
from attention_tests.engine.explain import explain
from attention_tests.engine.law import Law, ListedPlan, Stream
from attention_tests.engine.measurements import measuring
from attention_tests.engine.minimise import minimise
from attention_tests.engine.profiles import GATE_SEED, Profile
from attention_tests.engine.verdict import Outcome, Verdict, verdict_of
from attention_tests.execution.failures import Crashed, Disagreement, Failure, NotAsked, Refused, TimedOut
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned

SECONDS_TO_SHRINK = 10.0

ENDS = Crashed | TimedOut
"""What ends the process of an implementation."""


@unwarned()
def hold(
    law: Law, subject: Subject, profile: Profile, pinned: tuple[Any, ...] = (), *, shrinking: bool = True
) -> Outcome:
    """Hold `subject` against `law` on the pinned problems and all of the profile, and explain the first breach.

    It is shrunk where that is wanted, which takes longer than all the rest.
    """
    missing = law.missing(subject)
    if missing:
        return Outcome(Verdict.UNSUPPORTED, f"{subject.implementation.name} {missing}")
    with measuring() as measured:
        # All are tried, although the first would do for a verdict, so that what is measured is measured on all.
        tried = list(_tried(law, subject, profile, pinned))
    broken_by = [(plan, failure) for plan, failure in tried if failure is not None]
    if not tried:
        return Outcome(Verdict.UNSUPPORTED, _why_not_tried(law, subject, profile))
    if not broken_by:
        return Outcome(Verdict.PASS, measured=measured)
    if not shrinking:
        ended = isinstance(broken_by[-1][1], ENDS)
        return replace(_as_it_was_found(law, subject, *broken_by[-1 if ended else 0]), measured=measured)
    ended = isinstance(failure_on(law, subject, broken_by[-1][0]), ENDS)
    return replace(_refuted(law, subject, profile, *broken_by[-1 if ended else 0]), measured=measured)


@unwarned()
def shrunk(law: Law, subject: Subject, profile: Profile, plan: Any) -> Outcome:
    """Explain how a plan breaks a law, on the smallest problem that is found."""
    return _refuted(law, subject, profile, plan, None)


def _as_it_was_found(law: Law, subject: Subject, plan: Any, failure: Failure) -> Outcome:
    explanation = explain(law, subject, plan, build(plan, subject), failure, smallest=False)
    return Outcome(verdict_of(failure), explanation, counterexample=repr(plan))


@unwarned()
def hold_pinned(law: Law, subject: Subject, pinned: tuple[Any, ...]) -> Outcome | None:
    """Hold `subject` against `law` on the pinned problems alone; None where it keeps the law on all."""
    plan = next((plan for plan in pinned if failure_on(law, subject, plan)), None)
    return plan and refuted(law, subject, plan, time.monotonic() + SECONDS_TO_SHRINK)


def that_break(law: Law, subject: Subject, profile: Profile, pinned: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield the plans on which `subject` breaks `law`, of those that are pinned and of the profile, not shrunk."""
    return (plan for plan, failure in _tried(law, subject, profile, pinned) if failure)


def _tried(
    law: Law, subject: Subject, profile: Profile, pinned: tuple[Any, ...]
) -> Iterator[tuple[Any, Failure | None]]:
    """Yield the plans that are tried, each with the failure on it; what is not asked of `subject` is not tried."""
    asked = few.as_asked(subject, profile)
    for held, plans in ((subject, pinned), (asked, problems_of(law.given, profile, subject))):
        for plan in plans:
            try:
                failure = _failure_if_asked(law, held, plan)
            except NotAsked:
                continue
            yield plan, failure
            if isinstance(failure, ENDS):
                # Every other one would cost a process, too.
                return


def problems_of(stream: Stream, profile: Profile, subject: Subject) -> tuple[Any, ...]:
    """Return the plans that `subject` is held against by every law given `stream`."""
    calls = few.calls_of(subject, profile)
    if calls is None:
        return corpus(stream, profile, subject.features)
    return _fitted(stream, profile, subject.features, calls)


@lru_cache(maxsize=256)
def _fitted(stream: Stream, profile: Profile, features: frozenset[Feature], calls: tuple[Call, ...]) -> tuple[Any, ...]:
    listed = stream.listed and stream.listed(features)
    plans, at_most = (listed, profile.listed) if listed else (_drawn(stream, profile), stream.at_most)
    return few.fitted(stream, plans, calls, features)[: min(at_most or profile.examples, profile.examples)]


def corpus(stream: Stream, profile: Profile, features: frozenset[Feature] = frozenset(Feature)) -> tuple[Any, ...]:
    """Return the plans that every law given `stream` is held against, for an implementation with `features`."""
    return _narrowed(stream, profile) if stream.listed is None else _listed(stream, profile, features)


@lru_cache(maxsize=256)
def _narrowed(stream: Stream, profile: Profile) -> tuple[Any, ...]:
    return tuple(map(stream.narrow, _drawn(stream, profile)[: stream.at_most]))


@lru_cache(maxsize=256)
def _listed(stream: Stream, profile: Profile, features: frozenset[Feature]) -> tuple[Any, ...]:
    assert stream.listed is not None
    plans = stream.listed(features)[: profile.listed]
    if profile.seed == GATE_SEED:
        return tuple(plans)
    return tuple(plan.with_seed(plan.seed + profile.seed) for plan in plans)


def _drawn(stream: Stream, profile: Profile) -> tuple[Any, ...]:
    return _drawn_from(stream.strategy, _long_enough(stream, profile))


def _long_enough(stream: Stream, profile: Profile) -> Profile:
    least = stream.at_least if profile.listed is None else min(stream.at_least, profile.listed)
    return replace(profile, examples=max(least, profile.examples))


@lru_cache(maxsize=256)
def _drawn_from(strategy: SearchStrategy[Any], profile: Profile) -> tuple[Any, ...]:
    plans: list[Any] = []
    drive(strategy, profile, (Phase.generate,), plans.append)
    return tuple(plans)


def _build(plan: Any, dtype: str, features: frozenset[Feature], dialect: Dialect) -> Any:
    return plan.build(dtype, features, dialect)


_build_once = lru_cache(maxsize=4096)(_build)
"""Builds what a plan describes once for all laws and implementations that share it."""


def build(plan: Any, subject: Subject, *, once: bool = True) -> Any:
    """Build what a plan describes, for `subject`; `once` keeps it for others that ask for the same."""
    dialect = subject.implementation.dialect.of_hiding
    return (_build_once if once else _build)(plan, subject.dtype, subject.features & plan.depends_on, dialect)


def failure_on(law: Law, subject: Subject, plan: Any) -> Failure | None:
    """Return how `subject` breaks `law` on what `plan` describes; None where it keeps it, or takes no such call."""
    with suppress(NotAsked):
        return _failure_if_asked(law, subject, plan)
    return None


def _failure_if_asked(law: Law, subject: Subject, plan: Any) -> Failure | None:
    once = law.given.listed is None or plan.call(subject.features).sizes.numbers <= NUMBERS
    return law.failure(subject, build(plan, subject, once=once))


def _failure_with(law: Law, subject: Subject, drawn: Any) -> Failure | None:
    with suppress(NotAsked):
        return law.failure(subject, drawn)
    return None


def _why_not_tried(law: Law, subject: Subject, profile: Profile) -> str:
    """Say in one sentence why no problem of a law was tried."""
    plan = next(iter(problems_of(law.given, profile, subject)), None)
    if plan is not None and subject.implementation.refuses:
        try:
            _failure_if_asked(law, few.as_asked(subject, profile), plan)
        except Refused as refusal:
            return f"all of its problems were refused; the first: {refusal.sentence}"
        except NotAsked:
            pass
    return few.not_asked(subject, profile)


def _refuted(law: Law, subject: Subject, profile: Profile, broken_by: Any, first: Failure | None) -> Outcome:
    failure = failure_on(law, subject, broken_by)
    # Every attempt costs a process, and the time that a call may take: the first crash is shrunk, to stand for others.
    if isinstance(failure, TimedOut) or (isinstance(failure, Crashed) and subject.executor.losses > 1):
        return refuted(law, subject, broken_by, time.monotonic())
    plan = broken_by if failure is None else _shrunk(law, subject, profile, broken_by, type(failure))
    return refuted(law, subject, plan, time.monotonic() + SECONDS_TO_SHRINK, first if plan is broken_by else None)


def refuted(law: Law, subject: Subject, plan: Any, deadline: float, first: Failure | None = None) -> Outcome:
    """Explain how a plan breaks a law, on the smallest input that is found by `deadline` (of `time.monotonic`).

    `first` is how it broke the law before, and is shown where it does so no more.
    """
    found = build(plan, subject)
    again = _failure_with(law, subject, found)
    first, kind = again or first, type(again)

    def breaks_likewise(drawn: Any) -> bool:
        return time.monotonic() < deadline and isinstance(_failure_with(law, subject, drawn), kind)

    smallest = minimise(found, breaks_likewise) if kind is not type(None) else found
    failure = _failure_with(law, subject, smallest)
    if failure is None:
        smallest, failure = found, _only_once(subject, first)
    explanation = explain(law, subject, plan, smallest, failure)
    return Outcome(verdict_of(failure), explanation, counterexample=repr(plan), broken_on=smallest)


def _only_once(subject: Subject, first: Failure | None) -> Disagreement:
    """Return how a law was broken that is kept by now, with the numbers of the first time."""
    sentence = f"{subject} broke the law once and kept it when called again with the same problem"
    if first is None:
        return Disagreement(sentence)
    told = f"{sentence}. The first time: {first.sentence}"
    if not isinstance(first, Disagreement):
        return Disagreement(told)
    return Disagreement(
        told, got=first.got, expected=first.expected, where=first.where, bound=first.bound, relation=first.relation
    )


def _shrunk(law: Law, subject: Subject, profile: Profile, broken_by: Any, kind: type[Failure]) -> Any:
    """Return a smaller plan that breaks the law in the same way, with a failure of this kind."""
    if law.given.listed is not None or few.calls_of(subject, profile) is not None:
        return _simplest(law, subject, broken_by, kind)
    return _shrunk_by_hypothesis(law, subject, profile, broken_by, kind)


def _simplest(law: Law, subject: Subject, plan: ListedPlan, kind: type[Failure]) -> ListedPlan:
    """Take the first simpler plan that breaks the law, again and again, until there is none."""
    deadline = time.monotonic() + SECONDS_TO_SHRINK
    while time.monotonic() < deadline:
        simpler = (one for one in plan.simpler() if isinstance(failure_on(law, subject, one), kind))
        found = next(simpler, None)
        if found is None:
            break
        plan = found
    return plan


def _shrunk_by_hypothesis(law: Law, subject: Subject, profile: Profile, broken_by: Any, kind: type[Failure]) -> Any:
    """Let Hypothesis find the plan again, on the same stream, and shrink it."""
    failing = [broken_by]
    deadline = time.monotonic() + SECONDS_TO_SHRINK

    def examine(drawn: Any) -> None:
        plan = law.given.narrow(drawn)
        failure = failure_on(law, subject, plan) if time.monotonic() < deadline else None
        if failure is not None and isinstance(failure, kind):
            failing.append(plan)
            raise failure

    # Hypothesis raises what `examine` raised, or its own word for a failure that does not come back every time.
    with suppress(Exception):
        drive(law.given.strategy, _long_enough(law.given, profile), (Phase.generate, Phase.shrink), examine)
    return failing[-1]
