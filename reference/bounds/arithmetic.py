"""The arithmetic that an implementation declares, and the roundings and underflows that it makes possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, Self

from reference.bounds.formats import FORMATS, Format


class Arithmetic(Protocol):
    """What an implementation promises for one dtype, formats by name. `attention_tests.Precision` is one of these."""

    @property
    def name(self) -> str:
        """What reports call it."""

    @property
    def accumulate(self) -> str:
        """Format of dot products, of the softmax and of sums."""

    @property
    def scores(self) -> str | None:
        """Format in which the scores are stored; None: `accumulate`."""

    @property
    def weights(self) -> str | None:
        """Format in which the weights are stored; None: `accumulate`."""

    @property
    def normalised(self) -> bool:
        """Whether stored weights are already divided by their sum."""

    @property
    def inputs(self) -> str | None:
        """Format to which query, key and value are re-rounded first."""

    @property
    def prescale(self) -> str | None:
        """Format of a query that is scaled before the dot product; None: `accumulate`."""

    @property
    def exp_error(self) -> float | None:
        """Largest relative error of exp on (-∞, 0]; None: 4 units in the last place of `accumulate`."""

    @property
    def block(self) -> int | None:
        """Smallest block of keys of an online softmax; None: not online."""

    @property
    def flush(self) -> bool:
        """Whether subnormal numbers may be flushed to zero."""

    @property
    def sum_stored(self) -> bool:
        """Whether the denominator sums the stored, rounded weights."""

    @property
    def truncate(self) -> bool:
        """Whether the accumulator truncates instead of rounding."""


@dataclass(frozen=True, kw_only=True)
class _Declared:
    name: str
    accumulate: str
    scores: str | None = None
    weights: str | None = None
    normalised: bool = False
    inputs: str | None = None
    prescale: str | None = None
    exp_error: float | None = None
    block: int | None = None
    flush: bool = False
    sum_stored: bool = False
    truncate: bool = False


ORACLE: Arithmetic = _Declared(name="float64", accumulate="float64", exp_error=4 * 2.0**-52)
"""The arithmetic of `reference.matrix`: the bound holds for it as for any other, and is its radius."""


def growth(*factors: tuple[int, float]) -> float:
    """Return Π (1+u)^k - 1 over the (k, u): the relative error that k roundings can add up to.

    Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., Lemma 3.1: it is at most k u / (1 - k u). By
    logarithms, since 1 + 2⁻⁵³ is 1 in float64 and its powers would lose the error altogether.
    """
    logarithm = sum(k * math.log1p(u) for k, u in factors)
    return math.expm1(min(logarithm, 700.0))  # e^700 is still a float64, and past every other format


@dataclass(frozen=True)
class Roundings:
    """The numbers that the bound takes from an arithmetic: unit roundoffs `u…`, largest underflow errors `lost…`."""

    accumulate: Format
    u: float
    u_scores: float
    u_weights: float
    u_inputs: float
    u_prescale: float
    exp_error: float
    lost: float
    lost_scores: float
    lost_weights: float
    lost_inputs: float
    lost_prescale: float
    smallest_weight: float
    largest_score: float
    largest_query: float
    block: int | None
    normalised: bool
    sum_stored: bool

    @classmethod
    def of(cls, arithmetic: Arithmetic, dtype: str) -> Self:
        """Return those of `arithmetic` on inputs in `dtype`. Raises KeyError for an unknown format."""
        accumulate, flush = FORMATS[arithmetic.accumulate], arithmetic.flush
        scores, weights, inputs, prescale = (
            None if name is None else FORMATS[name]
            for name in (arithmetic.scores, arithmetic.weights, arithmetic.inputs, arithmetic.prescale)
        )
        u = accumulate.unit_roundoff * (2 if arithmetic.truncate else 1)
        return cls(
            accumulate=accumulate,
            u=u,
            u_scores=_roundoff(scores),
            u_weights=_roundoff(weights),
            u_inputs=_roundoff(inputs),
            u_prescale=_roundoff(prescale),
            exp_error=8 * u if arithmetic.exp_error is None else arithmetic.exp_error,
            lost=underflow(accumulate, flush=flush),
            lost_scores=underflow(scores, flush=flush) if scores else 0.0,
            lost_weights=underflow(weights, flush=flush) if weights else 0.0,
            lost_inputs=FORMATS[dtype].smallest_normal if flushes(FORMATS[dtype], flush=flush) else 0.0,
            lost_prescale=underflow(prescale or accumulate, flush=flush),
            smallest_weight=weights.smallest_normal if weights else 0.0,
            largest_score=min(accumulate.max, scores.max) if scores else accumulate.max,
            largest_query=(prescale or accumulate).max,
            block=arithmetic.block,
            normalised=arithmetic.normalised,
            sum_stored=arithmetic.sum_stored,
        )

    def rescales(self, n_keys: int) -> int:
        """Return how often an online softmax over so many keys can rescale what it has summed so far."""
        return 0 if self.block is None else -(-n_keys // self.block) - 1


def _roundoff(format_: Format | None) -> float:
    return format_.unit_roundoff if format_ else 0.0


def flushes(format_: Format, *, flush: bool) -> bool:
    """Tell whether subnormals of the format may become 0. Hardware that flushes still keeps those of float16."""
    return flush and format_.name != "float16"


def underflow(format_: Format, *, flush: bool) -> float:
    """Return the largest absolute error that underflow adds to one operation."""
    if flushes(format_, flush=flush):
        return format_.smallest_normal
    return max(format_.smallest_subnormal / 2, FORMATS["float64"].smallest_subnormal)
