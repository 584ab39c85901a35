"""OpenVINO on the CPU: ScaledDotProductAttention-13.

Its specification is at https://docs.openvino.ai among the operation specs of opset 13: `causal` is
the upper triangle from the top left, and a mask that is given as well is ignored; a mask has at least three axes, the
last of its whole length; True means a visible key; a softmax over nothing is NaN. An explicit scale is an input, which
needs a mask before it: a scalar zero.

By default it computes in bfloat16 or float16 where a processor can, even for inputs in float32:
https://docs.openvino.ai/2025/openvino-workflow/running-inference/optimize-inference/precision-control.html. Hence the
hint.
"""

from __future__ import annotations

from functools import lru_cache

import ml_dtypes
import numpy as np
from openvino import CompiledModel, Core, Model, PartialShape, opset13

from attention_tests.declare.dialect import Dialect, FullyMasked
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from implementations.hiding import of_four_axes
from implementations.openvino.cache import Cache
from implementations.openvino.tensors import TYPES, array_of, tensor_of

NO_MASK = 0.0


def attention(  # noqa: PLR0913 - the options of the operation
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float | None = None,
    mask: Array | None = None,
    bias: Array | None = None,
    causal: bool = False,
) -> Array:
    """Return softmax(scale · Q Kᵀ + bias) V, of shape (batch, heads, n_q, d_v)."""
    inputs = [query, key, value]
    hiding = bias if mask is None else mask
    if hiding is not None:
        inputs.append(_whole(hiding, key))
    elif scale is not None:
        inputs.append(np.array(NO_MASK, query.dtype))
    if scale is not None:
        inputs.append(np.array(scale, query.dtype))
    kinds = tuple((array.dtype.name, array.ndim) for array in inputs)
    # Values of width one have a model of their own: docs/findings/openvino-after-values-of-width-one.md.
    compiled = _compiled(kinds, causal, value.shape[-1] == 1)
    # A new request for each call: a request serves one thread at a time.
    request = compiled.create_infer_request()
    request.infer([tensor_of(array) for array in inputs])
    return array_of(request.get_output_tensor(), query.dtype)


def _whole(hiding: Array, key: Array) -> Array:
    """Return a mask or a bias of four axes, of which the last has its whole length."""
    hiding = of_four_axes(hiding)
    return np.broadcast_to(hiding, (*hiding.shape[:-1], key.shape[-2]))


@lru_cache(maxsize=256)
def _compiled(
    kinds: tuple[tuple[str, int], ...],
    causal: bool,  # noqa: FBT001 - part of a key
    _narrow: bool,  # noqa: FBT001 - likewise
) -> CompiledModel:
    parameters = [opset13.parameter(PartialShape([-1] * rank), TYPES[dtype]) for dtype, rank in kinds]
    node = opset13.scaled_dot_product_attention(*parameters, causal=causal)
    hints = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": TYPES[kinds[0][0]].get_type_name()}
    return Core().compile_model(Model([node], parameters, "attention"), "CPU", hints)


def to_native(array: Array, dtype: str) -> Array:
    """Return a copy in the dtype, bfloat16 included."""
    return array.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype)


def to_numpy(array: Array) -> Array:
    """Return a float64 array."""
    return np.asarray(array).astype(np.float64)


ATTENTION = Implementation(
    name="openvino",
    attention=attention,
    cache=Cache,
    supports=frozenset(
        {
            Feature.SCALE,
            Feature.LENGTHS,
            Feature.VALUE_WIDTH,
            Feature.HEADS,
            Feature.MASK,
            Feature.BIAS,
            Feature.CAUSAL,
            Feature.THREADS,
        }
    ),
    dtypes={
        "float32": Precision.float32(),
        "bfloat16": Precision.eager("bfloat16"),
        "float16": Precision.eager("float16"),
    },
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(fully_masked=FullyMasked.NAN),
)
