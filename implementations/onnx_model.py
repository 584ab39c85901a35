"""A model of one ONNX Attention node, and the function that asks whatever can run it.

What the operator promises is in its text, https://onnx.ai/onnx/operators/onnx__Attention.html: arrays are (batch,
heads, length, width); key heads may be fewer than query heads; the first query is the first word unless earlier words
are given as a cache; True in a mask means that a word is seen; a query that sees no word gets zeros; the soft cap comes
before the mask. One input serves for a mask or a bias, and is composed with causality.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import ml_dtypes
import numpy as np
from onnx import ModelProto, ValueInfoProto, helper

from attention_tests.implementation import Array, Dialect, Feature, Implementation, Unseeing
from attention_tests.precision import Precision

IR_VERSION = 10
"""Old enough for every runtime that knows the operator."""


@dataclass(frozen=True)
class Node:
    """An Attention node: all that makes it another model than the next one."""

    opset: int
    inputs: tuple[tuple[str, str, int], ...]
    """The name, the dtype and the rank of each."""
    attributes: tuple[tuple[str, float], ...]

    def model(self) -> ModelProto:
        """Return the model that has this node and nothing else, its shapes being open."""
        names = [name for name, _, _ in self.inputs]
        node = helper.make_node("Attention", names, ["Y"], **dict(self.attributes))
        _, dtype, rank = self.inputs[0]
        inputs = [_value(*each) for each in self.inputs]
        graph = helper.make_graph([node], "attention", inputs, [_value("Y", dtype, rank)])
        opsets = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def _value(name: str, dtype: str, rank: int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(_dtype(dtype)), [None] * rank)


class Session(Protocol):
    """What runs a model: the reference evaluator and ONNX Runtime agree on how it is asked."""

    def run(self, output_names: None, inputs: dict[str, Array], /) -> Any:
        """Return all outputs."""


def attention_by(
    session_of: Callable[[Node], Session], opset: int, *, whole_masks: bool = False
) -> Callable[..., Array]:
    """Return attention as sessions compute it, made for each model that a call needs.

    With `whole_masks` the last two axes of a mask or a bias have their whole length: what becomes of shorter ones is
    known (docs/findings/), and must not hide what else there is.
    """

    def attention(  # noqa: PLR0913 - what the operator offers
        query: Array,
        key: Array,
        value: Array,
        *,
        scale: float | None = None,
        mask: Array | None = None,
        bias: Array | None = None,
        causal: bool = False,
        window: int | None = None,
        softcap: float | None = None,
    ) -> Array:
        inputs = {"Q": query, "K": key, "V": value}
        if (hiding := _hiding(mask, bias)) is not None:
            inputs["attn_mask"] = _whole(hiding, query, key) if whole_masks else hiding
        sides = {} if window is None else {"left_window_size": window - 1, "right_window_size": window - 1}
        asked = {"scale": scale, "is_causal": int(causal) or None, "softcap": softcap, **sides}
        attributes = tuple((name, asked_for) for name, asked_for in asked.items() if asked_for is not None)
        kinds = tuple((name, array.dtype.name, array.ndim) for name, array in inputs.items())
        output: Array = session_of(Node(opset, kinds, attributes)).run(None, inputs)[0]
        return output

    return attention


def _hiding(mask: Array | None, bias: Array | None) -> Array | None:
    """Return the one input that says what a mask, a bias or both say."""
    if mask is None or bias is None:
        return bias if mask is None else mask
    return np.where(mask, bias, bias.dtype.type(-np.inf))


def _whole(hiding: Array, query: Array, key: Array) -> Array:
    return np.broadcast_to(hiding, (*hiding.shape[:-2], query.shape[2], key.shape[2]))


def _dtype(name: str) -> np.dtype[Any]:
    # NumPy itself knows no bfloat16.
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def to_native(array: Array, dtype: str) -> Array:
    """Return an array of the dtype, bfloat16 included."""
    return array.astype(_dtype(dtype))


def to_numpy(array: Array) -> Array:
    """Return a float64 array."""
    return np.asarray(array).astype(np.float64)


ATTENTION = Implementation(
    name="attention",
    supports=frozenset(
        {
            Feature.SCALE,
            Feature.LENGTHS,
            Feature.VALUE_WIDTH,
            Feature.HEADS,
            Feature.GROUPED_HEADS,
            Feature.MASK,
            Feature.BIAS,
            Feature.CAUSAL,
            Feature.TOGETHER,
            Feature.SOFTCAP,
        }
    ),
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(unseeing=Unseeing.ZEROS),
)
"""What the operator promises of any runtime; one that runs it says by which arithmetic."""


def in_double(implementation: Implementation) -> Implementation:
    """Return the same at float64, where numbers that are asked for would be rounded: attributes are float32.

    So a scale is multiplied into the query, that of the operator being 1, and no soft cap can be asked for. By default
    runtimes do not agree on the scale in float64 (docs/findings/onnx-default-scale-of-doubles.md).
    """
    attention = implementation.attention
    assert attention is not None

    def scaled_before(query: Array, key: Array, value: Array, *, scale: float | None = None, **options: Any) -> Array:
        factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
        output: Array = attention(query * factor, key, value, scale=1.0, **options)
        return output

    return replace(
        implementation,
        name=f"{implementation.name}-double",
        attention=scaled_before,
        supports=implementation.supports - {Feature.SOFTCAP},
        dtypes={"float64": replace(Precision.float64(), prescale="float64")},
    )
