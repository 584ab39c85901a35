"""Tensors of OpenVINO from arrays, and arrays from tensors, bfloat16 included."""

from __future__ import annotations

from typing import Any

import numpy as np
from openvino import Tensor, Type

from attention_tests.declare.implementation import Array

TYPES = {"float32": Type.f32, "float16": Type.f16, "bfloat16": Type.bf16, "bool": Type.boolean, "int32": Type.i32}


def tensor_of(array: Array) -> Tensor:
    """Return a copy as a tensor: a tensor made around an array does not keep it alive."""
    tensor = Tensor(TYPES[array.dtype.name], array.shape)
    tensor.data.view(array.dtype)[...] = array
    return tensor


def array_of(tensor: Tensor, dtype: np.dtype[Any]) -> Array:
    """Return a copy as an array."""
    return np.array(tensor.data).view(dtype)
