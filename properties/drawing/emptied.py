"""Problems with an axis of size zero, of every kind: what is given, and a problem whose answer is the right one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from attention_tests import Feature
from attention_tests.engine.law import Stream
from properties.drawing.claims import only
from properties.drawing.gradients import BackwardPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem

P = TypeVar("P", bound=Problem)

AXES = "kqbhvdgt"
"""Axes to empty, a letter each: keys, queries, batches, heads, columns of values and of keys, key heads alone, and
queries and keys together, as of a text without tokens."""

_PLAIN = Options()
_OPTIONS: dict[str, tuple[Options, ...]] = {
    "k": (
        _PLAIN,
        Options(mask="most"),
        Options(causal=True),
        Options(bias="normal", bias_axes="1hqk"),
        Options(group=2),
        Options(window=2),
        Options(softcap=5.0),
    ),
    "q": (_PLAIN, Options(mask="most", mask_axes="b1qk"), Options(causal=True), Options(window=2), Options(group=2)),
    "b": (_PLAIN, Options(mask="padding", mask_axes="b11k"), Options(causal=True)),
    "h": (_PLAIN, Options(bias="normal"), Options(window=2)),
    "v": (_PLAIN, Options(mask="most"), Options(causal=True)),
    "d": (_PLAIN, Options(scale=0.5), Options(scale=0.5, causal=True), Options(scale=0.5, mask="most")),
    "g": (Options(group=2), Options(group=2, mask="most")),
    "t": (_PLAIN, Options(causal=True), Options(mask="most", group=2)),
}
_NEEDED = {
    "q": Feature.LENGTHS,
    "b": Feature.HEADS,
    "h": Feature.HEADS,
    "v": Feature.VALUE_WIDTH,
    "g": Feature.GROUPED_HEADS,
}
"""The feature without which there is no such axis of its own."""


def _plans(axes: str) -> list[Plan]:
    """Return plans of one size, so that little is to be compiled; the seed of each says which axis is emptied."""
    return [
        Plan(
            batch=2,
            heads=2,
            queries=3,
            keys=5,
            d_k=4,
            d_v=3,
            regimes=("normal",),
            seed=AXES.index(axis) + len(AXES) * place,
            options=options,
        )
        for place in range(max(map(len, _OPTIONS.values())))
        for axis in axes
        for options in _OPTIONS[axis][place : place + 1]
    ]


def to_be_emptied(axes: str) -> Stream:
    """Return a stream of problems, each of which `Emptied` makes one of without elements along one of the axes."""
    return only(*_plans(axes))


def to_be_emptied_backward(axes: str) -> Stream:
    """Return a stream of the same problems with an upstream gradient."""
    return only(*map(BackwardPlan, _plans(axes)))


@dataclass(frozen=True)
class Emptied(Generic[P]):
    """A problem with an axis of size zero, and one that the oracle takes and that has the same answer."""

    axis: str
    given: P
    alike: P

    @classmethod
    def of(cls, problem: P, features: frozenset[Feature]) -> Emptied[P]:
        """Empty the axis that the seed of a problem names: that of the keys, where there is no such axis."""
        axis = AXES[problem.seed % len(AXES)]
        if _NEEDED.get(axis) not in {None, *features}:
            axis = "k"
        given = alike = without(problem, axis)
        if axis == "d":
            # A sum of nothing is a score of zero, and so is a product of zeros.
            zeros = {name: np.zeros_like(getattr(problem, name)) for name in ("query", "key")}
            alike = problem.with_arrays(**zeros)
        if axis == "g":
            alike = without(problem, "k")
        return cls(axis, given, alike)

    @property
    def sees_nothing(self) -> bool:
        """Whether there are queries, and nothing that they could attend to."""
        return self.axis in "kg" and bool(self.given.query.size)

    @property
    def is_defined(self) -> bool:
        """Whether the formula says what the answer is: not for keys of width zero without a scale, 1/√0 being ∞."""
        return self.axis != "d" or self.given.scale is not None


def without(problem: P, axis: str) -> P:
    """Return a problem without elements along an axis of `AXES`."""
    if axis == "t":
        return without(without(problem, "k"), "q")
    if axis == "g":
        return replace(problem, key=problem.key[:, :0], value=problem.value[:, :0])
    arrays = {name: getattr(problem, name) for name in problem.axes}
    cuts = {
        name: tuple(slice(0) if letter == axis else slice(None) for letter in problem.axes[name]) for name in arrays
    }
    return problem.with_arrays(**{name: array[cuts[name]] for name, array in arrays.items()})
