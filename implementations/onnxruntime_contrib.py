"""ONNX Runtime on the CPU: MultiHeadAttention and GroupQueryAttention of its own domain, com.microsoft.

What they promise is in https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md. Heads are packed:
(batch, length, heads · width). A bias is (batch or 1, heads or 1, n_q, n_k). A mask is one of padding, or the same for
all heads, and fills in -10000 unless told otherwise, so that it is none that a law could ask for. What a query gets
that sees no word is not said: a softmax over nothing is no number.

In GroupQueryAttention a key head serves several query heads. It is causal unless told otherwise, its values are as wide
as its keys, and it takes as many keys as queries, which is a first prompt. Widths must be multiples of eight, which is
not in the document: others are filled up with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

import numpy as np
from onnx import ValueInfoProto, helper
from onnxruntime import InferenceSession

from attention_tests.implementation import Array, Dialect, Feature, Implementation, Layout, Unseeing
from attention_tests.precision import Precision
from implementations.onnx_model import IR_VERSION, to_native, to_numpy
from implementations.onnxruntime import session_of

OPSETS = {"": 21, "com.microsoft": 1}

WIDTHS = 8
"""GroupQueryAttention takes widths that are multiples of it."""

Kinds = tuple[tuple[str, str, int], ...]
"""The name, the dtype and the rank of each input."""


def multi_head_attention(  # noqa: PLR0913 - what the operator offers
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float | None = None,
    bias: Array | None = None,
    causal: bool = False,
) -> Array:
    """Return softmax(scale · Q Kᵀ + bias) V, all of shape (batch, length, heads, width)."""
    inputs = {"query": _packed(query), "key": _packed(key), "value": _packed(value)}
    if bias is not None:
        inputs["attention_bias"] = _whole(bias, query, key)
    attributes = _given(num_heads=query.shape[2], scale=scale, unidirectional=int(causal) or None)
    return _unpacked(_run("MultiHeadAttention", MULTI_HEAD, inputs, attributes), query.shape[2])


def group_query_attention(  # noqa: PLR0913 - what the operator offers
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float | None = None,
    bias: Array | None = None,
    causal: bool = False,
    softcap: float | None = None,
) -> Array:
    """Return the same; a key head serves as many query heads as there are for one."""
    width, words = query.shape[-1], key.shape[1]
    if width % WIDTHS and scale is None:
        scale = 1 / math.sqrt(width)
    inputs = {"query": _packed(_filled_up(query)), "key": _packed(_filled_up(key)), "value": _packed(_filled_up(value))}
    inputs["seqlens_k"] = np.full(key.shape[0], words - 1, np.int32)
    inputs["total_sequence_length"] = np.array(words, np.int32)
    if bias is not None:
        inputs["attention_bias"] = _whole(bias, query, key)
    attributes = _given(
        num_heads=query.shape[2], kv_num_heads=key.shape[2], scale=scale, causal=int(causal), softcap=softcap
    )
    return _unpacked(_run("GroupQueryAttention", GROUP_QUERY, inputs, attributes), query.shape[2])[..., :width]


MULTI_HEAD = ("query", "key", "value", "", "", "attention_bias")
GROUP_QUERY = (
    "query", "key", "value", "", "", "seqlens_k", "total_sequence_length", "", "", "", "attention_bias",
)  # fmt: skip
"""The inputs of an operator, in order; those that no call gives have no name."""


def _given(**attributes: float | None) -> tuple[tuple[str, float], ...]:
    return tuple((name, number) for name, number in attributes.items() if number is not None)


def _filled_up(array: Array) -> Array:
    """Return an array whose width GroupQueryAttention takes: zeros add nothing to a dot product."""
    return np.pad(array, [(0, 0)] * 3 + [(0, -array.shape[-1] % WIDTHS)])


def _packed(array: Array) -> Array:
    return array.reshape(*array.shape[:2], -1)


def _unpacked(array: Array, heads: int) -> Array:
    return array.reshape(*array.shape[:2], heads, -1)


def _whole(bias: Array, query: Array, key: Array) -> Array:
    """Return a bias of four axes, of which the last two have their whole length."""
    bias = bias.reshape((1,) * (4 - bias.ndim) + bias.shape)
    return np.ascontiguousarray(np.broadcast_to(bias, (*bias.shape[:2], query.shape[1], key.shape[1])))


def _run(
    operator: str, order: tuple[str, ...], inputs: dict[str, Array], attributes: tuple[tuple[str, float], ...]
) -> Array:
    kinds = tuple((name, array.dtype.name, array.ndim) for name, array in inputs.items())
    output: Array = _session(operator, order, kinds, attributes).run(None, inputs)[0]
    return output


@lru_cache(maxsize=1024)
def _session(
    operator: str, order: tuple[str, ...], kinds: Kinds, attributes: tuple[tuple[str, float], ...]
) -> InferenceSession:
    given = {name for name, _, _ in kinds}
    names = [name if name in given else "" for name in order]
    node = helper.make_node(operator, names, ["output"], domain="com.microsoft", **dict(attributes))
    inputs = [_value(*kind) for kind in kinds]
    graph = helper.make_graph([node], operator, inputs, [_value("output", *kinds[0][1:])])
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return session_of(helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION).SerializeToString())


def _value(name: str, dtype: str, rank: int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), [None] * rank)


_SHARED = frozenset({Feature.SCALE, Feature.HEADS, Feature.BIAS, Feature.CAUSAL, Feature.TOGETHER, Feature.THREADS})


def _implementation(name: str, attention: Callable[..., Array], supports: frozenset[Feature]) -> Implementation:
    return Implementation(
        name=name,
        attention=attention,
        supports=_SHARED | supports,
        dtypes={"float32": Precision.float32(), "float16": Precision.upcast()},
        to_native=to_native,
        to_numpy=to_numpy,
        dialect=Dialect(layout=Layout.BATCH_LENGTH_HEAD_WIDTH, unseeing=Unseeing.NAN),
    )


MULTI_HEAD_ATTENTION = _implementation(
    "onnxruntime-mha", multi_head_attention, frozenset({Feature.LENGTHS, Feature.VALUE_WIDTH})
)
# As many queries as words: what it does where there are not (docs/findings/onnxruntime-mha-causal-lengths.md) must not
# hide what else it does.
SELF_ATTENTION = replace(
    MULTI_HEAD_ATTENTION,
    name="onnxruntime-mha-self",
    supports=MULTI_HEAD_ATTENTION.supports - {Feature.LENGTHS},
)
GROUP_QUERY_ATTENTION = _implementation(
    "onnxruntime-gqa", group_query_attention, frozenset({Feature.GROUPED_HEADS, Feature.SOFTCAP})
)
