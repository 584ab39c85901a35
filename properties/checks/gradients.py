"""Problems with an upstream gradient, and the verdict on the three gradients that an implementation makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from attention_tests import Precision, Unseeing
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_equal, assert_inside_bound, assert_same_bits
from properties.drawing.gradients import Backward, Gradients
from reference.bounds import gradient_bound
from reference.bounds.expected import Expected

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

ZEROS = (np.zeros(()),) * 3
EVERYWHERE = (np.ones((), bool),) * 3


class ExpectedGradients(NamedTuple):
    """What is expected of each."""

    query: Expected
    key: Expected
    value: Expected


@lru_cache(maxsize=2048)
def gradients(subject: Subject, problem: Backward) -> Gradients:
    """Return what the implementation says, asked once for all laws that compare it with something."""
    answer = subject.gradient(problem.query, problem.key, problem.value, problem.upstream, **problem.options)
    for array in answer:
        array.flags.writeable = False
    return Gradients(*answer)


@lru_cache(maxsize=2048)
def expected_gradients(problem: Backward, precision: Precision) -> ExpectedGradients:
    """Return the gradients in closed form, and how far a correct implementation may stray from each.

    A query that sees no word takes part only where its output is zeros: else nothing is promised of its head.
    """
    bias = problem.logit_bias
    oracles = gradient_bound.gradient(
        problem.query,
        problem.key,
        problem.value,
        problem.upstream,
        dtype=problem.dtype,
        arithmetic=precision,
        scale=problem.scale,
        bias=bias,
    )
    if bias is None or problem.dialect.unseeing is Unseeing.ZEROS:
        return ExpectedGradients(*oracles)
    all_see = np.asarray(problem.seen.any(axis=-1).all(axis=-1))[..., None, None]
    return ExpectedGradients(*(replace(oracle, error=np.where(all_see, oracle.error, np.inf)) for oracle in oracles))


def total(oracle: Expected, value: Array | float) -> Expected:
    """Return what is expected of the sum of an answer over the words, which must be `value`: all errors may add up.

    The sum of the answer is rounded as well, in float64, fewer times than there are words.
    """
    error = oracle.tolerance.sum(axis=-2)
    error += 2.0**-52 * oracle.value.shape[-2] * (np.abs(oracle.value).sum(axis=-2) + error)
    return Expected(np.broadcast_to(value, error.shape), error, "float64", oracle.flush)


def silenced(oracle: Expected, rows: Array) -> Expected:
    """Return the expectation with exact zeros in some rows, but for what it promises nothing of."""
    zeros = rows[..., None] & ~oracle.vacuous
    value, error = (np.where(zeros, 0.0, array) for array in (oracle.value, oracle.error))
    return replace(oracle, value=value, error=error)


def assert_inside_bounds(got: Iterable[Array], oracles: Iterable[Expected]) -> None:
    """Raise `Disagreement` unless every element of every gradient is inside its derived bound."""
    for name, one, oracle in zip(Gradients._fields, got, oracles, strict=True):
        assert_inside_bound(one, oracle, of=f"of the {name}'s gradient")


def assert_all_same_bits(got: Iterable[Array], other: Iterable[Array]) -> None:
    """Raise `Disagreement` unless all gradients are the same, to the bit."""
    for name, one, two in zip(Gradients._fields, got, other, strict=True):
        assert_same_bits(one, two, of=f"of the {name}'s gradient")


def assert_all_equal(
    got: Iterable[Array],
    other: Iterable[Array],
    oracles: Iterable[Expected],
    where: Iterable[Array] = EVERYWHERE,
) -> None:
    """Raise `Disagreement` unless all numbers at `where` of which anything is promised are exactly equal."""
    for name, one, two, oracle, place in zip(Gradients._fields, got, other, oracles, where, strict=True):
        assert_equal(one, two, place & ~oracle.vacuous, of=f"of the {name}'s gradient")
