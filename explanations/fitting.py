"""Fitting: which explanations predict every answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from attention_tests import Precision
from explanations.aspect import Aspect
from explanations.circumstances import WHERE, Circumstance, in_words, separating
from explanations.evidence import Evidence, Observation
from explanations.explanation import Changed, Explanation, both
from reference.bounds.interval import Interval

MOST_CIRCUMSTANCES = 2
"""The number of circumstances, at most, under which a mistake is made that is made under no others."""

PARTIAL = 6
"""The number of explanations of some wrong answers that are tried together with each other one."""


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
        """What it does, and where."""
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
        if _fits_all(one, evidence.wrong):
            contradicted = [observation for observation in evidence.right if not _predicts(one, observation)]
            where = separating(evidence.wrong, contradicted, WHERE, MOST_CIRCUMSTANCES)
            if where or len(evidence.wrong) >= ENOUGH:
                found.append(Sometimes(one, where, len(contradicted)))
    simplest = min((one.rank for one in found), default=None)
    return [one for one in found if one.rank == simplest]


def told_apart(found: Iterable[Explanation], wrong: Sequence[Observation]) -> list[Explanation]:
    """Return the explanations that predict something else of some wrong answer than all before them."""
    apart: dict[tuple[bytes, ...], Explanation] = {}
    for one in found:
        predictions = (interval for observation in wrong for interval in _predicted(one, observation))
        apart.setdefault(tuple(interval.value.tobytes() for interval in predictions), one)
    return list(apart.values())


def fitting_pairs(explanations: Sequence[Explanation], evidence: Evidence) -> list[Explanation]:
    """Return the pairs of mistakes that predict every answer together, as no mistake alone does."""
    changes = [one for one in explanations if isinstance(one, Changed)]
    return fitting(_pairs(changes, evidence.wrong), evidence)


def _pairs(changes: Sequence[Changed], wrong: Sequence[Observation]) -> Iterator[Explanation]:
    partial = (one for one in changes if any(_explains(one, observation) for observation in wrong))
    for first in islice(partial, PARTIAL):
        left = next((one for one in wrong if not _explains(first, one)), None)
        if left is not None:
            pairs = (both(first, second) for second in _different(changes, left) if second is not first)
            yield from (pair for pair in pairs if pair.aspects and _explains(pair, left))


def _different(changes: Iterable[Changed], observation: Observation) -> Iterator[Changed]:
    """Yield the first of all changes that make the same of a problem, for each thing that is made of it."""
    made = {observation.problem}
    for one in changes:
        if observation.aspect in one.aspects:
            changed = one.change(observation.problem)
            if changed not in made:
                made.add(changed)
                yield one


def _fits(explanation: Explanation, evidence: Evidence) -> bool:
    return _fits_all(explanation, evidence.wrong) and all(_predicts(explanation, one) for one in evidence.right)


def _fits_all(explanation: Explanation, wrong: Sequence[Observation]) -> bool:
    """Tell whether every wrong answer is one that was predicted, and of most of them the right one is not."""
    if not all(_allows(explanation, observation) for observation in wrong):
        return False
    return 2 * sum(_explains(explanation, observation) for observation in wrong) > len(wrong)


def _allows(explanation: Explanation, observation: Observation) -> bool:
    if explanation not in observation.allowed:
        predicted = _predicted(explanation, observation)
        observation.allowed[explanation] = observation.is_allowed_by(predicted)
        observation.explained[explanation] = observation.is_explained_by(predicted)
    return observation.allowed[explanation]


def _explains(explanation: Explanation, observation: Observation) -> bool:
    return _allows(explanation, observation) and observation.explained[explanation]


def _predicts(explanation: Explanation, observation: Observation) -> bool:
    return observation.fits(_predicted(explanation, observation))


def _predicted(explanation: Explanation, observation: Observation) -> Sequence[Interval]:
    if explanation.leaves(observation.aspect, observation.problem):
        return observation.right
    return explanation.predicts(observation.aspect, observation.problem, observation.precision)
