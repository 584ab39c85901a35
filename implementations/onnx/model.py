"""Models of one ONNX node, run by any runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import ml_dtypes
import numpy as np
from onnx import ModelProto, TensorProto, helper

from attention_tests.declare.implementation import Array

IR_VERSION = 10
"""A version of the format old enough for every runtime that has the operators."""


@dataclass(frozen=True)
class Operator:
    """An operator of one version, with the names of its inputs and outputs in order."""

    name: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    domain: str = ""


@dataclass(frozen=True)
class Node:
    """A node of an operator: everything that distinguishes its model from others."""

    operator: Operator
    inputs: tuple[tuple[str, str, int], ...]
    """The name, the dtype and the rank of each input."""
    outputs: frozenset[str]
    """The requested outputs."""
    attributes: tuple[tuple[str, float], ...]

    def model(self) -> ModelProto:
        """Return the model with only this node, and with open shapes."""
        operator, dtypes = self.operator, {name: _element_type(dtype) for name, dtype, _ in self.inputs}
        names = _in_order(operator.inputs, dtypes)
        outputs = _in_order(operator.outputs, self.outputs)
        node = helper.make_node(operator.name, names, outputs, domain=operator.domain, **dict(self.attributes))
        inputs = [helper.make_tensor_value_info(name, dtypes[name], [None] * rank) for name, _, rank in self.inputs]
        # Outputs have the dtype of the first input.
        answers = [helper.make_tensor_value_info(name, dtypes[self.inputs[0][0]], None) for name in outputs if name]
        graph = helper.make_graph([node], operator.name, inputs, answers)
        opsets = [helper.make_opsetid(operator.domain, operator.version)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)


def _in_order(names: tuple[str, ...], given: Mapping[str, int] | frozenset[str]) -> list[str]:
    """Return the names up to the last one given, empty for those left out."""
    last = max(place for place, name in enumerate(names) if name in given)
    return [name if name in given else "" for name in names[: last + 1]]


class Session(Protocol):
    """A session of a model: the common interface of the reference evaluator and ONNX Runtime."""

    def run(self, output_names: None, inputs: dict[str, Array], /) -> Any:
        """Return all outputs."""


Sessions: TypeAlias = Callable[[Node], Session]
"""A function that returns a session of a node, new or cached."""


def ask(
    sessions: Sessions, operator: Operator, inputs: dict[str, Array], *outputs: str, **attributes: float | None
) -> tuple[Array, ...]:
    """Return the named outputs, in the order of the operator; attributes of None are left out."""
    return tuple(sessions(node_of(operator, inputs, *outputs, **attributes)).run(None, inputs))


def node_of(operator: Operator, inputs: dict[str, Array], *outputs: str, **attributes: float | None) -> Node:
    """Return the node with these inputs, and with the attributes that are not None."""
    kinds = tuple((name, array.dtype.name, array.ndim) for name, array in inputs.items())
    given = tuple((name, attribute) for name, attribute in attributes.items() if attribute is not None)
    return Node(operator, kinds, frozenset(outputs), given)


def _element_type(dtype: str) -> TensorProto.DataType:
    return helper.np_dtype_to_tensor_dtype(_dtype(dtype))


def _dtype(name: str) -> np.dtype[Any]:
    # NumPy itself has no bfloat16.
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def to_native(array: Array, dtype: str) -> Array:
    """Return a copy in the dtype, bfloat16 included."""
    return array.astype(_dtype(dtype))


def to_numpy(array: Array) -> Array:
    """Return a float64 array."""
    return np.asarray(array).astype(np.float64)
