"""The reference evaluator of ONNX: Attention as specified, run in NumPy (https://onnx.ai/onnx/api/reference.html).

It has the promises of the operator (`implementations.onnx.attention`). The arithmetic is that of the operator's
function body: query and key are each multiplied by the root of the scale, and everything is computed and stored in the
dtype of the inputs, since `softmax_precision` is by default that of the query and the key.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from onnx.reference import ReferenceEvaluator

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from implementations.onnx.attention import attention_of, in_16_bits, in_chunks, in_double
from implementations.onnx.external import external
from implementations.onnx.model import Node


@lru_cache(maxsize=1024)
def session_of(node: Node) -> ReferenceEvaluator:
    """Return an evaluator of the node."""
    return ReferenceEvaluator(node.model())


def _opset(opset: int, *, around_findings: bool = False) -> Implementation:
    promised = attention_of(session_of, opset, around_findings=around_findings)
    return replace(
        promised,
        name=f"onnx-reference-{opset}",
        # It is NumPy, and keeps no state between calls.
        supports=promised.supports | {Feature.THREADS},
        dtypes={
            "float32": replace(Precision.float32(), prescale="float32"),
            **{dtype: in_16_bits(dtype) for dtype in ("bfloat16", "float16")},
        },
    )


OPSET_23 = _opset(23)
OPSET_24 = _opset(24)
OPSET_25 = _opset(25, around_findings=True)
EXTERNAL = external(session_of, OPSET_25, 25)
CHUNKED = in_chunks(session_of, OPSET_25, 25)
DOUBLE = in_double(session_of, OPSET_25, 25)
