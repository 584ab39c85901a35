"""Calls: the step, the sizes and the options of one call, without any number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from attention_tests.declare.dialect import Dialect, Layout
from attention_tests.declare.domain import Sizes
from attention_tests.declare.features import LAID_OUT, Feature, Step
from attention_tests.declare.signature import takes
from attention_tests.execution.placement import Placement
from attention_tests.execution.signatures import Argument, Signature

Option: TypeAlias = tuple[str, Any]
"""The name of an option and its value; the axes of a mask and of a bias."""

ADDED = ("return_lse", "dropout")
"""The options that no problem has, and that laws add."""
OF_A_SENTENCE = (Step.SELF_ATTENTION, Step.PROJECT)
"""The steps that take a sentence, which has no heads."""
NUMBERS = 2**15
"""The number of numbers in a problem that is kept, with its results, for the laws and implementations that share it."""


@dataclass(frozen=True)
class Call:
    """One call of a step."""

    sizes: Sizes
    options: frozenset[Option] = frozenset()
    step: Step = Step.ATTENTION
    places: tuple[Placement | None, ...] = ()
    """The place in memory of each input, None for contiguous; none: all are."""

    def fitted(self, features: Collection[str]) -> Call | None:
        """Return the call that an implementation with `features` can answer; None where it has not these options."""
        if not takes({name for name, _ in self.options}, features):
            return None
        if self.places and Feature.MUTABLE not in features:
            return None
        return self if self.step in OF_A_SENTENCE else replace(self, sizes=self.sizes.fitted(features))

    @property
    def drawn(self) -> Call:
        """The call of a problem: without what a law adds to it."""
        return replace(self, options=frozenset(one for one in self.options if one[0] not in ADDED))

    def signature(self, dialect: Dialect) -> Signature:
        """Return the signature of this call in the layout of an implementation, without a dtype."""
        if self.step not in LAID_OUT:
            arguments = _of_a_step(self.sizes)[self.step]
            return Signature(self.step, arguments, "", ())
        batch, heads, group, queries, keys, d_k, d_v = self.sizes
        query, key, value = (
            dialect.layout.laid_out((batch, number, length, width))
            for number, length, width in ((heads * group, queries, d_k), (heads, keys, d_k), (heads, keys, d_v))
        )
        upstream = ((*query[:-1], d_v),) if self.step is Step.GRADIENT else ()
        options = dict(self.options)
        if "window" in options and dialect.causal_windows:
            options["causal"] = True
        scores = (batch, heads * group, queries, keys)
        for name in {"mask", "bias"} & options.keys():
            options[name] = _shape(options[name], scores, dialect.layout)
        arguments = query, key, value, *upstream
        places = [_stored_otherwise(place, dialect.layout) for place in self.places]
        rest = [""] * (len(arguments) + len(options) - len(places)) if places else []
        return Signature(self.step, arguments, "", tuple(sorted(options.items())), (*places, *rest))


def _of_a_step(sizes: Sizes) -> dict[Step, tuple[Argument, ...]]:
    """Return the arguments of the steps of the document, and of those that take a sentence.

    A sentence has as many tokens as there are queries, and is as wide as there are keys.
    """
    batch, heads, group, queries, keys, d_k, d_v = sizes
    query, key = (batch, heads * group, queries, d_k), (batch, heads, keys, d_k)
    scores, value = (batch, heads * group, queries, keys), (batch, heads, keys, d_v)
    x, w_query, w_value = (queries, keys), (keys, d_k), (keys, d_v)
    return {
        Step.SCORE: (query, key),
        Step.SCALE: (scores, d_k),
        Step.SOFTMAX: (scores,),
        Step.WEIGH: (scores, value),
        Step.SUM: ((*scores, d_v),),
        Step.SELF_ATTENTION: (x, w_query, w_query, w_value),
        Step.PROJECT: (x, w_query),
    }


def _stored_otherwise(place: Placement | None, layout: Layout) -> str:
    if place is Placement.BLHD_STORAGE and "LH" in layout:
        return Placement.BHLD_STORAGE
    return place or ""


def broadcast_shape(axes: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape (batch, heads, n_q, n_k) with the ones and missing leading axes of `axes`."""
    return tuple(1 if letter == "1" else shape["bhqk".index(letter)] for letter in axes)


def _shape(axes: str, scores: tuple[int, ...], layout: Layout) -> tuple[int, ...]:
    """Return the shape of a mask or a bias, whose axes are letters, as it is given."""
    shape = broadcast_shape(axes, scores)
    return layout.of_rows(shape) if len(shape) == 4 else shape
