"""A key/value cache of OpenVINO: tokens in the state of a request, as in a model for generation.

https://docs.openvino.ai/2025/openvino-workflow/running-inference/stateful-models.html. A state that is gathered by
beams, and to which new tokens are appended, is fused with attention on the CPU. By default it is kept in eight bits,
hence the hint. It needs as many queries as new tokens, which is not documented (docs/findings/
openvino-lengths-over-a-state.md): so each query is passed with the last token, as in generation.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from openvino import CompiledModel, Core, Model, Output, PartialShape, opset6, opset13

from attention_tests.declare.implementation import Array
from implementations.openvino.tensors import TYPES, array_of, tensor_of

ANY_SHAPE = PartialShape([-1, -1, -1, -1])
LENGTH = 2


class Cache:
    """Keys (batch, heads, n, d_k) and values (batch, heads, n, d_v), one portion for each append."""

    def __init__(self) -> None:
        self._portions: list[tuple[Array, Array]] = []

    def append(self, key: Array, value: Array) -> None:
        """Append tokens to the cache, the last one by itself."""
        before = key.shape[LENGTH] - 1
        portions = [(key[:, :, :before], value[:, :, :before]), (key[:, :, before:], value[:, :, before:])]
        self._portions += [(key.copy(), value.copy()) for key, value in portions if key.size]

    def attend(self, query: Array) -> Array:
        """Return the output (batch, heads, n_q, d_v) of queries that attend to every token so far."""
        places = range(query.shape[LENGTH])
        return np.concatenate([self._answer(query[:, :, place : place + 1]) for place in places], axis=LENGTH)

    def _answer(self, query: Array) -> Array:
        # A call leaves its tokens in the state: each one has a new request, to which all tokens are appended.
        request = _compiled(query.dtype.name).create_infer_request()
        beams = np.arange(len(query), dtype=np.int32)
        for key, value in self._portions[:-1]:
            request.infer([tensor_of(array) for array in (key, key, value, beams)])
        key, value = self._portions[-1]
        request.infer([tensor_of(array) for array in (query, key, value, beams)])
        return array_of(request.get_output_tensor(), query.dtype)


@lru_cache
def _compiled(dtype: str) -> CompiledModel:
    query, key, value = (opset13.parameter(ANY_SHAPE, TYPES[dtype]) for _ in range(3))
    beams = opset13.parameter(PartialShape([-1]), TYPES["int32"])
    states = {name: _with_earlier(name, new, beams, dtype) for name, new in (("key", key), ("value", value))}
    kept = [opset6.assign(state, name) for name, state in states.items()]
    output = opset13.result(opset13.scaled_dot_product_attention(query, *states.values()))
    precision = TYPES[dtype].get_type_name()
    hints = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision, "KV_CACHE_PRECISION": precision}
    model = Model([output], kept, [query, key, value, beams], "attention over a state")
    return Core().compile_model(model, "CPU", hints)


def _with_earlier(name: str, new: Output, beams: Output, dtype: str) -> Output:
    """Return the tokens of a state, gathered by beam, with the new ones appended."""
    zero, length = opset13.constant(np.array(0)), opset13.constant(np.array([LENGTH]))
    no_words = opset13.scatter_update(opset13.shape_of(new), length, opset13.constant(np.array([0])), zero)
    nothing = opset13.broadcast(opset13.constant(0, TYPES[dtype]), no_words)
    earlier = opset13.gather(opset6.read_value(nothing, name, TYPES[dtype], ANY_SHAPE), beams, zero)
    return opset13.concat([earlier, new], LENGTH)
