"""Backward passes with one mistake each, in float32 and otherwise correct, are outside the bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.bounds import gradient_bound
from reference.bounds.formats import Array, round_to

SIZES = ((6, 4), (7, 4), (7, 3), (6, 3))
SAME = ((5, 4), (5, 4), (5, 4), (5, 4))


@dataclass(frozen=True)
class Backward:
    """The closed form in float32, with every place in it where people slip."""

    scaled: bool = True
    centred: bool = True
    weighed: bool = True
    biased: bool = True
    transposed: bool = False
    """dK from dS Q and dV from P G: shapes tell only where n_q ≠ n_k."""
    off: float = 0.0
    """A relative error of dP."""

    def __call__(self, query: Array, key: Array, value: Array, upstream: Array, bias: Array) -> tuple[Array, ...]:
        q, k, v, g, b = (x.astype(np.float32) for x in (query, key, value, upstream, bias))
        factor = np.float32(1 / np.sqrt(k.shape[-1]))
        logits = q @ k.T * factor + b * self.biased
        exponentials = np.exp(logits - logits.max(-1, keepdims=True))
        weights = exponentials / exponentials.sum(-1, keepdims=True)
        d_weights = g @ v.T
        d_weights[:, 0] *= np.float32(1 + self.off)
        d_scores = d_weights - (weights * d_weights).sum(-1, keepdims=True) * self.centred
        if self.weighed:
            d_scores = weights * d_scores
        if self.scaled:
            d_scores = factor * d_scores
        weights_t, d_scores_t = (weights, d_scores) if self.transposed else (weights.T, d_scores.T)
        return tuple(x.astype(np.float64) for x in (d_scores @ k, d_scores_t @ q, weights_t @ g))


def wrong(backward: Backward, shapes: tuple[tuple[int, ...], ...], seed: int) -> list[bool]:
    """Tell of dQ, dK and dV whether the bound rejects them."""
    rng = np.random.default_rng(seed)
    query, key, value, upstream = (round_to(rng.standard_normal(shape), "float32") for shape in shapes)
    bias = round_to(rng.standard_normal((len(query), len(key))), "float32")
    expected = gradient_bound.gradient(
        query, key, value, upstream, roundings_of(Precision.float32(), "float32"), bias=bias
    )
    got = backward(query, key, value, upstream, bias)
    return [not one.accepts(array).all() for one, array in zip(expected, got, strict=True)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("backward", "shapes", "rejected"),
    [
        (Backward(), SIZES, [False, False, False]),
        (Backward(scaled=False), SIZES, [True, True, False]),
        (Backward(centred=False), SIZES, [True, True, False]),
        (Backward(weighed=False), SIZES, [True, True, False]),
        (Backward(biased=False), SIZES, [True, True, True]),
        (Backward(transposed=True), SAME, [False, True, True]),
        (Backward(off=1e-3), SIZES, [True, True, False]),
    ],
    ids=["none", "no scale", "no δ", "dS without P", "no bias", "not transposed", "dP off by 1e-3"],
)
def test_a_mistake_is_outside_the_bound_of_what_it_touches(
    backward: Backward, shapes: tuple[tuple[int, ...], ...], rejected: list[bool], seed: int
) -> None:
    assert wrong(backward, shapes, seed) == rejected
