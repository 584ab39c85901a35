"""Evidence: what an implementation answered, rightly and wrongly, to the problems of the laws."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Precision
from attention_tests.engine import few
from attention_tests.engine.calls import NUMBERS
from attention_tests.engine.law import Law, Stream
from attention_tests.engine.profiles import Profile
from attention_tests.engine.search import build, problems_of
from attention_tests.execution.failures import FAILURES, Crashed, NotAsked, TimedOut
from attention_tests.execution.subject import Subject
from explanations.aspect import ASPECTS, Aspect
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@dataclass(frozen=True, eq=False)
class Observation:
    """One answer of an implementation."""

    aspect: Aspect
    problem: Any
    precision: Precision
    answers: Sequence[Array]
    right: Sequence[Interval]
    allowed: dict[object, bool] = field(default_factory=dict)
    """Whether an explanation predicts it, of those that were tried."""
    explained: dict[object, bool] = field(default_factory=dict)
    """Whether an explanation predicts it and nothing that is right."""

    @property
    def is_right(self) -> bool:
        """Whether the answer is inside the bound."""
        return self.fits(self.right)

    def fits(self, predicted: Sequence[Interval]) -> bool:
        """Tell whether the answer is one that was predicted."""
        return all(
            one.value.shape == got.shape and bool(one.accepts(got).all())
            for one, got in zip(predicted, self.answers, strict=True)
        )

    def is_explained_by(self, predicted: Sequence[Interval]) -> bool:
        """Tell whether the answer is one that was predicted, and what is right is not.

        No wrong element may be one of which nothing is promised, and at some of them the right value must be outside
        of what is predicted: a bound that is wide enough for both explains nothing.
        """
        return self.is_allowed_by(predicted) and self.excludes_the_right(predicted)

    def excludes_the_right(self, predicted: Sequence[Interval]) -> bool:
        """Tell whether what is right of some wrong element is not what was predicted."""
        return any(
            bool((~right.accepts(got) & ~one.accepts(right.value)).any())
            for one, right, got in zip(predicted, self.right, self.answers, strict=True)
        )

    def is_allowed_by(self, predicted: Sequence[Interval]) -> bool:
        """Tell whether the answer is one that was predicted, and no wrong element one of which nothing is promised."""
        return self.fits(predicted) and not any(
            bool((~right.accepts(got) & one.vacuous).any())
            for one, right, got in zip(predicted, self.right, self.answers, strict=True)
        )


@dataclass(frozen=True)
class Evidence:
    """All answers that are looked at."""

    wrong: list[Observation]
    """Those that are outside the bound, the smallest problem first."""
    right: list[Observation]


LARGE = 8
"""The number of problems, of those too large to keep, that are asked again."""
LARGEST = 2**18
"""The numbers of a problem, at most, of which explanations are tried, which take seconds each of larger ones."""
LARGE_OF_A_STREAM = 2
"""The number of problems, of those of a stream that are too large to keep, that are asked again."""
STREAMS = 8
"""The number of streams, of those of broken laws, whose other problems are asked as well."""


def evidence_of(
    subject: Subject, broken: Iterable[tuple[Law, Any]], streams: Iterable[Stream], profile: Profile
) -> Evidence:
    """Ask what broke laws, a law and a plan each, and what others are asked; small problems were answered before.

    What else these laws are asked tells apart mistakes at sizes that few laws ask about.
    """
    asked = few.as_asked(subject, profile)
    observed: dict[tuple[Aspect, Any], Observation] = {}
    broken = list(broken)
    all_streams = dict.fromkeys([*streams, *islice(dict.fromkeys(law.given for law, _ in broken), STREAMS)])
    drawn = chain(_built(subject, (plan for _, plan in broken), LARGE), _of_streams(subject, all_streams, profile))
    with suppress(Ended):
        for problem in drawn:
            _observe(asked, problem, observed)
    by_size = sorted(observed.values(), key=lambda one: one.problem.numbers)
    evidence = Evidence([], [])
    for one in by_size:
        (evidence.right if one.is_right else evidence.wrong).append(one)
    return evidence


class Ended(Exception):  # noqa: N818 - no error
    """A process ended where an answer was asked for: nothing more is, for each question may cost another."""


def _observe(subject: Subject, problem: Any, observed: dict[tuple[Aspect, Any], Observation]) -> None:
    for aspect in ASPECTS:
        if isinstance(problem, aspect.of) and aspect.is_exposed_by(subject) and (aspect, problem) not in observed:
            observation = _observed(subject, aspect, problem)
            if observation is not None:
                observed[aspect, problem] = observation


def _of_streams(subject: Subject, streams: Iterable[Stream], profile: Profile) -> Iterator[Any]:
    for stream in streams:
        yield from _built(subject, problems_of(stream, profile, subject), LARGE_OF_A_STREAM)


def _built(subject: Subject, plans: Iterable[Any], large: int) -> Iterator[Any]:
    for plan in plans:
        problem = build(plan, subject)
        if problem.numbers > NUMBERS:
            large -= 1
        if problem.numbers <= NUMBERS or (large >= 0 and problem.numbers <= LARGEST):
            yield problem


def _observed(subject: Subject, aspect: Aspect, problem: Any) -> Observation | None:
    """Return an answer and what is right; None where there is none. Raises `Ended` where asking cost a process."""
    try:
        answers = aspect.ask(subject, problem)
        subject.executor.settle()
    except (Crashed, TimedOut) as failure:
        raise Ended from failure
    except (*FAILURES, NotAsked):
        return None
    finally:
        subject.abandon()
    right = aspect.right(problem, subject.precision)
    return Observation(aspect, problem, subject.precision, answers, right)
