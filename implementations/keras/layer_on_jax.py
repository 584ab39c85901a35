"""The attention layers of Keras on JAX, compiled."""

from __future__ import annotations

from dataclasses import replace

from attention_tests.declare.features import Feature
from attention_tests.frameworks.jax import gradient_of
from implementations.jax import compiled
from implementations.keras.layer import layers_like
from implementations.keras.on_jax import JAX

_LAYER, BY_WEIGHTS, GROUPED = layers_like(JAX, dict(JAX.dtypes), gradient_of, compiled)
# Values of another width are documented, and refused: docs/findings/keras-value-dim-on-jax.md.
LAYER = replace(_LAYER, supports=_LAYER.supports - {Feature.VALUE_WIDTH})
