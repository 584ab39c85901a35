"""`dot_product_attention` of both APIs of Flax: both code paths of `flax.nnx`, and `flax.linen`.

https://flax.readthedocs.io/en/latest/api_reference/flax.nnx/nn/attention.html and
https://flax.readthedocs.io/en/latest/api_reference/flax.linen/layers.html#attention: arrays are (batch, length, heads,
width), values have a width of their own, weights are "masked out" where a mask is False, a bias is added to the logits.
No scale can be given. The dtype of the computation is that of the inputs.

Without dropout, `flax.nnx` calls `jax.nn.dot_product_attention`. With a dropout rate, even in a
deterministic call, as of a model after training, it computes the weights itself, as `flax.linen` always does: the
lowest number of the dtype replaces the score of a hidden key, so that a fully masked row is the mean of all values
(docs/findings/jax-hidden-words-return.md).

All functions have the name of JAX's own: a compilation cache includes the name, and some programs are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax
from flax import linen, nnx

from attention_tests.declare.features import Feature
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.jax import gradient_of
from implementations.jax import JAX, as_double, compiled

_KEPT = 0.5
"""A dropout rate, which has no effect in a deterministic call."""


def nnx_attention(dropout: float = 0.0) -> Callable[..., jax.Array]:
    """Return the function of `flax.nnx` as a layer with dropout calls it when it is deterministic."""

    def attention(  # noqa: PLR0913 - the options of the function
        query: jax.Array,
        key: jax.Array,
        value: jax.Array,
        *,
        mask: jax.Array | None = None,
        bias: jax.Array | None = None,
        causal: bool = False,
    ) -> jax.Array:
        """Return the output (batch, n_q, heads, d_v)."""
        return nnx.dot_product_attention(
            query, key, value, bias, mask, dropout_rate=dropout, deterministic=True, is_causal=causal
        )

    return attention


def attention(
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    *,
    mask: jax.Array | None = None,
    bias: jax.Array | None = None,
) -> jax.Array:
    """Return the output (batch, n_q, heads, d_v) of `flax.linen`."""
    return linen.dot_product_attention(query, key, value, bias, mask, deterministic=True)


_COMMON = frozenset(
    {Feature.LENGTHS, Feature.HEADS, Feature.MASK, Feature.BIAS, Feature.COMBINED_MASKS, Feature.THREADS}
)
_ALL_IN_16_BIT = {
    # The query is divided by the root of its width first; every operation of the softmax is in 16 bits.
    dtype: replace(Precision.pure(dtype), prescale=dtype)
    for dtype in ("bfloat16", "float16")
}
_DOUBLE = replace(Precision.float64(), prescale="float64", flush=True)
"""XLA flushes subnormal numbers: https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html."""

NNX = replace(
    JAX,
    name="flax-nnx",
    attention=compiled(nnx_attention(), "causal"),
    gradient=compiled(gradient_of(nnx_attention()), "causal"),
    # Values of another width are documented, and refused: docs/findings/flax-nnx-dropout-rate.md.
    supports=_COMMON | {Feature.CAUSAL, Feature.GROUPED_HEADS},
)
NNX_BY_WEIGHTS = replace(
    NNX,
    name="flax-nnx-weights",
    attention=compiled(nnx_attention(_KEPT), "causal"),
    gradient=compiled(gradient_of(nnx_attention(_KEPT)), "causal"),
    supports=_COMMON | {Feature.CAUSAL, Feature.GROUPED_HEADS, Feature.VALUE_WIDTH},
    dtypes={"float32": replace(Precision.float32(), prescale="float32"), **_ALL_IN_16_BIT},
)
NNX_BY_WEIGHTS_DOUBLE = as_double(NNX_BY_WEIGHTS, _DOUBLE)
LINEN = replace(
    NNX_BY_WEIGHTS,
    name="flax-linen",
    attention=compiled(attention),
    gradient=compiled(gradient_of(attention)),
    supports=_COMMON | {Feature.VALUE_WIDTH},
)
LINEN_DOUBLE = as_double(LINEN, _DOUBLE)
