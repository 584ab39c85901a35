from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.bounds.formats import FORMATS, Format, half_ulp, round_to

by_format = pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
narrow = pytest.mark.parametrize("name", ["float32", "float16", "bfloat16", "tf32"])
exhaustively = settings(deadline=None, derandomize=True, database=None, max_examples=300)


def nearest(x: float, format_: Format) -> float:
    """Round to nearest, ties to even, by the definition, on exact fractions."""
    exact, exponent = abs(Fraction(x)), format_.lowest
    while exact >= Fraction(2) ** (exponent + 1):
        exponent += 1
    ulp = Fraction(2) ** (exponent - format_.digits + 1)
    rounded = round(exact / ulp) * ulp  # Python rounds a Fraction to even
    return float(np.copysign(np.inf if rounded > Fraction(format_.max) else float(rounded), x))


@pytest.mark.parametrize(
    ("name", "digits_of"), [("float64", np.float64), ("float32", np.float32), ("float16", np.float16)]
)
def test_formats_are_those_of_numpy(name: str, digits_of: type[np.floating]) -> None:
    limits, format_ = np.finfo(digits_of), FORMATS[name]
    assert format_.unit_roundoff == float(limits.eps) / 2
    assert format_.smallest_normal == float(limits.smallest_normal)
    assert format_.smallest_subnormal == float(limits.smallest_subnormal)
    assert format_.max == float(limits.max)


def test_bfloat16_is_that_of_torch() -> None:
    limits, format_ = torch.finfo(torch.bfloat16), FORMATS["bfloat16"]
    assert (format_.unit_roundoff, format_.smallest_normal) == (limits.eps / 2, limits.tiny)
    assert format_.max == limits.max


@by_format
@exhaustively
@given(data=st.data())
def test_rounding_equals_its_definition_on_fractions(format_: Format, data: st.DataObject) -> None:
    x = data.draw(st.floats(allow_nan=False, allow_infinity=False))
    assert round_to(x, format_) == nearest(x, format_)


@by_format
@exhaustively
@given(data=st.data())
def test_rounding_moves_no_number_by_more_than_half_an_ulp(format_: Format, data: st.DataObject) -> None:
    x = data.draw(st.floats(-format_.max, format_.max))
    assert abs(Fraction(float(round_to(x, format_))) - Fraction(x)) <= Fraction(float(half_ulp(x, format_)))


@pytest.mark.parametrize(("name", "torch_dtype"), [("float16", torch.float16), ("bfloat16", torch.bfloat16)])
def test_every_16_bit_number_and_midpoint_rounds_as_it_must(name: str, torch_dtype: torch.dtype) -> None:
    """Numbers stay; a midpoint goes to the even neighbour, and a hair to either side to the nearer one."""
    bits = torch.arange(0x8000, dtype=torch.int32).to(torch.int16)
    numbers = bits.view(torch_dtype).double().numpy()
    numbers = numbers[np.isfinite(numbers)]
    np.testing.assert_array_equal(round_to(numbers, name), numbers)
    below, above = numbers[:-1], numbers[1:]
    middle = (below + above) / 2
    even = np.where(np.arange(len(below)) % 2 == 0, below, above)
    np.testing.assert_array_equal(round_to(middle, name), even)
    # float64 to 16 bits through float32 would round these twice, and wrongly.
    np.testing.assert_array_equal(round_to(np.nextafter(middle, -np.inf), name), below)
    np.testing.assert_array_equal(round_to(np.nextafter(middle, np.inf), name), above)


@narrow
def test_numbers_beyond_the_largest_round_to_infinity(name: str) -> None:
    format_ = FORMATS[name]
    limit = format_.max + 2.0 ** (format_.highest - format_.digits)  # a tie, and the largest number is odd
    np.testing.assert_array_equal(
        round_to([np.nextafter(limit, 0), limit, -limit], name), [format_.max, np.inf, -np.inf]
    )


@narrow
def test_nan_and_infinity_are_not_rounded(name: str) -> None:
    np.testing.assert_array_equal(round_to([np.inf, -np.inf, np.nan, 0.0], name), [np.inf, -np.inf, np.nan, 0.0])
    assert np.signbit(round_to(-0.0, name))


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(KeyError):
        round_to(1.0, "float8")
