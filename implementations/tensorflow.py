"""Attention in TensorFlow: its operators one after another, as in its tutorial of the Transformer.

https://www.tensorflow.org/text/tutorials/transformer; `tf.nn.softmax`, `tf.matmul` and the rest are at
https://www.tensorflow.org/api_docs/python/tf/nn. Operators may be called from several threads. Its own threads "flush
denormals to zero", says a comment in the source, tensorflow/core/lib/core/threadpool.cc.
"""

from __future__ import annotations

import math
from dataclasses import replace

import tensorflow as tf

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.tensorflow import gradient_of, to_numpy
from implementations.steps import by_steps


def attention(  # noqa: PLR0913 - the options of layers
    query: tf.Tensor,
    key: tf.Tensor,
    value: tf.Tensor,
    *,
    scale: float | None = None,
    mask: tf.Tensor | None = None,
    bias: tf.Tensor | None = None,
    causal: bool = False,
) -> tf.Tensor:
    """Return softmax(scale · Q Kᵀ + bias) V, of shape (…, n_q, d_v).

    The query is scaled, not the scores: in float16 a score beyond 65504 would be infinite before it is scaled.
    """
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = score(query * factor, key)
    seen = tf.ones(scores.shape, tf.bool)
    if bias is not None:
        seen &= bias > -math.inf
        scores += bias
    if mask is not None:
        seen &= mask
    if causal:
        seen &= tf.linalg.band_part(tf.ones(scores.shape[-2:], tf.bool), -1, 0)
    return tf.matmul(softmax(tf.where(seen, scores, tf.constant(-math.inf, scores.dtype))), value)


def score(query: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Return the dot product of every query with every key, (…, n_q, n_k)."""
    return tf.matmul(query, key, transpose_b=True)


def softmax(scores: tf.Tensor) -> tf.Tensor:
    """Return the weight of every key for every query, (…, n_q, n_k)."""
    return tf.nn.softmax(scores, axis=-1)


def sum_values(weighted: tf.Tensor) -> tf.Tensor:
    """Return the sum of the weighted values over the keys, (…, n_q, d_v)."""
    return tf.reduce_sum(weighted, axis=-2)


def to_native(array: Array, dtype: str) -> tf.Tensor:
    """Return a copy as a tensor in the dtype."""
    return tf.constant(array.astype(tf.as_dtype(dtype).as_numpy_dtype))


FORMULA = Implementation(
    name="tensorflow",
    attention=attention,
    gradient=gradient_of(attention),
    supports=frozenset(
        {Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS, Feature.THREADS}
        | {Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.COMBINED_MASKS}
    ),
    dtypes={
        "float64": replace(Precision.float64(), flush=True),
        "float32": Precision.float32(),
        **{dtype: replace(Precision.eager(dtype), prescale=dtype) for dtype in ("bfloat16", "float16")},
    },
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(fully_masked=FullyMasked.NAN),
    immutable=True,
)
# Not in 16 bits: there `tf.reduce_sum` sums in 16 bits, and the root of the width is rounded before it divides.
STEPS = replace(
    by_steps("tensorflow-steps", softmax, score=score, sum_values=sum_values),
    dtypes={dtype: FORMULA.dtypes[dtype] for dtype in ("float64", "float32")},
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=FORMULA.dialect,
    immutable=True,
)
