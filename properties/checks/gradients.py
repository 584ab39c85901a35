"""Problems with an upstream gradient, and comparisons of the three gradients of an implementation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from attention_tests import FullyMasked, Precision
from attention_tests.execution.subject import Subject
from properties.checks.comparison import assert_equal, assert_inside_bound, assert_same_bits, native_inputs
from properties.checks.remembered import remembered
from properties.checks.roundings import roundings_of
from properties.drawing.gradients import Backward, Gradients
from reference.bounds import gradient_bound
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

ZEROS = (np.zeros(()),) * 3
EVERYWHERE = (np.ones((), bool),) * 3


class ExpectedGradients(NamedTuple):
    """The expected gradient of each input, with its derived error bound."""

    query: Interval
    key: Interval
    value: Interval


@remembered
def gradients(subject: Subject, problem: Backward) -> Gradients:
    """Return the gradients of the implementation, computed once for all laws."""
    native = subject.differentiate_natively(*native_inputs(subject, problem), **subject.give_options(problem.options))
    answer = subject.take_gradients(native, [array.shape for array in (problem.query, problem.key, problem.value)])
    for array in answer:
        array.flags.writeable = False
    return Gradients(*answer)


def expected_gradients(problem: Backward, precision: Precision) -> ExpectedGradients:
    """Return the gradients in closed form, each with its derived error bound, as far as projections leave them alone.

    What may overflow, and be NaN, makes NaN of all gradients of its token there.
    """
    expected = _attended(problem, precision)
    if not problem.dialect.projected:
        return expected
    unknown = [one.vacuous.any(axis=(1, 3), keepdims=True) for one in expected]
    if "k" in problem.axes["query"]:
        unknown = [np.logical_or.reduce(unknown)] * 3  # query, key and value are of one token
    pairs = zip(expected, unknown, strict=True)
    return ExpectedGradients(*(replace(one, error=np.where(token, np.inf, one.error)) for one, token in pairs))


@remembered
def _attended(problem: Backward, precision: Precision) -> ExpectedGradients:
    """Return the gradients in closed form, each with its derived error bound.

    The query heads that share a key head are more queries of it: its gradients are sums over all of them. Where fully
    masked rows are not zeros, nothing is promised of a head that has one, nor of its key head.
    """
    (batch, _, n_q, _), key_heads, group = problem.query.shape, problem.key.shape[1], problem.group

    def of_key_heads(rows: Array) -> Array:
        return rows.reshape(batch, key_heads, group * n_q, rows.shape[-1])

    bias = problem.logit_bias
    query, key, value = gradient_bound.gradient(
        of_key_heads(problem.query),
        problem.key,
        problem.value,
        of_key_heads(problem.upstream),
        roundings_of(precision, problem.dtype),
        scale=problem.scale,
        bias=None if bias is None else of_key_heads(bias),
        softcap=problem.softcap,
        group=group,
    )
    rows, error, radius = (np.reshape(x, problem.query.shape) for x in (query.value, query.error, query.radius))
    query = replace(query, value=rows, error=error, radius=radius)
    if bias is None or problem.dialect.fully_masked is FullyMasked.ZEROS:
        return ExpectedGradients(query, key, value)
    all_see = np.asarray(problem.seen.any(axis=-1).all(axis=-1))
    of_group = np.asarray(all_see.reshape(batch, key_heads, group).all(axis=-1))
    return ExpectedGradients(_where(all_see, query), _where(of_group, key), _where(of_group, value))


def _where(promised: Array, oracle: Interval) -> Interval:
    """Return the expectation of a gradient of which something is promised in some heads only, (batch, heads)."""
    return replace(oracle, error=np.where(promised[..., None, None], oracle.error, np.inf))


def sum_over_tokens(oracle: Interval, value: Array | float) -> Interval:
    """Return `value` as the expected sum of a gradient over the tokens, with a bound to which all errors add up.

    The sum itself is rounded as well, in float64, fewer times than there are tokens.
    """
    error = oracle.tolerance.sum(axis=-2)
    error += 2.0**-52 * oracle.value.shape[-2] * (np.abs(oracle.value).sum(axis=-2) + error)
    return Interval(np.broadcast_to(value, error.shape), error, "float64", oracle.flush)


def with_zero_rows(oracle: Interval, rows: Array) -> Interval:
    """Return the expectation with exact zeros in some rows, except where it is vacuous."""
    zeros = rows[..., None] & ~oracle.vacuous
    value, error = (np.where(zeros, 0.0, array) for array in (oracle.value, oracle.error))
    return replace(oracle, value=value, error=error)


def assert_inside_bounds(got: Iterable[Array], oracles: Iterable[Interval], under: str = "") -> None:
    """Raise `Disagreement` unless every element of every gradient is inside its derived bound.

    `under` says under what circumstances.
    """
    for name, one, oracle in zip(Gradients._fields, got, oracles, strict=True):
        assert_inside_bound(one, oracle, of=f"of the {name}'s gradient{under and f', {under},'}")


def assert_all_same_bits(got: Iterable[Array], other: Iterable[Array]) -> None:
    """Raise `Disagreement` unless all gradients are the same bits."""
    for name, one, two in zip(Gradients._fields, got, other, strict=True):
        assert_same_bits(one, two, of=f"of the {name}'s gradient")


def assert_all_equal(
    got: Iterable[Array],
    other: Iterable[Array],
    oracles: Iterable[Interval],
    where: Iterable[Array] = EVERYWHERE,
) -> None:
    """Raise `Disagreement` unless all numbers at `where` are exactly equal, except where the oracle is vacuous."""
    for name, one, two, oracle, place in zip(Gradients._fields, got, other, oracles, where, strict=True):
        assert_equal(one, two, place & ~oracle.vacuous, of=f"of the {name}'s gradient")
