"""ONNX's reference evaluator: Attention as its specification runs, in NumPy (https://onnx.ai/onnx/api/reference.html).

It has the promises of the operator (`implementations.onnx_model`). The arithmetic is that of the operator's function
body: query and key are each multiplied by the root of the scale, and everything is computed and stored in the dtype of
the inputs, since `softmax_precision` is by default that of the query and the key.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from onnx.reference import ReferenceEvaluator

from attention_tests.implementation import Feature, Implementation
from attention_tests.precision import Precision
from implementations.onnx_model import ATTENTION, Node, attention_by, in_double


@lru_cache(maxsize=1024)
def _session(node: Node) -> ReferenceEvaluator:
    return ReferenceEvaluator(node.model())


def _opset(opset: int, *, whole_masks: bool = False) -> Implementation:
    return replace(
        ATTENTION,
        name=f"onnx-reference-{opset}",
        attention=attention_by(_session, opset, whole_masks=whole_masks),
        # It is NumPy, and keeps nothing from one call to the next.
        supports=ATTENTION.supports | {Feature.THREADS},
        dtypes={
            "float32": replace(Precision.float32(), prescale="float32"),
            **{dtype: replace(Precision.pure(dtype), prescale=dtype) for dtype in ("bfloat16", "float16")},
        },
    )


OPSET_23 = _opset(23)
OPSET_24 = _opset(24)
_opset_25 = _opset(25, whole_masks=True)
OPSET_25 = replace(_opset_25, supports=_opset_25.supports | {Feature.WINDOW})
DOUBLE = in_double(OPSET_25)
