"""Self-attention: the projections of tokens to queries, keys and values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import SELF_ATTENTION
from explanations.explanation import Changed, Explanation
from explanations.results import Altered, each, unchanged, written_over
from properties.drawing.problem import Sentence
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
OF = (SELF_ATTENTION,)
MATRICES = {"w_query": "queries", "w_key": "keys", "w_value": "values"}


def _of(change: Callable[[Sentence], Sentence]) -> Callable[[Any], Any]:
    return lambda sentence: change(sentence) if isinstance(sentence, Sentence) else sentence


def _taken(name: str, other: str) -> Callable[[Any], Any]:
    """Return a change that uses one matrix in place of another, where it is of the same shape."""

    def change(sentence: Sentence) -> Sentence:
        own, taken = getattr(sentence, name), getattr(sentence, other)
        return replace(sentence, **{name: taken}) if own.shape == taken.shape else sentence

    return _of(change)


def _exchanged(name: str, other: str) -> Callable[[Any], Any]:
    def change(sentence: Sentence) -> Sentence:
        one, two = getattr(sentence, name), getattr(sentence, other)
        return replace(sentence, **{name: two, other: one}) if one.shape == two.shape else sentence

    return _of(change)


def _both_taken(other: str) -> Callable[[Any], Any]:
    """Return a change that projects queries and keys by one matrix, which is of their width or not."""

    def change(sentence: Sentence) -> Sentence:
        return replace(sentence, w_query=getattr(sentence, other), w_key=getattr(sentence, other))

    return _of(change)


def _square(name: str, make: Callable[[Array], Array]) -> Callable[[Any], Any]:
    """Return a change of a square matrix."""

    def change(sentence: Sentence) -> Sentence:
        w = getattr(sentence, name)
        return sentence.with_arrays(**{name: make(w)}) if w.shape[0] == w.shape[1] else sentence

    return _of(change)


def _scaled(factor: Callable[[Sentence], float]) -> Callable[[Any], Any]:
    """Return a change of the scores by a factor."""
    return _of(lambda sentence: replace(sentence, w_query=sentence.w_query * factor(sentence)))


def _with_positions(positions: Callable[[Array, int], Array]) -> Callable[[Any], Any]:
    def change(sentence: Sentence) -> Sentence:
        tokens, width = sentence.x.shape
        added = positions(np.arange(tokens)[:, None], width).astype(_format(sentence))
        return replace(sentence, x=np.asarray(sentence.x.astype(_format(sentence)) + added, np.float64))

    return _of(change)


def _format(sentence: Sentence) -> str:
    return sentence.dtype if sentence.dtype in {"float32", "float16"} else "float64"


def _sinusoids(token: Array, width: int) -> Array:
    column = np.arange(width)
    angles = token / 10000.0 ** (column // 2 * 2 / width)
    return np.where(column % 2, np.cos(angles), np.sin(angles))


def _as_wide_as_tokens(sentence: Any, one: Interval) -> Interval:
    width, rows = sentence.x.shape[1], one.value.shape[0]
    wide = np.zeros((rows, width))
    many = min(width, one.value.shape[1])
    value, error = wide.copy(), wide.copy()
    value[:, :many], error[:, :many] = one.value[:, :many], one.error[:, :many]
    return replace(one, value=value, error=error, radius=0.0)


def _beyond_tokens(sentence: Any, one: Interval) -> Interval:
    return written_over(one, np.arange(one.value.shape[-1]) >= sentence.x.shape[-1])


def _matrices() -> Iterator[Explanation]:
    for name, of in MATRICES.items():
        for other, its in MATRICES.items():
            if other != name:
                yield Changed(
                    f"{of}-by-{other}",
                    f"projects {of} by the matrix of the {its}, where its shape allows it",
                    _taken(name, other),
                    OF,
                )
        yield Changed(
            f"{of}-transposed", f"transposes the matrix of the {of} if it is square", _square(name, lambda w: w.T), OF
        )
        yield Changed(
            f"{of}-not-projected",
            f"does not project {of} if their matrix is square",
            _square(name, lambda w: np.eye(len(w))),
            OF,
        )
    for name, other in (("w_query", "w_key"), ("w_query", "w_value"), ("w_key", "w_value")):
        yield Changed(
            f"{name}-for-{other}",
            f"exchanges the matrices of the {MATRICES[name]} and the "
            f"{MATRICES[other]}, where they are of the same shape",
            _exchanged(name, other),
            OF,
        )
    yield Changed("all-by-w_value", "projects queries and keys by the matrix of the values", _both_taken("w_value"), OF)


_OTHERS: tuple[Explanation, ...] = (
    Changed(
        "sentence-not-scaled",
        "does not scale the scores of self-attention",
        _scaled(lambda s: math.sqrt(s.w_key.shape[1])),
        OF,
    ),
    Changed(
        "sentence-scaled-by-token-width",
        "scales by 1/√d_model in place of 1/√d_k in self-attention",
        _scaled(lambda s: math.sqrt(s.w_key.shape[1] / s.x.shape[1])),
        OF,
    ),
    Changed(
        "sentence-scaled-by-value-width",
        "scales by 1/√d_v in place of 1/√d_k in self-attention",
        _scaled(lambda s: math.sqrt(s.w_key.shape[1] / max(1, s.w_value.shape[1]))),
        OF,
    ),
    Changed(
        "sentence-scaled-by-width",
        "scales by 1/d_k in place of 1/√d_k in self-attention",
        _scaled(lambda s: s.w_key.shape[1] ** -0.5),
        OF,
    ),
    Changed(
        "sines-added",
        "adds the sine of its position to each token",
        _with_positions(lambda token, width: np.sin(token) + np.zeros(width)),
        OF,
    ),
    Changed("sinusoids-added", "adds sinusoids of its position to each token", _with_positions(_sinusoids), OF),
    Changed(
        "positions-added",
        "adds its position to each token",
        _with_positions(lambda token, width: token + np.zeros(width)),
        OF,
    ),
    Altered(
        "output-as-wide-as-tokens",
        "returns an output as wide as the tokens, not as the values",
        unchanged,
        each(_as_wide_as_tokens),
        OF,
    ),
    Altered(
        "columns-beyond-tokens-zero",
        "writes zeros for the columns of the output beyond the width of the tokens",
        unchanged,
        each(_beyond_tokens),
        OF,
    ),
)
EXPLANATIONS: tuple[Explanation, ...] = (*_matrices(), *_OTHERS)
