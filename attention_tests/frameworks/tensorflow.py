"""TensorFlow, on the CPU or on a GPU."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from attention_tests.frameworks.framework import Array, Framework, Function


def framework(device: str) -> Framework:
    """Return TensorFlow on a device. Raises ValueError where it is not there."""
    kind, _, number = device.partition(":")
    place = f"{ {'cuda': 'GPU'}.get(kind, kind.upper()) }:{number or 0}"
    if place not in {f"{one.device_type}:{one.name.rpartition(':')[2]}" for one in tf.config.list_physical_devices()}:
        raise ValueError(f"TensorFlow has no device {device} here")
    return Framework(
        name="tensorflow",
        to_native=partial(to_native, device=place),
        to_numpy=to_numpy,
        immutable=True,
        gradient_of=gradient_of,
    )


def to_native(array: Array, dtype: str, device: str = "CPU") -> tf.Tensor:
    """Return a copy as a tensor in the dtype."""
    with tf.device(device):
        return tf.constant(array.astype(tf.as_dtype(dtype).as_numpy_dtype))


def to_numpy(tensor: tf.Tensor) -> Array:
    """Return a float64 array."""
    array: Array = tensor.numpy().astype(np.float64)
    return array


def gradient_of(forward: Function) -> Function:
    """Return the gradient of `forward` by a tape: a function of query, key, value and an upstream gradient."""

    def gradient(
        query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, upstream: tf.Tensor, **options: Any
    ) -> tuple[tf.Tensor, ...]:
        inputs = (query, key, value)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = forward(*inputs, **options)
        gradients: tuple[tf.Tensor, ...] = tape.gradient(output, inputs, upstream, unconnected_gradients="zero")
        return gradients

    return gradient
