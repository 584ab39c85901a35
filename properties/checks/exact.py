"""Answers that are owed to the bit: the row that was asked for, and the words for the row that came in its place."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from attention_tests.execution.failures import Disagreement, Relation
from properties.drawing.exact import Gather
from properties.drawing.scatter import Scatter

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def assert_gathered(got: Array, problem: Gather, under: str = "") -> None:
    """Raise `Disagreement` unless each query's output is the value of the key that it asks for.

    `under` says under what circumstances, as in "with the value alone in BLHD storage".
    """
    asks = problem.asked >= 0
    wrong = asks & (got != problem.rows).any(axis=-1)
    if wrong.any():
        batch, head, query = where = tuple(int(i) for i in np.argwhere(wrong)[0])
        key_head = head // problem.group
        came = _named(got[where], problem, batch, key_head)
        column = int((got[where] != problem.rows[where]).argmax())
        raise Disagreement(
            f"{wrong.sum()} of {asks.sum()} outputs are not the value that was asked for{under and f', {under}'}; "
            f"query {query} of batch {batch}, head {head} got {came} in place of "
            f"{_place(batch, key_head, problem.asked[where])}:",
            got=got,
            expected=np.where(asks[..., None], problem.rows, got),
            where=(*where, column),
            relation=Relation.EQUAL,
        )


def _named(row: Array, problem: Gather, batch: int, head: int) -> str:
    """Say in words what a row is that a batch and key head got: a value that was given, or none."""
    if np.isnan(row).all():
        return "NaN"
    if (row == 0).all():
        return "zeros"
    same = _nearest_first((problem.value == row).all(axis=-1), batch, head)
    if not same:
        return "none of the values"
    return _place(*same[0]) if len(same) == 1 else f"{_place(*same[0])}, or another of the same value,"


def _nearest_first(rows: Array, batch: int, head: int) -> list[tuple[int, int, int]]:
    """Return the places (batch, head, key) of the rows that are True: of the same key head first, then of the batch."""
    places = ((int(one), int(other), int(key)) for one, other, key in np.argwhere(rows))
    return sorted(places, key=lambda place: (place[0] != batch, place[1] != head))


def _place(batch: int, head: int, key: int) -> str:
    return f"the value of key {key} of batch {batch}, key head {head}"


def assert_scattered(got: Array, problem: Scatter, under: str = "") -> None:
    """Raise `Disagreement` unless each value's gradient is the sum of the upstream gradients of those that asked.

    `under` says under what circumstances.
    """
    wrong = problem.owed & (got != problem.d_value).any(axis=-1)
    if wrong.any():
        batch, head, key = where = tuple(int(i) for i in np.argwhere(wrong)[0])
        column = int((got[where] != problem.d_value[where]).argmax())
        alike = (problem.d_value == got[where]).all(axis=-1) & (got[where] != 0).any()
        same = _nearest_first(alike, batch, head)
        instead = f"; it is that of {_place(*same[0])}" if same else ""
        raise Disagreement(
            f"{wrong.sum()} of {wrong.size} rows of the value's gradient are not what the queries that asked for the "
            f"value sent{under and f', {under}'}; the first is that of {_place(batch, head, key)}{instead}:",
            got=got,
            expected=problem.d_value,
            where=(*where, column),
            relation=Relation.EQUAL,
        )
