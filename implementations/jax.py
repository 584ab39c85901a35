"""`jax.nn.dot_product_attention` on the CPU, by XLA, compiled as `jax.jit` does.

https://docs.jax.dev/en/latest/_autosummary/jax.nn.dot_product_attention.html: arrays are (batch, length, heads, width),
values as wide as keys; True in a mask is a visible key, a bias is added to the scaled logits, and a window of an int
reaches as far on both sides. How a key is hidden is not documented; the source gives it a large negative score, so that
a fully masked row is the mean of all values (docs/findings/jax-hidden-words-return.md).

The logits are float32 or, of float64, float64. "Softmax is always carried out in fp32", says a comment in the source,
and the weights are rounded to the dtype of the keys. So float64 promises only float32 here
(docs/findings/jax-softmax-of-doubles.md).

JAX may be called from several threads: https://docs.jax.dev/en/latest/concurrency.html. Every shape is compiled anew,
which takes most of the time; with JAX_COMPILATION_CACHE_DIR and JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 in the
environment the second run takes a fraction of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp

from attention_tests.declare.dialect import Dialect, FullyMasked, Layout
from attention_tests.declare.features import Feature
from attention_tests.declare.implementation import Array, Implementation
from attention_tests.declare.precision import Precision
from attention_tests.frameworks.jax import gradient_of, to_numpy


def attention(  # noqa: PLR0913 - the options of the function
    query: jax.Array,
    key: jax.Array,
    value: jax.Array,
    *,
    scale: float | None = None,
    mask: jax.Array | None = None,
    bias: jax.Array | None = None,
    causal: bool = False,
    window: int | None = None,
    return_lse: bool = False,
) -> Any:
    """Return the output (batch, n_q, heads, d_v), and with `return_lse` also the log-sum-exp (batch, heads, n_q)."""
    answer = jax.nn.dot_product_attention(
        query,
        key,
        value,
        bias,
        mask,
        scale=scale,
        is_causal=causal,
        local_window_size=None if window is None else window - 1,
        implementation="xla",
        return_residual=return_lse,
    )
    if not return_lse:
        return answer
    output, lse = answer
    return output, lse.swapaxes(1, 2)


def compiled(forward: Callable[..., Any], *flags: str) -> Callable[..., Any]:
    """Return `forward`, compiled for each shape of its arrays and each choice of its `flags`."""
    return wraps(forward)(jax.jit(forward, static_argnames=flags))


def to_native(array: Array, dtype: str) -> jax.Array:
    """Return a copy as a JAX array in the dtype."""
    return jnp.array(array.astype(jnp.dtype(dtype)))


def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, called with float64 enabled in JAX."""

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        with jax.enable_x64(True):  # noqa: FBT003 - the signature of JAX
            return function(*arguments, **options)

    return called


def as_double(implementation: Implementation, precision: Precision) -> Implementation:
    """Return an implementation in JAX at float64, which JAX must be told to enable."""
    given = implementation
    return replace(
        given,
        name=f"{given.name}-double",
        attention=None if given.attention is None else in_double(given.attention),
        gradient=None if given.gradient is None else in_double(given.gradient),
        dtypes={"float64": precision},
        to_native=in_double(to_native),
    )


_FLAGS = ("causal", "window", "return_lse")
_WEIGHTS_IN_16_BIT = {
    dtype: replace(Precision.eager(dtype), scores=None, name="weights") for dtype in ("bfloat16", "float16")
}

JAX = Implementation(
    name="jax",
    attention=compiled(attention, *_FLAGS),
    gradient=compiled(gradient_of(attention), *_FLAGS),
    supports=frozenset(
        {Feature.SCALE, Feature.LENGTHS, Feature.HEADS, Feature.GROUPED_HEADS, Feature.LOG_SUM_EXP, Feature.THREADS}
        | {Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.WINDOW, Feature.COMBINED_MASKS}
    ),
    # Compiled for a CPU, it refuses 16 bits: docs/findings/jax-16-bit-compiled.md.
    dtypes={"float32": Precision.float32()},
    to_native=to_native,
    to_numpy=to_numpy,
    dialect=Dialect(layout=Layout.BATCH_LENGTH_HEAD_WIDTH, fully_masked=FullyMasked.MEAN),
    immutable=True,
    compiled=True,
)
EAGER = replace(
    JAX,
    name="jax-eager",
    # Compiled it is, too: each operation by itself, for each shape.
    attention=attention,
    gradient=gradient_of(attention),
    dtypes={"float32": Precision.float32(), **_WEIGHTS_IN_16_BIT},
)
DOUBLE = as_double(JAX, replace(Precision.float32(), name="float32 softmax"))
