"""What an implementation of attention says about itself: four declarations, and nothing that checks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from attention_tests.precision import Precision

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


class Step(StrEnum):
    """What an implementation can expose: the whole function, one of the document's steps, its gradient, or a cache."""

    ATTENTION = "attention"
    SELF_ATTENTION = "self_attention"
    PROJECT = "project"
    SCORE = "score"
    SCALE = "scale"
    SOFTMAX = "softmax"
    WEIGH = "weigh"
    SUM = "sum"
    GRADIENT = "gradient"
    CACHE = "cache"


class Feature(StrEnum):
    """What the whole function can do beyond the document's plain case. Undeclared is reported as unsupported."""

    SCALE = "scale"
    """`attention(..., scale=x)`: a factor on the scores, in place of 1/√d_k. Any finite number, zero included."""
    LENGTHS = "lengths"
    """The number of queries may differ from the number of keys."""
    VALUE_WIDTH = "value_width"
    """The width of the values may differ from that of the keys."""
    HEADS = "heads"
    """Takes many batches and heads at once. Never so in the layout LD."""
    GROUPED_HEADS = "grouped_heads"
    """Fewer key heads than query heads: query head h reads key head h // group."""
    MASK = "mask"
    """`attention(..., mask=x)`: which words a query sees, boolean, broadcasting to (batch, heads, n_q, n_k)."""
    BIAS = "bias"
    """`attention(..., bias=x)`: numbers added to the scaled scores, -∞ hiding a word; broadcasts as a mask does."""
    CAUSAL = "causal"
    """`attention(..., causal=True)`: no query sees a later word; which one is its own is the dialect's `alignment`."""
    WINDOW = "window"
    """`attention(..., window=w)`: a query sees only words fewer than w places from its own."""
    SOFTCAP = "softcap"
    """`attention(..., softcap=c)`: scaled scores s become c·tanh(s / c), before a bias or a mask."""
    TOGETHER = "together"
    """Mask, bias, causal and window may be given in one call: a query sees what none of them hides."""
    NON_FINITE = "non_finite"
    """NaN and ∞ in hidden keys and values reach nothing."""
    LOG_SUM_EXP = "log_sum_exp"
    """`attention(..., return_lse=True)`: returns the output and log Σ exp of the logits, (batch, heads, n_q)."""
    DROPOUT = "dropout"
    """`attention(..., dropout=0.0)`: drops no weight."""
    THREADS = "threads"
    """May be called from several threads at once."""
    EMPTY = "empty"
    """Takes arrays of size zero: no queries, no keys, no batch, no heads, values of width zero."""
    MUTABLE = "mutable"
    """Its arrays can be written in place, and be views of one another: so unless they are declared `immutable`."""


SHAPING = frozenset({Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS})
"""The features that decide about the shapes of plain problems."""


class Layout(StrEnum):
    """The order of the axes of a query, a key, a value and the output."""

    BATCH_HEAD_LENGTH_WIDTH = "BHLD"
    BATCH_LENGTH_HEAD_WIDTH = "BLHD"
    LENGTH_WIDTH = "LD"


class Alignment(StrEnum):
    """Which word is a query's own where there are not as many queries as keys."""

    TOP_LEFT = "top-left"
    """The first query is the first word."""
    BOTTOM_RIGHT = "bottom-right"
    """The last query is the last word, as with a cache of earlier words."""


class Unseeing(StrEnum):
    """What a query gets that sees no word."""

    ZEROS = "zeros"
    NAN = "NaN"
    MEAN = "mean"
    """The mean of all values, seen or not."""


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """Where correct implementations differ by convention."""

    layout: Layout = Layout.BATCH_HEAD_LENGTH_WIDTH
    """BHLD (batch, heads, length, width), BLHD, or LD (length, width) for a function of one head."""
    alignment: Alignment = Alignment.TOP_LEFT
    """Which word is a query's own, for `causal` and `window`."""
    true_hides: bool = False
    """Whether True in a boolean mask hides a word. Usually it means that the word is seen."""
    unseeing: Unseeing = Unseeing.ZEROS
    """What a query gets that sees no word."""
    causal_windows: bool = False
    """Whether a window is a decoder's, that of the last words: then it is asked for with `causal=True` only."""
    projected: bool = False
    """Whether query, key and value go through projections that the adapter has made identities. 0 · NaN is NaN, and so
    a component that is no number makes its whole word, and the output of every query that weighs it, no numbers."""

    @cached_property
    def of_hiding(self) -> Dialect:
        """What of it decides about answers, and not about how arrays are given."""
        return Dialect(alignment=self.alignment, unseeing=self.unseeing, causal_windows=self.causal_windows)


def _numpy_array(array: Array, dtype: str) -> Array:
    return array.astype(dtype)


def _strict_numpy_dtypes() -> dict[str, Precision]:
    return {dtype: Precision.strict(dtype) for dtype in ("float64", "float32")}


@dataclass(frozen=True, kw_only=True)
class Implementation:
    """One implementation: the callables it exposes, and what it declares of them.

    Arrays go in as `to_native(array, dtype)`, `array` being float64 and exact in `dtype`, and what comes back goes
    through `to_numpy`, which returns a float64 array. Shapes, with any leading axes in place of `…`:

    ==================  ==========================================================================================
    `attention`         query (batch, heads, n_q, d_k), key (batch, heads, n_k, d_k), value (batch, heads, n_k, d_v),
                        [scale=float] → (batch, heads, n_q, d_v), the axes in the order of `dialect.layout`
    `self_attention`    x (n, d_model), w_query and w_key (d_model, d_k), w_value (d_model, d_v) → (n, d_v)
    `project`           x (n, d_model), w (d_model, d) → (n, d)
    `score`             query (…, n_q, d_k), key (…, n_k, d_k) → (…, n_q, n_k)
    `scale`             scores (…, n_q, n_k), d_k: int → (…, n_q, n_k)
    `softmax`           scores (…, n_q, n_k) → (…, n_q, n_k), over the last axis
    `weigh`             weights (…, n_q, n_k), value (…, n_k, d_v) → (…, n_q, n_k, d_v)
    `sum`               weighted values (…, n_q, n_k, d_v) → (…, n_q, d_v), over the keys
    `gradient`          query, key, value and an upstream gradient of the output, [options as for `attention`]
                        → the gradients of the query, of the key and of the value
    `cache`             nothing → an empty cache, with `append(key, value)` for the words that come, and
                        `attend(query)` for queries that see every word so far
    ==================  ==========================================================================================
    """

    name: str
    attention: Callable[..., Any] | None = None
    self_attention: Callable[..., Any] | None = None
    project: Callable[..., Any] | None = None
    score: Callable[..., Any] | None = None
    scale: Callable[..., Any] | None = None
    softmax: Callable[..., Any] | None = None
    weigh: Callable[..., Any] | None = None
    sum: Callable[..., Any] | None = None
    gradient: Callable[..., Any] | None = None
    cache: Callable[..., Any] | None = None
    supports: frozenset[Feature] = SHAPING
    dtypes: Mapping[str, Precision] = field(default_factory=_strict_numpy_dtypes)
    dialect: Dialect = field(default_factory=Dialect)
    to_native: Callable[[Array, str], Any] = _numpy_array
    to_numpy: Callable[[Any], Array] = np.asarray
    immutable: bool = False
    """Whether its arrays can be neither written nor be views of one another, as those of JAX and of TensorFlow."""
    without: frozenset[str] = frozenset()
    """Packages or modules that it must not call for an answer, as `{"torch"}`: what it stands in for, say."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where a callable is written, as `{"attention": "csrc/flash.cu:120"}`, for what is not written in Python."""
    target: str = ""
    """What it was named as, `numpy` or `package.module:attribute`; filled in by the suite."""
    parameters: Mapping[str, str] | None = None
    """Of a bare callable: the names under which it takes the options; filled in by the suite."""

    @property
    def features(self) -> frozenset[Feature]:
        """What it supports in its layout."""
        supports = frozenset(self.supports) | (frozenset() if self.immutable else {Feature.MUTABLE})
        return supports - {Feature.HEADS} if self.dialect.layout is Layout.LENGTH_WIDTH else supports

    def exposes(self, step: Step) -> bool:
        """Tell whether there is a callable for `step`."""
        return getattr(self, step.value) is not None
