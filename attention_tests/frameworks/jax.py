"""JAX: it computes while its caller goes on, compiles for each shape, and has float64 only where it is switched on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from attention_tests.frameworks.framework import Array, Framework, Function


def framework(device: str) -> Framework:
    """Return JAX on a device. Raises ValueError where it is not there."""
    kind, _, number = device.partition(":")
    try:
        place = jax.devices(kind)[int(number or 0)]
    except (RuntimeError, IndexError, ValueError) as error:
        raise ValueError(f"JAX has no device {device} here: {str(error).splitlines()[0]}") from None
    return Framework(
        name="jax",
        to_native=partial(to_native, device=place),
        to_numpy=to_numpy,
        immutable=True,
        compiled=True,
        called=in_its_dtype,
        gradient_of=gradient_of,
    )


def to_native(array: Array, dtype: str, device: jax.Device | None = None) -> jax.Array:
    """Return a copy as a JAX array in the dtype."""
    with jax.enable_x64(dtype == "float64"):
        return jax.device_put(jnp.array(array.astype(jnp.dtype(dtype))), device)


def to_numpy(array: jax.Array) -> Array:
    """Return a float64 array."""
    return np.asarray(array).astype(np.float64)


def in_its_dtype(function: Function) -> Function:
    """Return `function`, called with float64 switched on where a query is of that dtype, and only there.

    Its answer is computed when it returns: what goes wrong belongs to the call.
    """

    @wraps(function)
    def called(query: jax.Array, *arguments: Any, **options: Any) -> Any:
        with jax.enable_x64(query.dtype == jnp.dtype("float64")):
            return jax.block_until_ready(function(query, *arguments, **options))

    return called


def gradient_of(forward: Function) -> Function:
    """Return the gradient of `forward` by JAX: a function of query, key, value and an upstream gradient."""

    def gradient(
        query: jax.Array, key: jax.Array, value: jax.Array, upstream: jax.Array, **options: Any
    ) -> tuple[jax.Array, ...]:
        backward: Callable[[jax.Array], tuple[jax.Array, ...]]
        _, backward = jax.vjp(partial(forward, **options), query, key, value)
        return backward(upstream)

    return gradient
