"""Every correct backward pass is inside the bound: of the oracle, and of attention in any declared arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import flint
import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.arb import definition, derivative
from reference.bounds import gradient_bound
from reference.bounds.formats import Array, round_to
from reference.bounds.interval import Interval
from reference.gradient import Gradients
from tests.reference.emulated import Emulated
from tests.reference.families import FAMILIES, PRECISIONS, Family, draw, random_bias, random_sizes

by_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
by_arithmetic = pytest.mark.parametrize(("dtype", "precision"), PRECISIONS.values(), ids=PRECISIONS)


@dataclass(frozen=True)
class GradientCase:
    query: Array
    key: Array
    value: Array
    upstream: Array
    scale: float | None = None
    bias: Array | None = None
    softcap: float | None = None

    @property
    def factor(self) -> float:
        return float(self.query.shape[-1] ** -0.5) if self.scale is None else self.scale

    def expected(self, dtype: str, precision: Precision) -> tuple[Interval, Interval, Interval]:
        inputs = (self.query, self.key, self.value, self.upstream)
        return gradient_bound.gradient(
            *inputs, roundings_of(precision, dtype), scale=self.scale, bias=self.bias, softcap=self.softcap
        )


def gradient_cases(
    family: Family, dtype: str, count: int, caps: tuple[float | None, ...] = (None,)
) -> Iterator[GradientCase]:
    rng = np.random.default_rng(1986)
    for _ in range(count):
        sizes = random_sizes(rng)
        query, key, value = draw(family, rng, sizes, dtype)
        upstream = round_to(rng.standard_normal((sizes[0], sizes[3])) * 10.0 ** rng.integers(-3, 2), dtype)
        scale = (None, None, 0.3, -0.7)[int(rng.integers(4))]
        bias = random_bias(rng, sizes[0], sizes[1], dtype)
        for cap in caps:
            yield GradientCase(query, key, value, upstream, scale, bias, cap)


def assert_accepts(expected: tuple[Interval, Interval, Interval], gradients: Gradients) -> None:
    for one, got in zip(expected, gradients, strict=True):
        assert one.value.shape == got.shape
        assert not np.isnan(one.error).any()
        assert one.accepts(got).all(), one.ratio(got).max()


@dataclass(frozen=True)
class Backward:
    """Correct backward passes: every intermediate is rounded as `emulated` declares."""

    emulated: Emulated
    scale_first: bool
    """Scale dS, and not its products."""
    apart: bool
    """P dP - P δ in place of P (dP - δ)."""
    through_cap: Callable[[Emulated, Array, Array], Array] | None = None
    """From dS and the scaled scores to dS of the scaled scores, where there is a soft cap."""
    merged: bool = False
    """Whether output and log-sum-exp come of parts of the keys that were merged."""

    def scores(self, x: Array) -> Array:
        return self.emulated.stored(self.emulated.accumulated(x), self.emulated.precision.scores)

    def weights(self, x: Array) -> Array:
        return self.emulated.stored(self.emulated.accumulated(x), self.emulated.precision.weights)

    def eager(self, case: GradientCase) -> Gradients:
        """Through the weights that the forward pass left behind, everything stored in its format."""
        logits = self.emulated.logits(case.query, case.key, case.scale, case.bias)
        exponentials = self.emulated.exp(logits - logits.max(-1, keepdims=True))
        weights = self.weights(exponentials / self.emulated.sum(exponentials)[:, None])
        d_weights = self.scores(self.emulated.dot(case.upstream, case.value.T))
        delta = self.scores(self.emulated.sum(self.scores(weights * d_weights))[:, None])
        return self.products(weights, self.uncapped(self.d_scores(weights, d_weights, delta), case), case)

    def flash(self, case: GradientCase) -> Gradients:
        """From the log-sum-exp and the rounded output alone; the scores are summed anew, in the other order."""
        operands = (case.query, case.key, case.scale, case.bias)
        output, log_sum_exp = self.forward(case)
        anew = replace(self.emulated, backwards=not self.emulated.backwards)
        weights = self.emulated.exp(anew.logits(*operands) - log_sum_exp[:, None])
        delta = self.emulated.sum(self.emulated.accumulated(case.upstream * output))[:, None]
        d_scores = self.d_scores(weights, self.emulated.dot(case.upstream, case.value.T), delta)
        return self.products(self.weights(weights), self.weights(self.uncapped(d_scores, case)), case)

    def forward(self, case: GradientCase) -> tuple[Array, Array]:
        if self.merged:
            return self.emulated.merged((case.query, case.key, case.value), case.scale, case.bias, seed=307)
        output = self.emulated.attention(case.query, case.key, case.value, case.scale, case.bias)
        return output, self.emulated.log_sum_exp(case.query, case.key, case.scale, case.bias)

    def d_scores(self, weights: Array, d_weights: Array, delta: Array) -> Array:
        if self.apart:
            return self.scores(self.scores(weights * d_weights) - self.scores(weights * delta))
        return self.scores(weights * self.scores(d_weights - delta))

    def uncapped(self, d_scores: Array, case: GradientCase) -> Array:
        if self.through_cap is None:
            return d_scores
        scaled = replace(self.emulated, softcap=None).logits(case.query, case.key, case.scale, None)
        return self.through_cap(self.emulated, d_scores, scaled)

    def products(self, weights: Array, d_scores: Array, case: GradientCase) -> Gradients:
        factor = self.emulated.accumulated(np.asarray(case.factor))
        if self.scale_first:
            d_scores = self.scores(d_scores * factor)
        d_query, d_key = self.emulated.dot(d_scores, case.key), self.emulated.dot(d_scores.T, case.query)
        if not self.scale_first:
            d_query, d_key = (self.emulated.accumulated(self.scores(x) * factor) for x in (d_query, d_key))
        d_value = self.emulated.dot(weights.T, case.upstream)
        return self.emulated.answer(d_query), self.emulated.answer(d_key), self.emulated.answer(d_value)


@by_family
@by_arithmetic
def test_gradients_in_a_declared_arithmetic_are_accepted(family: Family, dtype: str, precision: Precision) -> None:
    exact_exp = Emulated(dtype, precision, backwards=True)
    wrong_exp = Emulated(dtype, precision, exp_signs=706)
    for case in gradient_cases(family, dtype, 3):
        expected = case.expected(dtype, precision)
        for backward in (
            Backward(exact_exp, scale_first=True, apart=False),
            Backward(wrong_exp, scale_first=False, apart=True),
        ):
            with np.errstate(all="ignore"):
                assert_accepts(expected, backward.eager(case))
                assert_accepts(expected, backward.flash(case))


@by_family
def test_the_oracle_is_within_its_radius_of_the_exact_gradients(family: Family) -> None:
    for case in gradient_cases(family, "float64", 4):
        assert_within_radius(case)


def assert_within_radius(case: GradientCase) -> None:
    inputs = (case.query, case.key, case.value, case.upstream, case.scale, case.bias, case.softcap)
    with flint.ctx.workprec(128):
        derived = derivative.attention(*inputs, numbers=definition.ARB)
        for one, balls in zip(case.expected("float64", Precision.float64()), derived, strict=True):
            assert (distance(one.value, balls) <= one.radius).all()


def distance(array: Array, balls: derivative.Objects) -> Array:
    distances = np.frompyfunc(lambda x, ball: float((ball - definition.ARB.number(x)).abs_upper()), 2, 1)
    return np.asarray(distances(array, balls), np.float64)
