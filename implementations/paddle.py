"""PaddlePaddle on the CPU: `paddle.nn.functional.scaled_dot_product_attention`.

https://www.paddlepaddle.org.cn/documentation/docs/en/api/paddle/nn/functional/scaled_dot_product_attention_en.html and
the docstring of 3.3.1 document it: the layout `[batch_size, seq_len, num_heads, head_dim]`, one mask, boolean
("the positions should take part in attention") or added, or causality, a scale, and grouped key heads. The
documented dtypes are float16 and bfloat16, which only a GPU computes; float32 and float64 "may fall back to math
implementation", which runs here. A boolean mask adds -∞, and a fully masked row is NaN.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import paddle
from paddle.nn.functional import scaled_dot_product_attention

from attention_tests.declare.dialect import Dialect, FullyMasked, Layout
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision


def attention(  # noqa: PLR0913 - the options of the function
    query: paddle.Tensor,
    key: paddle.Tensor,
    value: paddle.Tensor,
    *,
    scale: float | None = None,
    mask: paddle.Tensor | None = None,
    bias: paddle.Tensor | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> paddle.Tensor:
    """Return softmax(scale · Q Kᵀ + bias) V, of shape (batch, n_q, heads, d_v)."""
    return scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=bias if mask is None else mask,
        dropout_p=dropout,
        is_causal=causal,
        scale=scale,
    )


def gradient(
    query: paddle.Tensor, key: paddle.Tensor, value: paddle.Tensor, upstream: paddle.Tensor, **options: Any
) -> list[paddle.Tensor]:
    """Return the gradients of query, key and value."""
    inputs = [tensor.detach() for tensor in (query, key, value)]
    for tensor in inputs:
        tensor.stop_gradient = False
    gradients: list[paddle.Tensor] = paddle.grad(attention(*inputs, **options), inputs, upstream)
    return gradients


def to_native(array: Array, dtype: str) -> paddle.Tensor:
    """Return a copy as a tensor in the dtype."""
    return paddle.to_tensor(array, dtype=dtype, place="cpu")


def to_numpy(tensor: paddle.Tensor) -> Array:
    """Return a float64 array."""
    array: Array = tensor.numpy().astype(np.float64)
    return array


ATTENTION = Implementation(
    name="paddle",
    attention=attention,
    gradient=gradient,
    supports=frozenset(
        {
            Feature.SCALE,
            Feature.LENGTHS,
            Feature.VALUE_WIDTH,
            Feature.HEADS,
            Feature.GROUPED_HEADS,
            Feature.MASK,
            Feature.BIAS,
            Feature.CAUSAL,
            Feature.DROPOUT,
        }
    ),
    dtypes={dtype: replace(Precision.strict(dtype), prescale=dtype) for dtype in ("float64", "float32")},
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(layout=Layout.BATCH_LENGTH_HEAD_WIDTH, fully_masked=FullyMasked.NAN),
)
