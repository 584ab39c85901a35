"""Every correct backward pass through a soft cap is inside the bound, whichever way it computes the cap's slope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference import gradient
from reference.bounds import gradient_bound
from reference.bounds.attention_error import ForwardPass
from reference.bounds.formats import Array, round_to
from reference.bounds.gradient_cap import slope_error
from tests.reference.emulated import Emulated
from tests.reference.families import FAMILIES, Family, Inputs, Rng, normal
from tests.reference.test_gradient_bound import (
    Backward,
    GradientCase,
    assert_accepts,
    assert_within_radius,
    by_arithmetic,
    gradient_cases,
)

CAPS = (0.1, 1.0, 5.0, 50.0)

Slope = Callable[[Emulated, Array], Array]
"""From x = t / c to the slope 1 - tanh² x of the cap."""


def stored(emulated: Emulated, x: Array) -> Array:
    return emulated.stored(emulated.accumulated(x), emulated.precision.scores)


def less_the_square(emulated: Emulated, tanh: Array) -> Array:
    return stored(emulated, 1 - stored(emulated, tanh * tanh))


def from_tanh(emulated: Emulated, x: Array) -> Array:
    return less_the_square(emulated, stored(emulated, np.tanh(x)))


def from_capped_scores(emulated: Emulated, x: Array) -> Array:
    assert emulated.softcap is not None
    capped = stored(emulated, emulated.softcap * stored(emulated, np.tanh(x)))
    return less_the_square(emulated, stored(emulated, capped / emulated.softcap))


def from_a_tanh_of_exponentials(emulated: Emulated, x: Array) -> Array:
    power = emulated.exp(-2 * np.abs(x))
    quotient = emulated.accumulated(1 - power) / emulated.accumulated(1 + power)
    return less_the_square(emulated, stored(emulated, np.copysign(quotient, x)))


def from_exponentials(emulated: Emulated, x: Array) -> Array:
    power = stored(emulated, emulated.exp(-2 * np.abs(x)))
    root = stored(emulated, 1 + power)
    return stored(emulated, stored(emulated, 4 * power) / stored(emulated, root * root))


def from_cosh(emulated: Emulated, x: Array) -> Array:
    half, other = emulated.exp(np.abs(x)), emulated.exp(-np.abs(x))
    cosh = stored(emulated, emulated.accumulated(half + other) / 2)
    return stored(emulated, 1 / stored(emulated, cosh * cosh))


SLOPES: tuple[Slope, ...] = (
    from_tanh,
    from_capped_scores,
    from_a_tanh_of_exponentials,
    from_exponentials,
    from_cosh,
)


def at_once(slope: Slope) -> Callable[[Emulated, Array, Array], Array]:
    """Return a pass through the cap that divides by it and multiplies by the slope."""

    def through(emulated: Emulated, d_scores: Array, scaled: Array) -> Array:
        assert emulated.softcap is not None
        return stored(emulated, d_scores * slope(emulated, emulated.accumulated(scaled / emulated.softcap)))

    return through


def step_by_step(slope: Slope) -> Callable[[Emulated, Array, Array], Array]:
    """Return a pass as autograd takes it, from c·tanh(t · (1 / c)) back, each step stored."""

    def through(emulated: Emulated, d_scores: Array, scaled: Array) -> Array:
        assert emulated.softcap is not None
        inverse = emulated.accumulated(np.asarray(1 / emulated.softcap))
        of = slope(emulated, stored(emulated, scaled * inverse))
        d_tanh = stored(emulated, d_scores * emulated.softcap)
        return stored(emulated, stored(emulated, d_tanh * of) * inverse)

    return through


def far_above(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = normal(rng, sizes, dtype)
    query[:, 0] = key[:, 0] = 25
    return query, key, value


def far_below(rng: Rng, sizes: tuple[int, int, int, int], dtype: str) -> Inputs:
    query, key, value = far_above(rng, sizes, dtype)
    return -query, key, value


by_family = pytest.mark.parametrize("family", [*FAMILIES, far_above, far_below], ids=lambda family: family.__name__)


@by_family
@by_arithmetic
def test_gradients_through_a_cap_in_a_declared_arithmetic_are_accepted(
    family: Family, dtype: str, precision: Precision
) -> None:
    for case in gradient_cases(family, dtype, 1, CAPS):
        expected = case.expected(dtype, precision)
        exact_exp = Emulated(dtype, precision, backwards=True, softcap=case.softcap)
        wrong_exp = Emulated(dtype, precision, exp_signs=706, softcap=case.softcap)
        for backward in (
            Backward(exact_exp, scale_first=True, apart=False, through_cap=step_by_step(from_capped_scores)),
            Backward(wrong_exp, scale_first=False, apart=True, through_cap=at_once(from_exponentials)),
        ):
            with np.errstate(all="ignore"):
                assert_accepts(expected, backward.eager(case))
                assert_accepts(expected, backward.flash(case))


@pytest.mark.parametrize("cap", CAPS)
@by_arithmetic
def test_the_slope_of_a_cap_is_within_its_bound_at_every_score(dtype: str, precision: Precision, cap: float) -> None:
    rng = np.random.default_rng(1997)
    scores = round_to(cap * 10.0 ** rng.uniform(-3, 1.5, (2000, 1)), dtype)
    forward = ForwardPass.of(np.ones((1, 1)), scores, scores[:, :0], 1.0, None, cap)
    with np.errstate(all="ignore"):
        (exact,), (bound,) = slope_error(forward, cap, roundings_of(precision, dtype))
        for signs in (None, 706, 707):
            emulated = Emulated(dtype, precision, exp_signs=signs, softcap=cap)
            inverse = emulated.accumulated(np.asarray(1 / cap))
            for x in (stored(emulated, scores[:, 0] * inverse), emulated.accumulated(scores[:, 0] / cap)):
                for slope in SLOPES:
                    assert (np.abs(slope(emulated, x) - exact) <= bound).all()


@by_family
def test_the_oracle_through_a_cap_is_within_its_radius_of_the_exact_gradients(family: Family) -> None:
    for case in gradient_cases(family, "float64", 3, CAPS):
        assert_within_radius(case)


def test_the_slope_of_a_cap_keeps_its_digits_where_it_is_tiny() -> None:
    # 1 - tanh² 40 is 4 e⁻⁸⁰ to within its square.
    slope = gradient.slope_of_cap(np.array([0.0, 40.0, -40.0, 1e4]), 1.0)
    np.testing.assert_allclose(slope, [1, 4 * np.exp(-80.0), 4 * np.exp(-80.0), 0], rtol=1e-14)


def float32_case(seed: int, far: float, cap: float) -> GradientCase:
    rng = np.random.default_rng(seed)
    shapes = ((5, 4), (9, 4), (9, 3), (5, 3))
    query, key, value, upstream = (round_to(rng.standard_normal(shape), "float32") for shape in shapes)
    return GradientCase(query * far, key, value, upstream, softcap=cap)


@pytest.mark.parametrize("cap", [0.1, 1.0, 30.0])
def test_gradients_without_the_cap_or_without_its_slope_are_refused(cap: float) -> None:
    case = float32_case(3, 3.0, cap)
    expected = case.expected("float32", Precision.float32())
    inputs = (case.query, case.key, case.value, case.upstream)
    for one, right in zip(expected, gradient.attention(*inputs, softcap=cap), strict=True):
        assert one.accepts(round_to(right, "float32")).all()
    without_cap = gradient.attention(*inputs)
    emulated = Emulated("float32", Precision.float32(), softcap=cap)
    without_slope = Backward(emulated, scale_first=True, apart=False).eager(case)
    for wrong in (without_cap, without_slope):
        for one, got in zip(expected[:2], wrong[:2], strict=True):
            assert one.accepts(round_to(got, "float32")).mean() < 0.5


def test_hidden_keys_change_no_gradient_bound_through_a_cap_whatever_they_hold() -> None:
    case = float32_case(6, 2.0, 1.0)
    bias = np.where(np.arange(9) < 8, 0.0, -np.inf) * np.ones((5, 1))
    hidden = np.arange(9)[:, None] == 8
    clean = replace(case, bias=bias)
    other = replace(clean, key=np.where(hidden, np.nan, case.key), value=np.where(hidden, np.inf, case.value))
    both = (one.expected("float32", Precision.float32()) for one in (clean, other))
    for before, after in zip(*both, strict=True):
        np.testing.assert_allclose(before.value, after.value, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(before.error, after.error, rtol=1e-9)
    assert not clean.expected("float32", Precision.float32())[1].value[8].any()


def test_a_cap_far_above_the_scores_changes_next_to_nothing() -> None:
    case = float32_case(4, 1.0, 1e6)
    roundings = roundings_of(Precision.float32(), "float32")
    plain = gradient_bound.gradient(case.query, case.key, case.value, case.upstream, roundings)
    for capped, one in zip(case.expected("float32", Precision.float32()), plain, strict=True):
        np.testing.assert_allclose(capped.value, one.value, rtol=1e-9, atol=1e-12)


def test_a_gradient_that_the_cap_multiplies_past_the_format_makes_the_gradients_vacuous() -> None:
    ones, apart = np.ones((1, 4)), np.array([[1.0], [-1.0]])
    case = GradientCase(ones, np.ones((2, 4)), apart, np.full((1, 1), 4000.0), softcap=50.0)
    assert case.expected("float16", Precision.eager("float16"))[0].vacuous.all()
    for same, precision in ((replace(case, softcap=None), Precision.eager("float16")), (case, Precision.upcast())):
        assert not any(one.vacuous.any() for one in same.expected("float16", precision))
