"""What the properties draw: plans, small enough to draw fast, each of which builds one problem (generation.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from attention_tests import Feature
from properties.regimes import OVERLAYS, REGIMES, Sizes
from reference import matrix
from reference.formats import FORMATS, round_to

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

AXES = {"query": "bhqd", "key": "bhkd", "value": "bhkv"}


def in_format(array: Array, dtype: str) -> Array:
    """Round to `dtype`, the largest finite number in place of an overflow, as a float64 array that cannot be written."""
    largest = FORMATS[dtype].max
    rounded = np.clip(round_to(array, dtype), -largest, largest)
    rounded.flags.writeable = False
    return rounded


@dataclass(frozen=True, eq=False)
class Problem:
    """One attention to compute: float64 arrays, exact in `dtype`.

    query (batch, heads, n_q, d_k), key (batch, heads, n_k, d_k), value (batch, heads, n_k, d_v). `axes` names the axes
    of each array: axes of one name must keep one length.
    """

    query: Array
    key: Array
    value: Array
    dtype: str
    scale: float | None = None
    seed: int = 0
    axes: dict[str, str] = field(default_factory=lambda: AXES)

    @property
    def d_k(self) -> int:
        """The width of the keys."""
        return int(self.key.shape[-1])

    @property
    def random(self) -> np.random.Generator:
        """The random choices of a property on this problem, the same ones at every call."""
        return np.random.default_rng(self.seed)

    def with_arrays(self, **arrays: Array) -> Problem:
        """Replace some of query, key and value, rounded to the dtype."""
        return replace(self, **{name: in_format(array, self.dtype) for name, array in arrays.items()})

    @cached_property
    def seeing_weights(self) -> Problem:
        """The same problem with the identity matrix as the values: its output is the weight matrix."""
        identity = np.broadcast_to(np.eye(self.key.shape[-2]), (*self.key.shape[:-1], self.key.shape[-2]))
        return self.with_arrays(value=identity)

    @cached_property
    def scores(self) -> Array:
        """The scores of this problem, rounded to its dtype: what the step `score` hands on."""
        return in_format(matrix.score(self.query, self.key), self.dtype)

    @cached_property
    def scaled_scores(self) -> Array:
        """The scaled scores, rounded: what the step `scale` hands on."""
        return in_format(matrix.scale(self.scores, self.d_k), self.dtype)

    @cached_property
    def weights(self) -> Array:
        """The weights, rounded: what the step `softmax` hands on."""
        return in_format(matrix.softmax(self.scaled_scores), self.dtype)

    @cached_property
    def weighted_values(self) -> Array:
        """The weighted values, rounded: what the step `weigh` hands on."""
        return in_format(matrix.weigh(self.weights, self.value), self.dtype)


@dataclass(frozen=True)
class Plan:
    """A problem in waiting: it prints in one line and builds the same problem on every machine."""

    batch: int = 1
    heads: int = 1
    queries: int = 1
    keys: int = 1
    d_k: int = 1
    d_v: int = 1
    regimes: tuple[str, ...] = ("zeros",)
    overlay: str = "none"
    seed: int = 0

    def build(self, dtype: str, features: frozenset[Feature]) -> Problem:
        """Build the problem in `dtype`, in the shapes that an implementation with `features` takes."""
        sizes, axes = Sizes(self.queries, self.keys, self.d_k, self.d_v), AXES
        batch, heads = (self.batch, self.heads) if Feature.HEADS in features else (1, 1)
        if Feature.LENGTHS not in features:
            sizes, axes = sizes._replace(queries=sizes.keys), axes | {"query": "bhkd"}
        if Feature.VALUE_WIDTH not in features:
            sizes, axes = sizes._replace(d_v=sizes.d_k), axes | {"value": "bhkd"}
        random = np.random.default_rng([self.seed, batch, heads, *sizes])
        regimes = [REGIMES[self.regimes[head % len(self.regimes)]] for head in range(batch * heads)]
        drawn = zip(*(regime(random, sizes) for regime in regimes), strict=True)
        arrays = (np.reshape(array, (batch, heads, *array[0].shape)) for array in drawn)
        query, key, value = (in_format(OVERLAYS[self.overlay](random, array), dtype) for array in arrays)
        return Problem(query, key, value, dtype, seed=self.seed, axes=axes)


@dataclass(frozen=True, eq=False)
class Sentence:
    """Words and the three matrices: x (n, d_model), w_query and w_key (d_model, d_k), w_value (d_model, d_v)."""

    x: Array
    w_query: Array
    w_key: Array
    w_value: Array
    dtype: str
    seed: int = 0
    axes: dict[str, str] = field(default_factory=lambda: {"x": "nm", "w_query": "md", "w_key": "md", "w_value": "mv"})

    @property
    def random(self) -> np.random.Generator:
        """The random choices of a property on this sentence, the same ones at every call."""
        return np.random.default_rng(self.seed)

    def with_arrays(self, **arrays: Array) -> Sentence:
        """Replace some of the four arrays, rounded to the dtype."""
        return replace(self, **{name: in_format(array, self.dtype) for name, array in arrays.items()})


@dataclass(frozen=True)
class SentencePlan:
    """A sentence in waiting."""

    words: int = 1
    d_model: int = 1
    d_k: int = 1
    d_v: int = 1
    regime: str = "zeros"
    seed: int = 0

    def build(self, dtype: str, _features: frozenset[Feature]) -> Sentence:
        """Build the sentence in `dtype`."""
        random = np.random.default_rng([self.seed, self.words, self.d_model, self.d_k, self.d_v])
        shapes = [(self.words, self.d_model), *((self.d_model, width) for width in (self.d_k, self.d_k, self.d_v))]
        x, w_query, w_key, w_value = (self._draw(random, *shape) for shape in shapes)
        return Sentence(*(in_format(array, dtype) for array in (x, w_query, w_key, w_value)), dtype, seed=self.seed)

    def _draw(self, random: np.random.Generator, rows: int, columns: int) -> Array:
        return REGIMES[self.regime](random, Sizes(queries=rows, keys=1, d_k=columns, d_v=1)).query


SHORT = (*range(1, 19), 2, 3, 4, 5, 7, 8, 23, 24, 31, 32, 33)
LONG = (64, 65, 66, 129, 257)
WIDTHS = (*range(1, 9), 2, 3, 4, 5, 11, 13, 16, 17, 33)
BATCHES_AND_HEADS = ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 2), (2, 3), (1, 4))
DIAGONALS = ("none", "none", "lengths", "widths", "keys and values", "all")
ALL = tuple(REGIMES)
ORDINARY = ("zeros", "ones", "iota", "small integers", "normal", "uniform", "signed zeros", "common offset")

_WIDTHS = st.sampled_from(WIDTHS)
_SEEDS = st.integers(0, 2**16 - 1)


def _plan(sizes: tuple[int, int, int, int], diagonal: str, batch_and_heads: tuple[int, int], **rest: Any) -> Plan:
    """Put a problem on a diagonal of the space of shapes, where bugs live: n_q = n_k, d_k = d_v, n_k = d_v, or all."""
    queries, keys, d_k, d_v = sizes
    if diagonal in ("lengths", "all"):
        queries = keys
    if diagonal == "all":
        d_k = keys
    if diagonal in ("widths", "all"):
        d_v = d_k
    if diagonal == "keys and values":
        d_v = keys
    batch, heads = batch_and_heads
    return Plan(batch, heads, queries, keys, d_k, d_v, **rest)


def problems(
    *,
    regimes: Sequence[str] = ALL,
    keys: Sequence[int] = SHORT,
    queries: Sequence[int] = SHORT,
    d_k: Sequence[int] = WIDTHS,
    batches_and_heads: Sequence[tuple[int, int]] = BATCHES_AND_HEADS,
    overlays: Sequence[str] = tuple(OVERLAYS),
) -> st.SearchStrategy[Plan]:
    """Plans of problems: any shapes, any values, unless narrowed."""
    sizes = st.tuples(st.sampled_from(queries), st.sampled_from(keys), st.sampled_from(d_k), _WIDTHS)
    return st.builds(
        _plan,
        sizes,
        st.sampled_from(DIAGONALS),
        st.sampled_from(batches_and_heads),
        regimes=st.lists(st.sampled_from(regimes), min_size=1, max_size=2).map(tuple),
        overlay=st.sampled_from(overlays),
        seed=_SEEDS,
    )


def sentences(
    *,
    regimes: Sequence[str] = ORDINARY,
    words: Sequence[int] = SHORT,
    d_model: Sequence[int] = WIDTHS,
    widths: Sequence[int] = WIDTHS,
) -> st.SearchStrategy[SentencePlan]:
    """Plans of sentences: any sizes, any values, unless narrowed."""
    return st.builds(
        SentencePlan,
        words=st.sampled_from(words),
        d_model=st.sampled_from(d_model),
        d_k=st.sampled_from(widths),
        d_v=st.sampled_from(widths),
        regime=st.sampled_from(regimes),
        seed=_SEEDS,
    )


ANY_PROBLEM = problems()
"""One stream of problems for all laws that take any: drawn, answered and judged once."""
ANY_SENTENCE = sentences()
DOCUMENT_SENTENCES = sentences(words=(10,), d_model=(4,), widths=(3,))
"""The document's own example: ten words of width four, matrices of four by three."""
