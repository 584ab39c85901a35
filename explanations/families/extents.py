"""Extents: queries and columns beyond a block or a limit, which are not read, or not written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import LOG_SUM_EXP, OUTPUT, Aspect
from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.ranges import (
    BLOCKS,
    LIMITS,
    WRAPS,
    Rows,
    below,
    in_full_blocks,
    in_whole_blocks,
    modulo,
    not_beside_blocks,
    others,
    starting_at,
    whole,
)
from explanations.results import After, Altered, each, mapped, unchanged, written_over
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
WIDTHS = (1, 4, 8, 16, 32, 64, 128, 256)


def _of_rows(rows: Rows) -> After:
    """Return the answers to other queries in place of some."""
    return each(lambda _, one: mapped(one, lambda array: array[:, :, rows(np.arange(array.shape[2]))]))


def _zero_rows(zero: Rows) -> After:
    def alter(_: Any, one: Interval) -> Interval:
        where = zero(np.arange(one.value.shape[2]))
        return written_over(one, where[:, None] if one.value.ndim > 3 else where)

    return each(alter)


def _zero_columns(zero: Rows) -> After:
    return each(lambda _, one: written_over(one, zero(np.arange(one.value.shape[-1]))))


def _zero_beyond_keys(problem: Any, one: Interval) -> Interval:
    return written_over(one, np.arange(one.value.shape[-1]) >= problem.d_k)


def _columns_read(limit: Callable[[int], int]) -> Change:
    """Return a change that reads the first columns of query and key alone, with the scale of all of them."""

    def change(problem: Problem) -> Problem:
        width = limit(problem.d_k)
        if width >= problem.d_k:
            return problem
        query, key = (np.where(np.arange(problem.d_k) < width, array, 0) for array in (problem.query, problem.key))
        return replace(problem, query=query, key=key)

    return everywhere(change)


def _of_queries(aspects: tuple[Aspect, ...]) -> Iterator[Explanation]:
    for n in LIMITS:
        yield Altered(
            f"first-{n}-queries",
            f"computes the first {n} queries only, and writes zeros for all others",
            unchanged,
            _zero_rows(starting_at(n)),
            aspects,
        )
    for bits in WRAPS:
        yield Altered(
            f"query-index-wraps-at-{bits}",
            f"answers the first queries again after {bits} of them, as an index in few bits does",
            unchanged,
            _of_rows(modulo(bits)),
            aspects,
        )
    for block in BLOCKS:
        where = f"beyond the last whole block of {block}"
        yield Altered(
            f"queries-beyond-block-of-{block}",
            f"writes zeros for the queries {where}",
            unchanged,
            _zero_rows(others(in_whole_blocks(block))),
            aspects,
        )
        yield Altered(
            f"queries-of-no-whole-block-of-{block}",
            f"writes zeros for the queries that fill no whole block of {block}, which may be all",
            unchanged,
            _zero_rows(others(in_full_blocks(block))),
            aspects,
        )
        yield Altered(
            f"last-query-beyond-block-of-{block}",
            f"writes zeros for a single query {where}",
            unchanged,
            _zero_rows(others(not_beside_blocks(block))),
            aspects,
        )


def _of_columns() -> Iterator[Explanation]:
    for width in WIDTHS:
        yield Changed(
            f"first-{width}-columns-scored",
            f"reads the first {width} columns of queries and keys only",
            _columns_read(partial(min, width)),
        )
        yield Changed(
            f"columns-beyond-block-of-{width}",
            f"leaves out of the scores the columns beyond the last whole block of {width}",
            _columns_read(partial(whole, width)),
        )
        yield Altered(
            f"first-{width}-columns-of-output",
            f"writes the first {width} columns of the output only, and zeros behind them",
            unchanged,
            _zero_columns(others(below(width))),
        )
        yield Altered(
            f"output-columns-beyond-block-of-{width}",
            f"writes zeros for the columns of the output beyond the last whole block of {width}",
            unchanged,
            _zero_columns(others(in_whole_blocks(width))),
        )
    yield Altered(
        "output-as-wide-as-keys",
        "writes as many columns of the output as keys have, and zeros behind them",
        unchanged,
        each(_zero_beyond_keys),
    )


EXPLANATIONS: tuple[Explanation, ...] = (
    *_of_queries((OUTPUT,)),
    *_of_queries((OUTPUT, LOG_SUM_EXP)),
    *_of_columns(),
)
