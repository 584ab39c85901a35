"""What the properties draw: plans, small enough to draw fast, each of which builds one problem (generation.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
from hypothesis import strategies as st

from attention_tests import Feature
from attention_tests.law import Stream
from properties.regimes import OVERLAYS, REGIMES, Sizes
from reference import matrix
from reference.formats import FORMATS, round_to

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
T = TypeVar("T")

AXES = {"query": "bhqd", "key": "bhkd", "value": "bhkv"}


def in_format(array: Array, dtype: str) -> Array:
    """Round to `dtype`, the largest finite number in place of an overflow, as a read-only float64 array."""
    largest = FORMATS[dtype].max
    rounded = np.clip(round_to(array, dtype), -largest, largest)
    rounded.flags.writeable = False
    return rounded


class ByContent:
    """Equal where all numbers are the same bits, so that a cache knows again what another law has built, too."""

    @cached_property
    def content(self) -> tuple[object, ...]:
        """What an answer depends on."""
        raise NotImplementedError

    def __hash__(self) -> int:
        return hash(self.content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByContent) and self.content == other.content


def _bits(*arrays: Array) -> tuple[object, ...]:
    return tuple((array.shape, array.tobytes()) for array in arrays)


@dataclass(frozen=True, eq=False)
class Problem(ByContent):
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

    @cached_property
    def content(self) -> tuple[object, ...]:
        """What an answer depends on."""
        return *_bits(self.query, self.key, self.value), self.dtype, self.scale

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
        rounded: dict[str, Any] = {name: in_format(array, self.dtype) for name, array in arrays.items()}
        return replace(self, **rounded)

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
class Sentence(ByContent):
    """Words and the three matrices: x (n, d_model), w_query and w_key (d_model, d_k), w_value (d_model, d_v)."""

    x: Array
    w_query: Array
    w_key: Array
    w_value: Array
    dtype: str
    seed: int = 0
    axes: dict[str, str] = field(default_factory=lambda: {"x": "nm", "w_query": "md", "w_key": "md", "w_value": "mv"})

    @cached_property
    def content(self) -> tuple[object, ...]:
        """What an answer depends on."""
        return *_bits(self.x, self.w_query, self.w_key, self.w_value), self.dtype

    @property
    def random(self) -> np.random.Generator:
        """The random choices of a property on this sentence, the same ones at every call."""
        return np.random.default_rng(self.seed)

    def with_arrays(self, **arrays: Array) -> Sentence:
        """Replace some of the four arrays, rounded to the dtype."""
        rounded: dict[str, Any] = {name: in_format(array, self.dtype) for name, array in arrays.items()}
        return replace(self, **rounded)


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
        arrays = [in_format(array, dtype) for array in (x, w_query, w_key, w_value)]
        return Sentence(arrays[0], arrays[1], arrays[2], arrays[3], dtype, seed=self.seed)

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
_LENGTHS = st.sampled_from(SHORT)
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


_PLANS = st.builds(
    _plan,
    st.tuples(_LENGTHS, _LENGTHS, _WIDTHS, _WIDTHS),
    st.sampled_from(DIAGONALS),
    st.sampled_from(BATCHES_AND_HEADS),
    regimes=st.one_of(st.tuples(st.sampled_from(ALL)), st.tuples(st.sampled_from(ALL), st.sampled_from(ALL))),
    overlay=st.sampled_from(tuple(OVERLAYS)),
    seed=_SEEDS,
)

_SENTENCE_PLANS = st.builds(
    SentencePlan,
    words=_LENGTHS,
    d_model=_WIDTHS,
    d_k=_WIDTHS,
    d_v=_WIDTHS,
    regime=st.sampled_from(ORDINARY),
    seed=_SEEDS,
)


def problems(  # noqa: PLR0913 - all that a law can ask of a problem
    *,
    regimes: Sequence[str] = ALL,
    overlays: Sequence[str] = tuple(OVERLAYS),
    keys: Sequence[int] = (),
    d_k: Sequence[int] = (),
    batches_and_heads: Sequence[tuple[int, int]] = (),
    sometimes_long: bool = False,
) -> Stream:
    """Problems of any shapes and values, unless narrowed: what was drawn outside of a choice is moved into it."""

    def narrow(plan: Plan) -> Plan:
        drawn = BATCHES_AND_HEADS.index((plan.batch, plan.heads))
        batch, heads = _within(batches_and_heads, drawn, (plan.batch, plan.heads))
        n_keys = _within(keys, plan.keys, plan.keys)
        return replace(
            plan,
            batch=batch,
            heads=heads,
            keys=_within(LONG, plan.seed // 5, n_keys) if sometimes_long and plan.seed % 5 == 4 else n_keys,
            d_k=_within(d_k, plan.d_k, plan.d_k),
            regimes=tuple(_within(regimes, ALL.index(regime), regime) for regime in plan.regimes),
            overlay=_within(overlays, tuple(OVERLAYS).index(plan.overlay), plan.overlay),
        )

    return Stream(_PLANS, narrow)


def sentences(
    *,
    regimes: Sequence[str] = ORDINARY,
    words: Sequence[int] = (),
    d_model: Sequence[int] = (),
    widths: Sequence[int] = (),
) -> Stream:
    """Sentences of any sizes and values, unless narrowed."""

    def narrow(plan: SentencePlan) -> SentencePlan:
        return SentencePlan(
            words=_within(words, plan.words, plan.words),
            d_model=_within(d_model, plan.d_model, plan.d_model),
            d_k=_within(widths, plan.d_k, plan.d_k),
            d_v=_within(widths, plan.d_v, plan.d_v),
            regime=_within(regimes, ORDINARY.index(plan.regime), plan.regime),
            seed=plan.seed,
        )

    return Stream(_SENTENCE_PLANS, narrow)


def _within(choice: Sequence[T], drawn: int, otherwise: T) -> T:
    """Return what was drawn if the choice is open or has it, else the member of the choice that its number leads to."""
    return otherwise if not choice or otherwise in choice else choice[drawn % len(choice)]


ANY_PROBLEM = problems()
"""One stream of problems for all laws that take any: drawn, answered and judged once."""
ANY_SENTENCE = sentences()
DOCUMENT_SENTENCES = sentences(words=(10,), d_model=(4,), widths=(3,))
"""The document's own example: ten words of width four, matrices of four by three."""
