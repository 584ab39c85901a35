"""Right kernels that treat NaN and ∞ in their own ways pass: what is promised is what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_tests import Dialect, Feature
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.search import corpus, hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from properties.drawing.problem import Problem
from properties.drawing.spoilt import Spoilt
from properties.test_non_finite import PROBLEMS
from tests.defects.correct import Array, attention, online, scaled_scores
from tests.defects.defect import implementation_of

State = tuple[Array, ...]
ABOUT = ("makes_its_row_nan", "makes_nan_of", "reach_no_query_that_it", "shows_in_the_log", "of_its_own_head_only")
LAWS = [law for law in all_laws() if any(part in law.name for part in ABOUT)]


def whose_maximum_ignores_nan(query: Array, key: Array, value: Array) -> Array:
    def absorb(state: State, scores: Array, value: Array) -> State:
        before, total, output = state
        largest = np.fmax(before, np.fmax.reduce(scores, axis=-1, keepdims=True))
        rescale, weights = np.exp(before - largest), np.exp(scores - largest)
        return largest, total * rescale + weights.sum(axis=-1, keepdims=True), output * rescale + weights @ value

    return online(query, key, value, absorb=absorb)


def without_a_maximum(query: Array, key: Array, value: Array) -> Array:
    weights = np.exp(scaled_scores(query, key))
    return weights @ value / weights.sum(axis=-1, keepdims=True)


def whose_scores_are_logarithms_of_weights(query: Array, key: Array, value: Array) -> Array:
    scores = scaled_scores(query, key)
    largest = scores.max(axis=-1, keepdims=True)
    return np.exp(scores - largest - np.log(np.exp(scores - largest).sum(axis=-1, keepdims=True))) @ value


def one_row_at_a_time(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    """Leave hidden keys out, and answer zeros where all weights vanish, as where all scores are -∞."""
    scores = scaled_scores(query, key)
    seen = np.broadcast_to(True if mask is None else mask, scores.shape)
    output = np.zeros_like(query, shape=(*query.shape[:-1], value.shape[-1]))
    for place in np.ndindex(query.shape[:-1]):
        row, values = scores[place][seen[place]], value[place[:2]][seen[place]]
        if (row != -np.inf).any():
            weights = np.exp(row - row.max())
            output[place] = weights / weights.sum() @ values
    return output


RIGHT = (whose_maximum_ignores_nan, without_a_maximum, whose_scores_are_logarithms_of_weights, one_row_at_a_time)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
@pytest.mark.parametrize("kernel", RIGHT)
def test_a_right_kernel_passes(kernel: Callable[..., Array], law: Law) -> None:
    for dtype in ("float64", "float32"):
        outcome = hold(law, Subject(implementation_of(kernel), dtype), DEFAULT)
        assert outcome.verdict in {Verdict.PASS, Verdict.UNSUPPORTED}, outcome.explanation


def side_by_side(array: Array) -> Array:
    """Reshape (batch, heads, n, d) to tokens (batch, n, heads · d)."""
    return array.swapaxes(1, 2).reshape(len(array), array.shape[2], -1)


def apart(tokens: Array, heads: int) -> Array:
    return tokens.reshape(*tokens.shape[:2], heads, -1).swapaxes(1, 2)


def of_projected_tokens(query: Array, key: Array, value: Array) -> Array:
    """Project query, key and value by identities."""
    arrays = [(side_by_side(array), array.shape[1]) for array in (query, key, value)]
    return attention(*(apart(tokens @ np.eye(tokens.shape[-1], dtype=tokens.dtype), heads) for tokens, heads in arrays))


def of_one_token(query: Array, key: Array, value: Array) -> Array:
    """Project tokens that are query, key and value side by side by an identity."""
    tokens = np.concatenate([side_by_side(array) for array in (query, key, value)], axis=-1)
    projected = tokens @ np.eye(tokens.shape[-1], dtype=tokens.dtype)
    cuts = np.cumsum([array.shape[1] * array.shape[3] for array in (query, key)])
    parts = zip(np.split(projected, cuts, axis=-1), (query, key, value), strict=True)
    return attention(*(apart(part, array.shape[1]) for part, array in parts))


@pytest.mark.parametrize(
    ("kernel", "without"), [(of_projected_tokens, frozenset()), (of_one_token, frozenset({Feature.LENGTHS}))]
)
@pytest.mark.parametrize("projected", [True, False])
def test_a_layer_that_projects_tokens_passes_if_it_says_so(
    kernel: Callable[..., Array], without: frozenset[Feature], *, projected: bool
) -> None:
    plain = implementation_of(kernel, dialect=Dialect(projected=projected))
    subject = Subject(replace(plain, supports=plain.supports - without), "float64")
    verdicts = {hold(law, subject, DEFAULT).verdict for law in LAWS}
    assert (verdicts <= {Verdict.PASS, Verdict.UNSUPPORTED}) is projected


def spoilt(query: float, keys: tuple[float, ...], **options: Any) -> Spoilt[Problem]:
    one, many = np.ones((1, 1, 1, 1)), np.array(keys).reshape(1, 1, -1, 1)
    return Spoilt.of(Problem(one, many, many, "float64", **options), "query", query)


@pytest.mark.parametrize(
    ("query", "keys", "options", "reached"),
    [
        (np.nan, (1.0,), {}, True),
        (np.nan, (1.0,), {"softcap": 30.0}, True),
        (np.nan, (1.0,), {"mask": np.zeros((1, 1, 1, 1), bool)}, False),
        (np.inf, (1.0, -1.0), {}, True),
        (np.inf, (0.0, -1.0), {}, True),
        (np.inf, (-1.0, -2.0), {}, False),
        (np.inf, (-1.0, -2.0), {"scale": -0.5}, True),
        (-np.inf, (-1.0,), {}, True),
        (np.inf, (1.0,), {"softcap": 30.0}, False),
    ],
)
def test_a_row_must_be_nan_where_it_is_in_every_order(
    query: float, keys: tuple[float, ...], options: dict[str, Any], *, reached: bool
) -> None:
    assert spoilt(query, keys, **options).reached.tolist() == [[[reached]]]


def test_single_queries_several_blocks_of_keys_and_groups_are_asked() -> None:
    plans = corpus(PROBLEMS, DEFAULT)
    assert any(plan.queries == 1 and plan.keys > 64 for plan in plans)
    assert any(plan.queries == 1 and plan.options.group > 1 and plan.batch * plan.heads > 1 for plan in plans)
