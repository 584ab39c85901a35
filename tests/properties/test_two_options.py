"""The problems of the laws on two options: each pair of options is asked for alone, and several times."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from itertools import combinations

from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.search import corpus
from properties.drawing.options import Options
from properties.test_causality import CAUSAL_PROBLEMS_WITH_A_WINDOW
from properties.test_options import PROBLEMS_WITH_COMBINED_OPTIONS
from properties.test_two_options import BIAS, MASK, SCALE_OR_GROUPS, SOFT_CAP

SEVERAL = 5
OPTIONS = ("mask", "bias", "causal", "window", "softcap", "group", "scale")


def asked_for(options: Options) -> tuple[str, ...]:
    """Return the names of the options that are not left plain."""
    return tuple(
        one.name for one in fields(Options) if one.name in OPTIONS and getattr(options, one.name) != one.default
    )


def test_each_pair_is_asked_for_several_times_and_nothing_else_is() -> None:
    plans = [
        plan
        for stream in (MASK, BIAS, SOFT_CAP, SCALE_OR_GROUPS, CAUSAL_PROBLEMS_WITH_A_WINDOW)
        for plan in corpus(stream, DEFAULT)
    ]
    times = Counter(asked_for(plan.options) for plan in plans)
    assert times.keys() == {*combinations(OPTIONS, 2)}
    assert min(times.values()) >= SEVERAL


def test_most_pairs_are_never_asked_for_alone_among_many_options() -> None:
    met = {asked_for(plan.options) for plan in corpus(PROBLEMS_WITH_COMBINED_OPTIONS, DEFAULT)} & {
        *combinations(OPTIONS, 2)
    }
    assert len(met) < len([*combinations(OPTIONS, 2)]) / 2
