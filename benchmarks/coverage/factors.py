"""Factors of a call, each with its classes: predicates on what arrived. Classes of one factor overlap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import TypeAlias

from benchmarks.coverage.call import Call
from benchmarks.coverage.memory import MEMORY

Predicate: TypeAlias = Callable[[Call], bool]

GRID = 65_535
"""The largest size of the outer axes of a grid of thread blocks."""
TILES = (64, 128)
BLOCKS = (16, 32, 64, 128, 256)
WIDTHS = (32, 64, 80, 96, 128, 192, 256, 576)
ODD_GROUPS = (3, 5, 6, 7)
KINDS = ("ordinary", "far below", "far above", "tied", "one winner")
SCALES: dict[str, Callable[[float], bool]] = {
    "a positive scale": lambda scale: scale > 0,
    "a negative scale": lambda scale: scale < 0,
    "a scale of zero": lambda scale: scale == 0,
}
OPTIONS = ("mask", "bias", "causal", "window", "softcap")


def beside(size: int, block: int) -> bool:
    """Tell whether a size is one beside a multiple of a block."""
    return size >= block - 1 and size % block in (1, block - 1)


def _observed(name: str) -> Predicate:
    return lambda call: call.observed == name


def _multiple(block: int) -> Predicate:
    return lambda call: call.keys % block == 0


def _beside(block: int) -> Predicate:
    return lambda call: beside(call.keys, block)


def _more(keys: int) -> Predicate:
    return lambda call: call.keys > keys


def _wide(width: int) -> Predicate:
    return lambda call: call.d_k == width


def _memory(place: int, name: str) -> Predicate:
    return lambda call: name in call.memory[place]


def _scored(name: str) -> Predicate:
    return lambda call: name in call.scores


def _alone(name: str) -> Predicate:
    return lambda call: call.options.keys() == {name}


def _both(*names: str) -> Predicate:
    return lambda call: call.options.keys() >= {*names}


def _scale_alone(kind: str) -> Predicate:
    return lambda call: call.options.keys() == {"scale"} and SCALES[kind](call.options["scale"])


def _with_scale(name: str, kind: str) -> Predicate:
    return lambda call: call.options.keys() >= {name, "scale"} and SCALES[kind](call.options["scale"])


PLACES = [*MEMORY, "packed"]

FACTORS: dict[str, Mapping[str, Predicate]] = {
    "observed": {name: _observed(name) for name in ("output", "log-sum-exp", "gradients")},
    "batch": {
        "1": lambda call: call.batch == 1,
        "2": lambda call: call.batch == 2,
        "3 or more": lambda call: call.batch >= 3,
    },
    "heads": {
        "1 × 1": lambda call: call.key_heads == call.group == 1,
        "several × 1": lambda call: call.key_heads > 1 == call.group,
        "1 × several": lambda call: call.group > 1 == call.key_heads,
        "several × a power of 2": (
            lambda call: call.key_heads > 1 and call.group > 1 and call.group & (call.group - 1) == 0
        ),
        "groups of 3, 5, 6 or 7": lambda call: call.group in ODD_GROUPS,
    },
    "queries": {
        "1": lambda call: call.queries == 1,
        "2 to 8": lambda call: 2 <= call.queries <= 8,
        "a tile": lambda call: call.queries in TILES,
        "beside a tile": lambda call: call.queries in {size + side for size in TILES for side in (-1, 1)},
        "as many as keys": lambda call: call.queries == call.keys,
        "more than keys": lambda call: call.queries > call.keys,
    },
    "keys": {
        "1": lambda call: call.keys == 1,
        "below 16": lambda call: 1 < call.keys < 16,
        **{f"multiple of {block}": _multiple(block) for block in BLOCKS},
        **{f"beside a multiple of {block}": _beside(block) for block in BLOCKS},
        **{f"> {keys:,}": _more(keys) for keys in (1024, 4096, 12_288)},
        "16,385": lambda call: call.keys == 16_385,
    },
    "width of keys": {
        "odd": lambda call: call.d_k % 2 == 1,
        **{str(width): _wide(width) for width in WIDTHS},
        "beside 64 or 128": lambda call: call.d_k in {size + side for size in TILES for side in (-1, 1)},
    },
    "width of values": {
        "equal": lambda call: call.d_v == call.d_k,
        "narrower": lambda call: call.d_v < call.d_k,
        "wider": lambda call: call.d_v > call.d_k,
    },
    **{
        f"memory of the {array}": {name: _memory(place, name) for name in PLACES}
        for place, array in enumerate(("query", "key", "value"))
    },
    "options": {
        "none": lambda call: not call.options,
        **{f"{name} alone": _alone(name) for name in OPTIONS},
        **{f"{kind} alone": _scale_alone(kind) for kind in SCALES},
        **{f"{one} and {other}": _both(one, other) for one, other in combinations((*OPTIONS, "scale"), 2)},
    },
    "scores": {name: _scored(name) for name in KINDS},
    "scale with an option": {f"{name} and {kind}": _with_scale(name, kind) for name in OPTIONS for kind in SCALES},
    "grid": {f"batch × heads > {GRID:,}": lambda call: call.batch * call.key_heads * call.group > GRID},
}


def classes_of(call: Call) -> dict[str, list[str]]:
    """Return the classes of a call by factor."""
    return {factor: [name for name, holds in classes.items() if holds(call)] for factor, classes in FACTORS.items()}
