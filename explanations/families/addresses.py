"""Addresses: arrays that are read from where they would lie if they lay otherwise, and axes that are mixed up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests.declare.dialect import Layout
from attention_tests.execution.placement import Placement, place
from explanations.aspect import GRADIENTS, LOG_SUM_EXP, OUTPUT
from explanations.explanation import Change, Explanation, everywhere
from explanations.results import Altered, each
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
NAMES = ("query", "key", "value")
WHICH = {"all inputs": NAMES, "the query": ("query",), "the key": ("key",), "the value": ("value",)}


@dataclass(frozen=True)
class View:
    """An array as it lies in a buffer, its strides and offset counted in elements."""

    buffer: Array
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    begin: int

    @property
    def dense(self) -> tuple[int, ...]:
        """The strides that it would have if it were contiguous."""
        return tuple(int(np.prod(self.shape[axis + 1 :], dtype=int)) for axis in range(len(self.shape)))

    def read(self) -> Array:
        """Return the numbers at these addresses; NaN for what lies outside of the buffer."""
        steps = (np.arange(size) * step for size, step in zip(self.shape, self.strides, strict=True))
        places = sum(np.ix_(*steps), start=np.asarray(self.begin))
        inside = (places >= 0) & (places < self.buffer.size)
        return np.where(inside, self.buffer.take(places, mode="clip"), np.nan)


Reading = Callable[[View, View], View]
"""Returns the view that is read in place of one, given that and the view of the key."""


def _made(array: Array) -> Array:
    return np.array(array, order="C")


def view_of(array: Array, placement: str) -> View:
    """Return an array as it lies in memory in a placement by name, where its axes are in order (BHLD)."""
    placed = place(_made, array, Placement[placement], Layout.BATCH_HEAD_LENGTH_WIDTH) if placement else None
    if not isinstance(placed, np.ndarray):
        placed = _made(array)
    base = placed
    while isinstance(base.base, np.ndarray):
        base = base.base
    begin = (placed.ctypes.data - base.ctypes.data) // placed.itemsize
    return View(base.reshape(-1), placed.shape, tuple(stride // placed.itemsize for stride in placed.strides), begin)


def _reading(reading: Reading, names: Sequence[str], is_read: Callable[[View], bool] = lambda _: True) -> Change:
    """Return a change of how arrays are read, those that lie in memory in some way."""

    def change(problem: Problem) -> Problem:
        places = dict(zip(NAMES, problem.memory, strict=False))
        read = {}
        for name in names:
            if any(problem.memory) and "FAR" not in problem.memory:
                own, key = (view_of(getattr(problem, one), places.get(one, "")) for one in (name, "key"))
                other = reading(own, key) if is_read(own) else own
                if (other.strides, other.begin) != (own.strides, own.begin):
                    read[name] = other.read()
        return problem.with_arrays(**read) if read else problem

    return everywhere(change)


def _as_contiguous(own: View, _: View) -> View:
    lowest = own.begin + sum(min(0, step * (size - 1)) for size, step in zip(own.shape, own.strides, strict=True))
    return replace(own, strides=own.dense, begin=lowest)


def _of_key(own: View, key: View) -> View:
    return replace(own, strides=key.strides) if own.shape == key.shape else own


def _one_dense(axis: int) -> Reading:
    def reading(own: View, _: View) -> View:
        return replace(own, strides=(*own.strides[:axis], own.dense[axis], *own.strides[axis + 1 :]))

    return reading


def _zero_as_dense(own: View, _: View) -> View:
    strides = tuple(step or other for step, other in zip(own.strides, own.dense, strict=True))
    return replace(own, strides=strides)


def _aligned(elements: int) -> Reading:
    return lambda own, _: replace(own, begin=own.begin // elements * elements)


READINGS: dict[str, tuple[str, Reading]] = {
    "as-contiguous": ("reads {} as if contiguous, without the strides", _as_contiguous),
    "batch-stride": ("computes the stride of a batch of {} from its shape", _one_dense(0)),
    "head-stride": ("computes the stride of a head of {} from its shape", _one_dense(1)),
    "row-stride": ("takes the width of {} for the stride of a row", _one_dense(2)),
    "column-stride": ("takes the columns of {} for adjacent", _one_dense(3)),
    "stride-of-zero": ("takes a stride of 0 of {} for a contiguous one", _zero_as_dense),
    "aligned-to-4": ("reads {} from the aligned address below, of 4 elements", _aligned(4)),
    "aligned-to-2": ("reads {} from the aligned address below, of 2 elements", _aligned(2)),
}


_KINDS: dict[str, tuple[str, Callable[[View], bool]]] = {
    "blhd-storage": (
        "heads lie nearer than rows, as in BLHD storage",
        lambda own: own.shape[1] > 1 and own.strides[1] < own.strides[2],
    ),
    "transposed": ("rows lie nearer than columns", lambda own: own.strides[2] < own.strides[3]),
    "backwards": ("strides are negative", lambda own: min(own.strides) < 0),
    "gaps": ("there are gaps between its numbers", lambda own: own.buffer.size >= 2 * int(np.prod(own.shape)) > 0),
}


def known(_: Any, one: Interval) -> Interval:
    """Return an interval in which NaN is what is predicted, and not something of which nothing is known."""
    return replace(one, error=np.where(np.isnan(one.value), 0.0, one.error))


def _of_memory() -> Iterator[Explanation]:
    answers = (OUTPUT, LOG_SUM_EXP, GRADIENTS)
    for name, (says, reading) in READINGS.items():
        for which, names in WHICH.items():
            short = which.replace(" ", "-")
            yield Altered(
                f"{name}-of-{short}",
                says.format(which),
                _reading(reading, names),
                each(known),
                answers,
                where_changed=True,
            )
    for which in ("the value", "all inputs", "the query"):
        yield Altered(
            f"strides-of-key-for-{which.replace(' ', '-')}",
            f"reads {which} by the strides of the key",
            _reading(_of_key, WHICH[which]),
            each(known),
            answers,
            where_changed=True,
        )
    for name, (says, is_read) in _KINDS.items():
        for which, names in WHICH.items():
            yield Altered(
                f"{name}-of-{which.replace(' ', '-')}-as-contiguous",
                f"reads {which} as if contiguous where {says}",
                _reading(_as_contiguous, names, is_read),
                each(known),
                answers,
                where_changed=True,
            )


EXPLANATIONS: tuple[Explanation, ...] = tuple(_of_memory())
