"""Shrinking of arrays: a failing input made small enough to read, by shorter axes first and then by plainer numbers.

Why it exists beside Hypothesis's own shrinking: docs/explanation/generation.md#shrinking-twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, TypeVar

import numpy as np

from attention_tests.engine.law import Drawn

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
D = TypeVar("D", bound=Drawn)

CALLS = 1000
FIXED = "1"
"""The letter of an axis that must not get shorter."""
ELEMENTS_ONE_BY_ONE = 64


# A change may overflow on the way: then it is no plainer, and not made.
@np.errstate(all="ignore")
def minimise(drawn: D, fails: Callable[[D], bool], calls: int = CALLS) -> D:
    """Return the smallest input found, with at most `calls` calls of `fails`, that still fails."""
    spent = 0
    progress = True
    while progress:
        progress = False
        for candidate in _smaller(drawn):
            if spent == calls:
                return drawn
            spent += 1
            if fails(candidate):
                drawn, progress = candidate, True
                break
    return drawn


def _smaller(drawn: D) -> Iterator[D]:
    for letter in sorted({*"".join(drawn.axes.values())} - {FIXED}):
        yield from _shorter(drawn, letter)
    for name in drawn.axes:
        yield from _plainer(drawn, name)


def _shorter(drawn: D, letter: str) -> Iterator[D]:
    arrays = {name: getattr(drawn, name) for name in drawn.axes}
    length = next(
        array.shape[drawn.axes[name].index(letter)] for name, array in arrays.items() if letter in drawn.axes[name]
    )
    if length == 1:
        return
    for kept in _fewer(length):
        yield drawn.with_arrays(
            **{name: _taken(array, drawn.axes[name], letter, kept) for name, array in arrays.items()}
        )


def _taken(array: Array, letters: str, letter: str, kept: list[int]) -> Array:
    for axis, one in enumerate(letters):
        if one == letter:
            array = array.take(kept, axis=axis)
    return array


def _fewer(length: int) -> Iterator[list[int]]:
    everything = list(range(length))
    if length > 2:
        yield everything[: length // 2]
        yield everything[length // 2 :]
    for dropped in everything:
        yield everything[:dropped] + everything[dropped + 1 :]


def _plainer(drawn: D, name: str) -> Iterator[D]:
    array: Array = getattr(drawn, name)
    changes, is_plainer = ((np.ones_like,), np.greater) if array.dtype == bool else (_CHANGES, _is_plainer)
    for change in changes:
        plainer = is_plainer(change(array), array)
        if plainer.all(where=change(array) != array) and plainer.any():
            yield drawn.with_arrays(**{name: change(array)})
    if array.size > ELEMENTS_ONE_BY_ONE:
        return
    for place in np.ndindex(array.shape):
        for change in changes:
            changed = array.copy()
            changed[place] = change(array[place])
            if is_plainer(changed[place], array[place]).all():
                yield drawn.with_arrays(**{name: changed})


_CHANGES: tuple[Callable[[Any], Any], ...] = (
    np.zeros_like,
    lambda x: x + 0.0,  # -0 becomes 0
    np.sign,
    np.rint,
    lambda x: np.rint(2 * x) / 2,
    lambda x: np.rint(8 * x) / 8,
)


def _is_plainer(new: Any, old: Any) -> Any:
    """Tell which are easier to read: 0, -0, then ±1, then integers, halves, eighths, anything; small before large."""
    new_kind, old_kind = _kind(new), _kind(old)
    return (new_kind < old_kind) | ((new_kind == old_kind) & (np.abs(new) < np.abs(old)))


def _kind(x: Any) -> Any:
    zero = x == 0
    kinds = (zero & ~np.signbit(x), zero, np.abs(x) == 1, x % 1 == 0, 2 * x % 1 == 0, 8 * x % 1 == 0)
    return np.argmax([*kinds, np.ones_like(x, bool)], axis=0)
