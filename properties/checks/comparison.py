"""Verdicts on numbers: the same bits, or inside the derived bound. There is no third way and no other number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Feature, FullyMasked, Precision
from attention_tests.engine.measurements import ERROR_OUTSIDE, ERROR_OVER_BOUND, record_count, record_largest
from attention_tests.execution.failures import Disagreement, Relation
from attention_tests.execution.placement import Placement
from attention_tests.execution.subject import Subject
from properties.checks.remembered import remembered
from properties.checks.roundings import roundings_of
from properties.drawing.problem import Problem, Sentence
from reference import matrix
from reference.bounds import error_bound
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


RELATION_TEXTS = {Relation.SAME_BITS: "not the same bits", Relation.EQUAL: "not exactly equal"}


@remembered
def expected(problem: Problem, precision: Precision) -> Interval:
    """Return the expected output of `problem` with its derived error bound.

    Where tokens are projected, what may overflow in one head, and be NaN, makes NaN of all heads of its token.
    """
    bias = problem.logit_bias
    key, value = problem.for_each_query_head(problem.key), problem.for_each_query_head(problem.value)
    oracle = error_bound.attention(
        problem.query,
        key,
        value,
        roundings_of(precision, problem.dtype),
        scale=problem.scale,
        bias=bias,
        softcap=problem.softcap,
    )
    oracle = _with_fully_masked_rows(oracle, problem, partial(expected, _of_equal_scores(problem), precision))
    if not problem.dialect.projected:
        return oracle
    unknown = oracle.vacuous.any(axis=(1, 3), keepdims=True)
    return replace(oracle, error=np.where(unknown, np.inf, oracle.error))


def _of_equal_scores(problem: Problem) -> Problem:
    return Problem(np.zeros_like(problem.query), problem.key, problem.value, problem.dtype)


def _with_fully_masked_rows(oracle: Interval, problem: Problem, mean: Callable[[], Interval]) -> Interval:
    """Return the expectation with the fully masked rows, NaN in the oracle, as the dialect declares them."""
    if problem.logit_bias is None and problem.key.shape[-2] > 0:
        return oracle
    fully_masked = ~problem.seen.any(axis=-1)
    keys = problem.key.shape[-2]
    row = problem.dialect.unseen_row(keys)
    if row is FullyMasked.NAN or not fully_masked.any():
        return oracle
    value, error = oracle.value.copy(), oracle.error.copy()
    value[fully_masked], error[fully_masked] = 0.0, 0.0
    if row is FullyMasked.MEAN and keys:
        of_all = mean()
        value[fully_masked], error[fully_masked] = of_all.value[fully_masked], of_all.error[fully_masked]
    return replace(oracle, value=value, error=error)


def native_inputs(subject: Subject, problem: Problem) -> list[Any]:
    """Return the inputs of a problem as the implementation gets them, lying in memory as it says where they can."""
    places = chain(problem.memory, repeat(""))
    return [_placed(subject, array, place) for array, place in zip(problem.inputs, places, strict=False)]


def _placed(subject: Subject, array: Array, place: str) -> Any:
    """Return a native array in a placement by name, contiguous and counted for the report where it cannot be held."""
    if not place:
        return subject.give(array)
    (native,) = subject.placed(array, [Placement[place]])
    if native is not None:
        return native
    record_count(f"not asked: {Placement[place]}", 1)
    return subject.give(array)


@remembered
def answer(subject: Subject, problem: Problem) -> Array:
    """Return the output of the implementation for `problem`, computed once for all laws."""
    query, key, value, *_ = native_inputs(subject, problem)
    native = subject.attend_natively(query, key, value, **subject.give_options(problem.options))
    output = subject.take(native, (*problem.query.shape[:-1], problem.value.shape[-1]))
    output.flags.writeable = False
    return output


@remembered
def answer_and_lse(subject: Subject, problem: Problem) -> tuple[Array, Array]:
    """Return the output of the implementation for `problem`, and the log-sum-exp (batch, heads, n_q)."""
    query, key, value, *_ = native_inputs(subject, problem)
    native = subject.attend_natively(query, key, value, **subject.give_options(problem.options), return_lse=True)
    return subject.take_with_lse(native, (*problem.query.shape[:-1], problem.value.shape[-1]))


@remembered
def weights(subject: Subject, problem: Problem) -> Array:
    """Return the weights (batch, heads, n_q, n_k), seen through the identity matrix as the values.

    Where values must be as wide as keys, the identity is passed in slices of that width.
    """
    if Feature.VALUE_WIDTH in subject.features:
        return answer(subject, problem.with_identity_values)
    identity, width = problem.with_identity_values.value, problem.d_k
    slices = [identity[..., start : start + width] for start in range(0, identity.shape[-1], width)]
    padded = [np.pad(part, [(0, 0)] * 3 + [(0, width - part.shape[-1])]) for part in slices]
    outputs = [subject.attention(problem.query, problem.key, part, **problem.options) for part in padded]
    return np.concatenate(outputs, axis=-1)[..., : identity.shape[-1]]


@remembered
def expected_lse(problem: Problem, precision: Precision) -> Interval:
    """Return the expected log-sum-exp (batch, heads, n_q) with its derived error bound."""
    return of_scores(error_bound.log_sum_exp, problem, precision)


def of_scores(bound: Callable[..., Interval], problem: Problem, precision: Precision) -> Interval:
    """Return what a bound says of a problem whose values do not matter."""
    return bound(
        problem.query,
        problem.for_each_query_head(problem.key),
        roundings_of(precision, problem.dtype),
        scale=problem.scale,
        bias=problem.logit_bias,
        softcap=problem.softcap,
    )


def expected_weights(subject: Subject, problem: Problem) -> Interval:
    """Return the expected weights (batch, heads, n_q, n_k) with their derived error bound."""
    return _expected_weights(problem, subject.precision)


@remembered
def _expected_weights(problem: Problem, precision: Precision) -> Interval:
    oracle = of_scores(error_bound.weights, problem, precision)
    mean = partial(_expected_weights, _of_equal_scores(problem), precision)
    return _with_fully_masked_rows(oracle, problem, mean)


@remembered
def expected_of_sentence(sentence: Sentence, precision: Precision) -> Interval:
    """Return the expected self-attention of `sentence` with its derived error bound."""
    return error_bound.self_attention(
        sentence.x, sentence.w_query, sentence.w_key, sentence.w_value, roundings_of(precision, sentence.dtype)
    )


def moved(oracle: Interval, value: Array, known_within: Array | float = 0.0) -> Interval:
    """Return `value`, known from a relation within `known_within`, with the bound of `oracle` around it.

    A value that the oracle computed for another problem is known within the radius of that answer.
    """
    value = np.broadcast_to(value, oracle.value.shape)
    return replace(oracle, value=value, error=oracle.error + known_within)


def merged(problem: Problem, parts: Sequence[Problem], precision: Precision) -> Interval:
    """Return the expected output of `problem`, with the bound for merging the outputs for parts of its keys in float64.

    With shares s_k = e^(L_k - L), log-sum-exps known within T and outputs o_k within τ_k, a merged output is off by no
    more than Σ s_k (e^2T τ_k + (e^2T - 1) |o_k - o|). Merging rounds fewer than sixteen times, and the exponents by
    as much again as a log-sum-exp is large.
    """
    whole = expected(problem, precision)
    outputs, sums = [expected(part, precision) for part in parts], [expected_lse(part, precision) for part in parts]
    with np.errstate(all="ignore"):
        shares = np.moveaxis(matrix.softmax(np.stack([lse.value for lse in sums], axis=-1)), -1, 0)
        known_within = [lse.tolerance + 2.0**-51 * (1 + np.abs(lse.value)) for lse in sums]
        grown = np.exp(2 * np.max(known_within, axis=0))[..., None]
        error = np.zeros_like(whole.value)
        for share, output in zip(shares[..., None], outputs, strict=True):
            moved_by = (grown - 1) * np.abs(output.value - whole.value)
            error += share * grown * (output.tolerance + moved_by + 2.0**-49 * np.abs(output.value))
    error = np.where(np.isnan(error), np.inf, error)
    return replace(whole, error=error + whole.radius, dtype="float64")


def picked(oracle: Interval, where: Any) -> Interval:
    """Return the part of an expected output that `where` indexes."""
    radius = np.broadcast_to(oracle.radius, oracle.value.shape)[where]
    return replace(oracle, value=oracle.value[where], error=oracle.error[where], radius=radius)


def assert_inside_bound(got: Array, oracle: Interval, of: str = "") -> None:
    """Raise `Disagreement` unless every element is inside the derived bound; `of` names it, as in "of the key"."""
    ratio = oracle.ratio(got)
    accepted = ratio <= 1
    record_largest(ERROR_OVER_BOUND, float(ratio.max(initial=0, where=accepted)))
    record_count("elements", got.size)
    record_count("vacuous elements", int(oracle.vacuous.sum()))
    if not accepted.all():
        where = _worst(ratio)
        record_largest(ERROR_OUTSIDE, float(ratio[where]))
        raise Disagreement(
            _counted(~accepted, "outside the derived bound", "the worst one", of),
            got=got,
            expected=oracle.value,
            where=where,
            bound=float(np.broadcast_to(oracle.tolerance, got.shape)[where]),
        )


def assert_same_bits(got: Array, other: Array, of: str = "") -> None:
    """Raise `Disagreement` unless both are the same bits (any NaN is the same as any other)."""
    same = (got == other) & (np.signbit(got) == np.signbit(other)) | np.isnan(got) & np.isnan(other)
    _assert_everywhere(same, Relation.SAME_BITS, got, other, of)


def assert_equal(got: Array, other: Array, where: Array | bool = True, of: str = "") -> None:  # noqa: FBT001, FBT002
    """Raise `Disagreement` unless all numbers, or those at `where`, are exactly equal; -0.0 equals 0.0."""
    _assert_everywhere((got == other) | ~np.asarray(where), Relation.EQUAL, got, other, of)


def assert_at_least(got: Array, least: Array, slack: Array) -> None:
    """Raise `Disagreement` unless `got >= least - slack` everywhere, `slack` being a derived bound."""
    _assert_not_beyond(got, least, slack, np.less)


def assert_at_most(got: Array, most: Array, slack: Array) -> None:
    """Raise `Disagreement` unless `got <= most + slack` everywhere, `slack` being a derived bound."""
    _assert_not_beyond(got, most, slack, np.greater)


def assert_changed(before: Array, after: Array, oracles: tuple[Interval, Interval]) -> None:
    """Raise `Disagreement` unless two outputs differ by as much as their oracles do, up to both bounds."""
    first, second = oracles
    # Twice, because the differences are rounded as well: by no more than half a unit in the last place of each.
    slack = 2 * (first.tolerance + second.tolerance)
    assert_at_least(np.abs(after - before), np.abs(second.value - first.value), slack)


def assert_outside_bound(got: Array, other: Interval, oracle: Interval) -> None:
    """Raise `Disagreement` where `got` is inside the bound of `other`, which does not overlap with that of `oracle`."""
    apart = np.abs(oracle.value - other.value) > oracle.tolerance + other.tolerance
    wrong = apart & other.accepts(got)
    if wrong.any():
        where = _worst(wrong)
        raise Disagreement(
            _counted(wrong, "inside the bound of the wrong answer", "the first one"),
            got=got,
            expected=oracle.value,
            where=where,
            bound=float(np.broadcast_to(oracle.tolerance, got.shape)[where]),
        )


def _assert_not_beyond(got: Array, limit: Array, slack: Array, beyond: np.ufunc) -> None:
    limit, slack = np.broadcast_to(limit, got.shape), np.broadcast_to(slack, got.shape)
    with np.errstate(invalid="ignore"):
        excess = np.where(np.isnan(got), np.inf, np.where(beyond(got, limit), np.abs(got - limit), 0))
    holds = excess <= slack
    if not holds.all():
        where = _worst(np.where(holds, -np.inf, excess))
        raise Disagreement(
            _counted(~holds, f"too {'small' if beyond is np.less else 'large'}", "the worst one"),
            got=got,
            expected=limit,
            where=where,
            bound=float(slack[where]),
            relation=Relation.AT_LEAST if beyond is np.less else Relation.AT_MOST,
        )


def _assert_everywhere(holds: Array, relation: Relation, got: Array, other: Array, of: str) -> None:
    if not holds.all():
        counted = _counted(~holds, RELATION_TEXTS[relation], "the first one", of)
        limit = np.broadcast_to(other, got.shape)
        raise Disagreement(counted, got=got, expected=limit, where=_worst(~holds), relation=relation)


def _counted(wrong: Array, what: str, shown: str, of: str = "") -> str:
    """Return a line that counts the wrong elements, and says which one is shown; a scalar is not counted."""
    of = of and f" {of}"
    if wrong.size == 1:
        return f"the answer{of} is {what}:"
    return f"{wrong.sum()} of {wrong.size} elements{of} are {what}; {shown}:"


def _worst(badness: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(np.argmax(badness), badness.shape))
