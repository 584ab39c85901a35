"""The standard operator Attention of ONNX, for any runtime.

Its specification is https://onnx.ai/onnx/operators/onnx__Attention.html: arrays are (batch, heads, length, width); key
heads may be fewer than query heads; the first query is at the first token unless there is a cache; True in a mask means
a visible key; a fully masked row is zeros; the soft cap comes before the mask. One input serves for a mask or a bias,
and is combined with causality. Past and present keys and values go together: without earlier tokens, the past has a
length of zero.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from implementations.onnx.cache import Cache, Words, chunked
from implementations.onnx.model import Operator, Sessions, ask, to_native, to_numpy

BEFORE_THE_CAP, WEIGHTS = 0, 3
"""The choices for the output `qk_matmul_output`."""

ANY_CAP = 1.0

LENGTH = 2
"""The axis of tokens."""

WITH_WINDOWS = 25
"""The first opset with windows."""


def operator(opset: int) -> Operator:
    """Return the operator of `opset`, 23 being the first."""
    inputs = ("Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen")
    return Operator("Attention", opset, inputs, ("Y", "present_key", "present_value", "qk_matmul_output"))


def attention(sessions: Sessions, operator: Operator, query: Array, key: Array, value: Array, **options: Any) -> Array:
    """Return softmax(softcap(scale · Q Kᵀ) + bias) V, of shape (batch, heads, n_q, d_v)."""
    inputs, attributes = _asked({"Q": query, "K": key, "V": value}, **options)
    (output,) = ask(sessions, operator, inputs, "Y", **attributes)
    return output


def after(
    sessions: Sessions, operator: Operator, query: Array, words: Words, past: Words | None, **options: Any
) -> tuple[Array, Words]:
    """Return the output of queries that attend to earlier tokens too, and the keys and values of all tokens.

    With causality the first query is at the first of the new tokens.
    """
    key, value = words
    past_key, past_value = past or (key[:, :, :0], value[:, :, :0])
    inputs, attributes = _asked({"Q": query, "K": key, "V": value}, **options)
    inputs |= {"past_key": past_key, "past_value": past_value}
    output, *present = ask(sessions, operator, inputs, "Y", "present_key", "present_value", **attributes)
    return output, (present[0], present[1])


def _asked(  # noqa: PLR0913 - the options of the operator
    inputs: dict[str, Array],
    *,
    scale: float | None = None,
    mask: Array | None = None,
    bias: Array | None = None,
    causal: bool = False,
    window: int | None = None,
    softcap: float | None = None,
    words: int | None = None,
    whole_masks: bool = False,
    over_room: bool = False,
) -> tuple[dict[str, Array], dict[str, float | None]]:
    """Return the inputs and the attributes of the node for the given options.

    With `words` only that many keys and values are valid, the rest being unused space. With `whole_masks` the last two
    axes of a mask or a bias are materialised, and with `over_room` they cover the unused space too.
    """
    query, key = inputs["Q"], inputs["K"]
    if (hiding := _hiding(mask, bias)) is not None:
        shape = (query.shape[2], key.shape[2] if words is None else words)
        hiding = np.broadcast_to(hiding, (*hiding.shape[:-2], *shape)) if whole_masks else hiding
        room = [*[(0, 0)] * (hiding.ndim - 1), (0, key.shape[2] - shape[1])]
        inputs["attn_mask"] = np.pad(hiding, room, "edge") if over_room else hiding
    if words is not None:
        inputs["nonpad_kv_seqlen"] = np.full(len(key), words)
    side = None if window is None else window - 1
    sides = {"left_window_size": side, "right_window_size": side}
    return inputs, {"scale": scale, "is_causal": int(causal) or None, "softcap": softcap, **sides}


def _hiding(mask: Array | None, bias: Array | None) -> Array | None:
    """Return the one input that stands for a mask, a bias or both."""
    if mask is None or bias is None:
        return bias if mask is None else mask
    return np.where(mask, bias, bias.dtype.type(-np.inf))


def score(sessions: Sessions, operator: Operator, query: Array, key: Array, *, softcap: float | None = None) -> Array:
    """Return Q Kᵀ (…, n_q, n_k), which the operator returns as it is before a soft cap."""
    inputs, shown = {"Q": query, "K": key, "V": key}, {"qk_matmul_output_mode": BEFORE_THE_CAP, "scale": 1.0}
    _, scores = ask(sessions, operator, inputs, "Y", "qk_matmul_output", softcap=softcap, **shown)
    return scores


def softmax(sessions: Sessions, operator: Operator, scores: Array) -> Array:
    """Return the weights (…, n_q, n_k) that the operator returns for scores of zero plus the given scores."""
    query, key = (np.zeros((*scores.shape[:2], length, 1), scores.dtype) for length in scores.shape[2:])
    inputs = {"Q": query, "K": key, "V": key, "attn_mask": scores}
    _, weights = ask(sessions, operator, inputs, "Y", "qk_matmul_output", qk_matmul_output_mode=WEIGHTS)
    return weights


def in_16_bits(dtype: str) -> Precision:
    """Return the arithmetic of the operator's function: all in the dtype, a query scaled first, weights by Softmax."""
    # Softmax divides by the sum, and merges nothing.
    return replace(Precision.pure(dtype), prescale=dtype, merges=0)


def attention_of(sessions: Sessions, opset: int, *, around_findings: bool = False) -> Implementation:
    """Return the declaration of the operator on any runtime, which adds the arithmetic.

    With `around_findings`, known defects (docs/findings/) are avoided, so that they hide no others: masks and biases
    are materialised, and returned scores are not capped.
    """
    asked = operator(opset)
    return Implementation(
        name="attention",
        attention=partial(attention, sessions, asked, whole_masks=around_findings),
        score=partial(score, sessions, asked, softcap=None if around_findings else ANY_CAP),
        softmax=partial(softmax, sessions, asked),
        cache=partial(Cache, partial(after, sessions, asked)),
        supports=SUPPORTS | ({Feature.WINDOW} if opset >= WITH_WINDOWS else frozenset()),
        to_native=to_native,
        to_numpy=to_numpy,
        dialect=Dialect(fully_masked=FullyMasked.ZEROS),
    )


SUPPORTS = frozenset(
    {
        Feature.SCALE,
        Feature.LENGTHS,
        Feature.VALUE_WIDTH,
        Feature.HEADS,
        Feature.GROUPED_HEADS,
        Feature.MASK,
        Feature.BIAS,
        Feature.CAUSAL,
        Feature.COMBINED_MASKS,
        Feature.SOFTCAP,
    }
)


def in_chunks(sessions: Sessions, implementation: Implementation, opset: int) -> Implementation:
    """Return the same with causal calls in two chunks, and materialised masks."""
    whole = implementation.attention
    assert whole is not None
    return replace(
        implementation,
        name=f"{implementation.name}-chunked",
        attention=chunked(whole, partial(after, sessions, operator(opset)), LENGTH),
        score=None,
        softmax=None,
        cache=None,
        supports=implementation.supports - {Feature.LENGTHS},
    )


def in_double(sessions: Sessions, implementation: Implementation, opset: int) -> Implementation:
    """Return the same at float64, where attributes, being float32, would be rounded.

    So a scale is multiplied into the query, that of the operator being 1, and soft caps are not declared. Runtimes do
    not agree on the default scale in float64 (docs/findings/onnx-default-scale-of-doubles.md).
    """
    whole = implementation.attention
    assert whole is not None

    def scaled_before(query: Array, key: Array, value: Array, *, scale: float | None = None, **options: Any) -> Array:
        output: Array = whole(_scaled(query, scale), key, value, scale=1.0, **options)
        return output

    def scaled_before_after(query: Array, words: Words, past: Words | None) -> tuple[Array, Words]:
        return after(sessions, operator(opset), _scaled(query, None), words, past, scale=1.0)

    return replace(
        implementation,
        name=f"{implementation.name}-double",
        attention=scaled_before,
        cache=partial(Cache, scaled_before_after),
        supports=implementation.supports - {Feature.SOFTCAP},
        dtypes={"float64": replace(Precision.float64(), prescale="float64")},
    )


def _scaled(query: Array, scale: float | None) -> Array:
    return query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
