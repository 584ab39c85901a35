"""Gradients of heads and batches: of one head of a group alone, summed over too much, or in another place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from explanations.formula import Backpropagated, Formula
from explanations.rounded import Rounded
from explanations.steps import BackwardPass

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
NAMES = ("query", "key", "value")
WHOSE = (("key", "value"), ("key",), ("value",))
OfGroup = Callable[[Rounded, int, int], Rounded]
"""Returns the gradients of key heads from those of each query head (batch, heads, …), key heads and group."""


class _Apart(BackwardPass):
    """The steps of a backward pass whose gradients of keys and values are those of each query head."""

    def of_key_heads(self, of_heads: Rounded) -> Rounded:
        """Return the gradients of each query head."""
        return of_heads


def _of_group(reduced: OfGroup) -> Formula:
    def formula(backward: BackwardPass) -> Sequence[Rounded]:
        problem = backward.problem
        apart = _Apart(problem, backward.roundings)
        d_query, *others = apart.of_scores(backward.right_d_scores, backward.weights)
        key_heads, group = problem.key.shape[1], problem.group
        return d_query, *(reduced(one.stored() if group > 1 else one, key_heads, group) for one in others)

    return formula


def _folded(one: Rounded, key_heads: int, group: int) -> Rounded:
    """Return gradients of query heads as (batch, key heads, group, …)."""
    batch, _, *rest = one.value.shape
    return one.like(lambda array: array.reshape(batch, key_heads, group, *rest))


def _at(index: int) -> OfGroup:
    return lambda one, key_heads, group: _folded(one, key_heads, group).like(lambda array: array[:, :, index])


def _mean(one: Rounded, key_heads: int, group: int) -> Rounded:
    return _folded(one, key_heads, group).summed(2).like(lambda array: array[:, :, 0]).times(1 / group)


def _tiled(one: Rounded, key_heads: int, group: int) -> Rounded:
    batch, _, *rest = one.value.shape
    folded = one.like(lambda array: array.reshape(batch, group, key_heads, *rest))
    return folded.summed(1).like(lambda array: array[:, 0])


def _first_heads(one: Rounded, key_heads: int, _: int) -> Rounded:
    return one.like(lambda array: array[:, :key_heads])


_GROUPS: tuple[tuple[str, str, OfGroup], ...] = (
    ("first-of-group", "returns the gradient of the first query head of each group alone", _at(0)),
    ("last-of-group", "returns the gradient of the last query head of each group alone", _at(-1)),
    ("mean-of-group", "averages the gradients of the query heads of a group in place of adding them", _mean),
    ("tiled-groups", "adds the gradients of query heads as if key heads were tiled: 0 1 0 1 and not 0 0 1 1", _tiled),
    ("first-heads", "returns the gradients of the first query heads, as many as there are key heads", _first_heads),
)


def _placed(index: int, moved: Callable[[Rounded], Rounded]) -> Formula:
    """Return gradients one of which is put elsewhere."""

    def formula(backward: BackwardPass) -> Sequence[Rounded]:
        gradients = [*backward.right]
        gradients[index] = moved(gradients[index].stored())
        return gradients

    return formula


def _summed(axis: int) -> Callable[[Rounded], Rounded]:
    def moved(one: Rounded) -> Rounded:
        return one.summed(axis).like(lambda array: np.broadcast_to(array, one.value.shape))

    return moved


def _averaged(axis: int) -> Callable[[Rounded], Rounded]:
    return lambda one: _summed(axis)(one).times(1 / max(one.value.shape[axis], 1))


def _first(axis: int) -> Callable[[Rounded], Rounded]:
    def first(array: Array) -> Array:
        return np.broadcast_to(np.take(array, [0], axis) if array.shape[axis] else array, array.shape)

    return lambda one: one.like(first)


def _last(axis: int) -> Callable[[Rounded], Rounded]:
    def last(array: Array) -> Array:
        return np.broadcast_to(np.take(array, [-1], axis) if array.shape[axis] else array, array.shape)

    return lambda one: one.like(last)


def _reversed(axis: int) -> Callable[[Rounded], Rounded]:
    return lambda one: one.like(lambda array: np.flip(array, axis))


_PLACES: tuple[tuple[str, str, Callable[[Rounded], Rounded]], ...] = (
    ("of-first-batch", "is that of the first batch for all", _first(0)),
    ("of-last-batch", "is that of the last batch for all", _last(0)),
    ("of-first-head", "is that of the first head for all", _first(1)),
    ("of-last-head", "is that of the last head for all", _last(1)),
    ("summed-over-batches", "is added up over the batches", _summed(0)),
    ("averaged-over-batches", "is averaged over the batches", _averaged(0)),
    ("summed-over-heads", "is added up over the heads", _summed(1)),
    ("heads-reversed", "has its heads in reverse order", _reversed(1)),
    ("batches-reversed", "has its batches in reverse order", _reversed(0)),
    ("words-reversed", "has its tokens in reverse order", _reversed(2)),
)


def _explanations() -> Iterator[Backpropagated]:
    for name, says, reduced in _GROUPS:
        for whose in WHOSE:
            of = " and of the ".join(whose)
            yield Backpropagated(f"{'-and-'.join(whose)}-of-{name}", f"{says}, for the {of}", _of_group(reduced), whose)
    for name, says, moved in _PLACES:
        for index, whose_name in enumerate(NAMES):
            sentence = f"returns a gradient of the {whose_name} that {says}"
            yield Backpropagated(f"{whose_name}-gradient-{name}", sentence, _placed(index, moved), (whose_name,))


EXPLANATIONS = tuple(_explanations())
