"""The attention layers of Keras on TensorFlow.

No float64: the scale would be rounded to float32 (docs/findings/keras-tensorflow-scale-of-doubles.md).
"""

from __future__ import annotations

from dataclasses import replace

from attention_tests.declare.precision import Precision
from attention_tests.frameworks.tensorflow import gradient_of
from implementations.keras.layer import layers_like
from implementations.keras.on_tensorflow import TENSORFLOW

# The query is scaled, and scores and weights are stored, in the dtype of the layer.
_STORED = {dtype: replace(Precision.eager(dtype), prescale=dtype) for dtype in ("bfloat16", "float16")}

LAYER, BY_WEIGHTS, GROUPED = layers_like(TENSORFLOW, {"float32": Precision.float32(), **_STORED}, gradient_of)
