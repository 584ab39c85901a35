"""The document's steps, one function each, for arrays of any library, and the whole that they compose to."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from implementations.numpy.whole import quietly


@quietly
def project(x: Any, w: Any) -> Any:
    """Return the query, key or value of every token: (n, d_model), (d_model, d) → (n, d)."""
    return x @ w


@quietly
def score(query: Any, key: Any) -> Any:
    """Return the dot product of every query with every key, (…, n_q, n_k)."""
    return query @ key.mT


@quietly
def scale_scores(scores: Any, d_k: int) -> Any:
    """Return the scores divided by the square root of the width of the keys, (…, n_q, n_k)."""
    return scores / math.sqrt(d_k)


@quietly
def weigh(weights: Any, value: Any) -> Any:
    """Return every value vector multiplied by its weight, (…, n_q, n_k, d_v)."""
    return weights[..., None] * value[..., None, :, :]


@quietly
def sum_values(weighted: Any) -> Any:
    """Return the sum of the weighted values over the keys, (…, n_q, d_v)."""
    return weighted.sum(axis=-2)


def by_steps(
    name: str,
    softmax: Callable[[Any], Any],
    *,
    score: Callable[[Any, Any], Any] = score,
    sum_values: Callable[[Any], Any] = sum_values,
) -> Implementation:
    """Return the implementation by these steps, with the softmax of a library and what else it does its own way."""

    @quietly
    def attention(query: Any, key: Any, value: Any, *, scale: float | None = None) -> Any:
        """Return the output of every query, (…, n_q, d_v)."""
        scores = score(query, key)
        scaled = scale_scores(scores, key.shape[-1]) if scale is None else scores * scale
        return sum_values(weigh(softmax(scaled), value))

    def self_attention(x: Any, w_query: Any, w_key: Any, w_value: Any) -> Any:
        """Return the output of every token of a sentence: (n, d_model), matrices (d_model, d) → (n, d_v)."""
        return attention(project(x, w_query), project(x, w_key), project(x, w_value))

    return Implementation(
        name=name,
        attention=attention,
        self_attention=self_attention,
        project=project,
        score=score,
        scale=scale_scores,
        softmax=softmax,
        weigh=weigh,
        sum=sum_values,
        supports=frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.THREADS}),
    )
