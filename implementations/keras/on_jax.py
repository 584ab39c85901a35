"""Keras on JAX: `jax.nn.dot_product_attention`, compiled."""

from __future__ import annotations

from dataclasses import replace

from attention_tests.frameworks.jax import gradient_of, to_numpy
from implementations.jax import JAX as LIBRARY
from implementations.jax import compiled, to_native
from implementations.keras.operation import attention_on, implementation

_attention = attention_on("jax")

JAX = replace(
    implementation("jax", compiled(_attention, "causal"), dict(LIBRARY.dtypes), to_native, to_numpy),
    gradient=compiled(gradient_of(_attention), "causal"),
    immutable=True,
    compiled=True,
)
