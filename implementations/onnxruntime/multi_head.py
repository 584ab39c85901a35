"""com.microsoft.MultiHeadAttention of ONNX Runtime, with earlier tokens and without."""

from __future__ import annotations

from attention_tests.declare.implementation import Array
from implementations.onnx.cache import Words
from implementations.onnx.model import Operator, ask
from implementations.onnxruntime.packed import DOMAIN, no_words, packed, scale_of, unpacked, whole
from implementations.onnxruntime.standard import session_of

OPERATOR = Operator(
    "MultiHeadAttention",
    1,
    ("query", "key", "value", "bias", "key_padding_mask", "attention_bias", "past_key", "past_value"),
    ("output", "present_key", "present_value", "qk"),
    DOMAIN,
)
PRESENT = ("output", "present_key", "present_value")


def multi_head_attention(  # noqa: PLR0913 - the options of the operator
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float | None = None,
    bias: Array | None = None,
    causal: bool = False,
) -> Array:
    """Return softmax(scale · Q Kᵀ + bias) V, all of shape (batch, length, heads, width)."""
    heads, width = query.shape[2:]
    inputs = {"query": packed(query, width), "key": packed(key, width), "value": packed(value, value.shape[-1])}
    if bias is not None:
        inputs["attention_bias"] = whole(bias, query.shape[1], key.shape[1])
    (output,) = ask(
        session_of, OPERATOR, inputs, "output", num_heads=heads, scale=scale, unidirectional=int(causal) or None
    )
    return unpacked(output, heads, value.shape[-1])


def multi_head_after(  # noqa: PLR0913 - the options of the operator
    query: Array,
    words: Words,
    past: Words | None,
    *,
    scale: float | None = None,
    bias: Array | None = None,
    causal: bool = False,
) -> tuple[Array, Words]:
    """Return the output of queries that attend to earlier tokens too, and the keys and values of all tokens.

    With a past, values are as wide as keys: the narrower ones are padded.
    """
    key, value = words
    heads, width = query.shape[2], max(key.shape[-1], value.shape[-1])
    past_key, past_value = past or (no_words(key, width), no_words(value, width))
    inputs = {"query": packed(query, width), "key": packed(key, width), "value": packed(value, width)}
    inputs |= {"past_key": past_key, "past_value": past_value}
    if bias is not None:
        inputs["attention_bias"] = whole(bias, query.shape[1], past_key.shape[2] + key.shape[1])
    attributes = {"num_heads": heads, "scale": scale_of(query, width, scale), "unidirectional": int(causal) or None}
    output, *present = ask(session_of, OPERATOR, inputs, *PRESENT, **attributes)
    return unpacked(output, heads, value.shape[-1]), (present[0], present[1])


def multi_head_score(query: Array, key: Array) -> Array:
    """Return Q Kᵀ (batch, heads, n_q, n_k) of the operator; query and key are (batch, heads, length, d_k)."""
    heads = query.shape[1]
    query, key = (packed(array.swapaxes(1, 2), array.shape[-1]) for array in (query, key))
    inputs = {"query": query, "key": key, "value": key}
    *_, scores = ask(session_of, OPERATOR, inputs, *OPERATOR.outputs, num_heads=heads, scale=1.0)
    return scores
