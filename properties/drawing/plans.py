"""Plans: problems that are not yet built, small enough to draw fast, and the same problem on every machine.

Why plans and not arrays are drawn: docs/explanation/generation.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Dialect, Feature, Step
from attention_tests.declare.domain import Sizes as CallSizes
from attention_tests.declare.features import LAID_OUT, SHAPING
from attention_tests.engine.calls import OF_A_SENTENCE, Call
from attention_tests.execution.placement import Placement
from properties.drawing.options import Options, given_to, smaller, without_defaults
from properties.drawing.problem import AXES, Problem, Sentence, in_format
from properties.drawing.regimes import EVERY_REGIME, OVERLAYS, REGIMES, Sizes

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

DEFAULT_DIALECT = Dialect()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan of a problem: it prints in one line and builds the same problem on every machine."""

    batch: int = 1
    heads: int = 1
    queries: int = 1
    keys: int = 1
    d_k: int = 1
    d_v: int = 1
    regimes: tuple[str, ...] = ("zeros",)
    overlay: str = "none"
    seed: int = 0
    options: Options = field(default_factory=Options)
    memory: tuple[str, ...] = ()
    """The placements of query, key and value in memory, by name, empty for contiguous; none: all are."""

    def __repr__(self) -> str:
        return without_defaults(self)

    @cached_property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes and options of the problem."""
        memory = frozenset({Feature.MUTABLE} if self.memory else ())
        return SHAPING | self.options.needs | memory

    def call(self, features: frozenset[Feature]) -> Call:
        """Return the call that an implementation with `features` is asked for."""
        group, given = given_to(self.options, features)
        memory = self.memory if Feature.MUTABLE in features else ()
        places = tuple(Placement[name] if name else None for name in memory)
        return Call(self._sizes._replace(group=group).fitted(features), given, places=places)

    def fitted(self, call: Call) -> Plan | None:
        """Return the plan in the sizes of a call and with its values of the same options.

        None where two sizes that are one here would not be there.
        """
        _, _, _, queries, keys, d_k, d_v = sizes = call.sizes
        if call.step not in LAID_OUT:
            return None
        if (self.queries == self.keys and queries != keys) or (self.d_k == self.d_v and d_k != d_v):
            return None
        return replace(
            self,
            batch=sizes.batch,
            heads=sizes.heads,
            queries=queries,
            keys=keys,
            d_k=d_k,
            d_v=d_v,
            options=self.options.fitted(call),
            memory=tuple(place.name if place else "" for place in call.places) if self.memory else (),
        )

    def with_seed(self, seed: int) -> Plan:
        """Return the plan with another seed."""
        return replace(self, seed=seed)

    def simpler(self) -> Iterator[Plan]:
        """Yield plans that are smaller by one size or option, the smallest first."""
        for name in ("batch", "heads", "queries", "keys", "d_k", "d_v"):
            sizes: Iterator[Any] = smaller(getattr(self, name))
            yield from (replace(self, **{name: size}) for size in sizes)
        yield from (replace(self, options=options) for options in self.options.simpler())
        if self.memory:
            yield replace(self, memory=())
        for place, other in enumerate(self.memory):
            if other and self.memory.count("") < len(self.memory) - 1:
                yield replace(self, memory=(*self.memory[:place], "", *self.memory[place + 1 :]))

    def build(self, dtype: str, features: frozenset[Feature], dialect: Dialect = DEFAULT_DIALECT) -> Problem:
        """Build the problem in `dtype`, in the shapes that an implementation with `features` takes."""
        batch, heads, sizes = self._shape(features)
        random = np.random.default_rng([self.seed, batch, heads, sizes.queries, sizes.keys, sizes.d_k, sizes.d_v])
        regimes = [EVERY_REGIME[self.regimes[head % len(self.regimes)]] for head in range(batch * heads)]
        drawn = zip(*(regime(random, sizes) for regime in regimes), strict=True)
        arrays = (np.reshape(array, (batch, heads, *array[0].shape)) for array in drawn)
        query, key, value = (in_format(OVERLAYS[self.overlay](random, array), dtype) for array in arrays)
        return self._with_options(query, key, value, dtype, features, dialect)

    def build_zeros(self, dtype: str, features: frozenset[Feature], dialect: Dialect) -> Problem:
        """Build a problem of the same shapes and options whose numbers are all zero."""
        batch, heads, sizes = self._shape(features)
        query, key, value = (np.zeros((batch, heads, *shape)) for shape in sizes.shapes())
        return self._with_options(query, key, value, dtype, features, dialect)

    @property
    def _sizes(self) -> CallSizes:
        return CallSizes(self.batch, self.heads, self.options.group, self.queries, self.keys, self.d_k, self.d_v)

    def _shape(self, features: frozenset[Feature]) -> tuple[int, int, Sizes]:
        batch, heads, _, queries, keys, d_k, d_v = self._sizes.fitted(features)
        return batch, heads, Sizes(queries=queries, keys=keys, d_k=d_k, d_v=d_v)

    def _with_options(  # noqa: PLR0913, PLR0917 - the inputs, and what they are built for
        self,
        query: Array,
        key: Array,
        value: Array,
        dtype: str,
        features: frozenset[Feature],
        dialect: Dialect,
    ) -> Problem:
        axes = dict(AXES)
        if Feature.LENGTHS not in features:
            axes["query"] = "bhkd"
        if Feature.VALUE_WIDTH not in features:
            axes["value"] = "bhkd"
        memory = self.memory if Feature.MUTABLE in features else ()
        problem = Problem(query, key, value, dtype, seed=self.seed, axes=axes, dialect=dialect, memory=memory)
        return problem if self.options == Options() else self.options.supported_by(features).applied_to(problem)


@dataclass(frozen=True, kw_only=True)
class SentencePlan:
    """A plan of a sentence."""

    tokens: int = 1
    d_model: int = 1
    d_k: int = 1
    d_v: int = 1
    regime: str = "zeros"
    seed: int = 0

    def __repr__(self) -> str:
        return without_defaults(self)

    @property
    def depends_on(self) -> frozenset[Feature]:
        """No features: the shapes of a sentence are fixed."""
        return frozenset()

    def call(self, _features: frozenset[Feature]) -> Call:
        """Return the call that any implementation is asked for."""
        sizes = CallSizes(queries=self.tokens, keys=self.d_model, d_k=self.d_k, d_v=self.d_v)
        return Call(sizes, step=Step.SELF_ATTENTION)

    def fitted(self, call: Call) -> SentencePlan | None:
        """Return the plan in the sizes of a call; None where it takes no sentence."""
        if call.step not in OF_A_SENTENCE:
            return None
        _, _, _, tokens, d_model, d_k, d_v = call.sizes
        return replace(self, tokens=tokens, d_model=d_model, d_k=d_k, d_v=d_v)

    def with_seed(self, seed: int) -> SentencePlan:
        """Return the plan with another seed."""
        return replace(self, seed=seed)

    def build(self, dtype: str, _features: frozenset[Feature], _dialect: Dialect = DEFAULT_DIALECT) -> Sentence:
        """Build the sentence in `dtype`."""
        random = np.random.default_rng([self.seed, self.tokens, self.d_model, self.d_k, self.d_v])
        shapes = [(self.tokens, self.d_model), *((self.d_model, width) for width in (self.d_k, self.d_k, self.d_v))]
        x, w_query, w_key, w_value = (self._draw(random, *shape) for shape in shapes)
        arrays = [in_format(array, dtype) for array in (x, w_query, w_key, w_value)]
        return Sentence(arrays[0], arrays[1], arrays[2], arrays[3], dtype, seed=self.seed)

    def _draw(self, random: np.random.Generator, rows: int, columns: int) -> Array:
        return REGIMES[self.regime](random, Sizes(queries=rows, keys=1, d_k=columns, d_v=1)).query
