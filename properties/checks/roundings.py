"""The roundings that a declared precision allows: what the bounds of the reference are asked about."""

from __future__ import annotations

from functools import lru_cache

from attention_tests import Precision
from reference.bounds.arithmetic import Roundings, flushes, underflow
from reference.bounds.formats import FORMATS


@lru_cache
def roundings_of(precision: Precision, dtype: str) -> Roundings:
    """Return what `precision` allows on inputs in `dtype`. Raises KeyError for an unknown format."""
    accumulate, given, flush = FORMATS[precision.accumulate], FORMATS[dtype], precision.flush
    scores, weights, inputs, prescale = (
        None if name is None else FORMATS[name]
        for name in (precision.scores, precision.weights, precision.inputs, precision.prescale)
    )
    u = accumulate.unit_roundoff * (2 if precision.truncate else 1)
    return Roundings(
        dtype=dtype,
        accumulate=accumulate,
        u=u,
        lost=underflow(accumulate, flush=flush),
        exp_error=8 * u if precision.exp_error is None else precision.exp_error,
        scores=scores,
        weights=weights,
        normalised=precision.normalised,
        sum_stored=precision.sum_stored,
        u_inputs=inputs.unit_roundoff if inputs else 0.0,
        lost_inputs=given.smallest_normal if flushes(given, flush=flush) else 0.0,
        u_prescale=prescale.unit_roundoff if prescale else 0.0,
        lost_prescale=underflow(prescale or accumulate, flush=flush),
        largest_query=(prescale or accumulate).max,
        block=precision.block,
        merges=precision.merges,
        flush=flush,
    )
