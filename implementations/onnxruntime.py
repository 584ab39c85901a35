"""ONNX Runtime on the CPU: the standard Attention operator (https://onnxruntime.ai/docs/execution-providers/).

It has the promises of the operator (`implementations.onnx_model`). Opsets 23 and 24 have a kernel, for float32 and
float16; in opset 25, and in float64, the operator runs as the function that ONNX defines it by. A session may be asked
from several threads at once (https://onnxruntime.ai/docs/api/c/struct_ort_api.html, Run).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from onnxruntime import InferenceSession, SessionOptions

from attention_tests.implementation import Feature, Implementation
from attention_tests.precision import Precision
from implementations.onnx_model import ATTENTION, Node, attention_by, in_double

FATAL_ONLY = 4


def session_of(model: bytes) -> InferenceSession:
    """Return a session of one thread, which logs nothing: what goes wrong it raises."""
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = FATAL_ONLY
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=1024)
def _session(node: Node) -> InferenceSession:
    return session_of(node.model().SerializeToString())


def _opset(opset: int, *, whole_masks: bool = False) -> Implementation:
    return replace(
        ATTENTION,
        name=f"onnxruntime-{opset}",
        attention=attention_by(_session, opset, whole_masks=whole_masks),
        supports=ATTENTION.supports | {Feature.THREADS},
        dtypes={
            "float32": replace(Precision.float32(), prescale="float32"),
            "float16": replace(Precision.pure("float16"), prescale="float16"),
        },
    )


OPSET_23 = _opset(23)
OPSET_24 = _opset(24)
WHOLE_MASKS = replace(_opset(24, whole_masks=True), name="onnxruntime-24-whole-masks")
_opset_25 = _opset(25, whole_masks=True)
OPSET_25 = replace(_opset_25, supports=_opset_25.supports | {Feature.WINDOW})
DOUBLE = in_double(OPSET_25)
