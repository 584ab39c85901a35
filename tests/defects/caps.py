"""Defects in soft caps: applied in the wrong place, or of another shape."""

from __future__ import annotations

import numpy as np

from attention_tests import Precision
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import capped, hidden, layer, softmax
from tests.defects.defect import defect

SQUEEZES = "test_a_soft_cap_is_applied_to_the_scaled_scores"
BEFORE_ALL_ELSE = "test_a_soft_cap_is_applied_after_the_scale_and_before_all_else"


@defect("scale", "jax#32300: a cap that is ignored", killed_by=SQUEEZES)
def cap_ignored(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:  # noqa: ARG001
    return layer(query, key, value)


@defect("scale", "scores clipped instead of squashed by tanh", killed_by=SQUEEZES)
def cap_is_hard(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:
    scores = scaled_scores(query, key)
    return softmax(scores if softcap is None else scores.clip(-softcap, softcap)) @ value


@defect("scale", "tanh(s) · c", killed_by=SQUEEZES)
def cap_does_not_divide(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:
    scores = scaled_scores(query, key)
    return softmax(scores if softcap is None else softcap * np.tanh(scores)) @ value


@defect("scale", "tanh(s / c)", killed_by=SQUEEZES)
def cap_does_not_multiply(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:
    scores = scaled_scores(query, key)
    return softmax(scores if softcap is None else np.tanh(scores / softcap)) @ value


@defect("scale", "onnx#7865: the cap before the scale", killed_by=SQUEEZES)
def cap_before_the_scale(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:
    return softmax(capped(query @ key.mT, softcap) / np.sqrt(query.shape[-1]).astype(query.dtype)) @ value


@defect("scale", "a cap kept as a whole number", killed_by=SQUEEZES)
def cap_rounded(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:
    return layer(query, key, value, softcap=None if softcap is None else max(round(softcap), 1))


@defect("scale", "tanh by (1 - e⁻²ˣ) / (1 + e⁻²ˣ): ∞ / ∞", killed_by=SQUEEZES)
def cap_overflows(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:
    scores = scaled_scores(query, key)
    if softcap is None:
        return softmax(scores) @ value
    power = np.exp(-2 * scores / softcap)
    return softmax(softcap * (1 - power) / (1 + power)) @ value


@defect(
    "scale",
    "a tanh of eleven bits, as some processors have",
    dtypes={"float32": Precision.float32()},
    killed_by=SQUEEZES,
)
def cap_of_eleven_bits(query: Array, key: Array, value: Array, *, softcap: float | None = None) -> Array:
    scores = scaled_scores(query, key)
    if softcap is None:
        return softmax(scores) @ value
    return softmax(softcap * np.tanh(scores / softcap).astype(np.float16).astype(np.float32)) @ value


@defect("scale", "onnx#7865: the cap after the mask, -∞ becomes -c", killed_by=BEFORE_ALL_ELSE)
def cap_after_the_mask(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, softcap: float | None = None
) -> Array:
    scores = capped(hidden(scaled_scores(query, key), mask), softcap)
    seeing = True if mask is None else mask.any(axis=-1, keepdims=True)
    return np.where(seeing, softmax(scores) @ value, 0)


@defect("scale", "the mask dropped where there is a cap", killed_by=BEFORE_ALL_ELSE)
def mask_dropped_for_a_cap(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, softcap: float | None = None
) -> Array:
    return layer(query, key, value, mask=mask if softcap is None else None, softcap=softcap)


@defect("scale", "the cap before an explicit scale, after the default one", killed_by=BEFORE_ALL_ELSE)
def cap_before_an_explicit_scale(
    query: Array, key: Array, value: Array, *, scale: float | None = None, softcap: float | None = None
) -> Array:
    if scale is None or softcap is None:
        return layer(query, key, value, scale=scale, softcap=softcap)
    return softmax(capped(query @ key.mT, softcap) * scale) @ value


@defect("scale", "a scale that is ignored where there is a cap", killed_by=BEFORE_ALL_ELSE)
def scale_dropped_for_a_cap(
    query: Array, key: Array, value: Array, *, scale: float | None = None, softcap: float | None = None
) -> Array:
    return layer(query, key, value, scale=scale if softcap is None else None, softcap=softcap)
