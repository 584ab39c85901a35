"""ONNX Runtime on the CPU: the standard Attention operator (https://onnxruntime.ai/docs/execution-providers/).

It has the promises of the operator (`implementations.onnx.attention`). Opsets 23 and 24 have a kernel, for float32 and
float16; in opset 25, and in float64, the operator runs as the function that ONNX defines it by. A session may be asked
from several threads at once (https://onnxruntime.ai/docs/api/c/struct_ort_api.html, Run).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from onnxruntime import InferenceSession, SessionOptions

from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from implementations.onnx.attention import attention_of, in_16_bits, in_chunks, in_double
from implementations.onnx.external import external
from implementations.onnx.model import Node

FATAL_ONLY = 4


@lru_cache(maxsize=1024)
def session_of(node: Node) -> InferenceSession:
    """Return a session of one thread that logs nothing, since failures are raised."""
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = FATAL_ONLY
    return InferenceSession(node.model().SerializeToString(), options, providers=["CPUExecutionProvider"])


def _opset(opset: int, *, around_findings: bool = False) -> Implementation:
    promised = attention_of(session_of, opset, around_findings=around_findings)
    return replace(
        promised,
        name=f"onnxruntime-{opset}",
        supports=promised.supports | {Feature.THREADS},
        dtypes={
            "float32": replace(Precision.float32(), prescale="float32"),
            "float16": in_16_bits("float16"),
        },
    )


OPSET_23 = _opset(23)
OPSET_24 = _opset(24)
WHOLE_MASKS = replace(_opset(24, around_findings=True), name="onnxruntime-24-whole-masks")
EXTERNAL_24 = external(session_of, replace(WHOLE_MASKS, name=OPSET_24.name), 24)
EXTERNAL_WHOLE_MASKS = replace(
    external(session_of, WHOLE_MASKS, 24, over_room=True), name="onnxruntime-24-external-whole-masks"
)
CHUNKED_24 = in_chunks(session_of, replace(WHOLE_MASKS, name=OPSET_24.name), 24)
OPSET_25 = _opset(25, around_findings=True)
EXTERNAL_25 = external(session_of, OPSET_25, 25)
CHUNKED_25 = in_chunks(session_of, OPSET_25, 25)
DOUBLE = in_double(session_of, OPSET_25, 25)
