"""Conventions: what a query is answered that sees no key, or where there are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import FullyMasked
from explanations.aspect import LOG_SUM_EXP, OUTPUT
from explanations.explanation import Changed, Explanation, everywhere
from explanations.problems import with_more_keys
from explanations.results import Altered, chosen, mapped, unchanged, written_over
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Row = Callable[[Interval], Interval]


def _with(problem: Problem, row: FullyMasked, no_keys: FullyMasked | None) -> Problem:
    return replace(problem, dialect=replace(problem.dialect, fully_masked=row, no_keys=no_keys))


def _nothing_seen(problem: Problem) -> Array:
    """Return the fully masked rows, (batch, heads, n_q, 1)."""
    return np.asarray(~problem.seen.any(axis=-1, keepdims=True))


def _in_masked_rows(row: Row) -> Callable[[Any, Sequence[Interval]], Sequence[Interval]]:
    """Return an alteration of fully masked rows alone, to what is made of all rows."""

    def after(problem: Any, answers: Sequence[Interval]) -> Sequence[Interval]:
        return [chosen(_nothing_seen(problem), row(one), one) for one in answers]

    return after


def _sees_all(problem: Problem) -> Problem:
    """Return the problem with rows unmasked that are fully masked, with no bias there."""
    nothing = _nothing_seen(problem)
    if not nothing.any():
        return problem
    bias = None if problem.bias is None else np.where(nothing, 0.0, problem.bias)
    return replace(problem, mask=problem.seen | nothing, bias=bias, causal=False, window=None)


def _mask_dropped(problem: Problem) -> Problem:
    """Return the problem without the mask in rows that it masks fully."""
    if problem.mask is None:
        return problem
    return replace(problem, mask=problem.mask | ~problem.mask.any(axis=-1, keepdims=True))


def _padded_mean(block: int) -> Callable[[Problem], Problem]:
    """Return the problem whose fully masked rows see all keys, and zeros up to a whole block, with equal weights."""

    def change(problem: Problem) -> Problem:
        nothing, keys = _nothing_seen(problem), problem.key.shape[-2]
        if not nothing.any() or not keys % block:
            return problem
        zeros = (np.zeros((*array.shape[:2], -keys % block, array.shape[-1])) for array in (problem.key, problem.value))
        query = np.where(nothing, 0.0, problem.query)
        more = with_more_keys(replace(_sees_all(problem), query=query), *zeros)
        hidden = np.broadcast_to(np.arange(more.key.shape[-2]) >= keys, more.logits_shape)
        return replace(more, mask=more.seen & (nothing | ~hidden))

    return change


def _before(one: Interval) -> Interval:
    return mapped(one, lambda array: np.roll(array, 1, axis=2))


def _held(one: Interval) -> Interval:
    return mapped(one, lambda array: array[:, :, np.maximum(np.arange(array.shape[2]) - 1, 0)])


def _all_ones(one: Interval) -> Interval:
    return written_over(one, np.ones(one.value.shape, bool), 1.0)


def _masked_is(row: FullyMasked) -> Callable[[Problem], Problem]:
    return lambda problem: _with(problem, row, problem.dialect.no_keys)


def _none_is(row: FullyMasked) -> Callable[[Problem], Problem]:
    return lambda problem: _with(problem, problem.dialect.fully_masked, row)


_DECLARED = tuple(
    Changed(
        f"fully-masked-{row.name.lower()}",
        f"returns {'the mean of all values' if row is FullyMasked.MEAN else row} in fully masked rows: "
        f"if that is meant, declare Dialect(fully_masked=FullyMasked.{row.name})",
        everywhere(_masked_is(row)),
        (OUTPUT,),
    )
    for row in FullyMasked
) + tuple(
    Changed(
        f"no-keys-{row.name.lower()}",
        f"returns {row} where there are no keys: if that is meant, declare Dialect(no_keys=FullyMasked.{row.name})",
        everywhere(_none_is(row)),
        (OUTPUT,),
    )
    for row in (FullyMasked.ZEROS, FullyMasked.NAN)
)
_OTHERWISE: tuple[Explanation, ...] = (
    Changed("fully-masked-unmasked", "unmasks fully masked rows", everywhere(_mask_dropped), (OUTPUT, LOG_SUM_EXP)),
    Changed("fully-masked-sees-all", "lets a fully masked row see every key", everywhere(_sees_all), (OUTPUT,)),
    Altered(
        "fully-masked-row-before",
        "repeats the row before in place of a fully masked one",
        unchanged,
        _in_masked_rows(_before),
    ),
    Altered(
        "fully-masked-row-held",
        "repeats the row before in place of a fully masked one, but for the first",
        unchanged,
        _in_masked_rows(_held),
    ),
    Altered("fully-masked-ones", "writes ones in fully masked rows", unchanged, _in_masked_rows(_all_ones)),
    *(
        Changed(
            f"fully-masked-padded-mean-of-{block}",
            f"averages the values in fully masked rows with zeros up to a multiple of {block}",
            everywhere(_padded_mean(block)),
            (OUTPUT,),
        )
        for block in (2, 4, 8, 16, 32, 64, 128)
    ),
)
EXPLANATIONS: tuple[Explanation, ...] = (*_DECLARED, *_OTHERWISE)
