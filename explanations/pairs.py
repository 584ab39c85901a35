"""Two mistakes in one kernel, each made always or under some circumstances only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from attention_tests import Precision
from explanations.aspect import Aspect
from explanations.circumstances import WHERE, Circumstance, in_words, separating
from explanations.evidence import Evidence, Observation
from explanations.explanation import Changed, Explanation
from explanations.fitting import MOST_CIRCUMSTANCES, explains, fitting, predicts
from reference.bounds.interval import Interval

LOOKED_AT = 12
"""The number of wrong answers, of the smallest problems, in which the first of two mistakes is looked for."""
PARTIAL = 6
"""The number of explanations of some wrong answers that are tried together with each other one."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Two mistakes, and the circumstances under which each is made; none where it is made always."""

    mistakes: tuple[Changed, Changed]
    circumstances: tuple[tuple[Circumstance, ...], tuple[Circumstance, ...]] = ((), ())

    @property
    def name(self) -> str:
        """Both names."""
        return "+".join(one.name for one in self.mistakes)

    @property
    def says(self) -> str:
        """Both mistakes, and where each is made."""
        parts = zip(self.mistakes, self.circumstances, strict=True)
        return ", and it ".join(
            f"{one.says}, only with {in_words(where)}" if where else one.says for one, where in parts
        )

    def predicts(self, aspect: Aspect, problem: Any, precision: Precision) -> Sequence[Interval]:
        """Return what a kernel would answer that makes both mistakes."""
        changed = problem
        for mistake, where in zip(self.mistakes, self.circumstances, strict=True):
            if all(one.holds(aspect, problem) for one in where):
                changed = mistake.change(changed)
        return aspect.right(changed, precision)

    def leaves(self, aspect: Aspect, problem: Any) -> bool:
        """Tell whether neither mistake changes anything."""
        return all(one.leaves(aspect, problem) for one in self.mistakes)


def fitting_pairs(explanations: Sequence[Explanation], evidence: Evidence) -> list[Explanation]:
    """Return the pairs of mistakes that predict every answer together, as no mistake alone does."""
    changes = [one for one in explanations if isinstance(one, Changed) and one.is_everywhere]
    pairs = _pairs(changes, evidence.wrong)
    return fitting((pair for one in pairs if (pair := _where_made(one, evidence)) is not None), evidence)


def _pairs(changes: Sequence[Changed], wrong: Sequence[Observation]) -> Iterator[Pair]:
    """Yield pairs of a mistake that explains some wrong answers and one with which it explains another."""
    partial = (one for one in changes if any(explains(one, observation) for observation in wrong[:LOOKED_AT]))
    for first in islice(partial, PARTIAL):
        left = [observation for observation in wrong if not explains(first, observation)][:1]
        for observation in left:
            for second in _different(changes, observation):
                together = Pair((first, second))
                if second is not first and any(explains(one, observation) for one in (together, second)):
                    yield together


def _different(changes: Iterable[Changed], observation: Observation) -> Iterator[Changed]:
    """Yield the first of all changes that make the same of a problem, for each thing that is made of it."""
    made = {observation.problem}
    for one in changes:
        if observation.aspect in one.aspects:
            changed = one.change(observation.problem)
            if changed not in made:
                made.add(changed)
                yield one


def _where_made(pair: Pair, evidence: Evidence) -> Pair | None:
    """Return the pair with the circumstances of each mistake; None where they are not known, or it does not explain."""
    first, second = pair.mistakes
    made: tuple[list[Observation], list[Observation]] = ([], [])
    not_made: tuple[list[Observation], list[Observation]] = ([], [])
    for observation in (*evidence.wrong, *evidence.right):
        neither, one, other, both = (
            observation.is_right,
            predicts(first, observation),
            predicts(second, observation),
            predicts(pair, observation),
        )
        if not (neither or one or other or both):
            return None
        for place, (with_it, without) in enumerate([(one or both, other or neither), (other or both, one or neither)]):
            if not without:
                made[place].append(observation)
            if not with_it:
                not_made[place].append(observation)
    if not all(made):
        return None
    where = tuple(
        separating(yes, no, WHERE, MOST_CIRCUMSTANCES) if no else () for yes, no in zip(made, not_made, strict=True)
    )
    known = all(found or not no for found, no in zip(where, not_made, strict=True))
    return Pair(pair.mistakes, (where[0], where[1])) if known else None
