"""Defects in gradients that show only where circumstances meet, as in bug reports of released kernels."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from attention_tests import Feature, Step
from tests.defects.correct import Array
from tests.defects.correct_gradient import Gradients, gradient, of_each_head
from tests.defects.correct_layer import ahead, seen_by
from tests.defects.defect import defect

ASKED = "test_a_value_gets_the_gradients_of_the_queries_that_asked_for_it"
ASKED_BY_GROUP = "test_a_value_gets_the_gradients_of_the_query_heads_of_its_group"
ASKED_BESIDE_HIDDEN = "test_a_value_gets_no_gradient_of_queries_that_it_is_hidden_from"
GRADIENTS = "test_the_gradients_are_right_in_all_circumstances"

SIGNED_SCALE = "test_gradients_under_a_scale_of_zero_or_below_are_right_in_all_circumstances"

GROUPED = (Feature.GROUPED_HEADS,)

planted = partial(defect, "every-word", step=Step.GRADIENT)


@planted("beyond 4,096 keys only the first page gets a gradient", killed_by=ASKED)
def value_gradient_of_the_first_page(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    d_value[..., 4096:, :] = 0
    return d_query, d_key, d_value


@planted("one grouped query: key heads tiled for the values", features=GROUPED, killed_by=ASKED_BY_GROUP)
def value_gradient_of_tiled_heads_of_one_query(query: Array, key: Array, value: Array, upstream: Array) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream)
    if query.shape[2] > 1:
        return d_query, d_key, d_value
    _, _, apart = of_each_head(query, key, value, upstream, seen_by(ahead(query, key)))
    batch, key_heads, *rest = value.shape
    return d_query, d_key, apart.reshape(batch, -1, key_heads, *rest).sum(axis=1)


@planted("the mask of the first batch for the values", killed_by=ASKED_BESIDE_HIDDEN)
def value_gradient_under_the_mask_of_the_first_batch(
    query: Array, key: Array, value: Array, upstream: Array, *, mask: Array | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, mask=mask)
    if mask is None or mask.ndim < 4:
        return d_query, d_key, d_value
    return d_query, d_key, gradient(query, key, value, upstream, mask=mask[:1])[2]


@planted("a window and values narrower than keys: the width of the values for the scale", killed_by=GRADIENTS)
def key_gradient_scaled_by_the_width_of_narrow_values(
    query: Array, key: Array, value: Array, upstream: Array, *, window: int | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, window=window)
    narrow = window is not None and value.shape[-1] < key.shape[-1]
    factor = math.sqrt(key.shape[-1] / value.shape[-1]) if narrow else 1.0
    return d_query, d_key * np.asarray(factor, d_key.dtype), d_value


@planted("causal and wide grouped heads: the first query head of a group", features=GROUPED, killed_by=GRADIENTS)
def causal_key_gradient_of_the_first_head_of_a_group(
    query: Array, key: Array, value: Array, upstream: Array, *, causal: bool = False
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, causal=causal)
    group = query.shape[1] // key.shape[1]
    if causal and group > 1 and key.shape[3] >= 64:
        _, apart, _ = of_each_head(query, key, value, upstream, seen_by(ahead(query, key), causal=True))
        d_key = apart[:, ::group]
    return d_query, d_key, d_value


@planted("a negative scale and a soft cap: the sign of the scale lost in the query's gradient", killed_by=SIGNED_SCALE)
def query_gradient_of_a_capped_negative_scale(
    query: Array, key: Array, value: Array, upstream: Array, *, scale: float | None = None, softcap: float | None = None
) -> Gradients:
    d_query, d_key, d_value = gradient(query, key, value, upstream, scale=scale, softcap=softcap)
    wrong = softcap is not None and scale is not None and scale < 0
    return -d_query if wrong else d_query, d_key, d_value
