"""Circumstances: what the problems of all wrong answers have in common, and those of right answers lack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from operator import eq, gt, itemgetter, lt
from typing import Any

from explanations.aspect import ASPECTS, Aspect
from explanations.evidence import Evidence, Observation
from properties.drawing.problem import Problem

BLOCKS = (256, 128, 64, 32, 16, 8, 4, 2)
"""The sizes that kernels work in."""
BOUNDARIES = (4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1)
Size = Callable[[dict[str, int]], int]
MOST_TOGETHER = 3
"""The number of circumstances that are named together, at most."""
FEWEST = 6
"""The number of answers of each kind, at least, from which something is concluded about sizes."""


@dataclass(frozen=True)
class Circumstance:
    """Something that is so of some problems."""

    says: str
    holds: Callable[[Aspect, Any], bool]
    is_of_sizes: bool = False
    """Whether it is one of many like it, one of which separates a few answers by chance."""

    def holds_for(self, observation: Observation) -> bool:
        """Tell whether it is so of the problem of an answer."""
        return self.holds(observation.aspect, observation.problem)


def in_common(evidence: Evidence) -> str:
    """Say where all answers are wrong and no others; empty where that is not known."""
    return in_words(separating(evidence.wrong, evidence.right, CIRCUMSTANCES, MOST_TOGETHER))


def separating(
    some: Sequence[Observation], others: Sequence[Observation], circumstances: Iterable[Circumstance], most: int
) -> tuple[Circumstance, ...]:
    """Return the fewest circumstances that together hold for all of some and for none of the others; () if none do.

    Sizes are named only where enough answers speak for them.
    """
    few = len(some) < FEWEST or len(others) < FEWEST
    of_all = [
        one
        for one in circumstances
        if not (few and one.is_of_sizes) and all(one.holds_for(observation) for observation in some)
    ]
    lacked = {one.says: frozenset(i for i, other in enumerate(others) if not one.holds_for(other)) for one in of_all}
    helpful = [one for one in of_all if lacked[one.says]]
    for many in range(1, most + 1):
        for together in combinations(helpful, many):
            if len(frozenset().union(*(lacked[one.says] for one in together))) == len(others):
                return together
    return ()


def in_words(circumstances: Sequence[Circumstance]) -> str:
    """Say what circumstances are, in one phrase."""
    return _and([one.says for one in circumstances])


def _and(sayings: Sequence[str]) -> str:
    return " and ".join(sayings) if len(sayings) < 3 else f"{', '.join(sayings[:-1])} and {sayings[-1]}"


SIZES = ("batches", "query heads", "key heads", "queries", "keys", "d_k", "d_v")


def _sizes(problem: Problem) -> dict[str, int]:
    batch, heads, queries, d_k = problem.query.shape
    _, key_heads, keys, _ = problem.key.shape
    return dict(zip(SIZES, (batch, heads, key_heads, queries, keys, d_k, problem.value.shape[-1]), strict=True))


def _of_problem(says: str, holds: Callable[[Problem], bool], *, is_of_sizes: bool = False) -> Circumstance:
    return Circumstance(says, lambda _, problem: isinstance(problem, Problem) and holds(problem), is_of_sizes)


def _of_size(says: str, holds: Callable[[dict[str, int]], bool]) -> Circumstance:
    return _of_problem(says, lambda problem: holds(_sizes(problem)), is_of_sizes=True)


def _of_sizes() -> Iterator[Circumstance]:
    for name in SIZES:
        size = itemgetter(name)
        yield _of_size(f"{name} = 1", partial(_compared, size, eq, _always(1)))
        for least in BOUNDARIES:
            yield _of_size(f"{name} > {least}", partial(_compared, size, gt, _always(least)))
        for block in BLOCKS:
            yield _of_size(f"{name} a multiple of {block}", partial(_divided, size, block, rest=False))
        for block in reversed(BLOCKS):
            yield _of_size(f"{name} no multiple of {block}", partial(_divided, size, block, rest=True))
    for one, other in (("queries", "keys"), ("d_k", "d_v")):
        for sign, relation in (("=", eq), ("<", lt), (">", gt)):
            yield _of_size(f"{one} {sign} {other}", partial(_compared, itemgetter(one), relation, itemgetter(other)))


def _always(number: int) -> Size:
    return lambda _: number


def _compared(one: Size, relation: Callable[[int, int], bool], other: Size, sizes: dict[str, int]) -> bool:
    return relation(one(sizes), other(sizes))


def _divided(size: Size, block: int, sizes: dict[str, int], *, rest: bool) -> bool:
    return (size(sizes) % block != 0) is rest


def _of_options() -> Iterator[Circumstance]:
    yield _of_problem("a mask", lambda problem: problem.mask is not None)
    yield _of_problem("a bias", lambda problem: problem.bias is not None)
    yield _of_problem("causality", lambda problem: problem.causal)
    yield _of_problem("a window", lambda problem: problem.window is not None)
    yield _of_problem("a soft cap", lambda problem: problem.softcap is not None)
    yield _of_problem("a scale that is given", lambda problem: problem.scale is not None)
    yield _of_problem("grouped heads", lambda problem: problem.group > 1)
    yield _of_problem("no option", lambda problem: not problem.options)
    yield _of_problem("no third option", lambda problem: len(problem.options) + (problem.group > 1) <= 2)
    yield _of_problem("inputs that do not lie in order", lambda problem: any(problem.memory))
    yield _of_problem("fully masked rows", lambda problem: not bool(problem.seen.any(axis=-1).all()))


def _of_answers() -> Iterator[Circumstance]:
    for aspect in ASPECTS:
        yield Circumstance(aspect.name, partial(_is, aspect))


def _is(aspect: Aspect, other: Aspect, _: Any) -> bool:
    return aspect is other


WHERE = (*_of_options(), *_of_sizes())
"""The circumstances under which a mistake may be made."""
CIRCUMSTANCES = (*WHERE, *_of_answers())
"""Those under which an answer may be wrong."""
