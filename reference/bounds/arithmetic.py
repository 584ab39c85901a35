"""The roundings and underflows of an arithmetic: the numbers that every bound is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reference.bounds.formats import FORMATS, Format


@dataclass(frozen=True, kw_only=True)
class Roundings:
    """An arithmetic, as a bound sees it: unit roundoffs `u…`, largest errors of underflow `lost…`, and formats.

    0 where nothing is rounded or lost. Formats are there where a number must fit into them.
    """

    dtype: str
    """Name of the format of the inputs, in which they are exact, and of the answer."""
    accumulate: Format
    """Format of dot products, of the softmax and of sums."""
    u: float
    """Of one operation in `accumulate`."""
    lost: float
    """In one operation in `accumulate`."""
    exp_error: float
    """Largest relative error of exp on (-∞, 0]."""
    scores: Format | None = None
    """Format in which the scores are stored; None: they stay in `accumulate`."""
    weights: Format | None = None
    """Format in which the weights are stored before they meet the values; None: they stay in `accumulate`."""
    normalised: bool = False
    """Whether stored weights are already divided by their sum."""
    sum_stored: bool = False
    """Whether the denominator sums the stored, rounded weights."""
    u_inputs: float = 0.0
    """Of re-rounding query, key and value first."""
    lost_inputs: float = 0.0
    """Of an input that is flushed."""
    u_prescale: float = 0.0
    """Of storing a query that is scaled before the dot product."""
    lost_prescale: float
    """Of such a query."""
    largest_query: float
    """The largest number that such a query can hold."""
    block: int | None = None
    """Smallest block of keys of an online softmax; None: not online."""
    merges: int = 0
    """Merges of parts of the keys, by their log-sum-exps, that a key may go through."""
    flush: bool = False
    """Whether subnormal numbers may be flushed to zero."""

    @property
    def u_scores(self) -> float:
        """Of storing a score."""
        return self.scores.unit_roundoff if self.scores else 0.0

    @property
    def u_weights(self) -> float:
        """Of storing a weight."""
        return self.weights.unit_roundoff if self.weights else 0.0

    @property
    def lost_scores(self) -> float:
        """In storing a score."""
        return underflow(self.scores, flush=self.flush) if self.scores else 0.0

    @property
    def lost_weights(self) -> float:
        """In storing a weight."""
        return underflow(self.weights, flush=self.flush) if self.weights else 0.0

    @property
    def largest_score(self) -> float:
        """The largest number that a score can be, on its way and stored."""
        return min(self.accumulate.max, (self.scores or self.accumulate).max)

    def rescales(self, n_keys: int) -> int:
        """Return how often an online softmax over so many keys can rescale what it has summed so far."""
        return 0 if self.block is None else -(-n_keys // self.block) - 1

    def merged(self, n_keys: int) -> int:
        """Return through how many merges a key, one of so many, can go: as many as there are rescales, or fewer."""
        return min(self.merges, self.rescales(n_keys))

    def share_of(self, other: Roundings) -> float:
        """Return a factor that makes of these roundings no fewer than another arithmetic has; ∞ where there is none."""
        pairs = (
            (other.u, self.u),
            (other.lost, self.lost),
            (other.exp_error, self.exp_error),
            (other.u_scores, self.u_scores),
            (other.u_weights, self.u_weights),
            (other.u_inputs, self.u_inputs),
            (other.lost_inputs, self.lost_inputs),
            (other.u_prescale, self.u_prescale),
            (other.lost_prescale, self.lost_prescale),
            (other.lost_scores, self.lost_scores),
            (other.lost_weights, self.lost_weights),
            (FORMATS[other.dtype].unit_roundoff, FORMATS[self.dtype].unit_roundoff),
        )
        return max((its / own if own else math.inf) for its, own in pairs if its)


def growth(*factors: tuple[int, float]) -> float:
    """Return Π (1+u)^k - 1 over the (k, u): the relative error that k roundings can add up to.

    Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., Lemma 3.1: it is at most k u / (1 - k u). By
    logarithms, since 1 + 2⁻⁵³ is 1 in float64 and its powers would lose the error altogether.
    """
    logarithm = sum(k * math.log1p(u) for k, u in factors)
    return math.expm1(min(logarithm, 700.0))  # e^700 is still a float64, and past every other format


def flushes(format_: Format, *, flush: bool) -> bool:
    """Tell whether subnormals of the format may become 0. Hardware that flushes still keeps those of float16."""
    return flush and format_.name != "float16"


def underflow(format_: Format, *, flush: bool) -> float:
    """Return the largest absolute error that underflow adds to one operation."""
    if flushes(format_, flush=flush):
        return format_.smallest_normal
    return max(format_.smallest_subnormal / 2, FORMATS["float64"].smallest_subnormal)


_FLOAT64 = FORMATS["float64"]

ORACLE = Roundings(
    dtype="float64",
    accumulate=_FLOAT64,
    u=_FLOAT64.unit_roundoff,
    lost=underflow(_FLOAT64, flush=False),
    exp_error=4 * 2.0**-52,
    lost_prescale=underflow(_FLOAT64, flush=False),
    largest_query=_FLOAT64.max,
)
"""Of `reference.matrix`: the bound holds for it as for any other arithmetic, and is its radius."""
