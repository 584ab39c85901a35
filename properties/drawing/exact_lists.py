"""Lists of exact problems: every number of keys that kernels decide by, with batches, heads and widths in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Any

from hypothesis import strategies as st

from attention_tests import Feature
from attention_tests.engine.law import ListedPlan, Stream
from properties.drawing.exact import CountPlan, GatherPlan
from properties.drawing.few_keys import FewKeysBackwardPlan, FewKeysPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.scatter import ScatterPlan

MOST_NUMBERS = 2**17
"""The number of numbers in the keys of a problem, at most, so that it is built in a millisecond."""
MOST_SCORES = 2**15
MOST_SQUARE = 65
"""The number of keys, at most, where there must be as many queries."""
MOST_WEIGHTS = 2**15
MOST_TERMS = 2**15
"""The number of weights, and of their products with values, at most, where each is part of a bound."""

KEYS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512, 513)
MORE_KEYS = (1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 8192, 8193, 12288, 12289, 16384, 16385)
WIDTHS = (16, 64, 1, 4, 128, 33, 80, 2, 96, 3, 192, 63, 5, 256, 65, 8, 129, 32, 127, 576)
QUERIES = (1, 2, 64, 3, 5, 65, 8, 128, 1, 129)
BATCHES = (2, 1, 3, 1, 2)
HEADS = (1, 2, 3)
GROUPS = (2, 4, 3, 8, 5, 2, 6, 7)
HIDING = (
    Options(causal=True),
    Options(mask="padding", mask_axes="b11k"),
    Options(window=8),
    Options(mask="most"),
    Options(bias="minus infinity"),
    Options(causal=True, window=16),
    Options(mask="few", mask_axes="11qk"),
    Options(mask="triangle", causal=True),
    Options(bias="normal", bias_axes="1hqk"),
    Options(mask="padding", mask_axes="b11k", causal=True),
    Options(window=2, mask="most", mask_axes="qk"),
    Options(bias="distance", causal=True),
    Options(mask="one", mask_axes="bh1k"),
)


def shapes(  # noqa: PLR0913 - what takes turns
    keys: Sequence[int],
    *,
    queries: Sequence[int] = QUERIES,
    heads: Sequence[int] = HEADS,
    groups: Sequence[int] = (1,),
    options: Sequence[Options] = (Options(),),
    batches: Sequence[int] = BATCHES,
) -> Iterator[Plan]:
    """Yield a plan for each number of keys: the other sizes take turns, and are cut where they would cost much."""
    turns: Any = zip(
        keys, cycle(queries), cycle(heads), cycle(groups), cycle(options), cycle(batches), cycle(WIDTHS), strict=False
    )
    for seed, (n_k, n_q, head, group, option, batch, width) in enumerate(turns, 1):
        one_width = max(1, min(width, MOST_NUMBERS // (n_k * head * batch)))
        yield Plan(
            batch=batch,
            heads=head,
            queries=max(1, min(n_q, MOST_SCORES // (n_k * head * group * batch))),
            keys=n_k,
            d_k=one_width,
            d_v=one_width if seed % 3 else max(1, one_width // 2),
            seed=seed,
            options=replace(option, group=group),
        )


def listed(given: Callable[[frozenset[Feature]], Sequence[ListedPlan]]) -> Stream:
    """Return the stream of the plans that are `given` to an implementation with some features.

    Exploring draws the numbers, and so the keys that are asked for, anew.
    """
    # Only exploring needs them before it is known which features there are.
    plans = st.deferred(lambda: st.sampled_from(given(frozenset(Feature))))
    anew = st.builds(lambda plan, seed: plan.with_seed(seed), plans, st.integers(0, 2**16 - 1))
    return Stream(anew, listed=given)


def _mixed(plans: Sequence[Plan]) -> Sequence[Plan]:
    """Return the plans in an order whose beginning has small and large ones."""
    return [plan for first in range(3) for plan in plans[first::3]]


def _of_shapes(
    plans: Sequence[Plan],
    exact: type[GatherPlan | CountPlan | ScatterPlan | FewKeysPlan | FewKeysBackwardPlan],
) -> Stream:
    """Return the stream of exact problems of these shapes, without those that would cost much of an implementation.

    One that takes as many queries as keys only has many scores where there are many keys.
    """

    def given(features: frozenset[Feature]) -> Sequence[ListedPlan]:
        fits = (plan for plan in mixed if Feature.LENGTHS in features or plan.keys <= MOST_SQUARE)
        return [exact(of=plan) for plan in fits]

    mixed = _mixed(plans)
    return listed(given)


def gathers(*plans: Plan) -> Stream:
    """Return the stream of problems of these shapes whose queries each ask for one key."""
    return _of_shapes(plans, GatherPlan)


def counts(*plans: Plan) -> Stream:
    """Return the stream of problems of these shapes, cut where a bound would cost much, that weigh all keys alike."""
    return _of_shapes([_cut(plan) for plan in plans], CountPlan)


def _cut(plan: Plan, weights: int = MOST_WEIGHTS, terms: int = MOST_TERMS) -> Plan:
    """Return the plan with fewer runs, queries and columns, so that its weights and their products are few."""
    group = max(1, min(plan.options.group, weights // plan.keys))
    heads = max(1, min(plan.heads, weights // (plan.keys * group)))
    batch = max(1, min(plan.batch, weights // (plan.keys * group * heads)))
    keys = plan.keys * group * heads * batch
    queries = max(1, min(plan.queries, weights // keys))
    d_v = max(1, min(plan.d_v, terms // (keys * queries)))
    options = replace(plan.options, group=group)
    return replace(plan, heads=heads, batch=batch, queries=queries, d_v=d_v, options=options)


def few_keys(*plans: Plan) -> Stream:
    """Return the stream of problems of these shapes, cut as those of `counts`, whose queries weigh a few keys each."""
    return _of_shapes([_cut(plan) for plan in plans], FewKeysPlan)


def few_keys_backward(*plans: Plan, whole: Sequence[Plan] = ()) -> Stream:
    """Return the stream of backward passes of such problems, cut more, for they have three bounds, and `whole` ones."""
    return _of_shapes(
        [*(_cut(plan, MOST_WEIGHTS // 8, MOST_TERMS // 4) for plan in plans), *whole], FewKeysBackwardPlan
    )


def scatters(*plans: Plan) -> Stream:
    """Return the stream of backward passes of `gathers`."""
    return _of_shapes(plans, ScatterPlan)
