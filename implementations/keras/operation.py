"""`keras.ops.dot_product_attention`, on the active backend of the process.

https://keras.io/api/ops/nn/#dot_product_attention-function: arrays are (batch, length, heads, width), fewer key heads
than query heads are grouped, values have the shape of the keys, True in a mask is a visible key, a bias is added to
the logits, and a scale replaces 1/√d_k. Fully masked rows and the arithmetic are not documented. All backends give a
hidden key a large negative score
(docs/findings/jax-hidden-words-return.md), but PyTorch adds it (docs/findings/keras-torch-mask-is-added.md).

"Force to be 32-bit dtype when encountering 64-bit dtype", says the source of results in float64, on all backends but
TensorFlow: only there is float64 promised.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from attention_tests.declare.dialect import Dialect, FullyMasked, Layout
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from attention_tests.text.wording import BadTarget

IN_32_BIT = ("float32", "bfloat16", "float16")


def on(backend: str) -> Any:
    """Return the package `keras` on `backend`. Raises BadTarget if the process already uses another backend."""
    os.environ["KERAS_BACKEND"] = backend
    import keras  # noqa: PLC0415 - Keras reads the environment once, at import

    if (current := keras.backend.backend()) != backend:
        raise BadTarget(
            f"keras is on its backend {current} in this process, and cannot change to {backend}: "
            "run each in a process of its own, with --isolate"
        )
    return keras


def attention_on(backend: str) -> Callable[..., Any]:
    """Return the function of query, key, value and options on `backend`."""
    attend = on(backend).ops.dot_product_attention

    def attention(query: Any, key: Any, value: Any, *, causal: bool = False, **options: Any) -> Any:
        """Return the output (batch, n_q, heads, d_v)."""
        return attend(query, key, value, is_causal=causal, **options)

    return attention


def implementation(
    backend: str,
    attention: Callable[..., Any],
    dtypes: dict[str, Precision],
    to_native: Callable[[Array, str], Any],
    to_numpy: Callable[[Any], Array],
) -> Implementation:
    """Return the declaration that all backends share."""
    return Implementation(
        name=f"keras-{backend}",
        attention=attention,
        supports=frozenset(
            {Feature.SCALE, Feature.LENGTHS, Feature.HEADS, Feature.GROUPED_HEADS}
            | {Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.COMBINED_MASKS}
        ),
        dtypes=dtypes,
        to_native=to_native,
        to_numpy=to_numpy,
        dialect=Dialect(layout=Layout.BATCH_LENGTH_HEAD_WIDTH, fully_masked=FullyMasked.MEAN),
    )
