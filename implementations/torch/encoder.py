"""`torch.nn.TransformerEncoderLayer`, with everything except the attention set to add zero.

https://docs.pytorch.org/docs/2.13/generated/torch.nn.TransformerEncoderLayer.html. Its norms are public submodules and
are replaced by identities, and its feed-forward network has weights of zero. Its output projection
writes the result of the attention to a part of a token that was zero, and so the residual adds nothing either.

That is the code path of training. Inference without gradients may take a fast path, which needs the norms and so cannot
be verified like this; its attention is the function that `torch-mha-fast` verifies.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import torch
from torch.nn import Identity, TransformerEncoderLayer
from torch.nn.functional import pad

from attention_tests.declare.features import Feature
from attention_tests.frameworks.torch import gradient_of
from implementations.torch.heads import apart, length_first, one_by_one, side_by_side
from implementations.torch.layers import of_zeros
from implementations.torch.mha import TRAINING, later_words, masks, read_quarters, unmixed


def attention(  # noqa: PLR0913 - the options of the layer
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    causal: bool = False,
) -> torch.Tensor:
    """Return the output (batch, heads, n, d) for tokens that are query, key, value and zeros side by side."""
    batch, heads, length, _ = query.shape
    words = [side_by_side(array) for array in (query, key, value)]
    packed = length_first(torch.cat([*words, torch.zeros_like(words[0])], dim=-1))
    option = later_words(length, length) if causal else bias if mask is None else mask
    if option is not None and option.dim() == 4 and option.shape[1] > 1:
        option = option.expand(batch, heads, length, length).repeat(1, 4, 1, 1)
    hidden = masks(option, (batch, 4 * heads, length, length))
    output = _layer_of_packed_words(words[0].shape[-1], heads, query.dtype)(
        packed,
        src_mask=hidden.get("attn_mask"),
        src_key_padding_mask=hidden.get("key_padding_mask"),
        is_causal=causal,
    )
    return apart(output.transpose(0, 1), 4 * heads)[:, -heads:]


def self_attention(x: torch.Tensor, w_query: torch.Tensor, w_key: torch.Tensor, w_value: torch.Tensor) -> torch.Tensor:
    """Return the output (n, d_v) of as many heads as the tokens and, next to them, their values need.

    Every head has the same queries and keys of width d_k, and the next d_k columns of the values.
    """
    (d_model, d_k), d_v = w_query.shape, w_value.shape[1]
    heads = math.ceil((d_model + d_v) / d_k)
    layer = _silent_layer(heads * d_k, heads, x.dtype)
    weights = (w_query.repeat(1, heads), w_key.repeat(1, heads), w_value)
    for projection, weight in zip(layer.self_attn.in_proj_weight.chunk(3), weights, strict=True):
        projection[: weight.shape[1], :d_model] = weight.mT
    layer.self_attn.out_proj.weight[d_model:][:d_v, :d_v] = torch.eye(d_v)
    output: torch.Tensor = layer(pad(x, (0, heads * d_k - d_model)))
    return output[:, d_model:][:, :d_v]


def _silent_layer(width: int, heads: int, dtype: torch.dtype) -> TransformerEncoderLayer:
    """Return the layer that returns every token unchanged. Without biases it never takes the fast path."""
    layer = of_zeros(lambda: TransformerEncoderLayer(width, heads, dim_feedforward=1, bias=False, dtype=dtype))
    for norm in ("norm1", "norm2"):
        layer.register_module(norm, Identity())
    return layer


@lru_cache(maxsize=8)
def _layer_of_packed_words(width: int, heads: int, dtype: torch.dtype) -> TransformerEncoderLayer:
    """Return the layer that reads the first three quarters of a token, and writes the last."""
    layer = _silent_layer(4 * width, 4 * heads, dtype)
    read_quarters(layer.self_attn, width)
    layer.self_attn.out_proj.weight[-width:, :width] = torch.eye(width)
    return layer


ENCODER_LAYER = replace(
    TRAINING,
    name="torch-encoder-layer",
    attention=unmixed(attention),
    self_attention=self_attention,
    gradient=gradient_of(one_by_one(attention)),
    # Query, key and value come from one sentence.
    supports=TRAINING.supports - {Feature.LENGTHS},
)
