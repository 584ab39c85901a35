"""Defects that show only where circumstances meet, as in bug reports of released kernels."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from attention_tests import Feature
from tests.defects.chosen import chosen_where
from tests.defects.correct import Array, scaled_scores
from tests.defects.correct_layer import ahead, capped, divided, for_each_query_head, hidden, layer, seen_by
from tests.defects.defect import defect

OUTPUT = "test_the_output_is_right_in_all_circumstances"
LOG_SUM_EXP = "test_the_log_sum_exp_is_right_in_all_circumstances"
ROW = "test_a_query_gets_the_value_of_the_key_that_it_asks_for"
ROW_OF_GROUP = "test_a_query_of_a_group_gets_the_value_that_it_asks_for"
ROW_BESIDE_HIDDEN = "test_a_query_gets_the_value_that_it_asks_for_beside_hidden_keys"
ROW_OF_GROUP_BESIDE_HIDDEN = "test_a_query_of_a_group_gets_its_value_beside_hidden_keys"
SIGNED_SCALE = "test_a_scale_of_zero_or_below_is_right_in_all_circumstances"
COUNT = "test_every_key_is_counted_once"
COUNT_OF_GROUP = "test_every_key_of_a_key_head_is_counted_once"
COUNT_VISIBLE = "test_every_visible_key_is_counted_once"
ZERO = "test_log_sum_exp_of_one_key_with_a_score_of_zero_is_zero"

FEATURES = (Feature.GROUPED_HEADS, Feature.COMBINED_MASKS)

planted = partial(defect, "every-word", features=FEATURES)


def grouped(query: Array, key: Array) -> bool:
    return bool(query.shape[1] > key.shape[1])


def decodes(query: Array, key: Array) -> bool:
    return query.shape[2] == 1 and grouped(query, key)


@planted("vLLM: grouped decoding from 1,024 keys on forgets the batch in the keys' offset", killed_by=ROW_OF_GROUP)
@chosen_where(lambda query, key, _value, _options: decodes(query, key) and key.shape[-2] >= 1024)
def batch_forgotten_in_long_grouped_decoding(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, np.broadcast_to(key[:1], key.shape), value, **options)


@planted("NaN for one query of grouped heads where the keys are a multiple of 256", killed_by=COUNT_OF_GROUP)
@chosen_where(
    lambda query, key, _value, options: decodes(query, key) and key.shape[-2] % 256 == 0 and "return_lse" not in options
)
def nan_for_whole_splits_of_grouped_decoding(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key, value, **options) * query.dtype.type(np.nan)


@planted("the log-sum-exp of a single grouped query laid out as (group, key heads)", killed_by=LOG_SUM_EXP)
@chosen_where(lambda query, key, _value, options: decodes(query, key) and "return_lse" in options)
def log_sum_exp_of_grouped_decoding_transposed(query: Array, key: Array, value: Array, **options: Any) -> Any:
    output, lse = layer(query, key, value, **options)
    batch, heads, _ = lse.shape
    return output, lse.reshape(batch, key.shape[1], -1).swapaxes(1, 2).reshape(batch, heads, 1)


@planted("beyond 4,096 keys only the last page is seen", killed_by=ROW)
@chosen_where(lambda _query, key, _value, options: key.shape[-2] > 4096 and not {"causal", "mask"} & options.keys())
def last_page_only(query: Array, key: Array, value: Array, **options: Any) -> Any:
    first = (key.shape[-2] - 1) // 4096 * 4096
    window = query.shape[-2] + key.shape[-2] if "window" in options else None
    bias = options.get("bias")
    bias = bias if bias is None or bias.shape[-1] == 1 else bias[..., first:]
    return layer(query, key[..., first:, :], value[..., first:, :], **options | {"window": window, "bias": bias})


@planted("a row of scores of more than 48 KiB is cut where shared memory ends", killed_by=ROW)
@chosen_where(lambda _query, key, _value, options: key.shape[-2] > 12288 and not {"mask", "bias"} & options.keys())
def scores_cut_at_the_end_of_shared_memory(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key[..., :12288, :], value[..., :12288, :], **options)


@planted("the last 16 of 8,192 keys and more are counted twice", killed_by=COUNT)
@chosen_where(lambda _query, key, _value, options: key.shape[-2] >= 8192 and not {"mask", "bias"} & options.keys())
def overlapping_splits(query: Array, key: Array, value: Array, **options: Any) -> Any:
    key, value = (np.concatenate([array, array[..., -16:, :]], axis=-2) for array in (key, value))
    return layer(query, key, value, **options)


@planted("the tail of a length beside a tile is padded with keys of zero that are not hidden", killed_by=COUNT)
@chosen_where(
    lambda _query, key, _value, options: (
        key.shape[-2] > 64
        and key.shape[-2] % 64
        and not {"mask", "bias", "window"} & options.keys()
        and "causal" not in options
    )
)
def tail_padded_with_visible_zeros(query: Array, key: Array, value: Array, **options: Any) -> Any:
    missing = [(0, 0), (0, 0), (0, -key.shape[-2] % 64), (0, 0)]
    return layer(query, np.pad(key, missing), np.pad(value, missing), **options)


@planted("grouped heads with a mask: the mask of key heads, not of query heads", killed_by=ROW_OF_GROUP_BESIDE_HIDDEN)
@chosen_where(
    lambda query, key, _value, options: (
        grouped(query, key) and "mask" in options and options["mask"].ndim == 4 and options["mask"].shape[1] > 1
    )
)
def mask_of_key_heads(query: Array, key: Array, value: Array, **options: Any) -> Any:
    heads = np.arange(query.shape[1]) // (query.shape[1] // key.shape[1])
    return layer(query, key, value, **options | {"mask": options["mask"][:, heads]})


@planted("a window of grouped heads from 64 keys on is one too wide", killed_by=COUNT_VISIBLE)
@chosen_where(lambda _query, key, _value, options: "window" in options and key.shape[-2] >= 64)
def window_of_long_sequences_one_too_wide(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key, value, **options | {"window": options["window"] + 1})


@planted("causality at 1,025 keys and more shifted by a tile's remainder", killed_by=ROW_BESIDE_HIDDEN)
@chosen_where(lambda _query, key, _value, options: "causal" in options and key.shape[-2] > 1024)
def causality_of_long_sequences_shifted(query: Array, key: Array, value: Array, **options: Any) -> Any:
    seen = np.arange(key.shape[-2]) <= np.arange(query.shape[-2])[:, None] + 1
    mask = seen & options.get("mask", True)
    return layer(query, key, value, **options | {"mask": mask, "causal": False})


@planted("log-sum-exp in base 2 from 1,024 keys on", killed_by=LOG_SUM_EXP)
@chosen_where(lambda _query, key, _value, options: "return_lse" in options and key.shape[-2] >= 1024)
def log_sum_exp_of_long_sequences_in_base_2(query: Array, key: Array, value: Array, **options: Any) -> Any:
    output, lse = layer(query, key, value, **options)
    return output, lse * query.dtype.type(1 / np.log(2))


@planted("log-sum-exp of whole tiles of keys is NaN where all scores but one are far below", killed_by=ZERO)
@chosen_where(lambda _query, key, _value, options: "return_lse" in options and key.shape[-2] % 64 == 0)
def log_sum_exp_of_whole_tiles_is_not_shifted(query: Array, key: Array, value: Array, **options: Any) -> Any:
    output, lse = layer(query, key, value, **options)
    _, other = layer(query, key[..., 1:, :], value[..., 1:, :], **options | dict.fromkeys(("mask", "bias")))
    return output, np.where(other < -100, query.dtype.type(np.nan), lse)


@planted("values narrower than keys are read with the width of keys from 96 on", killed_by=OUTPUT)
@chosen_where(lambda _query, key, value, _options: value.shape[-1] < key.shape[-1] and key.shape[-1] >= 96)
def narrow_values_read_with_the_width_of_keys(query: Array, key: Array, value: Array, **options: Any) -> Any:
    wide = np.resize(value, (*value.shape[:-1], key.shape[-1]))
    return layer(query, key, wide[..., : value.shape[-1]], **options)


@planted("only the first 128 columns enter the scores of grouped heads", killed_by=OUTPUT)
@chosen_where(lambda query, key, _value, _options: grouped(query, key) and key.shape[-1] > 128)
def columns_beyond_128_dropped(query: Array, key: Array, value: Array, **options: Any) -> Any:
    scale = options.get("scale", query.dtype.type(key.shape[-1] ** -0.5))
    return layer(query[..., :128], key[..., :128], value, **options | {"scale": scale})


@planted("exp without the maximum for tiles of 64 queries, which underflows far below", killed_by=OUTPUT)
@chosen_where(lambda query, _key, _value, options: query.shape[-2] >= 64 and "return_lse" not in options)
def maximum_left_out_for_tiles(query: Array, key: Array, value: Array, **options: Any) -> Any:
    hiding = {name: options[name] for name in ("mask", "causal", "window") if name in options}
    seen = seen_by(ahead(query, key), **hiding)
    scores = capped(scaled_scores(query, for_each_query_head(key, query), options.get("scale")), options.get("softcap"))
    scores = hidden(scores + options.get("bias", 0), seen)
    return divided(np.exp(scores)) @ for_each_query_head(value, query)


@planted("a negative scale of decoding loses its sign", killed_by=SIGNED_SCALE)
@chosen_where(lambda query, _key, _value, options: query.shape[-2] == 1 and options.get("scale", 0) < 0)
def sign_of_the_scale_lost_in_decoding(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key, value, **options | {"scale": -options["scale"]})


@planted("a soft cap dropped by the kernel for wide heads", killed_by=OUTPUT)
@chosen_where(lambda _query, key, _value, options: "softcap" in options and key.shape[-1] >= 128)
def cap_dropped_for_wide_heads(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key, value, **options | {"softcap": None})


@planted("a bias of several batches read with the first batch's where heads are grouped", killed_by=OUTPUT)
@chosen_where(
    lambda query, key, _value, options: (
        grouped(query, key) and "bias" in options and options["bias"].ndim == 4 and options["bias"].shape[0] > 1
    )
)
def bias_of_the_first_batch_for_grouped_heads(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key, value, **options | {"bias": options["bias"][:1]})


@planted("the query beside a tile of 64 is not computed", killed_by=ROW)
@chosen_where(lambda query, _key, _value, options: query.shape[-2] == 65 and "return_lse" not in options)
def query_beside_a_tile_left_out(query: Array, key: Array, value: Array, **options: Any) -> Any:
    output = layer(query, key, value, **options)
    output[..., 64:, :] = 0
    return output
