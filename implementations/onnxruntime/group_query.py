"""com.microsoft.GroupQueryAttention of ONNX Runtime: a prompt, a later chunk of tokens, and one token at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_tests.declare.implementation import Array
from implementations.onnx.cache import Cache, Words
from implementations.onnx.model import Operator, ask
from implementations.onnxruntime.packed import DOMAIN, no_words, packed, scale_of, unpacked, whole
from implementations.onnxruntime.standard import session_of

OPERATOR = Operator(
    "GroupQueryAttention",
    1,
    (
        *("query", "key", "value", "past_key", "past_value", "seqlens_k", "total_sequence_length"),
        *("cos_cache", "sin_cache", "position_ids", "attention_bias", "head_sink", "k_scale", "v_scale"),
        *("q_norm_weight", "k_norm_weight", "query_seqlens"),
    ),
    ("output", "present_key", "present_value", "output_qk"),
    DOMAIN,
)
PRESENT = ("output", "present_key", "present_value")

SCORES, WEIGHTS = 1, 2
"""The choices for `output_qk`."""

WIDTHS = 8
"""The number of which every width must be a multiple."""


def group_query_attention(query: Array, key: Array, value: Array, *, causal: bool = False, **options: Any) -> Array:
    """Return softmax(softcap(scale · Q Kᵀ) + bias) V, all of shape (batch, length, heads, width).

    A key head serves as many query heads as there are for one.
    """
    inputs, attributes = asked_for(query, (key, value), 0, causal=causal, **options)
    (output,) = ask(session_of, OPERATOR, inputs, "output", **attributes)
    return unpacked(output, *query.shape[2:])


def group_query_after(query: Array, words: Words, past: Words | None, **options: Any) -> tuple[Array, Words]:
    """Return the output of causal queries, one for each new token, and the keys and values of all tokens."""
    width = filled_up_width(query)
    past_key, past_value = past or (no_words(words[0], width), no_words(words[1], width))
    inputs, attributes = asked_for(query, words, past_key.shape[2], **options)
    inputs |= {"past_key": past_key, "past_value": past_value}
    output, *present = ask(session_of, OPERATOR, inputs, *PRESENT, **attributes)
    return unpacked(output, *query.shape[2:]), (present[0], present[1])


def group_query_score(query: Array, key: Array) -> Array:
    """Return Q Kᵀ (batch, heads, n, n), which the operator returns; query and key are (batch, heads, n, d_k)."""
    query, key = query.swapaxes(1, 2), key.swapaxes(1, 2)
    return _shown(SCORES, query, key)


def group_query_softmax(scores: Array) -> Array:
    """Return the weights (batch, heads, n, n) that the operator returns for scores of zero plus the given ones."""
    batch, heads, length, _ = scores.shape
    zeros = np.zeros((batch, length, heads, WIDTHS), scores.dtype)
    return _shown(WEIGHTS, zeros, zeros, bias=scores)


def _shown(kind: int, query: Array, key: Array, **options: Any) -> Array:
    inputs, attributes = asked_for(query, (key, key), 0, scale=1.0, causal=False, **options)
    *_, shown = ask(session_of, OPERATOR, inputs, *OPERATOR.outputs, **attributes, qk_output=kind)
    return shown


def asked_for(  # noqa: PLR0913 - the options of the operator
    query: Array,
    words: Words,
    earlier: int,
    *,
    scale: float | None = None,
    bias: Array | None = None,
    causal: bool = True,
    window: int | None = None,
    softcap: float | None = None,
) -> tuple[dict[str, Array], dict[str, float | None]]:
    """Return the inputs, except the past, and the attributes for the given options after `earlier` tokens."""
    key, value = words
    width, batch, total = filled_up_width(query), len(key), earlier + key.shape[1]
    inputs = {"query": packed(query, width), "key": packed(key, width), "value": packed(value, width)}
    inputs["seqlens_k"] = np.full(batch, total - 1, np.int32)
    inputs["total_sequence_length"] = np.array(total, np.int32)
    if bias is not None:
        inputs["attention_bias"] = whole(bias, query.shape[1], total)
    if earlier and key.shape[1] > 1:
        # Required for a later chunk with more than one batch.
        inputs["query_seqlens"] = np.full(batch, key.shape[1], np.int32)
    heads = {"num_heads": query.shape[2], "kv_num_heads": key.shape[2]}
    seen = {"causal": int(causal), "local_window_size": window}
    return inputs, heads | seen | {"scale": scale_of(query, width, scale), "softcap": softcap}


def filled_up_width(query: Array) -> int:
    """Return the width to which queries, keys and values are padded."""
    width: int = query.shape[-1]
    return width + -width % WIDTHS


class Decoder(Cache):
    """A cache as in generation: one query at a time, passed with the last token."""

    def append(self, key: Array, value: Array) -> None:
        """Append tokens to the cache, the last one by itself."""
        if key.shape[1] > 1:
            super().append(key[:, :-1], value[:, :-1])
        super().append(key[:, -1:], value[:, -1:])

    def attend(self, query: Array) -> Array:
        """Return the output of queries that attend to every token so far."""
        attend = super().attend
        return np.concatenate([attend(query[:, place : place + 1]) for place in range(query.shape[1])], axis=1)
