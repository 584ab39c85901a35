"""Kernels for which programs are written: each is wrong, or ends badly, in another way."""

# ruff: noqa: ARG001 - most of them answer without looking

from __future__ import annotations

import os
import time
from itertools import count
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np

from tests.defects import correct
from tests.defects.correct import Array
from tests.defects.correct_layer import layer


def with_other_names(
    query: Array,
    key: Array,
    value: Array,
    *,
    attn_mask: Array | None = None,
    is_causal: bool = False,
    soft_cap: float | None = None,
) -> Array:
    return layer(query, key, value)


def without_scale(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value, scale=1.0)


kernels = SimpleNamespace(fast=SimpleNamespace(attention=without_scale))
globals()["not a name"] = without_scale
globals()["class"] = SimpleNamespace(attention=without_scale)


def raises(query: Array, key: Array, value: Array) -> NoReturn:
    raise ValueError('"""\nprint("injected")\r\x0bos._exit(0)\x00\ud800')


def exits(query: Array, key: Array, value: Array) -> NoReturn:
    raise SystemExit(0)


def a_list(query: Array, key: Array, value: Array) -> Any:
    return correct.attention(query, key, value).tolist()


def of_another_shape(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value)[..., None]


def of_another_dtype(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value).astype(np.float64)


def of_one_part(query: Array, key: Array, value: Array, *, return_lse: bool = False) -> Array:
    return correct.attention(query, key, value)


def ends_the_process(query: Array, key: Array, value: Array) -> NoReturn:
    os._exit(7)


def never_returns(query: Array, key: Array, value: Array) -> NoReturn:
    while True:
        time.sleep(0.01)


_calls = count()


def wrong_once(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value) + (next(_calls) == 0)


def tells_its_strides(query: Array, key: Array, value: Array) -> Array:
    """Return the strides of the query, in elements, as the first numbers of the output."""
    output = np.zeros(value.shape, value.dtype)
    output.flat[: query.ndim] = [stride // query.itemsize for stride in query.strides]
    return output
