"""Options of problems: masks and biases by name, with their axes, and all other options as they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from attention_tests import Feature
from attention_tests.declare import signature
from attention_tests.declare.domain import Sizes
from attention_tests.engine.calls import Call, Option, broadcast_shape
from properties.drawing.masks import BIASES, MASKS
from properties.drawing.problem import Problem, in_format

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


def without_defaults(plan: Any) -> str:
    """Return the repr of a plan without its default values."""
    plain = type(plan)()
    named = ((one.name, getattr(plan, one.name)) for one in fields(plan))
    told = ", ".join(f"{name}={value!r}" for name, value in named if value != getattr(plain, name))
    return f"{type(plan).__name__}({told})"


def smaller(size: int) -> Iterator[int]:
    """Yield smaller sizes, the smallest first."""
    yield from sorted(less for less in {1, size // 2, size - 1} if 0 < less < size)


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
        return without_defaults(self)

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
        if left.group > 1:
            left = replace(left, group=Sizes(group=left.group).fitted(features).group)
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
        yield from (replace(self, group=size) for size in smaller(self.group))

    def _grouped(self, problem: Problem) -> Problem:
        """Return the problem with `group` different query heads for each key head."""
        batch, heads, *rest = problem.query.shape
        # The second is not -1, under which what is even, as the slope of a soft cap, is that of the first.
        factors = np.resize([1.0, -0.5, -1.0, 2.0, 0.5, -2.0, 0.25, 4.0], (self.group, 1, 1))
        query = (problem.query[:, :, None] * factors).reshape(batch, heads * self.group, *rest)
        axes = {name: letters.replace("h", "1") for name, letters in problem.axes.items()}
        return replace(problem.with_arrays(query=query), axes=axes)


@lru_cache(maxsize=4096)
def given_to(options: Options, features: frozenset[Feature]) -> tuple[int, frozenset[Option]]:
    """Return the group and the options that are given to an implementation with `features`."""
    options = options.supported_by(features)
    given = {name: getattr(options, name) for name in _NEEDS if name != "group"}
    given = {name: value for name, value in given.items() if value != _NEEDS[name][1]}
    given |= {name: getattr(options, f"{name}_axes") for name in ("mask", "bias") if name in given}
    return options.group, frozenset(given.items())


def _tied(letters: str, problem: Problem) -> str:
    """Return the letters of an option's axes, by which they are cut together with those of the inputs.

    Queries and keys share one where their numbers must be equal, and the heads of groups are all kept.
    """
    of_query = problem.axes["query"]
    return letters.replace("h", of_query[1]).replace("q", of_query[2])
