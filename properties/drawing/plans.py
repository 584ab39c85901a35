"""Plans: problems that are not yet built, small enough to draw fast, and the same problem on every machine.

Why plans and not arrays are drawn: docs/explanation/generation.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import numpy as np

from attention_tests import Dialect, Feature, Step
from attention_tests.declare import signature
from attention_tests.declare.features import SHAPING
from attention_tests.engine.calls import LAID_OUT, OF_A_SENTENCE, Call, Option, broadcast_shape
from attention_tests.engine.calls import Sizes as CallSizes
from attention_tests.execution.placement import Placement
from properties.drawing.masks import BIASES, MASKS
from properties.drawing.problem import AXES, Problem, Sentence, in_format
from properties.drawing.regimes import EVERY_REGIME, OVERLAYS, REGIMES, Sizes

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

DEFAULT_DIALECT = Dialect()


_NEEDS: dict[str, tuple[Feature, Any]] = {
    "mask": (Feature.MASK, ""),
    "bias": (Feature.BIAS, ""),
    "causal": (Feature.CAUSAL, False),
    "window": (Feature.WINDOW, None),
    "softcap": (Feature.SOFTCAP, None),
    "group": (Feature.GROUPED_HEADS, 1),
    "scale": (Feature.SCALE, None),
}
"""The feature that an option needs, and the default that leaves the option out."""


_HIDING_FEATURES = frozenset(signature.OPTIONS[name] for name in signature.HIDING)
"""The features that hide keys: used one at a time, unless an implementation can combine them."""


def _without_defaults(plan: Any) -> str:
    """Return the repr of a plan without its default values."""
    plain = type(plan)()
    named = ((one.name, getattr(plan, one.name)) for one in fields(plan))
    told = ", ".join(f"{name}={value!r}" for name, value in named if value != getattr(plain, name))
    return f"{type(plan).__name__}({told})"


def _smaller(size: int) -> Iterator[int]:
    """Yield smaller sizes, the smallest first."""
    yield from sorted(smaller for smaller in {1, size // 2, size - 1} if 0 < smaller < size)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a problem: the names and axes of a mask and a bias, and the other options as they are."""

    mask: str = ""
    mask_axes: str = "bhqk"
    bias: str = ""
    bias_axes: str = "bhqk"
    causal: bool = False
    window: int | None = None
    softcap: float | None = None
    group: int = 1
    """The number of query heads that share a key head."""
    scale: float | None = None

    def __repr__(self) -> str:
        return _without_defaults(self)

    def applied_to(self, problem: Problem) -> Problem:
        """Return the problem with these options, in shapes that fit it."""
        if self.group > 1:
            problem = self._grouped(problem)
        random, axes = problem.random, dict(problem.axes)
        mask = bias = None
        if self.mask:
            mask = MASKS[self.mask](random, broadcast_shape(self.mask_axes, problem.logits_shape))
            axes["mask"] = _tied(self.mask_axes, problem)
        if self.bias:
            drawn = BIASES[self.bias](random, broadcast_shape(self.bias_axes, problem.logits_shape))
            bias = in_format(drawn, problem.dtype)
            axes["bias"] = _tied(self.bias_axes, problem)
        given = replace(
            problem, mask=mask, bias=bias, axes=axes, causal=self.causal, softcap=self.softcap, scale=self.scale
        )
        return given.in_window(self.window)

    @cached_property
    def needs(self) -> frozenset[Feature]:
        """The features that an implementation needs for all these options."""
        asked_for = frozenset(need for name, (need, default) in _NEEDS.items() if getattr(self, name) != default)
        return asked_for | {Feature.COMBINED_MASKS} if len(asked_for & _HIDING_FEATURES) > 1 else asked_for

    def supported_by(self, features: frozenset[Feature]) -> Options:
        """Return the options that an implementation with `features` can combine in one call."""
        missing = {name: default for name, (need, default) in _NEEDS.items() if need not in features}
        left = replace(self, **missing)
        if left.needs <= features:
            return left
        _, *others = (name for name, (need, _) in _NEEDS.items() if need in left.needs & _HIDING_FEATURES)
        return replace(left, **{name: _NEEDS[name][1] for name in others})

    def fitted(self, call: Call) -> Options:
        """Return the options with the values of those of `call`, where it has them too."""
        given, values = dict(call.options), dict[str, Any]()
        values |= {name: given[name] for name in ("window", "softcap") if name in given and getattr(self, name)}
        values |= {f"{name}_axes": given[name] for name in ("mask", "bias") if name in given and getattr(self, name)}
        if self.group > 1 and call.sizes.group > 1:
            values["group"] = call.sizes.group
        return replace(self, **values)

    def simpler(self) -> Iterator[Options]:
        """Yield options that are fewer by one, or the query heads of a group."""
        given = {name: default for name, (_, default) in _NEEDS.items() if getattr(self, name) != default}
        yield from (replace(self, **{name: default}) for name, default in given.items())
        yield from (replace(self, group=size) for size in _smaller(self.group))

    def _grouped(self, problem: Problem) -> Problem:
        """Return the problem with `group` different query heads for each key head."""
        batch, heads, *rest = problem.query.shape
        factors = np.resize([1.0, -1.0, 0.5, 2.0, -0.5, -2.0, 0.25, 4.0], (self.group, 1, 1))
        query = (problem.query[:, :, None] * factors).reshape(batch, heads * self.group, *rest)
        axes = {name: letters.replace("h", "1") for name, letters in problem.axes.items()}
        return replace(problem.with_arrays(query=query), axes=axes)


@lru_cache(maxsize=4096)
def _given(options: Options, features: frozenset[Feature]) -> tuple[int, frozenset[Option]]:
    """Return the group and the options that are given to an implementation with `features`."""
    options = options.supported_by(features)
    given = {name: getattr(options, name) for name in _NEEDS if name != "group"}
    given = {name: value for name, value in given.items() if value != _NEEDS[name][1]}
    given |= {name: getattr(options, f"{name}_axes") for name in ("mask", "bias") if name in given}
    return options.group, frozenset(given.items())


def _tied(letters: str, problem: Problem) -> str:
    """Return the letters of an option's axes: queries and keys share one where their numbers must be equal."""
    return letters.replace("q", problem.axes["query"][2])


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
        return _without_defaults(self)

    @cached_property
    def depends_on(self) -> frozenset[Feature]:
        """The features that change the shapes and options of the problem."""
        memory = frozenset({Feature.MUTABLE} if self.memory else ())
        return SHAPING | self.options.needs | memory

    def call(self, features: frozenset[Feature]) -> Call:
        """Return the call that an implementation with `features` is asked for."""
        group, given = _given(self.options, features)
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
            sizes: Iterator[Any] = _smaller(getattr(self, name))
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
        return _without_defaults(self)

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
