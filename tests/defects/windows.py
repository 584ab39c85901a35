"""Defects in windows: another size, another place, or only one side."""

from __future__ import annotations

import numpy as np

from attention_tests import Alignment, Dialect, Feature
from tests.defects.correct import Array
from tests.defects.correct_layer import ahead, layer, layer_of_a_cache, layer_of_a_decoder, seen_by
from tests.defects.defect import defect

FAR_AWAY = "test_a_window_hides_distant_tokens"
ALIGNED = "test_a_window_is_aligned_as_the_dialect_declares"
OVER_ALL = "test_a_window_wider_than_the_sequence_changes_nothing"
LAST_WORDS = "test_a_causal_window_keeps_only_the_most_recent_tokens"

COMBINED_MASKS = (Feature.COMBINED_MASKS,)
LAST_IS_LAST = Dialect(alignment=Alignment.BOTTOM_RIGHT)
OF_A_DECODER = Dialect(causal_windows=True)


@defect("every-word", "transformers#39408: a window that is one too wide", killed_by=FAR_AWAY)
def window_one_too_wide(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, window=None if window is None else window + 1)


@defect("every-word", "onnxruntime#25927: a window that does not count the query's own token", killed_by=FAR_AWAY)
def window_one_too_narrow(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, window=None if window is None else window - 1)


@defect("every-word", "a window over earlier tokens only", killed_by=FAR_AWAY)
def window_looks_back_only(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, window=window, causal=window is not None)


@defect("every-word", "later tokens are never outside of the window", killed_by=FAR_AWAY)
def window_open_ahead(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, mask=None if window is None else ahead(query, key) > -window)


@defect("every-word", "half of the window on each side", killed_by=FAR_AWAY)
def window_halved(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, window=None if window is None else window // 2 + 1)


@defect("every-word", "fixed blocks in place of a sliding window", killed_by=FAR_AWAY)
def window_does_not_slide(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    if window is None:
        return layer(query, key, value)
    own, words = (np.arange(array.shape[-2]) // window for array in (query, key))
    return layer(query, key, value, mask=own[:, None] == words)


@defect("every-word", "bottom-right for top-left", killed_by=ALIGNED)
def window_aligned_bottom_right(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer_of_a_cache(query, key, value, window=window)


@defect("every-word", "top-left for bottom-right", dialect=LAST_IS_LAST, killed_by=ALIGNED)
def window_aligned_top_left(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, window=window)


@defect("every-word", "positions wrap around, as in a ring buffer", killed_by=ALIGNED)
def window_wraps_around_a_buffer(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    n_k = key.shape[-2]
    distance = (ahead(query, key) + n_k // 2) % n_k - n_k // 2
    return layer(query, key, value, mask=seen_by(distance, window=window))


@defect("every-word", "a window limited to the number of keys", killed_by=OVER_ALL)
def window_limited_to_the_number_of_keys(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, window=None if window is None else min(window, key.shape[-2]))


@defect("every-word", "a size kept in four bits", killed_by=OVER_ALL)
def window_of_four_bits(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    return layer(query, key, value, window=None if window is None else (window - 1) % 16 + 1)


@defect("every-word", "a window over all tokens taken for causality alone", killed_by=OVER_ALL)
def long_window_taken_for_causality(query: Array, key: Array, value: Array, *, window: int | None = None) -> Array:
    over_all = window is not None and window >= key.shape[-2]
    return layer(query, key, value, window=window, causal=over_all)


@defect(
    "every-word", "transformers#39408: one too wide where it is causal", features=COMBINED_MASKS, killed_by=LAST_WORDS
)
def causal_window_one_too_wide(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    return layer(query, key, value, causal=causal, window=window + 1 if causal and window is not None else window)


@defect("every-word", "a window dropped for causality", features=COMBINED_MASKS, killed_by=LAST_WORDS)
def window_dropped_for_causality(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    return layer(query, key, value, causal=causal, window=None if causal else window)


@defect("every-word", "causality dropped for a window", features=COMBINED_MASKS, killed_by=LAST_WORDS)
def causality_dropped_for_a_window(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    return layer(query, key, value, causal=causal and window is None, window=window)


@defect("every-word", "a sliding window one too wide", dialect=OF_A_DECODER, killed_by=FAR_AWAY)
def sliding_window_one_too_wide(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    return layer_of_a_decoder(query, key, value, causal=causal, window=None if window is None else window + 1)


@defect("every-word", "a sliding window for some layers only", dialect=OF_A_DECODER, killed_by=FAR_AWAY)
def sliding_window_left_out(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    return layer(query, key, value, causal=causal, window=None if causal else window)


@defect("every-word", "a sliding window over later tokens too", dialect=OF_A_DECODER, killed_by=FAR_AWAY)
def sliding_window_reaches_ahead(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    return layer(query, key, value, causal=causal and window is None, window=window)


@defect("every-word", "a window limited to one less than the number of keys", dialect=OF_A_DECODER, killed_by=OVER_ALL)
def sliding_window_of_full_length_loses_one_token(
    query: Array, key: Array, value: Array, *, causal: bool = False, window: int | None = None
) -> Array:
    shorter = None if window is None else min(window, max(key.shape[-2] - 1, 1))
    return layer_of_a_decoder(query, key, value, causal=causal, window=shorter)
