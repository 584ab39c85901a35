"""The errors of the weights, which follow from those of the logits and of exp, and of a weighted mean under them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from reference import matrix
from reference.bounds.arithmetic import Roundings, growth
from reference.bounds.formats import Array
from reference.bounds.supremum import largest_mean

LARGEST = 700.0
"""Largest D that float64 can follow: past it e^D is no number."""

SMALL = 0.1
"""Relative errors of the weights up to which the closed form of `Mean.error` is nearly as tight as the supremum."""


@dataclass(frozen=True)
class Softmax:
    """The weights of logits (…, n_q, n_k), n_k ≥ 1, and what their errors are measured against."""

    visible: npt.NDArray[np.bool_]
    sizes: Array
    """|z|; 0 where hidden."""
    largest: Array
    """max z, (…, n_q, 1)."""
    below: Array
    """x = max z - z ≥ 0; 0 where hidden."""
    nearest: npt.NDArray[np.intp]
    """The position, among all logits, of the one that is the largest of its query, (…, n_q, 1)."""
    exponentials: Array
    total: Array
    weights: Array

    @classmethod
    def of(cls, logits: Array) -> Self:
        """Evaluate in float64; a logit of -∞ is a hidden key."""
        visible = ~np.isneginf(logits)
        largest = np.where(visible.any(-1, keepdims=True), logits.max(-1, keepdims=True), 0.0)
        exponentials = np.exp(logits - largest)
        total = exponentials.sum(-1, keepdims=True)
        return cls(
            visible=visible,
            sizes=np.where(visible, np.abs(logits), 0.0),
            largest=largest,
            below=np.where(visible, largest - logits, 0.0),
            nearest=_largest_of_each_row(logits),
            exponentials=exponentials,
            total=total,
            weights=exponentials / total,
        )

    @cached_property
    def sees_all(self) -> bool:
        """Whether every query sees every key."""
        return bool(self.visible.all())

    @property
    def log_sum_exp(self) -> Array:
        """The logarithm of Σ exp, (…, n_q); -∞ where no key is seen."""
        logarithm: Array = (self.largest + np.log(self.total))[..., 0]
        return logarithm


def _largest_of_each_row(logits: Array) -> npt.NDArray[np.intp]:
    column = logits.argmax(-1, keepdims=True)
    first = logits.shape[-1] * np.arange(column.size)
    return np.asarray(column + first.reshape(column.shape))


@dataclass(frozen=True)
class Mean:
    """The weighted mean o of values (…, n_k, d_v), and what its errors are measured against."""

    value: Array
    output: Array
    """o, (…, n_q, d_v)."""
    sizes: Array
    """|v|, (…, n_k, d_v)."""
    distances: Array
    """|v - o|, (…, n_q, d_v, n_k): the keys come last, because everything is summed over them."""
    farthest: Array
    """max |v - o| over the visible keys, (…, n_q, d_v)."""

    @classmethod
    def of(cls, softmax: Softmax, value: Array) -> Self:
        """Evaluate in float64. A value that is no number can only be hidden: it has no part in an error."""
        output = matrix.average(softmax.weights, value, ~softmax.visible)
        value = np.where(np.isfinite(value), value, 0.0)
        distances = value.swapaxes(-1, -2)[..., None, :, :] - output[..., :, None]
        np.abs(distances, out=distances)
        farthest = _farthest(value, output) if softmax.sees_all else _largest_visible(softmax, distances)
        return cls(value=value, output=output, sizes=np.abs(value), distances=distances, farthest=farthest)

    def error(self, softmax: Softmax, error: WeightError) -> Array:
        """Return E_w: how far weights, each wrong by a factor within e^±D, can take the mean from o.

        Errors of weights are common to numerator and denominator and Σ p (v - o) = 0, so they cost |v - o| and not |v|:
        Σ p (e^D - 1) |v - o| / Σ p e^-D, never more than the farthest value. Where D is large that is loose, and the
        exact supremum takes its place.
        """
        moved = (self.distances @ error.excess[..., None])[..., 0] / error.least_total
        bound: Array = np.minimum(moved, self.farthest)
        rows = error.largest[..., 0] > SMALL
        if rows.any():
            values = np.broadcast_to(self.value.swapaxes(-1, -2)[..., None, :, :], self.distances.shape)[rows]
            up = _exact(softmax, error, rows, values, self.output[rows])
            down = _exact(softmax, error, rows, -values, -self.output[rows])
            bound[rows] = np.maximum(up, down)
        return bound

    def largest(self, softmax: Softmax, error: WeightError, value_error: Array | None = None) -> Array:
        """Return a', the most that the mean of |v|, and of what v may be wrong by, can be under such weights."""
        return largest_size(softmax, self._sizes(value_error), error)

    def weighed(self, each: npt.NDArray[np.floating | np.bool_], value_error: Array | None = None) -> Array:
        """Return the sums of what each key has (…, n_q, n_k) times |v|, and what v may be wrong by."""
        sums: Array = each @ self._sizes(value_error)
        return sums

    def _sizes(self, value_error: Array | None) -> Array:
        return self.sizes if value_error is None else self.sizes + value_error


def _farthest(value: Array, output: Array) -> Array:
    """Return max |v - o| over all keys, to the bit: rounding reorders no two differences."""
    farthest: Array = np.maximum(
        np.abs(value.max(-2, keepdims=True) - output), np.abs(value.min(-2, keepdims=True) - output)
    )
    return farthest


def _largest_visible(softmax: Softmax, sizes: Array) -> Array:
    """Return the largest (…, n_q, d_v) of sizes (…, n_q, d_v, n_k) over the visible keys."""
    seen = sizes if softmax.sees_all else np.where(softmax.visible[..., None, :], sizes, 0.0)
    largest: Array = seen.max(-1, initial=0.0)
    return largest


@dataclass(frozen=True)
class WeightError:
    """Bounds on |log w|, w being the factor that errors put on a weight before the weights are divided by their sum."""

    each: Array
    """D, (…, n_q, n_k); 0 where hidden."""
    largest: Array
    """max D over the keys that matter, (…, n_q, 1): others have weight 0 whatever their error."""
    largest_logit: Array
    """The error of the largest logit, (…, n_q, 1)."""
    excess: Array
    """p (e^D - 1), (…, n_q, n_k): the most that a weight can grow."""
    shrunk: Array
    """p e^-D, (…, n_q, n_k): the least that a weight can be."""
    apart: Array
    """C, (…, n_q, 1): how far the sum of the weights that meet the values may be from what they are divided by."""

    @cached_property
    def least_total(self) -> Array:
        """Σ p e^-D, (…, n_q, 1): the least that the sum of the weights can be."""
        total: Array = self.shrunk.sum(-1, keepdims=True)
        return total

    @classmethod
    def of(cls, softmax: Softmax, each: Array, largest_logit: Array) -> Self:
        """Take them from D and the error of the largest logit."""
        largest = largest_of(softmax, each)
        finite = np.minimum(each, LARGEST)
        excess, shrunk = softmax.weights * np.expm1(finite), softmax.weights * np.exp(-finite)
        return cls(each, largest, largest_logit, excess, shrunk, apart=np.zeros_like(largest))


def largest_of(softmax: Softmax, each: Array) -> Array:
    """Return the largest D (…, n_q, 1) over the keys that matter: others have weight 0 whatever their error."""
    largest: Array = each.max(-1, keepdims=True, where=softmax.below - each < 800, initial=0.0)
    return largest


def weight_error(softmax: Softmax, logit_error: Array, roundings: Roundings) -> WeightError:
    """Return the errors of weights that are less the largest logit, and divided by their sum."""
    return WeightError.of(softmax, *log_weight_error(softmax, logit_error, roundings))


def log_weight_error(softmax: Softmax, logit_error: Array, roundings: Roundings) -> tuple[Array, Array]:
    """Return D and Δ_top: D = Δ + K4 (x + Δ + Δ_top) - (1+R) log(1 - ε_exp), with K4 = (1+u)⁵ - 1.

    Δ is the error of each logit and Δ_top that of any key which can come out largest; subtracting the maximum and the
    argument of exp round five times, and exp errs once and once more for each of R rescales. Where stored weights are
    summed, their rounding is common to numerator and denominator too. A key whose logit is some finfo.min has a huge
    Δ and no weight: it must not enter the largest D.
    """
    visible, below = softmax.visible, softmax.below
    error = np.where(visible, logit_error, 0.0)
    can_be_largest = visible & (below <= error + error.take(softmax.nearest))
    top = error.max(-1, keepdims=True, where=can_be_largest, initial=0.0)
    exp_errors = (1 + roundings.rescales(below.shape[-1])) * -math.log1p(-roundings.exp_error)
    if roundings.sum_stored:
        exp_errors -= math.log1p(-roundings.u_weights)
    each = np.where(visible, error + growth((5, roundings.u)) * (below + error + top) + exp_errors, 0.0)
    return each, top


def log_sum_exp_error(softmax: Softmax, error: WeightError, roundings: Roundings) -> Array:
    """Return how far log Σ exp, (…, n_q), is from its value: 0 where no key is seen.

    Errors D of the terms move it up by no more than log Σ p e^D, and down by less, since Σ p e^D · Σ p e^-D ≥ 1. The
    sum adds its own roundings, and six more, with those of the logarithm, are relative to the largest logit, to the
    logarithm and to 1, which it may be taken of.
    """
    n_keys = softmax.weights.shape[-1]
    moved = np.log1p(error.excess.sum(-1))
    rescales = roundings.rescales(n_keys)
    moved = moved + growth((n_keys + rescales, roundings.u)) + n_keys * (1 + rescales) * roundings.lost
    sizes = np.abs(softmax.largest) + error.largest_logit + np.log(softmax.total) + 1
    total: Array = moved + growth((6, roundings.u)) * (sizes[..., 0] + moved)
    return np.where(softmax.total[..., 0] == 0, 0.0, total)


def largest_size(softmax: Softmax, sizes: Array, error: WeightError) -> Array:
    """Return a', the most that the mean of sizes (…, n_k, d_v) can be under weights wrong by factors within e^±D."""
    mean = softmax.weights @ sizes
    most = (mean + error.excess @ sizes) / error.least_total
    every = np.broadcast_to(sizes.swapaxes(-1, -2)[..., None, :, :], (*mean.shape, sizes.shape[-2]))
    largest = sizes.max(-2, keepdims=True) if softmax.sees_all else _largest_visible(softmax, every)
    bound: Array = np.minimum(most, largest)
    rows = error.largest[..., 0] > SMALL
    if rows.any():
        bound[rows] = mean[rows] + _exact(softmax, error, rows, every[rows], mean[rows])
    return bound


def _exact(softmax: Softmax, error: WeightError, rows: npt.NDArray[np.bool_], values: Array, mean: Array) -> Array:
    log_weights = np.where(softmax.visible[rows], -softmax.below[rows], -np.inf)
    return largest_mean(log_weights, error.each[rows], values, mean)
