"""Fitting: which explanations predict every answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from attention_tests import Precision
from explanations.aspect import Aspect
from explanations.circumstances import WHERE, Circumstance, in_words, separating
from explanations.evidence import Evidence, Observation
from explanations.explanation import Explanation
from reference.bounds.interval import Interval

MOST_CIRCUMSTANCES = 2
"""The number of circumstances, at most, under which a mistake is made that is made under no others."""


def fitting(explanations: Iterable[Explanation], evidence: Evidence) -> list[Explanation]:
    """Return the explanations that predict every answer, and of some wrong one more than that anything may be."""
    return [one for one in explanations if _fits(one, evidence)]


def allowing(explanations: Iterable[Explanation], evidence: Evidence) -> list[Explanation]:
    """Return the explanations inside whose bounds every answer is, which may be wide enough for the right one, too."""
    answers = [*evidence.wrong, *evidence.right]
    return [one for one in explanations if all(answer.is_allowed_by(_predicted(one, answer)) for answer in answers)]


ENOUGH = 3
"""The number of wrong answers, at least, that show a mistake which is made under circumstances that are not known."""


@dataclass(frozen=True, eq=False)
class Sometimes:
    """A mistake that is made under some circumstances only."""

    mistake: Explanation
    circumstances: tuple[Circumstance, ...]
    """Those under which it is made; none where they are not known."""
    contradictions: int
    """The number of right answers that it would contradict if it were made always."""

    @property
    def rank(self) -> tuple[bool, int]:
        """The rank among others, the lowest first: few circumstances, or few contradictions where none is known."""
        known = len(self.circumstances)
        return (False, known) if known else (True, self.contradictions)

    @property
    def name(self) -> str:
        """The name of the mistake."""
        return self.mistake.name

    @property
    def says(self) -> str:
        """The mistake, and where it is made."""
        return f"{self.mistake.says}, {self._where}"

    @property
    def _where(self) -> str:
        return f"only with {in_words(self.circumstances)}" if self.circumstances else "but not always"

    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return what a kernel would answer that computes this."""
        if self._is_made(aspect, problem):
            return self.mistake.predicts(aspect, problem, precision)
        return aspect.right(problem, precision)

    def leaves(self, aspect: Aspect, problem: Any) -> bool:
        """Tell whether the mistake is not made under these circumstances, or changes nothing."""
        return not self._is_made(aspect, problem) or self.mistake.leaves(aspect, problem)

    def _is_made(self, aspect: Aspect, problem: Any) -> bool:
        return bool(self.circumstances) and all(one.holds(aspect, problem) for one in self.circumstances)


def fitting_sometimes(explanations: Iterable[Explanation], evidence: Evidence) -> list[Explanation]:
    """Return the explanations of all wrong answers, with the circumstances that right ones do not contradict."""
    found: list[Sometimes] = []
    for one in explanations:
        if explains_all(one, evidence.wrong):
            contradicted = [observation for observation in evidence.right if not predicts(one, observation)]
            where = separating(evidence.wrong, contradicted, WHERE, MOST_CIRCUMSTANCES)
            if where or (len(evidence.wrong) >= ENOUGH and _predicts_numbers(one, evidence.wrong)):
                found.append(Sometimes(one, where, len(contradicted)))
    simplest = min((one.rank for one in found), default=None)
    return [one for one in found if one.rank == simplest]


def _predicts_numbers(explanation: Explanation, wrong: Iterable[Observation]) -> bool:
    """Tell whether what is predicted of wrong elements are numbers: NaN comes of many mistakes."""
    return all(
        bool(np.isfinite(one.value[~right.accepts(got)]).all())
        for observation in wrong
        for one, right, got in zip(
            _predicted(explanation, observation), observation.right, observation.answers, strict=True
        )
    )


def told_apart(found: Iterable[Explanation], wrong: Sequence[Observation]) -> list[Explanation]:
    """Return the explanations of which some wrong answer could tell each from all before it."""
    apart: list[tuple[Explanation, list[Interval]]] = []
    for one in found:
        predictions = [interval for observation in wrong for interval in _predicted(one, observation)]
        if not any(_same(predictions, others) for _, others in apart):
            apart.append((one, predictions))
    return [one for one, _ in apart]


def _same(some: Sequence[Interval], others: Sequence[Interval]) -> bool:
    """Tell whether two explanations predict the same, as far as an answer could tell."""
    return all(not _are_apart(one, other) for one, other in zip(some, others, strict=True))


@np.errstate(all="ignore")
def _are_apart(one: Interval, other: Interval) -> bool:
    distance = np.abs(one.value - other.value)
    known = ~(one.vacuous | other.vacuous)
    finite = np.isfinite(one.value) == np.isfinite(other.value)
    return bool((known & ((distance > one.tolerance + other.tolerance) | ~finite)).any())


def _fits(explanation: Explanation, evidence: Evidence) -> bool:
    return explains_all(explanation, evidence.wrong) and all(predicts(explanation, one) for one in evidence.right)


def explains_all(explanation: Explanation, wrong: Sequence[Observation]) -> bool:
    """Tell whether every wrong answer is one that was predicted, and of most of them the right one is not."""
    if not all(allows(explanation, observation) for observation in wrong):
        return False
    return 2 * sum(explains(explanation, observation) for observation in wrong) > len(wrong)


def allows(explanation: Explanation, observation: Observation) -> bool:
    """Tell whether an explanation predicts a wrong answer."""
    if explanation not in observation.allowed:
        predicted = _predicted(explanation, observation)
        allowed = observation.is_allowed_by(predicted)
        observation.allowed[explanation] = allowed
        observation.explained[explanation] = allowed and observation.excludes_the_right(predicted)
    return observation.allowed[explanation]


def explains(explanation: Explanation, observation: Observation) -> bool:
    """Tell whether an explanation predicts a wrong answer, and does not allow the right one."""
    return allows(explanation, observation) and observation.explained[explanation]


def predicts(explanation: Explanation, observation: Observation) -> bool:
    """Tell whether an explanation does not contradict an answer."""
    return observation.fits(_predicted(explanation, observation))


def _predicted(explanation: Explanation, observation: Observation) -> Sequence[Interval]:
    if explanation.leaves(observation.aspect, observation.problem):
        return observation.right
    return explanation.predicts(observation.aspect, observation.problem, observation.precision)
