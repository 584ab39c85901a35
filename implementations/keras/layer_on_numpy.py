"""The attention layers of Keras on NumPy."""

from __future__ import annotations

from dataclasses import replace

from attention_tests.declare.precision import Precision
from implementations.keras.layer import layers_like
from implementations.keras.on_numpy import NUMPY

LAYER, BY_WEIGHTS, GROUPED = layers_like(
    NUMPY,
    {
        "float32": Precision.float32(),
        **{dtype: replace(Precision.pure(dtype), prescale=dtype) for dtype in ("bfloat16", "float16")},
    },
    gradient_of=None,
)
