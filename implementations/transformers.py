"""The self-attention of BERT in Transformers, by both of its code paths, with weights set by the adapter.

https://huggingface.co/docs/transformers/v5.23.0/en/model_doc/bert. `transformers.models.bert.modeling_bert.
BertSelfAttention` is a layer: three projections of one sentence, attention, and no projection of the output. Its masks
are made as the model makes them, by `transformers.masking_utils`: for "eager" the most negative number of the dtype is
added to the scores of hidden keys, and so a fully masked row is the mean of all values; "sdpa" takes a boolean mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

import torch
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertSelfAttention

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.torch import gradient_of
from implementations.torch.heads import apart, one_by_one, one_by_one_where_mixed, side_by_side
from implementations.torch.layers import of_zeros
from implementations.torch.operators import EAGER as TORCH
from implementations.torch.operators import SDPA_FLASH


def attention(  # noqa: PLR0913 - the options of the layer
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    mask: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    way: str,
) -> torch.Tensor:
    """Return the output (batch, heads, n, d) for tokens that are query, key and value side by side."""
    batch, heads, length, _ = query.shape
    words = torch.cat([side_by_side(array) for array in (query, key, value)], dim=-1)
    option = bias if mask is None else _MASKS[way](mask, query.dtype)
    if option is not None:
        option = option.expand(batch, heads, length, length).repeat(1, 3, 1, 1)
    output, _ = _layer_of_packed_words(words.shape[-1], 3 * heads, query.dtype, way)(words, attention_mask=option)
    return apart(output, 3 * heads)[:, :heads]


def self_attention(
    x: torch.Tensor, w_query: torch.Tensor, w_key: torch.Tensor, w_value: torch.Tensor, *, way: str
) -> torch.Tensor:
    """Return the output (n, d_v) of as many heads as the tokens and their values need.

    Every head has the same queries and keys of width d_k, and the next d_k columns of the values.
    """
    (d_model, d_k), d_v = w_query.shape, w_value.shape[1]
    heads = math.ceil(max(d_model, d_v) / d_k)
    weights = (w_query.repeat(1, heads), w_key.repeat(1, heads), w_value)
    layer = _with_weights(_layer(heads * d_k, heads, x.dtype, way), *(matrix.mT for matrix in weights))
    output: torch.Tensor = layer(torch.nn.functional.pad(x, (0, heads * d_k - d_model))[None])[0]
    return output[0, :, :d_v]


def _layer(width: int, heads: int, dtype: torch.dtype, way: str) -> BertSelfAttention:
    config = BertConfig(hidden_size=width, num_attention_heads=heads, attn_implementation=way)
    return of_zeros(lambda: BertSelfAttention(config).to(dtype))


@lru_cache(maxsize=8)
def _layer_of_packed_words(width: int, heads: int, dtype: torch.dtype, way: str) -> BertSelfAttention:
    """Return the layer that reads query, key and value from the three thirds of a token."""
    return _with_weights(_layer(width, heads, dtype, way), *torch.eye(width).chunk(3))


def _with_weights(layer: BertSelfAttention, *weights: torch.Tensor) -> BertSelfAttention:
    """Return a layer of zeros with the weights (rows, columns) of its query, key and value."""
    for projection, weight in zip((layer.query, layer.key, layer.value), weights, strict=True):
        projection.weight[: weight.shape[0], : weight.shape[1]] = weight
    return layer


_MASKS: dict[str, Callable[[torch.Tensor, torch.dtype], torch.Tensor]] = {
    # As in `transformers.masking_utils.eager_mask`.
    "eager": lambda mask, dtype: torch.zeros(mask.shape, dtype=dtype).masked_fill(~mask, torch.finfo(dtype).min),
    "sdpa": lambda mask, _dtype: mask,
}


def _bert(way: str) -> Implementation:
    attend = partial(attention, way=way)
    return replace(
        TORCH,
        name=f"bert-{way}",
        attention=one_by_one_where_mixed(attend, mixed=lambda *_arrays, **_options: False),
        self_attention=partial(self_attention, way=way),
        gradient=gradient_of(one_by_one(attend)),
        cache=None,
        # Query, key and value come from one sentence; a bias is passed as the mask that the model adds.
        supports=frozenset({Feature.HEADS, Feature.MASK, Feature.BIAS, Feature.THREADS}),
    )


EAGER = replace(
    _bert("eager"),
    dtypes={
        "float64": Precision.float64(),
        "float32": Precision.float32(),
        # The scores are rounded when stored, and again after the scale.
        **{dtype: Precision.eager(dtype) for dtype in ("bfloat16", "float16")},
    },
    dialect=Dialect(fully_masked=FullyMasked.MEAN, projected=True),
)
SDPA = replace(
    _bert("sdpa"),
    dtypes=SDPA_FLASH.dtypes,
    dialect=Dialect(fully_masked=FullyMasked.ZEROS, projected=True),
)
