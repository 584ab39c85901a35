"""Tails: keys, queries and columns beyond a block, a limit or the range of a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import GRADIENTS, LOG_SUM_EXP, OUTPUT
from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.problems import hiding, with_more_keys
from explanations.ranges import (
    BLOCKS,
    LIMITS,
    WRAPS,
    Rows,
    among_last,
    below,
    below_count_modulo,
    in_last_page,
    in_whole_blocks,
    modulo,
    not_beside_blocks,
    signed,
)
from explanations.results import Altered, mapped
from properties.drawing.problem import Problem

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
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


def _before_end(n: int) -> Callable[[int], int]:
    return lambda keys: keys - n if keys > n else keys


def _end_of_whole(block: int) -> Callable[[int], int]:
    return lambda keys: keys // block * block if keys > block else keys


def _of_limits() -> Iterator[Explanation]:
    for n in LIMITS:
        yield Changed(f"first-{n}-keys", f"sees the first {n} keys only", _keys_seen(below(n)))
        yield Changed(f"last-{n}-keys", f"sees the last {n} keys only", _keys_seen(among_last(n)))
        yield Changed(
            f"last-page-of-{n}",
            f"sees the last page of {n} keys only",
            _keys_seen(in_last_page(n)),
        )
        yield Changed(
            f"last-{n}-keys-twice",
            f"counts the last {n} keys twice",
            _twice(_before_end(n)),
            (OUTPUT, LOG_SUM_EXP),
        )
    for bits in WRAPS:
        yield Changed(
            f"key-index-wraps-at-{bits}",
            f"begins with the first key again after {bits} of them, as an index in few bits does",
            _keys_read(modulo(bits), "key", "value"),
        )
        yield Changed(
            f"key-index-signed-{bits}",
            f"takes the index of a key for negative from {bits} on, and counts it from the end",
            _keys_read(signed(bits), "key", "value"),
        )
        yield Changed(
            f"key-count-modulo-{bits}",
            f"keeps the number of keys modulo {bits}",
            _keys_seen(below_count_modulo(bits)),
        )


def _of_blocks() -> Iterator[Explanation]:
    for block in BLOCKS:
        beyond = f"beyond the last whole block of {block}"
        yield Changed(
            f"keys-beyond-block-of-{block}",
            f"leaves out the keys {beyond}",
            _keys_seen(in_whole_blocks(block)),
        )
        yield Changed(
            f"last-key-beyond-block-of-{block}",
            f"leaves out a single key {beyond}",
            _keys_seen(not_beside_blocks(block)),
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
            _twice(_end_of_whole(block)),
            (OUTPUT, LOG_SUM_EXP),
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
)
