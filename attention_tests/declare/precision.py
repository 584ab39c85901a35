"""The arithmetic that an implementation promises for a dtype, from which the tolerance is derived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

FLOAT32_EXP_OF_16_BIT_KERNELS = 2.0**-13
"""Largest relative error of the cubic exp that flash kernels use for 16-bit inputs (torch 2.13 on CPU: 1.1e-4)."""


@dataclass(frozen=True, kw_only=True)
class Precision:
    """The arithmetic that an implementation promises for one dtype; the tolerance is derived from it and nothing else.

    Formats are named `float64`, `float32`, `float16`, `bfloat16` or `tf32`. Use the ready-made ones where they fit,
    and `dataclasses.replace` where they almost do.
    """

    name: str
    accumulate: str
    """Format of dot products, of the softmax and of sums."""
    scores: str | None = None
    """Format in which the scores are stored; None: they stay in `accumulate`."""
    weights: str | None = None
    """Format in which the weights are stored before they meet the values; None: they stay in `accumulate`."""
    normalised: bool = False
    """Whether stored weights are already divided by their sum."""
    inputs: str | None = None
    """Format to which query, key and value are re-rounded first (tf32)."""
    prescale: str | None = None
    """Format of a query that is scaled before the dot product; None: `accumulate`."""
    exp_error: float | None = None
    """Largest relative error of exp on (-∞, 0]; None: 4 units in the last place of `accumulate`."""
    block: int | None = 16
    """Smallest block of keys of an online softmax, or part of them that is merged with others; None: all at once."""
    merges: int = 1
    """Merges by log-sum-exps that a key may go through: 1 if keys are split, or weights are exp(z - log-sum-exp); more
    if merged parts are merged; 0 if weights are divided by their sum."""
    flush: bool = True
    """Whether subnormal numbers may be flushed to zero."""
    sum_stored: bool = False
    """Whether the denominator sums the stored, rounded weights."""
    truncate: bool = False
    """Whether the accumulator truncates instead of rounding."""

    @classmethod
    def float64(cls) -> Self:
        """Everything in float64, subnormals kept."""
        return cls(name="float64", accumulate="float64", exp_error=4 * 2.0**-52, flush=False)

    @classmethod
    def single(cls) -> Self:
        """Float64 numbers in, float32 inside."""
        return cls(name="single", accumulate="float32", inputs="float32")

    @classmethod
    def float32(cls) -> Self:
        """Everything in float32."""
        return cls(name="float32", accumulate="float32")

    @classmethod
    def tf32(cls) -> Self:
        """Products of tf32 numbers, summed in float32."""
        return cls(name="tf32", accumulate="float32", inputs="tf32", weights="tf32")

    @classmethod
    def upcast(cls) -> Self:
        """16-bit numbers in, float32 inside, one final rounding."""
        return cls(name="upcast", accumulate="float32")

    @classmethod
    def flash(cls, dtype: str) -> Self:
        """Float32 inside, but the weights are rounded to `dtype` before they meet the values."""
        return cls(name="flash", accumulate="float32", weights=dtype, exp_error=FLOAT32_EXP_OF_16_BIT_KERNELS)

    @classmethod
    def eager(cls, dtype: str) -> Self:
        """Scores and weights are stored in `dtype`; sums are float32."""
        return cls(name="eager", accumulate="float32", scores=dtype, weights=dtype, normalised=True)

    @classmethod
    def pure(cls, dtype: str) -> Self:
        """Everything in `dtype`, 16 bits wide."""
        return cls(name="pure", accumulate=dtype, scores=dtype, weights=dtype, normalised=True)

    @classmethod
    def strict(cls, dtype: str) -> Self:
        """Return the strictest that is usual for `dtype`: what an implementation promises that declares nothing."""
        return cls.ladder(dtype)[0]

    @classmethod
    def undeclared(cls, dtype: str) -> Self:
        """Return what a callable that declares nothing is held to: what is right in some usual arithmetic is not wrong.

        Of 16 bits that is everything in `dtype`, as it comes out where each line of a softmax stores its result.
        """
        return cls.strict(dtype) if dtype in {"float64", "float32"} else cls.pure(dtype)

    @classmethod
    def ladder(cls, dtype: str) -> tuple[Self, ...]:
        """Return the usual precisions for `dtype`, strictest first. Raises KeyError for an unknown dtype."""
        sixteen_bit = (cls.upcast(), cls.flash(dtype), cls.eager(dtype), cls.pure(dtype))
        return {
            "float64": (cls.float64(), cls.single()),
            "float32": (cls.float32(), cls.tf32()),
            "bfloat16": sixteen_bit,
            "float16": sixteen_bit,
        }[dtype]
