"""Defects in combinations of options that are each right alone."""

from __future__ import annotations

import numpy as np

from attention_tests import Dialect, Feature, FullyMasked
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import ahead, average, capped, hidden, layer, log_sum_exp, softmax
from tests.defects.defect import defect

AT_ONCE = "test_combined_options_are_all_applied"
SUMS = "test_log_sum_exp_is_taken_after_all_options"
GROUPED = (Feature.GROUPED_HEADS,)
COMBINED_MASKS = (Feature.COMBINED_MASKS,)


@defect("every-word", "a mask indexed by key head instead of query head", features=GROUPED, killed_by=AT_ONCE)
def mask_of_the_key_head(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    heads = key.shape[1]
    if mask is not None and mask.ndim == 4 and mask.shape[1] > heads:
        mask = np.repeat(mask[:, :heads], mask.shape[1] // heads, axis=1)
    return layer(query, key, value, mask=mask)


@defect("every-word", "grouped heads take a path that ignores causality", features=GROUPED, killed_by=AT_ONCE)
def grouped_heads_are_not_causal(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    return layer(query, key, value, causal=causal and query.shape[1] == key.shape[1])


@defect("scale", "onnx#7865: the cap after the bias", features=COMBINED_MASKS, killed_by=AT_ONCE)
def bias_before_the_cap(
    query: Array, key: Array, value: Array, *, bias: Array | None = None, softcap: float | None = None
) -> Array:
    scores = scaled_scores(query, key) + (0 if bias is None else bias)
    seen = None if bias is None else ~np.isneginf(bias)
    return average(softmax(hidden(capped(scores, softcap), seen)), value)


@defect("scale", "causal attention has no cap", killed_by=AT_ONCE)
def cap_dropped_for_causality(
    query: Array, key: Array, value: Array, *, softcap: float | None = None, causal: bool = False
) -> Array:
    return layer(query, key, value, softcap=None if causal else softcap, causal=causal)


@defect("scale", "the scale is folded into the bias, too", killed_by=AT_ONCE)
def bias_scaled_by_an_explicit_scale(
    query: Array, key: Array, value: Array, *, scale: float | None = None, bias: Array | None = None
) -> Array:
    if scale is not None and bias is not None:
        bias = bias * bias.dtype.type(scale)
    return layer(query, key, value, scale=scale, bias=bias)


@defect("every-word", "an explicit scale takes a path without masks", killed_by=AT_ONCE)
def mask_dropped_for_a_scale(
    query: Array, key: Array, value: Array, *, scale: float | None = None, mask: Array | None = None
) -> Array:
    return layer(query, key, value, scale=scale, mask=mask if scale is None else None)


@defect("every-word", "a window takes the place of a mask", features=COMBINED_MASKS, killed_by=AT_ONCE)
def mask_dropped_for_a_window(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, window: int | None = None
) -> Array:
    return layer(query, key, value, mask=mask if window is None else None, window=window)


@defect("every-word", "a window takes the place of a bias", features=COMBINED_MASKS, killed_by=AT_ONCE)
def bias_dropped_for_a_window(
    query: Array, key: Array, value: Array, *, bias: Array | None = None, window: int | None = None
) -> Array:
    return layer(query, key, value, bias=bias if window is None else None, window=window)


@defect("softmax", "flash-attention#2842: sums that include hidden keys", killed_by=SUMS)
def log_sum_exp_includes_hidden_keys(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, return_lse: bool = False
) -> Array:
    output = layer(query, key, value, mask=mask)
    return (output, log_sum_exp(scaled_scores(query, key))) if return_lse else output


@defect("softmax", "log-sum-exps of the heads in another order", features=GROUPED, killed_by=SUMS)
def log_sum_exp_of_another_head(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    output, lse = layer(query, key, value, return_lse=True)
    lse = lse if query.shape[1] == key.shape[1] else lse[:, ::-1]
    return (output, lse) if return_lse else output


@defect("softmax", "log-sum-exps of scores without their cap", killed_by=SUMS)
def log_sum_exp_without_the_cap(
    query: Array, key: Array, value: Array, *, softcap: float | None = None, return_lse: bool = False
) -> Array:
    output = layer(query, key, value, softcap=softcap)
    return (output, log_sum_exp(scaled_scores(query, key))) if return_lse else output


@defect(
    "scale",
    "-∞ added before the scale: PyTorch's flash kernel, docs/findings/",
    killed_by="test_a_scale_of_any_sign_works_with_causality",
)
def hidden_before_the_scale(
    query: Array, key: Array, value: Array, *, scale: float | None = None, causal: bool = False
) -> Array:
    seen = ahead(query, key) <= 0 if causal else None
    factor = 1 / np.sqrt(key.shape[-1]) if scale is None else scale
    scores = hidden(query @ key.mT, seen) * query.dtype.type(factor)
    return average(softmax(scores), value)


@defect("every-word", "the bias is doubled in place", killed_by="test_masks_and_biases_are_not_written")
def bias_doubled_in_place(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    output = layer(query, key, value, bias=bias)
    if bias is not None:
        bias *= 2
    return output


@defect("every-word", "pytorch#112577: strides ignored", killed_by="test_the_memory_layout_of_a_bias_does_not_matter")
def bias_read_as_if_contiguous(query: Array, key: Array, value: Array, *, bias: Array | None = None) -> Array:
    if bias is not None and bias.base is not None and not bias.flags.c_contiguous:
        bias = np.resize(bias.base, bias.shape)
    return layer(query, key, value, bias=bias)


@defect("every-word", "a mask of 64 keys, repeated", killed_by="test_options_are_applied_at_any_sequence_length")
def mask_repeats_after_64_keys(query: Array, key: Array, value: Array, *, mask: Array | None = None) -> Array:
    if mask is not None and mask.shape[-1] > 64:
        mask = mask[..., np.arange(mask.shape[-1]) % 64]
    return layer(query, key, value, mask=mask)


@defect(
    "every-word", "causality within the first block only", killed_by="test_options_are_applied_at_any_sequence_length"
)
def causal_for_64_tokens_only(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    distance = ahead(query, key)
    return layer(query, key, value, mask=(distance <= 0) | (distance > 64) if causal else None)


@defect(
    "every-word",
    "pytorch#101967: 0 · NaN of a token that is visible to some queries",
    features=(Feature.NON_FINITE,),
    killed_by="test_nan_and_infinity_in_later_tokens_reach_no_earlier_output",
)
def later_tokens_weighed_by_zero(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    seen = ahead(query, key) <= 0 if causal else None
    return softmax(hidden(scaled_scores(query, key), seen)) @ value


@defect("every-word", "a finite sentinel", killed_by="test_later_tokens_change_no_bit_of_earlier_outputs")
def later_tokens_at_minus_1e30(query: Array, key: Array, value: Array, *, causal: bool = False) -> Array:
    scores = scaled_scores(query, key)
    if causal:
        scores = scores + np.where(ahead(query, key) <= 0, 0, -1e30).astype(scores.dtype)
    return softmax(scores) @ value


NO_WORDS = "test_zero_keys_give_the_fully_masked_rows_of_the_dialect"


@defect("softmax", "0 / 0 for zero keys", features=(Feature.EMPTY,), killed_by=NO_WORDS)
def no_keys_give_nan(query: Array, key: Array, value: Array) -> Array:
    weights = np.exp(scaled_scores(query, key))
    return layer(query, key, value) if key.shape[-2] else weights @ value / weights.sum(axis=-1, keepdims=True)


@defect(
    "softmax",
    "flash-attention#2470: an output that is not written",
    features=(Feature.EMPTY,),
    dialect=Dialect(fully_masked=FullyMasked.NAN),
    killed_by=NO_WORDS,
)
def no_keys_give_zeros(query: Array, key: Array, value: Array) -> Array:
    return layer(query, key, value)
