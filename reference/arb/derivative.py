"""The backward pass from the definition: `vector`, differentiated over dual numbers.

A dual number is x + x′ε with ε² = 0 (Clifford, 1873): what the steps of `vector` make of such numbers carries the
derivative along x′. One number of the inputs at a time gets the slope 1, so nothing here knows a closed form. Over
Arb balls the derivatives are certified enclosures; over floats they are as good as floats.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference import vector
from reference.vector import Number, Numbers

Objects: TypeAlias = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Dual:
    """A number and its derivative."""

    value: Number
    slope: Number

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, self.slope + other.slope)

    def __radd__(self, zero: int) -> Dual:
        """Begin a `sum`."""
        return Dual(zero + self.value, self.slope)

    def __sub__(self, other: Dual) -> Dual:
        return Dual(self.value - other.value, self.slope - other.slope)

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    def __truediv__(self, other: Dual) -> Dual:
        quotient = self.value / other.value
        return Dual(quotient, (self.slope - quotient * other.slope) / other.value)


def dual(numbers: Numbers) -> Numbers:
    """Return what softmax and scaling need of dual numbers over `numbers`."""

    def constant(x: Number) -> Dual:
        return Dual(x, numbers.number(0.0))

    def chain(function: Callable[[Number], Number], derivative: Callable[[Number], Number]) -> Callable[[Dual], Dual]:
        return lambda x: Dual(function(x.value), derivative(x.value) * x.slope)

    one = numbers.number(1.0)
    return vector.Numbers(
        number=lambda x: constant(numbers.number(x)),
        exp=chain(numbers.exp, numbers.exp),
        log=chain(numbers.log, lambda x: one / x),
        tanh=chain(numbers.tanh, lambda x: one - numbers.tanh(x) * numbers.tanh(x)),
        sqrt=chain(numbers.sqrt, lambda x: numbers.number(0.5) / numbers.sqrt(x)),
        # Any shift cancels in the softmax, and a constant one has no derivative where two numbers are the largest.
        max=lambda duals: constant(numbers.max([x.value for x in duals])),
        nan=constant(numbers.nan),
    )


def attention(  # noqa: PLR0913, PLR0917 - what the gradients depend on
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    upstream: npt.ArrayLike,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    softcap: float | None = None,
    *,
    numbers: Numbers = vector.FLOAT,
) -> tuple[Objects, Objects, Objects]:
    """Return dQ, dK and dV, as arrays of `numbers`, of one run: (n_q, d_k), (n_k, d_k), (n_k, d_v) and (n_q, d_v)."""
    inputs = [_mapped(numbers.number, np.asarray(array, np.float64)) for array in (query, key, value)]
    weighing = np.asarray(upstream, np.float64).ravel().tolist()
    rows = None if bias is None else np.asarray(bias, np.float64).tolist()
    zero, one = numbers.number(0.0), numbers.number(1.0)

    def derivative(which: int, place: tuple[int, ...]) -> Number:
        duals = [_mapped(lambda x: Dual(x, zero), array) for array in inputs]
        duals[which][place] = Dual(inputs[which][place], one)
        queries, keys, values = (array.tolist() for array in duals)
        outputs = vector.attention(queries, keys, values, dual(numbers), scale=scale, softcap=softcap, bias=rows)
        slopes = [x.slope for output in outputs for x in output]
        return sum(numbers.number(weight) * slope for weight, slope in zip(weighing, slopes, strict=True))

    d_query, d_key, d_value = (
        _mapped(functools.partial(derivative, which), _places(array.shape)) for which, array in enumerate(inputs)
    )
    return d_query, d_key, d_value


def _mapped(function: Callable[[Any], Any], array: npt.NDArray[Any]) -> Objects:
    mapped = np.empty(array.shape, np.object_)
    for place, x in np.ndenumerate(array):
        mapped[place] = function(x)
    return mapped


def _places(shape: tuple[int, ...]) -> Objects:
    """Return an array of this shape that holds each place's own index."""
    places = np.empty(shape, np.object_)
    for place in np.ndindex(shape):
        places[place] = place
    return places
