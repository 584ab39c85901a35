"""The definition on Arb balls: `vector`, in an arithmetic that carries a bound on its own error.

For the suite's own tests, which hold `matrix` and `error_bound` against it. Arb: Johansson, *Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic*, 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reference import vector
from reference.bounds.formats import Array

try:
    import flint
except ImportError as missing:
    raise ImportError("exact attention needs python-flint: pip install attention-tests[arb]") from missing

Arb: TypeAlias = Any

ARB = vector.Numbers(
    number=flint.arb,
    exp=lambda x: x.exp(),
    log=lambda x: x.log(),
    tanh=lambda x: x.tanh(),
    sqrt=lambda x: x.sqrt(),
    # Any shift cancels in the softmax, so a point will do, and no ball gets wider by it.
    max=lambda balls: max(balls, key=lambda ball: float(ball.mid())).mid(),
    nan=flint.arb.nan(),
)


@dataclass(frozen=True)
class Ball:
    """An enclosure as three float64 arrays: the exact number is within `radius` of `mid` + `low`."""

    mid: Array
    low: Array
    radius: Array

    def distance(self, array: npt.ArrayLike) -> Array:
        """Return how far an array is from the exact numbers, at most, to within a few roundings."""
        distance: Array = np.abs(np.asarray(array, np.float64) - self.mid - self.low) + self.radius
        return distance


def attention(  # noqa: PLR0913 - what attention depends on
    query: npt.ArrayLike,
    key: npt.ArrayLike,
    value: npt.ArrayLike,
    scale: float | None = None,
    bias: npt.ArrayLike | None = None,
    *,
    softcap: float | None = None,
    precision: int = 128,
) -> Ball:
    """Return an enclosure of attention (…, n_q, d_v); shapes and options are those of `matrix.attention`."""
    query, key, value = (np.asarray(array, np.float64) for array in (query, key, value))
    axes = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    query, key, value = (np.broadcast_to(array, axes + array.shape[-2:]) for array in (query, key, value))
    if bias is not None:
        bias = np.broadcast_to(np.asarray(bias, np.float64), (*axes, query.shape[-2], key.shape[-2]))
    output = np.full((*axes, query.shape[-2], value.shape[-1]), ARB.nan, np.object_)
    with _precision(precision):
        for head in np.ndindex(axes) if key.shape[-2] else ():
            rows = None if bias is None else bias[head].tolist()
            queries, keys, values = (_arbs(array[head]) for array in (query, key, value))
            outputs = vector.attention(queries, keys, values, ARB, scale=scale, softcap=softcap, bias=rows)
            output[head] = _objects(outputs, output.shape[-2:])
        return _ball(output)


def self_attention(
    x: npt.ArrayLike, w_query: npt.ArrayLike, w_key: npt.ArrayLike, w_value: npt.ArrayLike, *, precision: int = 128
) -> Ball:
    """Return an enclosure of self-attention (n, d_v) of one sentence (n, d_model); shapes are those of `matrix`."""
    with _precision(precision):
        words, *matrices = (_arbs(np.asarray(array, np.float64)) for array in (x, w_query, w_key, w_value))
        output = vector.self_attention(words, matrices[0], matrices[1], matrices[2], ARB)
        return _ball(_objects(output, (np.shape(x)[-2], np.shape(w_value)[-1])))


def log_sum_exp(
    query: Array, key: Array, scale: float | None = None, bias: Array | None = None, *, precision: int = 128
) -> Ball:
    """Return an enclosure of log Σ exp (n_q) of one head, (n_q, d_k) and (n_k, d_k), every query seeing some key."""
    rows = [None] * len(query) if bias is None else bias.tolist()
    with _precision(precision):
        queries, keys = _arbs(query), _arbs(key)
        logits = [vector.logits(q, keys, ARB, scale=scale, bias=row) for q, row in zip(queries, rows, strict=True)]
        return _ball(np.array([vector.log_sum_exp(scores, ARB) for scores in logits], np.object_))


@contextmanager
def _precision(bits: int) -> Iterator[None]:
    before, flint.ctx.prec = flint.ctx.prec, bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def _arbs(array: Array) -> list[list[Arb]]:
    return [[flint.arb(x) for x in row] for row in array.tolist()]


def _objects(rows: vector.Matrix, shape: tuple[int, ...]) -> npt.NDArray[np.object_]:
    return np.array(rows, np.object_).reshape(shape)


def _ball(balls: npt.NDArray[np.object_]) -> Ball:
    mid, low, radius = (np.empty(balls.shape) for _ in range(3))
    for place, ball in np.ndenumerate(balls):
        mid[place], low[place], radius[place] = _parts(ball)
    return Ball(mid, low, radius)


def _parts(ball: Arb) -> tuple[float, float, float]:
    if not ball.is_finite():
        return float(ball.mid()), 0.0, float("nan") if ball.is_nan() else float("inf")
    mid = float(ball.mid())
    low = float((ball - flint.arb(mid)).mid())
    rest = (ball - flint.arb(mid) - flint.arb(low)).abs_upper()
    # One ulp more, since a float rounds to nearest and a radius must not get smaller.
    return mid, low, float(np.nextafter(float(rest), np.inf))
