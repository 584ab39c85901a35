"""Attention layers of Keras, with their projections, on the active backend of the process.

https://keras.io/api/layers/attention_layers/multi_head_attention/ and
https://keras.io/api/layers/attention_layers/group_query_attention/: True in a mask is a visible token, a causal
mask hides later ones, and a sliding window leaves those "within `sliding_window - 1`" of a query. There is no scale and
no bias. The projections are set to identities, so that only attention is left: a token is the heads of a query, key or
value side by side.

`keras.ops.dot_product_attention` computes the output, unless the call requests the weights too: then the layer does.
Fully masked rows differ between the two (docs/findings/keras-layer-fully-masked.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from attention_tests.declare.dialect import FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from implementations.hiding import of_four_axes
from implementations.keras.heads import apart, apart_where_mixed
from implementations.keras.operation import on

Function = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes for which a layer is made."""

    heads: int
    key_heads: int
    d_k: int
    d_v: int
    dtype: str
    window: int | None = None


def multi_head(keras: Any, shape: Shape, kernels: Any) -> Any:
    """Return the layer `MultiHeadAttention`."""
    return keras.layers.MultiHeadAttention(
        shape.heads,
        shape.d_k,
        shape.d_v,
        output_shape=shape.heads * shape.d_v,
        use_bias=False,
        kernel_initializer=kernels,
        sliding_window=shape.window,
        dtype=shape.dtype,
    )


def grouped(keras: Any, shape: Shape, kernels: Any) -> Any:
    """Return the layer `GroupQueryAttention`, in which values are as wide as keys."""
    return keras.layers.GroupQueryAttention(
        shape.d_k,
        shape.heads,
        shape.key_heads,
        use_bias=False,
        kernel_initializer=kernels,
        sliding_window=shape.window,
        dtype=shape.dtype,
    )


@cache
def identities(keras: Any) -> Any:
    """Return an initializer of identity projections."""

    class Identity(keras.initializers.Initializer):  # type: ignore[misc]
        def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Any:
            """Return the identity (tokens, heads, width) or (heads, width, tokens)."""
            width_of_words = math.isqrt(math.prod(shape))
            return keras.ops.convert_to_tensor(np.eye(width_of_words).reshape(shape), dtype)

    return Identity()


def built(layer: Any, shape: Shape) -> Any:
    """Return the layer with its projections built, and not trainable."""
    widths = (shape.heads * shape.d_k, shape.key_heads * shape.d_v, shape.key_heads * shape.d_k)
    layer.build(*((None, None, width) for width in widths))
    layer.trainable = False
    return layer


def attention_on(backend: str, layer: Function, compiled: Callable[[Function], Function], *, weights: bool) -> Function:
    """Return a layer as a function of query, key, value and options; with `weights` it is asked for the weights too."""
    keras = on(backend)

    @lru_cache(maxsize=64)
    def attend_in(shape: Shape, *, causal: bool) -> Function:
        attend = built(layer(keras, shape, identities(keras)), shape)

        def run(query: Any, key: Any, value: Any, mask: Any) -> Any:
            words = (keras.ops.reshape(array, (*array.shape[:2], -1)) for array in (query, value, key))
            # Of a mask of three axes the first would be the batch.
            hiding = of_four_axes(mask)
            answer = attend(*words, attention_mask=hiding, use_causal_mask=causal, return_attention_scores=weights)
            return keras.ops.reshape(answer[0] if weights else answer, (*query.shape[:3], value.shape[3]))

        return compiled(run)

    def attention(  # noqa: PLR0913 - the options of the layers
        query: Any, key: Any, value: Any, *, mask: Any = None, causal: bool = False, window: int | None = None
    ) -> Any:
        """Return the output (batch, n_q, heads, d_v)."""
        (_, _, heads, d_k), (_, _, key_heads, d_v) = query.shape, value.shape
        dtype = keras.backend.standardize_dtype(query.dtype)
        shape = Shape(heads=heads, key_heads=key_heads, d_k=d_k, d_v=d_v, dtype=dtype, window=window)
        return attend_in(shape, causal=causal)(query, key, value, mask)

    return attention


def self_attention_on(backend: str) -> Function:
    """Return a layer with one head as a function of a sentence and three matrices."""
    keras = on(backend)

    def self_attention(x: Any, w_query: Any, w_key: Any, w_value: Any) -> Any:
        """Return the output of every token: (n, d_model), matrices (d_model, d) → (n, d_v)."""
        (d_model, d_k), d_v = w_query.shape, w_value.shape[1]
        dtype = keras.backend.standardize_dtype(x.dtype)
        layer = multi_head(keras, Shape(heads=1, key_heads=1, d_k=d_k, d_v=d_v, dtype=dtype), "zeros")
        layer.build((None, None, d_model), (None, None, d_model))
        layer.query_dense.kernel.assign(w_query[:, None])
        layer.key_dense.kernel.assign(w_key[:, None])
        layer.value_dense.kernel.assign(w_value[:, None])
        layer.output_dense.kernel.assign(np.eye(d_v)[None])
        layer.trainable = False
        return layer(x[None], x[None])[0]

    return self_attention


def as_it_is(function: Function) -> Function:
    """Return the function as it is, not compiled."""
    return function


def layers_like(
    operation: Implementation,
    by_weights: dict[str, Precision],
    gradient_of: Callable[[Function], Function] | None,
    compiled: Callable[[Function], Function] = as_it_is,
) -> tuple[Implementation, Implementation, Implementation]:
    """Return the layer, the same with weights requested, and the one with grouped heads, on a backend.

    They promise what the operation promises on that backend, or `by_weights` where they compute the weights.
    """
    backend = operation.name.removeprefix("keras-")
    keras = on(backend)

    def like(name: str, layer: Function, *, weights: bool = False) -> Implementation:
        attention = attention_on(backend, layer, compiled, weights=weights)
        return replace(
            operation,
            name=f"keras-{name}-{backend}",
            attention=apart_where_mixed(keras, attention),
            # Projections would mix gradients too, and a batch that is computed again would have other bits.
            gradient=None if gradient_of is None else apart(keras, gradient_of(attention)),
            supports=frozenset(
                {Feature.LENGTHS, Feature.HEADS, Feature.MASK, Feature.CAUSAL, Feature.WINDOW, Feature.COMBINED_MASKS}
            ),
            dialect=replace(operation.dialect, projected=True),
        )

    whole = like("layer", multi_head)
    whole = replace(whole, self_attention=self_attention_on(backend), supports=whole.supports | {Feature.VALUE_WIDTH})
    weighing = replace(
        like("layer-weights", multi_head, weights=True),
        supports=whole.supports,
        dtypes=by_weights,
        dialect=replace(whole.dialect, fully_masked=FullyMasked.ZEROS),
    )
    sharing = like("layer-grouped", grouped)
    return whole, weighing, replace(sharing, supports=sharing.supports | {Feature.GROUPED_HEADS})
