"""Defects that show only at sizes and with options that models and servers call with."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from attention_tests import Feature
from tests.defects.chosen import chosen_where
from tests.defects.correct import Array, attention, scaled_scores, softmax, to_bits
from tests.defects.correct_layer import for_each_query_head, layer
from tests.defects.defect import defect

SIZES = "test_a_query_gets_the_value_that_it_asks_for_at_real_sizes"
FEW = "test_a_few_keys_among_many_are_weighed_as_if_they_were_alone"
GRID_OF_GROUPS = "test_there_may_be_more_query_heads_of_groups_than_16_bits_count"
GRID_OF_SUMS = "test_there_may_be_more_log_sum_exps_than_16_bits_count"

planted = partial(defect, "every-word", features=(Feature.GROUPED_HEADS, Feature.COMBINED_MASKS))


@planted("decoding by wide grouped heads forgets the batch of the keys", killed_by=SIZES)
@chosen_where(
    lambda query, key, _value, _options: (
        query.shape[2] == 1 and query.shape[1] > key.shape[1] and key.shape[2] > 1024 and key.shape[3] >= 128
    )
)
def batch_forgotten_in_wide_grouped_decoding(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, np.broadcast_to(key[:1], key.shape), value, **options)


@planted("latent attention of width 576 sees 1,024 keys", killed_by=SIZES)
@chosen_where(lambda _query, key, _value, _options: key.shape[3] == 576 and key.shape[2] > 1024)
def keys_of_latent_attention_cut(query: Array, key: Array, value: Array, **options: Any) -> Any:
    value = value.copy()
    value[:, :, 1024:] = 0
    return layer(query, key, value, **options)


@planted("a mask for each batch is read as that of the first", killed_by=SIZES)
@chosen_where(lambda query, _key, _value, options: "mask" in options and options["mask"].shape[:-2] == (len(query), 1))
def mask_of_the_first_batch_for_each(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key, value, **options | {"mask": options["mask"][:1]})


@planted("windows of a tile and more are wider by one", killed_by=SIZES)
@chosen_where(lambda _query, _key, _value, options: options.get("window", 0) >= 128)
def wide_windows_are_wider_by_one(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key, value, **options | {"window": options["window"] + 1})


@planted("of groups of more than 8 all read the last key head", killed_by=SIZES)
@chosen_where(lambda query, key, _value, _options: key.shape[1] and query.shape[1] // key.shape[1] > 8)
def large_groups_read_the_last_key_head(query: Array, key: Array, value: Array, **options: Any) -> Any:
    key, value = (np.broadcast_to(array[:, -1:], array.shape) for array in (key, value))
    return layer(query, key, value, **options)


@planted("the ninth key head and those behind it are those before them", killed_by=SIZES)
@chosen_where(lambda _query, key, _value, _options: key.shape[1] > 8 and key.shape[2] > 16)
def more_than_eight_key_heads(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(
        query, key[:, np.maximum(0, np.arange(key.shape[1]) - (np.arange(key.shape[1]) >= 8))], value, **options
    )


@planted("the fourth batch is read as the first", killed_by=SIZES)
@chosen_where(lambda _query, key, _value, _options: len(key) > 3 and key.shape[2] >= 64)
def fourth_batch_read_as_the_first(query: Array, key: Array, value: Array, **options: Any) -> Any:
    return layer(query, key[np.arange(len(key)) % 3], value, **options)


@defect("weigh", "beyond 4,096 keys weights are rounded to 8 bits", killed_by=FEW)
def weights_of_long_rows_in_bfloat16(query: Array, key: Array, value: Array) -> Array:
    if key.shape[-2] <= 4096:
        return attention(query, key, value)
    return to_bits(softmax(scaled_scores(query, key)), 8) @ value


@defect("weigh", "the last key beyond whole tiles of 64 weighs as the one before", killed_by=FEW)
def last_key_weighs_as_the_one_before(query: Array, key: Array, value: Array) -> Array:
    if key.shape[-2] % 64 != 1 or key.shape[-2] == 1:
        return attention(query, key, value)
    scores = scaled_scores(query, key)
    scores[..., -1] = scores[..., -2]
    return softmax(scores) @ value


@planted("a grid of 65,535 blocks, one for each query head", killed_by=GRID_OF_GROUPS)
@chosen_where(lambda query, key, _value, _options: query.shape[1] > key.shape[1])
def grid_of_16_bits_of_groups(query: Array, key: Array, value: Array, **options: Any) -> Any:
    answer = layer(query, *(for_each_query_head(array, query) for array in (key, value)), **options)
    output = answer[0] if "return_lse" in options else answer
    output.reshape(-1, *output.shape[2:])[65_535:] = 0
    return answer


@planted("a grid of 65,535 blocks that write a log-sum-exp", killed_by=GRID_OF_SUMS)
@chosen_where(lambda _query, _key, _value, options: "return_lse" in options)
def grid_of_16_bits_of_log_sum_exps(query: Array, key: Array, value: Array, **options: Any) -> Any:
    output, lse = layer(query, key, value, **options)
    lse.reshape(-1, lse.shape[2])[65_535:] = np.inf
    return output, lse
