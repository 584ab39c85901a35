"""Defects in causality: too little or too much hidden, or another alignment."""

from __future__ import annotations

import numpy as np

from attention_tests import Alignment, Dialect, Feature
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct import softmax as plain_softmax
from tests.defects.correct_layer import ahead, divided, hidden, largest_of, layer, layer_of_a_cache, seen_by
from tests.defects.defect import defect

NO_LATER_WORD = "test_a_causal_query_attends_to_no_later_token"
ALIGNED = "test_causality_is_aligned_as_the_dialect_declares"
NO_BIT = "test_later_tokens_change_no_bit_of_earlier_outputs"
ONE_BY_ONE = "test_decoding_one_token_at_a_time_equals_causal_attention"
EITHER = "test_a_mask_is_applied_with_causality_or_a_window"
WITH_BIAS = "test_a_bias_is_added_where_nothing_is_hidden"

COMBINED_MASKS = (Feature.COMBINED_MASKS,)
LAST_IS_LAST = Dialect(alignment=Alignment.BOTTOM_RIGHT)


def _first_word_of(query: Array, key: Array) -> int:
    return int(key.shape[-2] - query.shape[-2])


@defect("every-word", "jax#32300: causality that is ignored", killed_by=NO_LATER_WORD)
def causality_ignored(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:  # noqa: ARG001
    return layer(query, key, value)


@defect("every-word", "pytorch#195910: the next token is visible", killed_by=NO_LATER_WORD)
def next_token_visible(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, mask=ahead(query, key) <= 1 if causal else None)


@defect("every-word", "a query does not attend to its own token", killed_by=NO_LATER_WORD)
def own_token_hidden(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, mask=ahead(query, key) < 0 if causal else None)


@defect("every-word", "earlier tokens hidden instead of later ones", killed_by=NO_LATER_WORD)
def earlier_tokens_hidden(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, mask=ahead(query, key) >= 0 if causal else None)


@defect("every-word", "later tokens visible up to the end of a block of eight", killed_by=NO_LATER_WORD)
def rest_of_the_block_visible(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    place = ahead(query[..., :1, :], key)
    blocks = place // 8 <= np.arange(query.shape[-2])[:, None] // 8
    return layer(query, key, value, mask=blocks if causal else None)


@defect("every-word", "one later token visible to all: the last one", killed_by=NO_BIT)
def last_token_visible_to_all(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    last = np.arange(key.shape[-2]) == key.shape[-2] - 1
    return layer(query, key, value, mask=(ahead(query, key) <= 0) | last if causal else None)


@defect("softmax", "later tokens in the denominator", killed_by=NO_BIT)
def later_tokens_in_the_denominator(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    weights = plain_softmax(scaled_scores(query, key))
    return weights * seen_by(ahead(query, key), causal=causal) @ value


@defect("softmax", "a softmax over all tokens, normalised again: later tokens change the rounding", killed_by=NO_BIT)
def later_tokens_change_the_rounding(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    scores, seen = scaled_scores(query, key), seen_by(ahead(query, key), causal=causal)
    # No score is far below this one, so that only the last bits change.
    shift = np.clip(scores.max(axis=-1, keepdims=True), (low := largest_of(hidden(scores, seen))), low + 8)
    return divided(np.exp(hidden(scores, seen) - shift)) @ value


@defect("sum", "the mean of all values is subtracted and added back", killed_by=NO_BIT)
def later_values_change_the_rounding(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    mean = value.mean(axis=-2, keepdims=True) * value.dtype.type(2**-8) if causal else 0
    seeing = seen_by(ahead(query, key), causal=causal).any(axis=-1, keepdims=True)
    return np.where(seeing, layer(query, key, value - mean, causal=causal) + mean, 0)


@defect("every-word", "onnxruntime#29020: bottom-right for top-left", killed_by=ALIGNED)
def aligned_bottom_right(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer_of_a_cache(query, key, value, causal=causal)


@defect("every-word", "pytorch#108108: top-left for bottom-right", dialect=LAST_IS_LAST, killed_by=ALIGNED)
def aligned_top_left(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, causal=causal)


@defect("every-word", "the offset of a cache with its sign lost", dialect=LAST_IS_LAST, killed_by=ALIGNED)
def offset_without_its_sign(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    distance = ahead(query, key) - abs(_first_word_of(query, key))
    return layer(query, key, value, mask=distance <= 0 if causal else None)


@defect(
    "every-word", "an offset clipped at zero: wrong for more queries than keys", dialect=LAST_IS_LAST, killed_by=ALIGNED
)
def offset_never_negative(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    distance = ahead(query, key) - max(_first_word_of(query, key), 0)
    return layer(query, key, value, mask=distance <= 0 if causal else None)


@defect("every-word", "a triangle over the keys alone, read row by row", killed_by=ALIGNED)
def triangle_of_the_keys(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    distance = ahead(key, key)[np.arange(query.shape[-2]) % key.shape[-2]]
    return layer(query, key, value, mask=distance <= 0 if causal else None)


_offsets: dict[int, int] = {}


@defect("every-word", "pytorch#184122: a mask cached by the number of keys", dialect=LAST_IS_LAST, killed_by=ALIGNED)
def causal_mask_cached_by_keys(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    distance = ahead(query, key) - _offsets.setdefault(key.shape[-2], _first_word_of(query, key))
    return layer(query, key, value, mask=distance <= 0 if causal else None)


@defect(
    "every-word", "pytorch#108108: a single query after a cache attends to the first token only", killed_by=ONE_BY_ONE
)
def single_query_always_causal(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, causal=causal or query.shape[-2] == 1)


@defect("every-word", "a single query after a cache does not attend to its own token", killed_by=ONE_BY_ONE)
def single_query_attends_to_the_past_only(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    cached = ahead(query, key, Alignment.BOTTOM_RIGHT) < 0
    decoding = query.shape[-2] == 1 and key.shape[-2] > 1 and not causal
    return layer(query, key, value, causal=causal, mask=cached if decoding else None)


@defect("every-word", "keras#23038: causality dropped for a mask", features=COMBINED_MASKS, killed_by=EITHER)
def causality_dropped_for_a_mask(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, causal: bool = False
) -> Array:
    return layer(query, key, value, mask=mask, causal=causal and mask is None)


@defect("every-word", "a mask dropped for causality", features=COMBINED_MASKS, killed_by=EITHER)
def mask_dropped_for_causality(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, causal: bool = False
) -> Array:
    return layer(query, key, value, mask=None if causal else mask, causal=causal)


@defect(
    "every-word",
    "a token is visible if either the mask or causality allows it",
    features=COMBINED_MASKS,
    killed_by=EITHER,
)
def causality_or_mask(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, causal: bool = False
) -> Array:
    if mask is None or not causal:
        return layer(query, key, value, mask=mask, causal=causal)
    return layer(query, key, value, mask=mask | (ahead(query, key) <= 0))


@defect(
    "every-word",
    "transformers#17306: -1e30 added by the mask and by causality, so that hidden once beats hidden twice",
    features=COMBINED_MASKS,
    killed_by=EITHER,
)
def masks_of_minus_1e30_added_up(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, causal: bool = False
) -> Array:
    if mask is None or not causal:
        return layer(query, key, value, mask=mask, causal=causal)
    times = 2 - mask - (ahead(query, key) <= 0)
    return layer(query, key, value, bias=times * query.dtype.type(-1e30))


@defect("every-word", "causality dropped for a bias", features=COMBINED_MASKS, killed_by=WITH_BIAS)
def causality_dropped_for_a_bias(
    query: Array, key: Array, value: Array, *, bias: Array | None = None, causal: bool = False
) -> Array:
    return layer(query, key, value, bias=bias, causal=causal and bias is None)


@defect("every-word", "a bias dropped for causality", features=COMBINED_MASKS, killed_by=WITH_BIAS)
def bias_dropped_for_causality(
    query: Array, key: Array, value: Array, *, bias: Array | None = None, causal: bool = False
) -> Array:
    return layer(query, key, value, bias=None if causal else bias, causal=causal)


@defect("every-word", "a triangle of 0 and -30 added to a bias", features=COMBINED_MASKS, killed_by=WITH_BIAS)
def bias_cancels_a_finite_causal_mask(
    query: Array, key: Array, value: Array, *, bias: Array | None = None, causal: bool = False
) -> Array:
    if bias is None or not causal:
        return layer(query, key, value, bias=bias, causal=causal)
    later = query.dtype.type(-30) * (ahead(query, key) > 0)
    seeing = (~np.isneginf(bias) & (ahead(query, key) <= 0)).any(axis=-1, keepdims=True)
    return np.where(seeing, layer(query, key, value, bias=bias + later), 0)
