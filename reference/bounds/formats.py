"""Floating-point formats, and what rounding to them does to a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reference import matrix

Array: TypeAlias = matrix.Array

_SMALLEST_FLOAT64 = 2.0**-1074


@dataclass(frozen=True)
class Format:
    """A binary format: `digits` significant bits, exponents from `lowest` (smallest normal) to `highest`. IEEE 754."""

    name: str
    digits: int
    lowest: int
    highest: int

    @property
    def unit_roundoff(self) -> float:
        """The largest relative error of rounding to nearest, u."""
        return 2.0**-self.digits

    @property
    def smallest_normal(self) -> float:
        """The smallest number with all its digits."""
        return 2.0**self.lowest

    @property
    def smallest_subnormal(self) -> float:
        """The smallest positive number."""
        return 2.0 ** (self.lowest - self.digits + 1)

    @property
    def max(self) -> float:
        """The largest finite number."""
        return (2.0 - 2.0 ** (1 - self.digits)) * 2.0**self.highest


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("float64", 53, -1022, 1023),
        Format("float32", 24, -126, 127),
        Format("float16", 11, -14, 15),
        Format("bfloat16", 8, -126, 127),
        Format("tf32", 11, -126, 127),
    )
}
"""The formats by name. tf32 is that of NVIDIA's tensor cores: bfloat16's exponents, float16's digits."""


def _named(format_: str | Format) -> Format:
    return FORMATS[format_] if isinstance(format_, str) else format_


@np.errstate(all="ignore")
def round_to(x: npt.ArrayLike, format_: str | Format) -> Array:
    """Return the numbers of the format nearest to x, ties to even, as float64; beyond its largest, ±∞.

    One rounding, exact, subnormal results included. Raises KeyError for an unknown name.
    """
    x, format_ = np.asarray(x, np.float64), _named(format_)
    if format_.name in {"float64", "float32", "float16"}:
        return x.astype(format_.name).astype(np.float64, copy=False)
    exponent = np.maximum(np.frexp(x)[1], format_.lowest + 1)
    rounded = np.ldexp(np.rint(np.ldexp(x, format_.digits - exponent)), exponent - format_.digits)
    rounded = np.where(np.abs(rounded) > format_.max, np.copysign(np.inf, x), rounded)
    return np.where(np.isfinite(x), rounded, x)


def half_ulp(x: npt.ArrayLike, format_: str | Format) -> Array:
    """Return the largest error of rounding to nearest any number that is no larger than |x|.

    At 0 that is half the smallest subnormal, not 0: a result near 0 is rounded too.
    """
    x, format_ = np.asarray(x, np.float64), _named(format_)
    binade = np.where(x == 0, format_.lowest, np.frexp(x)[1] - 1)
    error: Array = np.ldexp(1.0, np.maximum(binade, format_.lowest) - format_.digits)
    return np.maximum(error, _SMALLEST_FLOAT64)
