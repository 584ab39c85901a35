"""Outputs of an implementation for a history of cache calls, and the expected ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Precision
from attention_tests.execution.cache import CacheSubject
from attention_tests.execution.subject import Subject
from properties.checks.comparison import expected
from properties.checks.remembered import remembered
from properties.drawing.histories import History, Part
from reference.bounds.interval import Interval

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


@remembered
def definition(history: History, precision: Precision) -> Interval:
    """Return the expected outputs of a history: attention over every token that a cache had at each `attend`."""
    oracles = [expected(question, precision) for question in history.attended_problems]
    value, error, radius = (
        np.concatenate(arrays, axis=-2)
        for arrays in zip(*((one.value, one.error, one.radius) for one in oracles), strict=True)
    )
    return replace(oracles[0], value=value, error=error, radius=radius)


@remembered
def answer(subject: Subject, history: History) -> Array:
    """Return the outputs of all queries of a history, (batch, heads, all queries, d_v), each read after its call."""
    return outputs(play(subject, history, history.parts))


def outputs(readings: Iterable[tuple[slice, Callable[[], Array]]]) -> Array:
    """Read the outputs and join them in order: (batch, heads, all queries, d_v)."""
    read_from = {taken.start: read() for taken, read in readings}
    return np.concatenate([read_from[start] for start in sorted(read_from)], axis=-2)


def play(
    subject: Subject, history: History, parts: Iterable[Part], *, overwriting: bool = False
) -> Iterator[tuple[slice, Callable[[], Array]]]:
    """Make the calls, and yield for every `attend` the slice of its queries and a function that reads its output.

    With `overwriting`, NaN is written into every appended array right after the call.
    """
    caches: defaultdict[str, CacheSubject] = defaultdict(lambda: CacheSubject(subject))
    for call, taken in parts:
        if call.method == "attend":
            yield taken, caches[call.cache].attend(history.query[..., taken, :])
        else:
            words = [array[..., taken, :] for array in (history.key, history.value)]
            given = caches[call.cache].append(*words)
            if overwriting:
                for native, array in zip(given, words, strict=True):
                    subject.write(native, np.full_like(array, np.nan))
