"""MLX on the CPU: `mlx.core.fast.scaled_dot_product_attention`.

https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.fast.scaled_dot_product_attention.html (0.32)
documents it: a required scale, one mask, boolean or added, of at most 4 axes, or "causal", which "uses lower-right
alignment", grouped key heads, and a softmax in float32. Values are as wide as keys, of shape `[B, N_kv, T_kv, D]`.
Fully masked rows are not documented; with a boolean mask they are the mean. float64 is left out: its softmax is in
float32 too, "regardless of the input precision".

"When you perform operations in MLX, no computation actually happens", says its page on lazy evaluation, so each output
is evaluated here: https://ml-explore.github.io/mlx/build/html/usage/lazy_evaluation.html.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import mlx.core as mx

from attention_tests.declare.dialect import Alignment, Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.mlx import to_native, to_numpy


def attention(query: mx.array, key: mx.array, value: mx.array, **options: Any) -> mx.array:
    """Return softmax(scale · Q Kᵀ + bias) V, of shape (batch, heads, n_q, d)."""
    output = asked(query, key, value, **options)
    mx.eval(output)
    return output


def gradient(query: mx.array, key: mx.array, value: mx.array, upstream: mx.array, **options: Any) -> list[mx.array]:
    """Return the gradients of query, key and value."""
    inputs = [query, key, value]
    _, gradients = mx.vjp(lambda *arrays: asked(*arrays, **options), inputs, [upstream])
    mx.eval(gradients)
    return list(gradients)


def asked(  # noqa: PLR0913 - the options of the function
    query: mx.array,
    key: mx.array,
    value: mx.array,
    *,
    scale: float | None = None,
    mask: mx.array | None = None,
    bias: mx.array | None = None,
    causal: bool = False,
) -> mx.array:
    """Return the lazy output."""
    return mx.fast.scaled_dot_product_attention(
        query,
        key,
        value,
        scale=1 / math.sqrt(query.shape[-1]) if scale is None else scale,
        mask="causal" if causal else bias if mask is None else mask,
    )


ATTENTION = Implementation(
    name="mlx",
    attention=attention,
    gradient=gradient,
    supports=frozenset(
        {
            Feature.SCALE,
            Feature.LENGTHS,
            Feature.HEADS,
            Feature.GROUPED_HEADS,
            Feature.MASK,
            Feature.BIAS,
            Feature.CAUSAL,
        }
    ),
    dtypes={
        "float32": replace(Precision.float32(), prescale="float32"),
        # The query is scaled first; every operation rounds its result to 16 bits, and sums in float32.
        **{dtype: replace(Precision.eager(dtype), prescale=dtype) for dtype in ("bfloat16", "float16")},
    },
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(alignment=Alignment.BOTTOM_RIGHT, fully_masked=FullyMasked.MEAN),
)
