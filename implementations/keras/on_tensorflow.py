"""Keras on TensorFlow. "Softmax is always carried out in high precision", says its source: float32 or float64.

In float64 a scale is rounded to float32 (docs/findings/keras-tensorflow-scale-of-doubles.md). The query is therefore
scaled before the call there, so that this defect hides no other.
"""

from __future__ import annotations

import math
from dataclasses import replace

import tensorflow as tf

from attention_tests.declare.precision import Precision
from attention_tests.frameworks.tensorflow import gradient_of, to_numpy
from implementations.keras.operation import attention_on, implementation
from implementations.tensorflow import FORMULA, to_native

_attention = attention_on("tensorflow")


def attention_of_doubles(
    query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, *, scale: float | None = None, **options: object
) -> tf.Tensor:
    """Return the same for a query that is already scaled."""
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return _attention(query * factor, key, value, scale=1.0, **options)


_16_BIT = {dtype: Precision.eager(dtype) for dtype in ("bfloat16", "float16")}  # logits are rounded, and then scaled

TENSORFLOW = replace(
    implementation("tensorflow", _attention, {"float32": Precision.float32(), **_16_BIT}, to_native, to_numpy),
    gradient=gradient_of(_attention),
    immutable=True,
)
DOUBLE = replace(
    TENSORFLOW,
    name="keras-tensorflow-double",
    attention=attention_of_doubles,
    gradient=gradient_of(attention_of_doubles),
    dtypes={"float64": FORMULA.dtypes["float64"]},
)
