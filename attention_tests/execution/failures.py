"""Failures: the ways in which an implementation can fail to give a right answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Relation(StrEnum):
    """The relation of a right answer to the expected one."""

    WITHIN = "no further from it than the bound"
    AT_LEAST = "no smaller, but for the bound"
    AT_MOST = "no larger, but for the bound"
    SAME_BITS = "the same bits"
    EQUAL = "equal"


class Disagreement(AssertionError):  # noqa: N818 - the word that the report uses
    """An answer that a law forbids: what was got, what was expected, and by how much they differ.

    `got` and `expected` are arrays of one shape; `error` and `bound` belong to the element at `where`, the worst one,
    and `relation` is the one that it should have.
    """

    def __init__(  # noqa: PLR0913 - an answer, and what it is compared with
        self,
        sentence: str,
        *,
        got: Array | None = None,
        expected: Array | None = None,
        where: tuple[int, ...] | None = None,
        bound: float | None = None,
        relation: Relation = Relation.WITHIN,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.got = got
        self.expected = expected
        self.where = where
        self.bound = bound
        self.relation = relation


class WrongForm(Disagreement):
    """An answer of the wrong type, shape or kind: nothing that could be compared."""


class ImplementationRaised(Exception):  # noqa: N818 - not an error of ours
    """The implementation raised instead of answering."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class NotAsked(Exception):  # noqa: N818 - not an error: the law is not tried on this problem
    """A law would make a call that is not among those admitted, or that is refused."""


class Refused(NotAsked):
    """A bare callable raised: it does not take such a call. `words` say what it was given, and what it raised."""

    def __init__(self, sentence: str, words: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.words = words


class Crashed(Exception):  # noqa: N818 - the word that the report uses
    """The process that the implementation ran in ended, or speaks no more."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class TimedOut(Exception):  # noqa: N818 - the word that the report uses
    """The implementation did not answer in the time that a call may take, in seconds."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.seconds = seconds


Failure = Disagreement | ImplementationRaised | Crashed | TimedOut
"""What can go wrong when a law is held."""


FAILURES = (Disagreement, ImplementationRaised, Crashed, TimedOut)
