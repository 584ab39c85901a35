"""ONNX Runtime on the CPU: MultiHeadAttention and GroupQueryAttention of its own domain, com.microsoft.

They are documented in https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md. Heads are packed:
(batch, length, heads · width). A bias is (batch or 1, heads or 1, n_q, n_k). A mask is for padding, or the same for
all heads, and adds -10000 by default, so that masks are not declared. Fully masked rows are not documented; a softmax
over nothing is NaN. Past and present are (batch, heads, length, width).

In GroupQueryAttention a key head serves several query heads. It is causal by default, and only then there is a local
window, over the most recent tokens. Its values are as wide as its keys, and it takes as many keys as queries. Widths
must be multiples of eight, which is not documented: others are padded with zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from attention_tests.declare.dialect import Dialect, FullyMasked, Layout
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from implementations.onnx.cache import Cache, chunked
from implementations.onnx.model import to_native, to_numpy
from implementations.onnxruntime.group_query import (
    Decoder,
    group_query_after,
    group_query_attention,
    group_query_score,
    group_query_softmax,
)
from implementations.onnxruntime.multi_head import multi_head_after, multi_head_attention, multi_head_score
from implementations.onnxruntime.shared import group_query_after_in_place

LENGTH = 1
"""The axis of tokens."""

_PACKED = Dialect(layout=Layout.BATCH_LENGTH_HEAD_WIDTH, fully_masked=FullyMasked.NAN)
_SHARED = frozenset(
    {Feature.SCALE, Feature.HEADS, Feature.BIAS, Feature.CAUSAL, Feature.COMBINED_MASKS, Feature.THREADS}
)


def _implementation(
    name: str, attention: Callable[..., Array], cache: Callable[[], Any], supports: frozenset[Feature]
) -> Implementation:
    return Implementation(
        name=name,
        attention=attention,
        cache=cache,
        supports=_SHARED | supports,
        dtypes={"float32": Precision.float32(), "float16": Precision.upcast()},
        to_native=to_native,
        to_numpy=to_numpy,
        dialect=_PACKED,
    )


MULTI_HEAD_ATTENTION = replace(
    _implementation(
        "onnxruntime-mha",
        multi_head_attention,
        partial(Cache, multi_head_after),
        frozenset({Feature.LENGTHS, Feature.VALUE_WIDTH}),
    ),
    score=multi_head_score,
)
# As many queries as keys: the defect with other lengths (docs/findings/onnxruntime-mha-causal-lengths.md) must not
# hide others.
SELF_ATTENTION = replace(
    MULTI_HEAD_ATTENTION,
    name="onnxruntime-mha-self",
    score=None,
    cache=None,
    supports=MULTI_HEAD_ATTENTION.supports - {Feature.LENGTHS},
)
MULTI_HEAD_CHUNKED = replace(
    SELF_ATTENTION,
    name="onnxruntime-mha-chunked",
    attention=chunked(multi_head_attention, multi_head_after, LENGTH),
)
GROUP_QUERY_ATTENTION = replace(
    _implementation(
        "onnxruntime-gqa",
        group_query_attention,
        partial(Decoder, group_query_after),
        frozenset({Feature.GROUPED_HEADS, Feature.SOFTCAP, Feature.WINDOW}),
    ),
    score=group_query_score,
    softmax=group_query_softmax,
    dialect=replace(_PACKED, causal_windows=True),
)
GROUP_QUERY_CHUNKED = replace(
    GROUP_QUERY_ATTENTION,
    name="onnxruntime-gqa-chunked",
    attention=chunked(group_query_attention, group_query_after, LENGTH),
    score=None,
    softmax=None,
    cache=None,
)
GROUP_QUERY_SHARED = replace(
    GROUP_QUERY_ATTENTION,
    name="onnxruntime-gqa-shared",
    attention=chunked(group_query_attention, group_query_after_in_place, LENGTH),
    score=None,
    softmax=None,
    cache=partial(Decoder, group_query_after_in_place),
)
