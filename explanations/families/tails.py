"""Tails: keys, queries and columns beyond a block, a limit or the range of a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import GRADIENTS, LOG_SUM_EXP, OUTPUT
from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.families.visibility import hiding
from explanations.results import After, Altered, each, mapped, unchanged, written_over
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Rows = Callable[[Array], Array]
"""Returns, of the numbers 0 … n - 1 of rows, what is so of each of them, or which one is read in its place."""
BLOCKS = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
LIMITS = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 12288, 16384)
WIDTHS = (1, 4, 8, 16, 32, 64, 128, 256)
_ROWS = (OUTPUT, LOG_SUM_EXP)


def _keys_seen(seen: Rows) -> Change:
    """Return a change of the keys that are seen at all, where there is one that is left."""

    def change(problem: Problem) -> Problem:
        visible = seen(np.arange(problem.key.shape[-2]))
        return problem if visible.all() else hiding(problem, np.broadcast_to(visible, problem.logits_shape[2:]))

    return everywhere(change)


def _keys_read(rows: Rows, *names: str) -> Change:
    """Return a change of the rows that are read of the keys, of the values, or of both."""

    def change(problem: Problem) -> Problem:
        keys = problem.key.shape[-2]
        read = np.clip(rows(np.arange(keys)), 0, max(0, keys - 1))
        return replace(problem, **{name: getattr(problem, name)[..., read, :] for name in names})

    return everywhere(change)


def with_more_keys(problem: Problem, key: Array, value: Array, bias: Array | None = None) -> Problem:
    """Return a problem with keys behind the last that all queries see, with the bias of others or none."""
    more, (n_q, n_k) = key.shape[-2], problem.logits_shape[2:]
    if not more:
        return problem
    seen = np.pad(problem.seen, [(0, 0)] * 3 + [(0, more)], constant_values=True)
    added = None
    if problem.bias is not None:
        given = np.broadcast_to(problem.bias, problem.logits_shape)
        added = np.concatenate([given, np.zeros((*given.shape[:-1], more)) if bias is None else bias], axis=-1)
    key = np.concatenate([problem.key, key], axis=-2)
    value = np.concatenate([problem.value, value], axis=-2)
    return replace(problem, key=key, value=value, mask=seen, bias=added, causal=False, window=None)


def _padded(block: int) -> Change:
    """Return a change that pads keys and values by visible zeros to whole blocks."""

    def change(problem: Problem) -> Problem:
        more = [(0, 0), (0, 0), (0, -problem.key.shape[-2] % block), (0, 0)]
        return with_more_keys(
            problem, *(np.pad(array, more)[..., problem.key.shape[-2] :, :] for array in (problem.key, problem.value))
        )

    return everywhere(change)


def _twice(first: Callable[[int], int]) -> Change:
    """Return a change that counts the keys from one on twice."""

    def change(problem: Problem) -> Problem:
        keys, begin = problem.key.shape[-2], max(0, first(problem.key.shape[-2]))
        seen = problem.seen[..., begin:]
        if begin >= keys:
            return problem
        bias = None if problem.bias is None else np.broadcast_to(problem.bias, problem.logits_shape)[..., begin:]
        more = with_more_keys(problem, problem.key[..., begin:, :], problem.value[..., begin:, :], bias)
        return replace(more, mask=np.concatenate([problem.seen, seen], axis=-1))

    return everywhere(change)


def _cropped(problem: Any, answers: Any) -> Any:
    """Return gradients without those of keys that were added."""
    if len(answers) == 1:
        return answers
    query, *others = answers
    return [query, *(mapped(one, lambda array: array[..., : problem.key.shape[-2], :]) for one in others)]


def _of_rows(rows: Rows) -> After:
    """Return the answers to other queries in place of some."""
    return each(lambda _, one: mapped(one, lambda array: array[:, :, rows(np.arange(array.shape[2]))]))


def _zero_rows(zero: Rows) -> After:
    def alter(_: Any, one: Interval) -> Interval:
        where = zero(np.arange(one.value.shape[2]))
        return written_over(one, where[:, None] if one.value.ndim > 3 else where)

    return each(alter)


def _zero_columns(zero: Callable[[Problem, Array], Array]) -> After:
    return each(lambda problem, one: written_over(one, zero(problem, np.arange(one.value.shape[-1]))))


def _columns_read(limit: Callable[[int], int]) -> Change:
    """Return a change that reads the first columns of query and key alone, with the scale of all of them."""

    def change(problem: Problem) -> Problem:
        width = limit(problem.d_k)
        if width >= problem.d_k:
            return problem
        query, key = (np.where(np.arange(problem.d_k) < width, array, 0) for array in (problem.query, problem.key))
        return replace(problem, query=query, key=key)

    return everywhere(change)


def _whole(block: int, n: int) -> int:
    """Return how many of n rows are in whole blocks: all of them where there is none."""
    return n // block * block or n


def _of_limits() -> Iterator[Explanation]:
    for n in LIMITS:
        yield Changed(f"first-{n}-keys", f"sees the first {n} keys only", _keys_seen(lambda j, n=n: j < n))
        yield Changed(f"last-{n}-keys", f"sees the last {n} keys only", _keys_seen(lambda j, n=n: j >= len(j) - n))
        yield Changed(
            f"last-page-of-{n}",
            f"sees the last page of {n} keys only",
            _keys_seen(lambda j, n=n: j >= (len(j) - 1) // n * n),
        )
        yield Altered(
            f"first-{n}-queries",
            f"computes the first {n} queries only, and writes zeros for all others",
            unchanged,
            _zero_rows(lambda i, n=n: i >= n),
        )
        yield Changed(
            f"last-{n}-keys-twice",
            f"counts the last {n} keys twice",
            _twice(lambda keys, n=n: keys - n if keys > n else keys),
            (OUTPUT, LOG_SUM_EXP),
        )
    for bits in (128, 256, 65536):
        yield Changed(
            f"key-index-wraps-at-{bits}",
            f"begins with the first key again after {bits} of them, as an index in few bits does",
            _keys_read(lambda j, bits=bits: j % bits, "key", "value"),
        )
        yield Changed(
            f"key-index-signed-{bits}",
            f"takes the index of a key for negative from {bits} on, and counts it from the end",
            _keys_read(lambda j, bits=bits: ((j + bits) % (2 * bits) - bits) % max(1, len(j)), "key", "value"),
        )
        yield Changed(
            f"key-count-modulo-{bits}",
            f"keeps the number of keys modulo {bits}",
            _keys_seen(lambda j, bits=bits: j < ((len(j) - 1) % bits + 1)),
        )
        yield Altered(
            f"query-index-wraps-at-{bits}",
            f"answers the first queries again after {bits} of them, as an index in few bits does",
            unchanged,
            _of_rows(lambda i, bits=bits: i % bits),
            _ROWS,
        )


def _of_blocks() -> Iterator[Explanation]:
    for block in BLOCKS:
        beyond = f"beyond the last whole block of {block}"
        yield Changed(
            f"keys-beyond-block-of-{block}",
            f"leaves out the keys {beyond}",
            _keys_seen(lambda j, b=block: j < _whole(b, len(j))),
        )
        yield Changed(
            f"last-key-beyond-block-of-{block}",
            f"leaves out a single key {beyond}",
            _keys_seen(lambda j, b=block: (j < len(j) - 1) | (len(j) % b != 1) | (len(j) == 1)),
        )
        yield Altered(
            f"padded-keys-of-{block}",
            f"pads the keys to a multiple of {block} by zeros that are not hidden",
            _padded(block),
            _cropped,
            (OUTPUT, LOG_SUM_EXP, GRADIENTS),
            where_changed=True,
        )
        yield Changed(
            f"keys-{block}-beyond-block-twice",
            f"counts the keys {beyond} twice",
            _twice(lambda keys, b=block: keys // b * b if keys > b else keys),
            (OUTPUT, LOG_SUM_EXP),
        )
        yield Altered(
            f"queries-beyond-block-of-{block}",
            f"writes zeros for the queries {beyond}",
            unchanged,
            _zero_rows(lambda i, b=block: i >= _whole(b, len(i))),
            _ROWS,
        )
        yield Altered(
            f"last-query-beyond-block-of-{block}",
            f"writes zeros for a single query {beyond}",
            unchanged,
            _zero_rows(lambda i, b=block: (i == len(i) - 1) & (len(i) % b == 1) & (len(i) > 1)),
            _ROWS,
        )


def _of_columns() -> Iterator[Explanation]:
    for width in WIDTHS:
        yield Changed(
            f"first-{width}-columns-scored",
            f"reads the first {width} columns of queries and keys only",
            _columns_read(lambda d, w=width: min(d, w)),
        )
        yield Changed(
            f"columns-beyond-block-of-{width}",
            f"leaves out of the scores the columns beyond the last whole block of {width}",
            _columns_read(lambda d, w=width: _whole(w, d)),
        )
        yield Altered(
            f"first-{width}-columns-of-output",
            f"writes the first {width} columns of the output only, and zeros behind them",
            unchanged,
            _zero_columns(lambda _, c, w=width: c >= w),
        )
        yield Altered(
            f"output-columns-beyond-block-of-{width}",
            f"writes zeros for the columns of the output beyond the last whole block of {width}",
            unchanged,
            _zero_columns(lambda _, c, w=width: c >= _whole(w, len(c))),
        )
    yield Altered(
        "output-as-wide-as-keys",
        "writes as many columns of the output as keys have, and zeros behind them",
        unchanged,
        _zero_columns(lambda problem, c: c >= problem.d_k),
    )


_ENDS = (
    Changed(
        "last-key-unseen",
        "leaves out the last key, where there are others",
        _keys_seen(lambda j: (j < len(j) - 1) | (len(j) == 1)),
    ),
    Changed(
        "first-key-unseen",
        "leaves out the first key, where there are others",
        _keys_seen(lambda j: (j > 0) | (len(j) == 1)),
    ),
    Changed("first-key-only", "sees the first key only", _keys_seen(lambda j: j == 0)),
    Changed("last-key-only", "sees the last key only", _keys_seen(lambda j: j == len(j) - 1)),
    Changed("odd-keys-unseen", "sees every second key only", _keys_seen(lambda j: j % 2 == 0)),
    Changed("last-key-twice", "counts the last key twice", _twice(lambda keys: keys - 1), _ROWS),
    Changed("first-half-only", "sees the first half of the keys only", _keys_seen(lambda j: j < (len(j) + 1) // 2)),
)
_MOVED = tuple(
    Changed(f"{of.replace(' ', '-')}-{how}", says.format(of), _keys_read(rows, *names))
    for of, names in {"keys": ("key",), "values": ("value",)}.items()
    for how, (says, rows) in {
        "next-row": ("reads the {} one row further on", lambda j: (j + 1) % max(1, len(j))),
        "next-row-clipped": ("reads the {} one row further on, and the last one twice", lambda j: j + 1),
        "row-before": ("reads the {} one row before", lambda j: (j - 1) % max(1, len(j))),
        "row-before-clipped": ("reads the {} one row before, and the first one twice", lambda j: j - 1),
        "reversed": ("reads the {} in reverse", lambda j: j[::-1]),
    }.items()
)
EXPLANATIONS: tuple[Explanation, ...] = (
    *(variant for one in (*_ENDS, *_MOVED) for variant in one.anywhere),
    *_of_limits(),
    *_of_blocks(),
    *_of_columns(),
)
