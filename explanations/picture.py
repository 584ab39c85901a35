"""The weights of a wrong answer: those that were expected, and those that came back for the identity as the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from attention_tests.diagnosis.diagnosis import Matrix, Weights
from attention_tests.execution.failures import FAILURES, NotAsked
from attention_tests.execution.subject import Subject
from explanations.aspect import OUTPUT
from explanations.evidence import Observation
from properties.checks.comparison import expected_weights, weights

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

FEWEST, MOST = 3, 12
"""The number of queries and keys of a problem whose weights can be looked at."""
TRIED = 8
"""The number of problems that are asked again, at most."""


def weights_of(subject: Subject, wrong: Sequence[Observation]) -> Weights | None:
    """Return the weights of the first head that differs, of the first of the wrong answers that are not too large."""
    fitting = (one.problem for one in wrong if one.aspect is OUTPUT)
    sized = [one for one in fitting if all(FEWEST <= size <= MOST for size in one.logits_shape[2:])]
    for problem in sized[:TRIED]:
        try:
            got = weights(subject, problem)
        except (*FAILURES, NotAsked):
            return None
        finally:
            subject.abandon()
        expected = expected_weights(subject, problem)
        differs = ~expected.accepts(got).all(axis=(-2, -1))
        if differs.any():
            head = tuple(np.argwhere(differs)[0])
            return Weights(_matrix(expected.value[head]), _matrix(got[head]))
    return None


def _matrix(array: Array) -> Matrix:
    return tuple(tuple(float(one) if np.isfinite(one) else None for one in row) for row in array)
