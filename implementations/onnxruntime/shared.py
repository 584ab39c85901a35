"""com.microsoft.GroupQueryAttention of ONNX Runtime as in generation: it writes new tokens into a shared buffer.

"When past_key uses same tensor as present_key (k-v cache), it is of length max_sequence_length". Tensors are bound to
memory as in https://onnxruntime.ai/docs/performance/tune-performance/iobinding.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from onnxruntime import OrtValue

from attention_tests.declare.implementation import Array
from implementations.onnx.cache import Words
from implementations.onnx.model import node_of
from implementations.onnxruntime.group_query import OPERATOR, PRESENT, asked_for, filled_up_width
from implementations.onnxruntime.packed import no_words, unpacked
from implementations.onnxruntime.standard import session_of

NO_WORD = 1
"""The number in unused space, which would show in an output."""


@dataclass(frozen=True)
class Buffers:
    """Keys and values, (batch, key heads, room, width), of which the first `length` are tokens."""

    key: Array
    value: Array
    length: int


def group_query_after_in_place(
    query: Array, words: Words, past: Buffers | None, **options: Any
) -> tuple[Array, Buffers]:
    """Return the output of causal queries, one for each new token, and the buffer with the tokens in it."""
    empty, earlier = no_words(words[0], filled_up_width(query)), past.length if past else 0
    length = earlier + words[0].shape[1]
    buffers = (past.key, past.value) if past else (empty, empty)
    key, value = (_with_room(buffer, earlier, length) for buffer in buffers)
    inputs, attributes = asked_for(query, words, earlier, **options)
    output = _run_in_place(inputs, {"key": key, "value": value}, attributes)
    return unpacked(output, *query.shape[2:]), Buffers(key, value, length)


def _run_in_place(inputs: dict[str, Array], buffers: dict[str, Array], attributes: dict[str, float | None]) -> Array:
    past = {f"past_{name}": buffer for name, buffer in buffers.items()}
    session = session_of(node_of(OPERATOR, inputs | past, *PRESENT, **attributes))
    binding = session.io_binding()
    for name, array in inputs.items():
        binding.bind_cpu_input(name, array)
    binding.bind_output("output")
    for name, buffer in buffers.items():
        shared = OrtValue.ortvalue_from_numpy(buffer)
        binding.bind_ortvalue_input(f"past_{name}", shared)
        binding.bind_ortvalue_output(f"present_{name}", shared)
    session.run_with_iobinding(binding)
    output: Array = binding.get_outputs()[0].numpy()
    return output


def _with_room(buffer: Array, length: int, words: int) -> Array:
    if words <= buffer.shape[2]:
        return buffer
    larger = np.full((*buffer.shape[:2], 2 * words, buffer.shape[3]), NO_WORD, buffer.dtype)
    larger[:, :, :length] = buffer[:, :, :length]
    return larger
