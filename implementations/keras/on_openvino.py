"""Keras on OpenVINO, for the CPU: ScaledDotProductAttention-13 between transpositions.

Arrays come from NumPy and return to it: an operation of Keras returns a graph on this backend, and
`keras.ops.convert_to_numpy` compiles and runs it. The arithmetic is not documented, and so only the dtype is promised.
A fully masked row is that of OpenVINO: NaN, a softmax over nothing. The backend is for inference, and has no gradients.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from attention_tests.declare.dialect import FullyMasked
from attention_tests.declare.implementation import Array
from attention_tests.declare.precision import Precision
from implementations.keras.operation import attention_on, implementation, on
from implementations.openvino.operator import to_native, to_numpy

_graph = attention_on("openvino")


def attention(query: Array, key: Array, value: Array, **options: Any) -> Array:
    """Return the output (batch, n_q, heads, d_v)."""
    output: Array = on("openvino").ops.convert_to_numpy(_graph(query, key, value, **options))
    return output


_promised = implementation(
    "openvino",
    attention,
    {"float32": Precision.float32(), **{dtype: Precision.pure(dtype) for dtype in ("bfloat16", "float16")}},
    to_native,
    to_numpy,
)
OPENVINO = replace(_promised, dialect=replace(_promised.dialect, fully_masked=FullyMasked.NAN))
