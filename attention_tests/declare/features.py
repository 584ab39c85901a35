"""Steps and features: the parts of attention that an implementation can expose, and the options that it can take."""

from __future__ import annotations

from enum import StrEnum


class Step(StrEnum):
    """A function that an implementation can expose: attention, a step of the document, the gradient, or a cache."""

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


LAID_OUT = (Step.ATTENTION, Step.GRADIENT)
"""The steps whose arrays are in the layout of the dialect."""


class Feature(StrEnum):
    """An ability of the whole function beyond the document's plain case. Undeclared is reported as unsupported."""

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
    """`attention(..., mask=x)`: the keys that a query attends to, boolean, broadcasting to (batch, heads, n_q, n_k)."""
    BIAS = "bias"
    """`attention(..., bias=x)`: numbers added to the scaled scores, -∞ hiding a key; broadcasts as a mask does."""
    CAUSAL = "causal"
    """`attention(..., causal=True)`: no query attends to a later token; its position is the dialect's `alignment`."""
    WINDOW = "window"
    """`attention(..., window=w)`: a query attends only to tokens fewer than w positions away."""
    SOFTCAP = "softcap"
    """`attention(..., softcap=c)`: scaled scores s become c·tanh(s / c), before a bias or a mask."""
    COMBINED_MASKS = "combined_masks"
    """Mask, bias, causal and window may be given in one call: a query attends to what none of them hides."""
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
