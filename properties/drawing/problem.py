"""Inputs of the laws: one attention to compute, or one sentence with its three matrices."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self, TypeAlias, cast

import numpy as np

from attention_tests import Dialect, FullyMasked
from properties.drawing import masks
from reference import matrix
from reference.bounds.formats import FORMATS, round_to

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

HUGE = {"float64": 1e30, "float32": 1e30, "bfloat16": 1e30, "float16": 100.0}
"""Large numbers for hidden keys and values, whose dot products with other numbers do not overflow."""

AXES = {"query": "bhqd", "key": "bhkd", "value": "bhkv"}


def in_format(array: Array, dtype: str) -> Array:
    """Round to `dtype`, to the largest finite number in place of an overflow, as a read-only float64 array.

    An infinity stays one, since a bias may have it, and a mask is returned as it is.
    """
    if array.dtype == bool:
        return array
    largest = FORMATS[dtype].max
    rounded = np.where(np.isinf(array), array, np.clip(round_to(array, dtype), -largest, largest))
    rounded.flags.writeable = False
    return rounded


class Input:
    """Float64 arrays that are exact in `dtype`, and the seed of the random choices of a law.

    Inputs are equal if all their numbers are the same bits, so that laws share cached outputs.
    """

    dtype: str
    seed: int

    @cached_property
    def content(self) -> tuple[object, ...]:
        """Everything that an output depends on."""
        raise NotImplementedError

    @cached_property
    def _hash(self) -> int:
        return hash(self.content)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Input) and self.content == other.content)

    @cached_property
    def numbers(self) -> int:
        """The number of numbers in all arrays."""
        values = (getattr(self, one.name) for one in fields(cast("Any", self)))
        return sum(value.size for value in values if isinstance(value, np.ndarray))

    @property
    def random(self) -> np.random.Generator:
        """The random choices of a law on this input, the same ones at every call."""
        return np.random.default_rng(self.seed)

    def with_arrays(self, **arrays: Array) -> Self:
        """Return the input with some arrays replaced, rounded to the dtype."""
        rounded = {name: in_format(array, self.dtype) for name, array in arrays.items()}
        replaced: Self = replace(cast("Any", self), **rounded)
        return replaced


def _bits(*arrays: Array | None) -> tuple[object, ...]:
    return tuple(None if array is None else (array.shape, array.tobytes()) for array in arrays)


@dataclass(frozen=True, eq=False)
class Problem(Input):
    """One attention to compute: float64 arrays, exact in `dtype`.

    query (batch, heads, n_q, d_k), key (batch, key heads, n_k, d_k), value (batch, key heads, n_k, d_v). A mask (True:
    visible) and a bias broadcast to (batch, heads, n_q, n_k). `axes` names the axes of each array for shrinking:
    axes of one letter keep one length, and one named 1 is not shrunk.
    """

    query: Array
    key: Array
    value: Array
    dtype: str
    scale: float | None = None
    seed: int = 0
    axes: dict[str, str] = field(default_factory=lambda: AXES)
    mask: Array | None = None
    bias: Array | None = None
    causal: bool = False
    window: int | None = None
    softcap: float | None = None
    dialect: Dialect = field(default_factory=Dialect)
    memory: tuple[str, ...] = ()
    """The placements of query, key and value in memory, by name, empty for contiguous; none: all are."""

    @cached_property
    def content(self) -> tuple[object, ...]:
        """Everything that an output depends on."""
        options = (
            *_bits(self.mask, self.bias),
            self.causal,
            self.window,
            self.softcap,
            self.scale,
            self.dialect,
            self.memory,
        )
        return *_bits(self.query, self.key, self.value), self.dtype, *options

    @property
    def options(self) -> dict[str, Any]:
        """The keyword arguments of the call, besides query, key and value."""
        options = {name: getattr(self, name) for name in ("scale", "mask", "bias", "window", "softcap")}
        given = {name: option for name, option in options.items() if option is not None}
        return given | {"causal": True} if self.causal else given

    @property
    def inputs(self) -> tuple[Array, ...]:
        """The arrays that a call is given first: query, key and value."""
        return self.query, self.key, self.value

    def with_other_numbers(self) -> Self:
        """Return a problem of the same shapes with other numbers."""
        return self.with_arrays(query=-self.query, key=self.key[..., ::-1, :] + 1, value=1 - self.value)

    @property
    def logits_shape(self) -> tuple[int, ...]:
        """The shape of the scores: (batch, heads, n_q, n_k)."""
        return *self.query.shape[:-1], self.key.shape[-2]

    @cached_property
    def seen(self) -> Array:
        """The visible keys of each query, those that no option hides: booleans (batch, heads, n_q, n_k)."""
        seen, (n_q, n_k) = np.ones(self.logits_shape, bool), self.logits_shape[2:]
        if self.mask is not None:
            seen &= self.mask
        if self.bias is not None:
            seen &= ~np.isneginf(self.bias)
        if self.causal:
            seen &= masks.causal(n_q, n_k, self.dialect.alignment)
        return seen if self.window is None else seen & masks.window(n_q, n_k, self.window, self.dialect.alignment)

    def in_window(self, size: int | None) -> Problem:
        """Return the problem with a window, causal if the dialect has no other, or without one for None."""
        causal = self.causal or (size is not None and self.dialect.causal_windows)
        return replace(self, window=size, causal=causal)

    @property
    def keys_hidden_from_all(self) -> Array:
        """The keys hidden from every query, booleans (batch, heads, n_k, 1): none if a fully masked row is a mean."""
        unseen = ~np.asarray(self.seen.any(axis=-2))
        if self.dialect.fully_masked is FullyMasked.MEAN:
            unseen &= self.seen.any(axis=-1).all(axis=-1, keepdims=True)
        return unseen[..., None]

    @property
    def logit_bias(self) -> Array | None:
        """The array added to the scaled scores, -∞ for hidden keys; None if no option adds or hides anything."""
        if self.mask is None and self.bias is None and self.window is None and not self.causal:
            return None
        return np.where(self.seen, 0.0 if self.bias is None else self.bias, -np.inf)

    @property
    def group(self) -> int:
        """The number of query heads that share a key head."""
        return int(self.query.shape[1] // self.key.shape[1])

    def for_each_query_head(self, array: Array) -> Array:
        """Return keys or values repeated for their query heads: (batch, key heads, …) → (batch, heads, …)."""
        heads, key_heads = self.query.shape[1], array.shape[1]
        return array if heads == key_heads else np.repeat(array, heads // key_heads, axis=1)

    @property
    def d_k(self) -> int:
        """The width of the keys."""
        return int(self.key.shape[-1])

    @cached_property
    def with_identity_values(self) -> Problem:
        """The same problem with the identity matrix as the values: its output is the weight matrix."""
        identity = np.broadcast_to(np.eye(self.key.shape[-2]), (*self.key.shape[:-1], self.key.shape[-2]))
        return self.with_arrays(value=identity)

    @cached_property
    def scores(self) -> Array:
        """The scores of this problem, rounded to its dtype: the result of the step `score`."""
        return in_format(matrix.score(self.query, self.key), self.dtype)

    @cached_property
    def scaled_scores(self) -> Array:
        """The scaled scores, rounded: the result of the step `scale`."""
        return in_format(matrix.scale(self.scores, self.d_k), self.dtype)

    @cached_property
    def weights(self) -> Array:
        """The weights, rounded: the result of the step `softmax`."""
        return in_format(matrix.softmax(self.scaled_scores), self.dtype)

    @cached_property
    def weighted_values(self) -> Array:
        """The weighted values, rounded: the result of the step `weigh`."""
        return in_format(matrix.weigh(self.weights, self.value), self.dtype)


@dataclass(frozen=True, eq=False)
class Sentence(Input):
    """Tokens and the three matrices: x (n, d_model), w_query and w_key (d_model, d_k), w_value (d_model, d_v)."""

    x: Array
    w_query: Array
    w_key: Array
    w_value: Array
    dtype: str
    seed: int = 0
    axes: dict[str, str] = field(default_factory=lambda: {"x": "nm", "w_query": "md", "w_key": "md", "w_value": "mv"})

    @cached_property
    def content(self) -> tuple[object, ...]:
        """Everything that an output depends on."""
        return *_bits(self.x, self.w_query, self.w_key, self.w_value), self.dtype
