"""Defects that a second call shows: buffers used again, inputs that are written, sums in another order."""

from __future__ import annotations

from functools import cache
from itertools import count
from typing import Any

import numpy as np

from attention_tests import Feature
from tests.defects.correct import Array
from tests.defects.correct_layer import layer
from tests.defects.defect import defect

_calls = count()


@cache
def _buffer(shape: tuple[int, ...], dtype: Any) -> Array:
    return np.empty(shape, dtype)


def _in_the_buffer(array: Array) -> Array:
    kept = _buffer(array.shape, array.dtype)
    kept[...] = array
    return kept


@defect(
    "every-word",
    "log-sum-exps of all calls in one buffer",
    features=[Feature.LOG_SUM_EXP],
    killed_by="test_later_calls_do_not_change_earlier_log_sum_exps",
)
def log_sum_exps_in_one_buffer(
    query: Array, key: Array, value: Array, *, mask: Array | None = None, return_lse: bool = False
) -> Any:
    answer = layer(query, key, value, mask=mask, return_lse=return_lse)
    if not return_lse:
        return answer
    output, lse = answer
    return output, _in_the_buffer(lse)


@defect(
    "every-word",
    "outputs of grouped heads in one buffer",
    features=[Feature.GROUPED_HEADS],
    killed_by="test_later_calls_with_an_option_do_not_change_earlier_outputs",
)
def outputs_of_groups_in_one_buffer(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    return _in_the_buffer(output) if query.shape[1] > key.shape[1] else output


@defect(
    "every-word",
    "a query that is a view is scaled in place where grouped heads decode",
    features=[Feature.GROUPED_HEADS],
    killed_by="test_inputs_are_not_written_wherever_they_lie",
)
def query_that_is_a_view_scaled_in_place(query: Array, key: Array, value: Array) -> Array:
    output = layer(query, key, value)
    decodes = query.shape[2] == 1 and query.shape[1] > key.shape[1]
    if decodes and not query.flags.owndata and query.flags.writeable:
        query *= np.asarray(query.shape[-1] ** -0.5, query.dtype)
    return output


@defect(
    "every-word",
    "more than 2,048 keys are summed in an order that turns from call to call",
    killed_by="test_many_keys_are_summed_in_the_same_order_every_time",
)
def order_of_many_keys_turns(query: Array, key: Array, value: Array) -> Array:
    if key.shape[-2] > 2048 and next(_calls) % 2:
        key, value = key[..., ::-1, :], value[..., ::-1, :]
    return layer(query, key, value)
