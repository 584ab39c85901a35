"""Circumstances of a call, as factors with levels: what kernels decide by, and so where they break.

A row of the covering table (`covering`) names one level of each factor; a level stands for several sizes or values,
which take turns from row to row, as long as a row is cheap; else its first do that fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self, TypeAlias

from attention_tests import Feature
from attention_tests.declare import signature
from attention_tests.declare.domain import Sizes
from attention_tests.declare.features import SHAPING
from attention_tests.declare.signature import takes
from properties.drawing.exact import CountPlan, GatherPlan
from properties.drawing.masks import BROADCASTS
from properties.drawing.options import Options
from properties.drawing.plans import Plan

AnyPlan: TypeAlias = Plan | GatherPlan | CountPlan

BATCH = {"one": (1,), "several": (2, 3)}
HEADS = {
    "one": ((1, 1),),
    "several": ((2, 1), (3, 1)),
    "one group": ((1, 2), (1, 4)),
    "groups": ((2, 2), (2, 4), (3, 2)),
    "odd groups": ((2, 3), (1, 3), (2, 5), (2, 6), (2, 7)),
}
"""Key heads, and query heads for each of them."""
QUERIES = {
    "one": (1,),
    "few": (2, 3, 5),
    "a tile": (64, 128),
    "beside a tile": (63, 65, 127, 129),
    "as many as keys": (0,),
    "more than keys": (0,),
}
KEYS = {
    "one": (1,),
    "few": (2, 3, 7, 13, 15, 16, 17, 31, 32, 33),
    "a tile": (64, 128),
    "beside a tile": (63, 65, 127, 129),
    "256": (256,),
    "beside 256": (255, 257),
    "more than 1,024": (1025, 2048, 1040),
    "more than 4,096": (4097, 5120),
    "more than 12,288": (16385,),
}
D_K = {
    "odd": (3, 1, 5, 7, 13, 33),
    "small": (4, 16, 2, 8),
    **{str(width): (width,) for width in (32, 64, 80, 96, 128, 192, 256, 576)},
    "beside a tile": (63, 65, 127, 129),
}
D_V = {"equal": (0,), "narrower": (0,), "wider": (0,)}
NARROWER = {192: 128, 576: 512, 128: 96}
"""The narrower values of released models; half the width of the keys elsewhere."""

MEMORY = {
    "contiguous": ("",),
    **{
        name: (name,)
        for name in ("COLUMN_GAPS", "ROW_GAPS", "HEAD_GAPS", "BLHD_STORAGE", "TRANSPOSED", "FORTRAN", "ODD_OFFSET")
    },
}
"""The place in memory of one input; what only some shapes or libraries have is asked by laws of its own."""

INPUTS = ("query", "key", "value")

_AXES = [axes for narrow in BROADCASTS[1:] for axes in ("bhqk", "bhqk", narrow)]
"""Axes of masks and biases: most are of full shape."""
_MASKS = ("most", "padding", "triangle", "few", "one", "fully masked rows", "most")
_BIASES = ("normal", "minus infinity", "large", "distance", "normal")

_OPTION: dict[str, Sequence[Mapping[str, Any]]] = {
    "mask": tuple({"mask": _MASKS[turn % 7], "mask_axes": axes} for turn, axes in enumerate(_AXES)),
    "bias": tuple({"bias": _BIASES[turn % 5], "bias_axes": axes} for turn, axes in enumerate(_AXES)),
    "causal": ({"causal": True},),
    "window": tuple({"window": size} for size in (8, 2, 1, 16, 100)),
    "soft cap": tuple({"softcap": cap} for cap in (30.0, 1.0, 5.0, 50.0)),
    "scale": tuple({"scale": scale} for scale in (0.25, 2.0)),
    "negative scale": ({"scale": -0.5},),
    "scale of zero": ({"scale": 0.0},),
    "any scale": tuple({"scale": scale} for scale in (-0.5, 0.0, 2.0, -1.0, 0.25)),
}
_PAIRED = ("mask", "bias", "causal", "window", "soft cap")
OPTIONS: dict[str, tuple[str, ...]] = {
    "none": (),
    **{name: (name,) for name in _OPTION if name != "any scale"},
    **{
        f"{one} and {other}": (one, other)
        for place, one in enumerate(_PAIRED)
        for other in (*_PAIRED[place + 1 :], "any scale")
    },
}
"""Each option alone, and each pair."""

NUMBERS: dict[str, tuple[str, ...]] = {
    "gather": (),
    "count": (),
    "ordinary": ("normal", "uniform", "small integers"),
    "scores far below": ("scores far below", "scores below -1,000"),
    "scores far above": ("scores far above", "scores above 1,000"),
    "tied": ("ties", "one key repeated", "ones"),
    "one winner": ("amplifier", "spikes"),
    "offset": ("common offset", "values + 100"),
    "tiny": ("values x 1e-3", "subnormal values", "subnormal queries"),
}
"""Problems to the bit (`exact`), and regimes."""

FACTORS: dict[str, Mapping[str, Any]] = {
    "batch": BATCH,
    "heads": HEADS,
    "queries": QUERIES,
    "keys": KEYS,
    "d_k": D_K,
    "d_v": D_V,
    "query_memory": MEMORY,
    "key_memory": MEMORY,
    "value_memory": MEMORY,
    "options": OPTIONS,
    "numbers": NUMBERS,
}
TRIPLES = (("heads", "queries", "keys"), ("batch", "heads", "options"))
"""The factors whose levels meet three at a time; of all others every two do."""


TURNS = 4
"""The number of turns that are tried, to find sizes that fit."""


class Cost(NamedTuple):
    """The size of a call: numbers in and out, scores, and terms of the sums of a bound, 0 where there is none."""

    numbers: int
    scores: int
    terms: int

    @classmethod
    def of(cls, sizes: Sizes, *, with_a_bound: bool) -> Self:
        """Return the size of a call of these sizes."""
        batch, heads, group, queries, keys, d_k, d_v = sizes
        scores = batch * heads * group * queries * keys
        numbers = batch * heads * (keys + group * queries) * (d_k + d_v)
        return cls(numbers, scores, terms=scores * d_v if with_a_bound else 0)

    @property
    def share(self) -> float:
        """The largest part that it is of what milliseconds are enough for."""
        return max(self.numbers / 2**19, self.scores / (16_385 if self.terms else 64 * 1025), self.terms / (4 * 16_385))

    @property
    def fits(self) -> bool:
        """Whether it is milliseconds."""
        return self.share <= 1

    @property
    def is_cheap(self) -> bool:
        """Whether it is so little that there is room for more."""
        return self.share <= 1 / 8


def sizes_of(row: Mapping[str, str], turn: int) -> Sizes:
    """Return the sizes that a row of levels stands for at its `turn`, or the first that fit."""
    sizes = _sizes(row, turn)
    return sizes if _cost(sizes, row).is_cheap and _lies_as_it_says(sizes, row) else _first(row)


def _first(row: Mapping[str, str]) -> Sizes:
    every = (_sizes(row, turn) for turn in range(TURNS))
    fits = (sizes for sizes in every if _cost(sizes, row).fits and _lies_as_it_says(sizes, row))
    return next(fits, None) or _sizes(row, 0)


def _sizes(row: Mapping[str, str], turn: int) -> Sizes:
    batch, keys, d_k = (_at(FACTORS[name][row[name]], turn) for name in ("batch", "keys", "d_k"))
    heads, group = _at(HEADS[row["heads"]], turn)
    queries = {"as many as keys": keys, "more than keys": keys + 3}.get(row["queries"]) or _at(
        QUERIES[row["queries"]], turn
    )
    return Sizes(batch, heads, group, queries, keys, d_k, _d_v(row["d_v"], d_k))


def cost(row: Mapping[str, str]) -> Cost:
    """Return what the first sizes of a row take that fit."""
    return _cost(_first(row), row)


def _cost(sizes: Sizes, row: Mapping[str, str]) -> Cost:
    return Cost.of(sizes, with_a_bound=row["numbers"] != "gather")


def is_possible(row: Mapping[str, str]) -> bool:
    """Tell whether a row can be asked in milliseconds, and its inputs can lie in memory as it says."""
    sizes = _first(row)
    return _cost(sizes, row).fits and _lies_as_it_says(sizes, row)


_STEPS_ALONG: dict[str, tuple[str, ...]] = {
    "COLUMN_GAPS": ("width",),
    "ROW_GAPS": ("length",),
    "HEAD_GAPS": ("heads",),
    "BLHD_STORAGE": ("heads", "length"),
    "TRANSPOSED": ("length", "width"),
    "FORTRAN": ("heads", "length", "width"),
}
"""The axes along which there must be a step for a place in memory to be another."""


def _lies_as_it_says(sizes: Sizes, row: Mapping[str, str]) -> bool:
    return all(_shows(sizes, name, row[f"{name}_memory"]) for name in INPUTS)


def _shows(sizes: Sizes, name: str, place: str) -> bool:
    """Tell whether an input has the steps along its axes by which a place in memory differs from another."""
    steps = {
        "heads": sizes.heads * (sizes.group if name == "query" else 1),
        "length": sizes.queries if name == "query" else sizes.keys,
        "width": sizes.d_v if name == "value" else sizes.d_k,
    }
    return all(steps[axis] > 1 for axis in _STEPS_ALONG.get(place, ()))


def _d_v(level: str, d_k: int) -> int:
    return {"equal": d_k, "narrower": NARROWER.get(d_k, max(1, d_k // 2)), "wider": d_k + 5}[level]


def plan_of(row: Mapping[str, str], turn: int) -> AnyPlan:
    """Return the plan that a row of levels stands for at its `turn`."""
    batch, heads, group, queries, keys, d_k, d_v = sizes_of(row, turn)
    options: dict[str, Any] = {"group": group}
    is_far = row["numbers"] in {"scores far below", "scores far above"}
    for name in OPTIONS[row["options"]]:
        options |= _at(_OPTION["scale" if is_far and name == "any scale" else name], turn)
    memory = tuple(_at(MEMORY[row[f"{name}_memory"]], turn) for name in INPUTS)
    regimes = NUMBERS[row["numbers"]]
    plan = Plan(
        batch=batch,
        heads=heads,
        queries=queries,
        keys=keys,
        d_k=d_k,
        d_v=d_v,
        seed=turn + 1,
        options=Options(**options),
        memory=memory if any(memory) else (),
    )
    if regimes:
        return replace(plan, regimes=(_at(regimes, turn) if options.get("scale") is None else regimes[-1],))
    return GatherPlan(of=plan) if row["numbers"] == "gather" else CountPlan(of=plan)


def fitted(row: Mapping[str, str], features: frozenset[Feature]) -> dict[str, str]:
    """Return the levels that are left of a row where an implementation has only some features."""
    row = dict(row)
    if Feature.HEADS not in features:
        row |= {"batch": "one", "heads": "one"}
    if Feature.GROUPED_HEADS not in features:
        row["heads"] = "one" if row["heads"] == "one" else "several"
    if Feature.LENGTHS not in features:
        row["queries"] = "as many as keys"
    if Feature.VALUE_WIDTH not in features:
        row["d_v"] = "equal"
    if Feature.MUTABLE not in features:
        row |= {f"{name}_memory": "contiguous" for name in INPUTS}
    row["options"] = _supported(row["options"], features)
    sizes = _first(row)
    if not _cost(sizes, row).fits:
        row["keys"] = "few"
        sizes = _first(row)
    return row | {memory: "contiguous" for name in INPUTS if not _shows(sizes, name, row[memory := f"{name}_memory"])}


def _option(level: str) -> str:
    """Return the name of the option that a level is about."""
    return next(iter(_OPTION[level][0]))


DECIDING = frozenset(
    {Feature.COMBINED_MASKS, Feature.GROUPED_HEADS, Feature.MUTABLE, *SHAPING}
    | {signature.OPTIONS[_option(level)] for level in _OPTION}
)
"""The features that decide which levels there are."""


def _supported(level: str, features: frozenset[Feature]) -> str:
    names = [name for name in OPTIONS[level] if takes({_option(name)}, features)]
    if not takes({_option(name) for name in names}, features):
        names = names[:1]
    return "scale" if names == ["any scale"] else " and ".join(names) or "none"


def _at(choices: Sequence[Any], turn: int) -> Any:
    return choices[turn % len(choices)]
