"""The pairs and triples of classes that must be asked: those that meet in a call which an implementation can take.

A call that would take more than milliseconds (`properties.drawing.circumstances.Cost`) is not required, and so not what
meets in such calls alone; gradients, which have three bounds, take as long for fewer weights. Four things are required
with some classes only:

- a sign of a scale beside another option: with each of what is observed, for a scale beside it is a class of `options`;
- a packed buffer, a stride of 0 and offsets beyond 2³¹: of each input with the output, by laws of their own;
- more batches and heads than 16 bits count: with the output, by a law of its own;
- kinds of scores: where there are no more than `MOST_SCORES`, which is where they are computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, product
from typing import NamedTuple, TypeAlias

from attention_tests import Feature, Implementation, Step
from attention_tests.declare.domain import Sizes
from attention_tests.declare.signature import OPTIONS, takes
from benchmarks.coverage.call import MOST_SCORES, Call
from benchmarks.coverage.factors import FACTORS
from properties.drawing.circumstances import NARROWER, Cost
from properties.drawing.exact_lists import MOST_TERMS, MOST_WEIGHTS

Meeting: TypeAlias = tuple[tuple[str, str], ...]
"""Factors with a class of each."""

MEMORIES = tuple(factor for factor in FACTORS if factor.startswith("memory of"))
SIZES = ("batch", "heads", "queries", "keys", "width of keys", "width of values")
APART = ("scale with an option", "grid")
"""The factors that are required with what is observed, and with nothing else."""
RARE = ("packed", "stride 0", "beyond 2³¹")
PAIRED = tuple(factor for factor in FACTORS if factor not in APART)
TRIPLES = (
    ("observed", "heads", "keys"),
    ("observed", "options", "keys"),
    *(("observed", memory, "width of keys") for memory in MEMORIES),
    ("heads", "queries", "keys"),
    ("options", "heads", "observed"),
)
NOT_REQUIRED = "what meets only in calls which would take more than milliseconds"

HEADS = ((1, 1), (2, 1), (1, 2), (2, 2), (1, 3), (2, 3))
QUERIES = (1, 2, 64, 63)
KEYS = (1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1025, 2048, 4097, 12_289, 16_385)
WIDTHS = (4, 3, 32, 64, 80, 96, 128, 192, 256, 576, 63)
LEAST_HEADS = ((1, 1), (2, 1))


class Possible(NamedTuple):
    """The declaration of an implementation that decides about what it can be asked."""

    features: frozenset[Feature]
    gradient: bool
    causal_windows: bool

    @classmethod
    def of(cls, implementation: Implementation) -> Possible:
        """Return what an implementation declares."""
        declared = implementation.features, Step.GRADIENT in implementation.steps
        return cls(*declared, causal_windows=implementation.dialect.causal_windows)


def required(implementation: Implementation) -> Iterator[Meeting]:
    """Yield the pairs and triples of classes that the calls of an implementation must have."""
    possible = Possible.of(implementation)
    factors = [*combinations(PAIRED, 2), *TRIPLES, *(("observed", factor) for factor in APART)]
    for names in factors:
        for classes in product(*(FACTORS[name] for name in names)):
            meeting = tuple(zip(names, classes, strict=True))
            if is_required(meeting, possible):
                yield meeting


def is_required(meeting: Meeting, possible: Possible) -> bool:
    """Tell whether classes meet in a call that an implementation can take, and that takes milliseconds."""
    met = dict(meeting)
    if not _declared(met, possible):
        return False
    rare = any(met.get(memory) in RARE for memory in MEMORIES)
    if rare or "grid" in met:
        return len(met) == 2 and met.get("observed") == "output"
    kind, options = met.get("scores"), met.get("options", "")
    if kind and options == "a scale of zero alone":
        return kind == "tied"
    sizes = tuple((name, level) for name, level in meeting if name in SIZES)
    memory = tuple((MEMORIES.index(name), place) for name, place in meeting if name in MEMORIES)
    return _exists(sizes, memory, kind or "", possible.features & SHAPES, met.get("observed") == "gradients")


SHAPES = frozenset({Feature.HEADS, Feature.GROUPED_HEADS, Feature.LENGTHS, Feature.VALUE_WIDTH})


def _declared(met: dict[str, str], possible: Possible) -> bool:
    observed = {"output": True, "log-sum-exp": Feature.LOG_SUM_EXP in possible.features, "gradients": possible.gradient}
    if not observed[met.get("observed", "output")]:
        return False
    words = f"{met.get('options', '')} and {met.get('scale with an option', '')}".replace("alone", "").split()
    given = OPTIONS.keys() & {*words}
    if not takes(given, possible.features):
        return False
    if possible.causal_windows and "window" in given and given != {"window", "causal"} and "options" in met:
        return False
    placed = [met[memory] for memory in MEMORIES if met.get(memory, "contiguous") != "contiguous"]
    if placed and Feature.MUTABLE not in possible.features:
        return False
    return Feature.HEADS in possible.features or not ("grid" in met or "stride 0" in placed)


@cache
def _exists(
    sizes: Meeting,
    memory: tuple[tuple[int, str], ...],
    kind: str,
    features: frozenset[Feature],
    gradients: bool,  # noqa: FBT001 - of a cache
) -> bool:
    """Tell whether a call with these classes fits its cost."""
    wanted = [FACTORS[name][level] for name, level in sizes]
    return any(
        all(holds(call) for holds in wanted)
        and all(_can_lie(call, place, name) for place, name in memory)
        and _fits(call, kind, gradients=gradients)
        for call in _calls(frozenset(name for name, _ in sizes), features)
    )


@cache
def _calls(varied: frozenset[str], features: frozenset[Feature]) -> tuple[Call, ...]:
    """Return calls with all sizes of the factors that are varied, and the least of others."""
    batches = (1, 2, 3) if "batch" in varied else (1,)
    heads = HEADS if "heads" in varied else LEAST_HEADS
    keys = KEYS if "keys" in varied else (1, 2)
    widths = WIDTHS if "width of keys" in varied else (4,)
    calls = []
    for batch, (key_heads, group), n_k, d_k in product(batches, heads, keys, widths):
        if Feature.HEADS not in features and (batch, key_heads, group) != (1, 1, 1):
            continue
        if group > 1 and Feature.GROUPED_HEADS not in features:
            continue
        values = (d_k, NARROWER.get(d_k, max(1, d_k // 2)), d_k + 5) if Feature.VALUE_WIDTH in features else (d_k,)
        queries = (*QUERIES, n_k, n_k + 1) if Feature.LENGTHS in features else (n_k,)
        plain = Call(batch=batch, key_heads=key_heads, group=group, keys=n_k, d_k=d_k)
        calls += [replace(plain, queries=n_q, d_v=d_v) for n_q, d_v in product(queries, values)]
    return tuple(calls)


def _fits(call: Call, kind: str, *, gradients: bool) -> bool:
    sizes = Sizes(call.batch, call.key_heads, call.group, call.queries, call.keys, call.d_k, call.d_v)
    cost = Cost.of(sizes, with_a_bound=kind not in {"", "one winner"})
    if (kind and cost.scores > MOST_SCORES) or (kind in {"tied", "one winner"} and call.keys == 1):
        return False
    if gradients and (cost.scores > MOST_WEIGHTS // 4 or cost.scores * call.d_v > MOST_TERMS):
        return False
    return cost.fits


def _can_lie(call: Call, place: int, name: str) -> bool:
    """Tell whether an input of so many steps along each axis can lie so that its strides show it."""
    heads = call.key_heads * (call.group if place == 0 else 1)
    length, width = (call.queries if place == 0 else call.keys), (call.d_v if place == 2 else call.d_k)
    needs = {
        "heads and rows exchanged": (heads, length),
        "gaps between columns": (width,),
        "gaps between rows": (length,),
        "gaps between heads": (heads,),
        "transposed": (length, width),
        "Fortran": (heads, length, width),
    }
    return min(needs.get(name, (2,))) > 1
