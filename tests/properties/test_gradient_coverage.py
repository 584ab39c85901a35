"""Calls that arrive at the gradient of an implementation with all features: options, pairs of them, real sizes.

Counted from the calls, not from the plans: a feature that is declared and not asked for on the way back would be
verified by nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pytest

from attention_tests import Feature, Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from implementations.numpy.layer import LAYER

FORWARD_ONLY = {Feature.LOG_SUM_EXP, Feature.THREADS, Feature.EMPTY, Feature.DROPOUT}
"""Features that are not asked for on the way back: it has no log-sum-exp, and the rest is of the forward pass."""
SHAPES_OR_NUMBERS = {Feature.HEADS, Feature.NON_FINITE, Feature.MUTABLE, Feature.COMBINED_MASKS}


@dataclass(frozen=True)
class Call:
    """One call of the gradient: the sizes of its arrays, and its options."""

    batch: int
    key_heads: int
    group: int
    queries: int
    keys: int
    d_k: int
    d_v: int
    options: dict[str, Any]

    @classmethod
    def of(cls, query: Any, key: Any, value: Any, options: dict[str, Any]) -> Call:
        (batch, heads, queries, d_k), (_, key_heads, keys, _), d_v = query.shape, key.shape, value.shape[-1]
        return cls(batch, key_heads, heads // max(1, key_heads), queries, keys, d_k, d_v, options)

    def has(self, option: str) -> bool:
        return self.options.get(option) not in (None, False)


Circumstance = Callable[[Call], bool]

OPTIONS: dict[Feature, Circumstance] = {
    Feature.MASK: lambda call: call.options.get("mask") is not None,
    Feature.BIAS: lambda call: call.options.get("bias") is not None,
    Feature.CAUSAL: lambda call: call.has("causal"),
    Feature.WINDOW: lambda call: call.has("window"),
    Feature.SOFTCAP: lambda call: call.has("softcap"),
    Feature.SCALE: lambda call: call.options.get("scale") is not None,
    Feature.GROUPED_HEADS: lambda call: call.group > 1,
}
SHAPES: dict[Feature, Circumstance] = {
    Feature.LENGTHS: lambda call: call.queries != call.keys,
    Feature.VALUE_WIDTH: lambda call: call.d_k != call.d_v,
}
WITH_EACH_OPTION: dict[str, Circumstance] = {
    "fewer queries than keys": lambda call: call.queries < call.keys,
    "a width of 64 or more": lambda call: call.d_k >= 64,
    "such a width, fewer queries and more than 64 keys": lambda call: call.d_k >= 64 and call.queries < call.keys > 64,
    "several batches and key heads": lambda call: call.batch > 1 and call.key_heads > 1,
}
NUMBERS: dict[str, Circumstance] = {
    "a negative scale": lambda call: call.options.get("scale", 0) < 0,
    "a scale of zero": lambda call: call.options.get("scale") == 0,
    "grouped heads, several key heads and batches": (
        lambda call: call.group > 1 and call.key_heads > 1 and call.batch > 1
    ),
}
WIDTHS = {(64, 64), (80, 80), (96, 96), (128, 128), (192, 192), (256, 256), (192, 128), (128, 96)}
"""Widths (d_k, d_v) of heads in models."""
LENGTHS = {65, 129, 257}
"""Numbers of keys one beyond a block."""


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    """Return every call of the gradient in the default profile."""
    arrived: list[Call] = []

    def gradient(query: Any, key: Any, value: Any, upstream: Any, **options: Any) -> Any:
        arrived.append(Call.of(query, key, value, options))
        return LAYER.gradient(query, key, value, upstream, **options)  # type: ignore[misc]

    subject = Subject(replace(LAYER, gradient=gradient), "float32")
    for law in all_laws():
        if Step.GRADIENT in law.steps:
            assert hold(law, subject, DEFAULT).verdict is Verdict.PASS
    return arrived


def test_every_feature_is_one_that_is_looked_for_here_or_has_no_part_in_a_gradient() -> None:
    assert OPTIONS.keys() | SHAPES.keys() | FORWARD_ONLY | SHAPES_OR_NUMBERS == {*Feature}


@pytest.mark.parametrize("pair", list(combinations(OPTIONS | SHAPES, 2)), ids=" and ".join)
def test_every_pair_of_features_arrives_at_the_gradient(calls: list[Call], pair: tuple[Feature, Feature]) -> None:
    one, other = ((OPTIONS | SHAPES)[feature] for feature in pair)
    assert any(one(call) and other(call) for call in calls)


@pytest.mark.parametrize("circumstance", WITH_EACH_OPTION)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_arrives_in_every_shape(calls: list[Call], option: Feature, circumstance: str) -> None:
    assert any(OPTIONS[option](call) and WITH_EACH_OPTION[circumstance](call) for call in calls)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_arrives_with_other_scales_and_groups(calls: list[Call], option: Feature, number: str) -> None:
    assert any(OPTIONS[option](call) and NUMBERS[number](call) for call in calls)


def test_the_sizes_of_real_heads_arrive(calls: list[Call]) -> None:
    assert {(call.d_k, call.d_v) for call in calls} >= WIDTHS
    assert {call.keys for call in calls if call.d_k >= 64} >= LENGTHS
    assert {call.group for call in calls} >= {1, 2, 3}


def test_several_blocks_of_queries_and_of_keys_arrive_again_and_again(calls: list[Call]) -> None:
    assert sum(call.queries >= 300 and call.keys >= 300 for call in calls) > 5


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_arrives_without_any_other(calls: list[Call], option: Feature) -> None:
    assert any([other for other, asked in OPTIONS.items() if asked(call)] == [option] for call in calls)
