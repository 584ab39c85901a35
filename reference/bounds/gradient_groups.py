"""The error of key heads whose gradients are summed from stored gradients of each query head of their group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reference import gradient
from reference.bounds.arithmetic import Roundings, growth
from reference.bounds.formats import FORMATS, Array, half_ulp
from reference.bounds.interval import Errors


def of_each_head(  # noqa: PLR0913, PLR0917 - what the gradients depend on
    query: Array,
    key: Array,
    value: Array,
    upstream: Array,
    group: int,
    scale: float | None,
    bias: npt.ArrayLike | None,
    softcap: float | None,
) -> tuple[Array, Array]:
    """Return |dK_h| (…, group, n_k, d_k) and |dV_h| (…, group, n_k, d_v), what each head adds to the sum."""

    def apart(rows: Array) -> Array:
        return rows.reshape(*rows.shape[:-2], group, -1, rows.shape[-1])

    if bias is not None:
        bias = apart(np.broadcast_to(np.asarray(bias, np.float64), (*query.shape[:-1], key.shape[-2])))
    key, value = key[..., None, :, :], value[..., None, :, :]
    _, d_key, d_value = gradient.attention(apart(query), key, value, apart(upstream), scale, bias, softcap)
    return np.abs(d_key), np.abs(d_value)


def stored_apart(errors: Errors, parts: Array, roundings: Roundings) -> Errors:
    """Return the errors of a sum (…, n, d) of parts (…, group, n, d) that are stored in the dtype before it."""
    error, most = errors
    group, format_ = parts.shape[-3], FORMATS[roundings.dtype]
    reached = parts + error[..., None, :, :]
    lost = roundings.lost_inputs + 3 * roundings.lost + 2 * roundings.lost_scores
    rounded = np.where(reached < format_.max, half_ulp(reached, format_) + lost, np.inf)
    stored = (1 + growth((group, roundings.u))) * rounded.sum(-3)
    return error + np.where(error > 0, stored, 0.0), most
