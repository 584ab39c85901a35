"""Self-attention one word at a time: the definition. Clauses `project` to `every-word`, section 3.1.

A word's query, key and value are its embedding times one matrix each; its query scores every key; the scores are
divided by √d_k and become weights by softmax; each value is weighed, and their sum is the word's output. Then what the
document leaves out and layers have: a scale, a soft cap, a bias, the log-sum-exp.

A vector is a sequence of numbers and a matrix a sequence of rows. A number is anything with + - * /: float, Fraction,
or an Arb ball. What else a step needs of its numbers is a `Numbers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Number: TypeAlias = Any
Vector: TypeAlias = Sequence[Number]
Matrix: TypeAlias = Sequence[Vector]


@dataclass(frozen=True)
class Numbers:
    """The operations of a number type that softmax and scaling need, beyond + - * /."""

    number: Callable[[float], Number]
    """A number from a float, exactly."""
    exp: Callable[[Number], Number]
    log: Callable[[Number], Number]
    tanh: Callable[[Number], Number]
    sqrt: Callable[[Number], Number]
    max: Callable[[Sequence[Number]], Number]
    nan: Number


FLOAT = Numbers(number=float, exp=math.exp, log=math.log, tanh=math.tanh, sqrt=math.sqrt, max=max, nan=math.nan)


def project(word: Vector, matrix: Matrix) -> Vector:
    """Return a word's query, key or value: its embedding (d_model) times a matrix (d_model, d), d wide."""
    return [sum(x * weight for x, weight in zip(word, column, strict=True)) for column in zip(*matrix, strict=True)]


def score(query: Vector, key: Vector) -> Number:
    """Return the dot product of one word's query (d_k) and another's key (d_k)."""
    return sum(q * k for q, k in zip(query, key, strict=True))


def scale(score: Number, d_k: int, numbers: Numbers = FLOAT) -> Number:
    """Return the score divided by the square root of the width of the keys."""
    return score / numbers.sqrt(numbers.number(d_k))


def softmax(scores: Vector, numbers: Numbers = FLOAT) -> Vector:
    """Return the weights of n words from their n scores: exponentials, divided by their sum."""
    largest = numbers.max(scores)  # any shift cancels; this one keeps exp from overflowing
    exponentials = [numbers.exp(score - largest) for score in scores]
    total = sum(exponentials)
    return [exponential / total for exponential in exponentials]


def weigh(weight: Number, value: Vector) -> Vector:
    """Return the value (d_v), each of its numbers times the one weight."""
    return [weight * x for x in value]


def sum_values(weighted: Sequence[Vector]) -> Vector:
    """Return the sum (d_v) of the weighted values (n, d_v)."""
    return [sum(column) for column in zip(*weighted, strict=True)]


def attend(  # noqa: PLR0913 - one argument for each thing that attention depends on
    query: Vector,
    keys: Matrix,
    values: Matrix,
    numbers: Numbers = FLOAT,
    *,
    scale: float | None = None,
    softcap: float | None = None,
    bias: Sequence[float] | None = None,
) -> Vector:
    """Return the output (d_v) of one word, whose query (d_k) meets the keys (n, d_k) and values (n, d_v) of all words.

    `scale` is a factor on the scores, in place of 1/√d_k. `softcap` squeezes the scaled scores. `bias` (n) is added to
    them after that; a word whose bias is -∞ is left out. A query that sees no word gets NaN.
    """
    seen = seen_words(len(keys), bias)
    if not seen:
        return [numbers.nan for _ in values[0]] if values else []
    weights = softmax(logits(query, keys, numbers, scale=scale, softcap=softcap, bias=bias), numbers)
    return sum_values([weigh(weight, values[j]) for weight, j in zip(weights, seen, strict=True)])


def attention(  # noqa: PLR0913 - as attend
    queries: Matrix,
    keys: Matrix,
    values: Matrix,
    numbers: Numbers = FLOAT,
    *,
    scale: float | None = None,
    softcap: float | None = None,
    bias: Sequence[Sequence[float]] | None = None,
) -> Matrix:
    """Return the outputs (n_q, d_v) of all words: `attend` for each query, with its own row of the bias (n_q, n_k)."""
    rows = [None] * len(queries) if bias is None else bias
    return [
        attend(query, keys, values, numbers, scale=scale, softcap=softcap, bias=row)
        for query, row in zip(queries, rows, strict=True)
    ]


def self_attention(words: Matrix, w_query: Matrix, w_key: Matrix, w_value: Matrix, numbers: Numbers = FLOAT) -> Matrix:
    """Return the outputs (n, d_v) of a sentence of n embeddings (n, d_model) under three learned matrices.

    `w_query` and `w_key` are (d_model, d_k), `w_value` is (d_model, d_v).
    """
    queries = [project(word, w_query) for word in words]
    keys = [project(word, w_key) for word in words]
    values = [project(word, w_value) for word in words]
    return attention(queries, keys, values, numbers)


def seen_words(n: int, bias: Sequence[float] | None) -> list[int]:
    """Return which of n words a query sees: those whose bias is not -∞."""
    return [j for j in range(n) if bias is None or bias[j] != -math.inf]


def logits(  # noqa: PLR0913 - as attend
    query: Vector,
    keys: Matrix,
    numbers: Numbers = FLOAT,
    *,
    scale: float | None = None,
    softcap: float | None = None,
    bias: Sequence[float] | None = None,
) -> Vector:
    """Return what goes into the softmax for one query: the score of every word that it sees."""
    seen = seen_words(len(keys), bias)
    scores = [_scaled_score(query, keys[j], numbers, scale) for j in seen]
    if softcap is not None:
        scores = [soft_cap(score, softcap, numbers) for score in scores]
    if bias is None:
        return scores
    return [score + numbers.number(bias[j]) for score, j in zip(scores, seen, strict=True)]


def _scaled_score(query: Vector, key: Vector, numbers: Numbers, factor: float | None) -> Number:
    if factor is None:
        return scale(score(query, key), len(key), numbers)
    return score(query, key) * numbers.number(factor)


def soft_cap(score: Number, cap: float, numbers: Numbers = FLOAT) -> Number:
    """Return the score squeezed between -cap and cap."""
    return numbers.number(cap) * numbers.tanh(score / numbers.number(cap))


def log_sum_exp(scores: Vector, numbers: Numbers = FLOAT) -> Number:
    """Return the logarithm of the sum of the exponentials of n scores: all that softmax needs to know of the others."""
    largest = numbers.max(scores)
    return largest + numbers.log(sum(numbers.exp(score - largest) for score in scores))
