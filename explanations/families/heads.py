"""Heads and batches: which one of the keys and values, or of an option, a query reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from explanations.aspect import GRADIENTS, LOG_SUM_EXP, OUTPUT
from explanations.explanation import Change, Changed, Explanation, everywhere
from explanations.results import After, Altered, total
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Reading = Callable[[Array, int, int], Array]
"""Returns the key heads that query heads read, given the number of key heads and the size of a group."""
KEYS_AND_VALUES = ("key", "value")
ARRAYS = {"keys and values": KEYS_AND_VALUES, "keys": ("key",), "values": ("value",)}
EVERY_ANSWER = (OUTPUT, LOG_SUM_EXP, GRADIENTS)

READINGS: dict[str, tuple[str, Reading]] = {
    "first-head": ("reads the {} of the first head for all heads", lambda own, *_: own * 0),
    "last-head": ("reads the {} of the last head for all heads", lambda own, keys, _: own * 0 + keys - 1),
    "heads-tiled": (
        "tiles the heads of the {}, h mod key heads for the query head h, in place of repeating each, h div group",
        lambda own, keys, _: own % keys,
    ),
    "heads-not-grouped": (
        "reads the {} of the head with the query head's own number, of the last one beyond them",
        lambda own, *_: own,
    ),
    "group-for-key-heads": (
        "divides the query head by the number of key heads in place of the size of a group, for the {}",
        lambda own, keys, group: own // keys if group > 1 else own,
    ),
    "last-of-group-reads-next": (
        "reads the {} of the next head for the last query head of a group",
        lambda own, _, group: (own + 1) // group if group > 1 else own,
    ),
    "first-of-group-reads-before": (
        "reads the {} of the head before for the first query head of a group",
        lambda own, _, group: (own - 1) // group if group > 1 else own,
    ),
    "odd-groups-rounded-up": (
        "rounds an odd size of a group up to an even one, for the {}",
        lambda own, _, group: own // (group + group % 2 if group > 1 else 1),
    ),
    "groups-of-powers-of-two": (
        "rounds the size of a group up to a power of two, for the {}",
        lambda own, _, group: own // (1 << (group - 1).bit_length()),
    ),
    "group-shifted": (
        "rounds the size of a group down to a power of two, for the {}",
        lambda own, _, group: own // (1 << (group.bit_length() - 1)),
    ),
    "odd-heads-read-even": (
        "reads the {} of the head before for every odd head",
        lambda own, _, group: own // group // 2 * 2,
    ),
    "next-head": ("reads the {} of the next head", lambda own, keys, group: (own // group + 1) % keys),
    "head-before": ("reads the {} of the head before", lambda own, keys, group: (own // group - 1) % keys),
    "heads-reversed": ("reads the heads of the {} in reverse", lambda own, keys, group: keys - 1 - own // group),
}
BATCHES: dict[str, tuple[str, Callable[[Array], Array]]] = {
    "first-batch": ("reads the {} of the first batch for all batches", lambda own: own * 0),
    "last-batch": ("reads the {} of the last batch for all batches", lambda own: own * 0 + len(own) - 1),
    "next-batch": ("reads the {} of the next batch", lambda own: (own + 1) % max(1, len(own))),
    "batch-before": ("reads the {} of the batch before", lambda own: own - 1),
    "batches-reversed": ("reads the batches of the {} in reverse", lambda own: own[::-1]),
}


def _read(reading: Reading, problem: Problem) -> Array:
    """Return the key head that each query head reads."""
    heads, key_heads = problem.query.shape[1], problem.key.shape[1]
    return np.clip(reading(np.arange(heads), key_heads, problem.group), 0, key_heads - 1)


def _right(problem: Problem) -> Array:
    return np.arange(problem.query.shape[1]) // problem.group


def of_heads(reading: Reading, names: Sequence[str]) -> Change:
    """Return a change of the key heads that query heads read: each is given one of its own where it is another."""

    def change(problem: Problem) -> Problem:
        if not (problem.key.size and problem.value.size):
            return problem
        read, right = _read(reading, problem), _right(problem)
        if (read == right).all():
            return problem
        arrays = {name: getattr(problem, name)[:, read if name in names else right] for name in KEYS_AND_VALUES}
        return problem.with_arrays(**arrays)

    return everywhere(change)


def _summed(reading: Reading, names: Sequence[str]) -> After:
    """Return the sums, over the query heads that read a key head, of gradients that each query head has of its own."""

    def after(problem: Any, answers: Sequence[Interval]) -> Sequence[Interval]:
        if len(answers) == 1 or answers[1].value.shape == problem.key.shape:
            return answers
        key_heads = np.arange(problem.key.shape[1])[:, None]
        read, right = _read(reading, problem) == key_heads, _right(problem) == key_heads
        into = {name: (read if name in names else right).astype(float) for name in KEYS_AND_VALUES}
        query, key, value = answers
        return query, total(key, into["key"]), total(value, into["value"])

    return after


def of_batches(batches: Callable[[Array], Array], names: Sequence[str]) -> Change:
    """Return a change of the batches whose arrays are read."""

    def change(problem: Problem) -> Problem:
        read = batches(np.arange(len(problem.query)))
        return replace(problem, **{name: getattr(problem, name)[read] for name in names})

    return everywhere(change)


def _of_option(name: str, axis: int, place: Callable[[Array], Array]) -> Change:
    """Return a change of the heads (axis 1) or batches (axis 0) of a mask or a bias, where it has several."""

    def change(problem: Problem) -> Problem:
        option = getattr(problem, name)
        if option is None or option.ndim < 4 - axis or option.shape[option.ndim - 4 + axis] == 1:
            return problem
        axis_of = option.ndim - 4 + axis
        return replace(problem, **{name: option.take(place(np.arange(option.shape[axis_of])), axis=axis_of)})

    return everywhere(change)


def _of_key_heads(name: str, *, tiled: bool) -> Change:
    def change(problem: Problem) -> Problem:
        option = getattr(problem, name)
        if option is None or option.ndim < 3 or option.shape[-3] == 1:
            return problem
        heads = np.arange(option.shape[-3])
        return replace(problem, **{name: option[..., heads % problem.group if tiled else _right(problem), :, :]})

    return everywhere(change)


def _mean_of_group(problem: Problem) -> Problem:
    shape = (len(problem.query), problem.key.shape[1], -1, *problem.query.shape[2:])
    mean = problem.query.reshape(shape).mean(axis=2) if problem.query.size else problem.query
    return replace(problem, query=np.repeat(mean, problem.group, axis=1))


def _first_of_group(problem: Problem) -> Problem:
    return replace(problem, query=np.repeat(problem.query[:, :: problem.group], problem.group, axis=1))


def _squeezed(problem: Problem) -> Problem:
    """Return the problem with the batches of a single key head read as the heads of every batch."""
    (batch, heads, *_), key_heads = problem.query.shape, problem.key.shape[1]
    if key_heads != 1 or heads == 1:
        return problem
    read = np.arange(heads) % batch
    arrays = {
        name: np.broadcast_to(getattr(problem, name)[read, 0], (batch, heads, *getattr(problem, name).shape[2:]))
        for name in KEYS_AND_VALUES
    }
    return problem.with_arrays(**arrays)


_OF_HEADS: tuple[Explanation, ...] = tuple(
    Altered(
        f"{name}-of-{of.replace(' ', '-')}",
        says.format(of),
        of_heads(reading, names),
        _summed(reading, names),
        EVERY_ANSWER,
        where_changed=True,
    )
    for name, (says, reading) in READINGS.items()
    for of, names in ARRAYS.items()
)
_OF_BATCHES = tuple(
    Changed(f"{name}-of-{of.replace(' ', '-')}", says.format(of), of_batches(batches, names))
    for name, (says, batches) in BATCHES.items()
    for of, names in (ARRAYS | {"queries": ("query",)}).items()
)
_PLACES: dict[str, Callable[[Array], Array]] = {
    "first": lambda own: own[:1],
    "last": lambda own: own[-1:],
}
_OF_OPTIONS = (
    *(
        Changed(
            f"{name}-of-{place}-{of}",
            f"uses the {name} of the {place} {of} for all",
            _of_option(name, axis, which),
        )
        for name in ("mask", "bias")
        for place, which in _PLACES.items()
        for axis, of in enumerate(("batch", "head"))
    ),
    *(
        Changed(
            f"{name}-of-{'place-in-group' if tiled else 'key-head'}",
            f"reads the {name} by the {'place of a head in its group' if tiled else 'key head'}, "
            "not by the query head, where heads are grouped",
            _of_key_heads(name, tiled=tiled),
        )
        for name in ("mask", "bias")
        for tiled in (False, True)
    ),
)
_OF_QUERIES = (
    Changed("mean-query-of-group", "averages the queries of a group of heads", everywhere(_mean_of_group)),
    Changed(
        "first-query-of-group", "uses the first query head of a group for all of them", everywhere(_first_of_group)
    ),
    Changed(
        "single-key-head-squeezed",
        "drops the axis of a single key head, so that its batches are read as heads",
        everywhere(_squeezed),
    ),
)

EXPLANATIONS: tuple[Explanation, ...] = (
    *_OF_HEADS,
    *(variant for one in (*_OF_BATCHES, *_OF_OPTIONS) for variant in (one, *(one.only(a) for a in EVERY_ANSWER))),
    *(variant for one in _OF_QUERIES for variant in one.anywhere),
)
