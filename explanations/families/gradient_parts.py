"""Gradients made of the wrong parts: other weights for the values, other rows, another upstream gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import GRADIENTS
from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.formula import Backpropagated, Formula
from explanations.rounded import Rounded
from explanations.steps import BackwardPass
from properties.drawing.gradients import Backward
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
OfScores = Callable[[BackwardPass], Rounded]
QUERY_AND_KEY = ("query", "key")


def _of_values(value: OfScores) -> Formula:
    """Return a gradient of the values that is a sum of the upstream gradient by other weights."""

    def formula(backward: BackwardPass) -> Sequence[Rounded]:
        d_query, d_key, _ = backward.right
        return d_query, d_key, backward.of_key_heads(value(backward).transposed @ backward.upstream)

    return formula


def _equal(backward: BackwardPass) -> Rounded:
    count = np.maximum(backward.seen.sum(-1, keepdims=True), 1)
    return Rounded.of(backward.seen / count, backward.roundings)


def _square(backward: BackwardPass, change: Callable[[Rounded], Rounded]) -> Rounded:
    n_q, n_k = backward.seen.shape[-2:]
    return change(backward.weights) if n_q == n_k else backward.weights


def _upstream(change: Callable[[Array], Array]) -> Change:
    """Return a change of the upstream gradient."""

    def changed(problem: Problem) -> Problem:
        return replace(problem, upstream=change(problem.upstream)) if isinstance(problem, Backward) else problem

    return everywhere(changed)


def _with_values_for_keys(backward: BackwardPass) -> Sequence[Rounded]:
    rows = np.resize(backward.problem.value, backward.problem.key.shape)
    return _of_rows(backward, backward.given(backward.problem.for_each_query_head(rows)))


def _with_queries_for_keys(backward: BackwardPass) -> Sequence[Rounded]:
    square = backward.query.value.shape == backward.key.value.shape
    return _of_rows(backward, backward.query if square else backward.key)


def _of_rows(backward: BackwardPass, rows: Rounded) -> Sequence[Rounded]:
    """Return gradients whose gradient of the query is made of other rows than the keys."""
    _, d_key, d_value = backward.right
    d_scores = backward.right_d_scores
    return (d_scores @ rows).times(backward.scale), d_key, d_value


def _exchanged(backward: BackwardPass) -> Sequence[Rounded]:
    d_query, d_key, d_value = backward.right
    return (d_key, d_query, d_value) if d_query.value.shape == d_key.value.shape else (d_query, d_key, d_value)


def _key_is_query(backward: BackwardPass) -> Sequence[Rounded]:
    d_query, d_key, d_value = backward.right
    return d_query, d_query if d_query.value.shape == d_key.value.shape else d_key, d_value


def _not_transposed(backward: BackwardPass) -> Sequence[Rounded]:
    """Return a gradient of the key from dS in place of its transpose, where the shapes allow it."""
    d_query, d_key, d_value = backward.right
    if backward.seen.shape[-1] != backward.seen.shape[-2]:
        return d_query, d_key, d_value
    d_scores = backward.right_d_scores
    return d_query, backward.of_key_heads((d_scores @ backward.query).times(backward.scale)), d_value


def _none(index: int) -> Formula:
    def formula(backward: BackwardPass) -> Sequence[Rounded]:
        gradients = [*backward.right]
        gradients[index] = gradients[index].times(0.0).where(np.zeros((), bool))
        return gradients

    return formula


_VALUES = (
    ("not-normalised", "exponentials that are not divided by their sum", lambda b: b.exponentials),
    ("equal", "equal weights", _equal),
    ("of-queries-reversed", "the weights of the queries in reverse order", lambda b: b.weights.like(_reversed)),
    ("of-next-query", "the weights of the next query", lambda b: b.weights.like(lambda a: np.roll(a, -1, -2))),
    ("of-previous-query", "the weights of the query before", lambda b: b.weights.like(lambda a: np.roll(a, 1, -2))),
    ("not-transposed", "weights that are not transposed", lambda b: _square(b, lambda weights: weights.transposed)),
    ("squared", "the squares of the weights", lambda b: b.weights * b.weights),
    ("scaled", "weights that are multiplied by the scale", lambda b: b.weights.times(b.scale)),
    ("d-scores", "the gradients of the scores in place of the weights", lambda b: b.d_scores(b.weights)),
    ("scores", "the scaled scores in place of the weights", lambda b: b.scaled.where(b.seen)),
)


def _reversed(array: Array) -> Array:
    return array[..., ::-1, :]


_UPSTREAMS = (
    Changed("upstream-is-ones", "takes an upstream gradient of ones, whatever is given", _upstream(np.ones_like)),
    Changed(
        "upstream-of-next-query",
        "reads the upstream gradient of the next query",
        _upstream(lambda upstream: np.roll(upstream, -1, -2)),
    ),
    Changed(
        "upstream-of-previous-query",
        "reads the upstream gradient of the query before",
        _upstream(lambda upstream: np.roll(upstream, 1, -2)),
    ),
    Changed("upstream-reversed", "reads the upstream gradient of the queries in reverse order", _upstream(_reversed)),
    Changed(
        "upstream-of-zero-is-ones",
        "takes an upstream gradient of zeros for none, and for ones",
        _upstream(lambda upstream: upstream if upstream.any() else np.ones_like(upstream)),
    ),
    Changed(
        "upstream-of-first-head",
        "reads the upstream gradient of the first head for all",
        _upstream(lambda upstream: np.broadcast_to(upstream[:, :1], upstream.shape)),
    ),
    Changed(
        "upstream-of-first-batch",
        "reads the upstream gradient of the first batch for all",
        _upstream(lambda upstream: np.broadcast_to(upstream[:1], upstream.shape)),
    ),
    Changed("upstream-without-sign", "loses the sign of the upstream gradient", _upstream(np.abs)),
)

EXPLANATIONS: tuple[Explanation, ...] = (
    *(
        Backpropagated(
            f"value-gradient-{name}", f"sums the gradient of the value by {by}", _of_values(value), ("value",)
        )
        for name, by, value in _VALUES
    ),
    Backpropagated(
        "query-gradient-from-values",
        "makes the gradient of the query from the values in place of the keys",
        _with_values_for_keys,
        ("query",),
    ),
    Backpropagated(
        "query-gradient-from-queries",
        "makes the gradient of the query from the queries in place of the keys",
        _with_queries_for_keys,
        ("query",),
    ),
    Backpropagated(
        "query-and-key-exchanged",
        "returns the gradient of the query as that of the key, and that of the key as that of the query",
        _exchanged,
        QUERY_AND_KEY,
    ),
    Backpropagated(
        "key-is-query", "returns the gradient of the query for that of the key, too", _key_is_query, ("key",)
    ),
    Backpropagated(
        "d-scores-not-transposed",
        "does not transpose the gradients of the scores for the gradient of the key",
        _not_transposed,
        ("key",),
    ),
    *(
        Backpropagated(f"no-{name}-gradient", f"returns zeros for the gradient of the {name}", _none(index), (name,))
        for index, name in enumerate(("query", "key", "value"))
    ),
    *(
        variant
        for one in (replace(upstream, aspects=(GRADIENTS,)) for upstream in _UPSTREAMS)
        for variant in (one, *(one.only(GRADIENTS, name) for name in ("query", "key", "value")))
    ),
)
