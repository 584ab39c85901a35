"""Classes of calls: each holds for a call that is of it, and not for one that is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_tests import Layout, Step
from attention_tests.execution.placement import Packing, Placement
from attention_tests.execution.subject import Subject
from attention_tests.targets.resolve import resolve
from benchmarks.coverage.call import Call, call_of, kinds_of
from benchmarks.coverage.factors import FACTORS

PLAIN = Call()
YES_AND_NO: dict[tuple[str, str], tuple[Call, Call]] = {
    ("observed", "output"): (PLAIN, Call(observed="gradients")),
    ("observed", "log-sum-exp"): (Call(observed="log-sum-exp"), PLAIN),
    ("observed", "gradients"): (Call(observed="gradients"), PLAIN),
    ("batch", "1"): (PLAIN, Call(batch=2)),
    ("batch", "2"): (Call(batch=2), Call(batch=3)),
    ("batch", "3 or more"): (Call(batch=3), Call(batch=2)),
    ("heads", "1 × 1"): (PLAIN, Call(group=2)),
    ("heads", "several × 1"): (Call(key_heads=2), Call(key_heads=2, group=2)),
    ("heads", "1 × several"): (Call(group=2), Call(key_heads=2, group=2)),
    ("heads", "several × a power of 2"): (Call(key_heads=3, group=4), Call(key_heads=2, group=6)),
    ("heads", "groups of 3, 5, 6 or 7"): (Call(group=6), Call(group=4)),
    ("queries", "1"): (PLAIN, Call(queries=2)),
    ("queries", "2 to 8"): (Call(queries=8), Call(queries=9)),
    ("queries", "a tile"): (Call(queries=128), Call(queries=127)),
    ("queries", "beside a tile"): (Call(queries=129), Call(queries=128)),
    ("queries", "as many as keys"): (Call(queries=5, keys=5), Call(queries=5, keys=6)),
    ("queries", "more than keys"): (Call(queries=6, keys=5), Call(queries=5, keys=5)),
    ("keys", "1"): (PLAIN, Call(keys=2)),
    ("keys", "below 16"): (Call(keys=15), Call(keys=16)),
    **{("keys", f"multiple of {n}"): (Call(keys=2 * n), Call(keys=2 * n + 1)) for n in (16, 32, 64, 128, 256)},
    **{("keys", f"beside a multiple of {n}"): (Call(keys=n - 1), Call(keys=n)) for n in (16, 32, 64, 128, 256)},
    **{("keys", f"> {n:,}"): (Call(keys=n + 1), Call(keys=n)) for n in (1024, 4096, 12_288)},
    ("keys", "16,385"): (Call(keys=16_385), Call(keys=16_384)),
    ("width of keys", "odd"): (Call(d_k=3), Call(d_k=4)),
    **{("width of keys", str(n)): (Call(d_k=n), Call(d_k=n + 1)) for n in (32, 64, 80, 96, 128, 192, 256, 576)},
    ("width of keys", "beside 64 or 128"): (Call(d_k=127), Call(d_k=128)),
    ("width of values", "equal"): (Call(d_k=2, d_v=2), Call(d_k=2, d_v=3)),
    ("width of values", "narrower"): (Call(d_k=2, d_v=1), Call(d_k=2, d_v=2)),
    ("width of values", "wider"): (Call(d_k=2, d_v=3), Call(d_k=2, d_v=2)),
    ("options", "none"): (PLAIN, Call(options={"causal": True})),
    **{
        ("options", f"{name} alone"): (Call(options={name: 1}), Call(options={name: 1, "scale": 1.0}))
        for name in ("mask", "bias", "causal", "window", "softcap")
    },
    **{
        ("options", f"{kind} alone"): (Call(options={"scale": yes}), Call(options={"scale": no}))
        for kind, yes, no in (
            ("a positive scale", 2.0, -2.0),
            ("a negative scale", -2.0, 0.0),
            ("a scale of zero", 0.0, 2.0),
        )
    },
    ("grid", "batch × heads > 65,535"): (Call(batch=4096, key_heads=2, group=8), Call(batch=65_535)),
    **{
        ("scores", kind): (Call(scores=frozenset({kind})), PLAIN)
        for kind in ("ordinary", "far below", "far above", "tied", "one winner")
    },
    **{
        (f"memory of the {name}", place): (
            Call(memory=[frozenset({place} if one == name else ()) for one in ("query", "key", "value")]),
            Call(memory=[frozenset({place} if one != name else ()) for one in ("query", "key", "value")]),
        )
        for name in ("query", "key", "value")
        for place in FACTORS["memory of the query"]
    },
}
for factor in ("options", "scale with an option"):
    for level in FACTORS[factor]:
        one, both, other = level.partition(" and ")
        value = {"a positive scale": 1.0, "a negative scale": -1.0, "a scale of zero": 0.0}.get(other, 1.0)
        if both:
            given: dict[str, Any] = {one: 1, "scale" if "scale" in other else other: value}
            YES_AND_NO[factor, level] = Call(options=given), Call(options={one: 1})


def test_every_class_is_tried() -> None:
    assert {(factor, level) for factor, levels in FACTORS.items() for level in levels} == YES_AND_NO.keys()


@pytest.mark.parametrize(("factor", "level"), YES_AND_NO)
def test_a_class_holds_for_one_call_and_not_for_another(factor: str, level: str) -> None:
    yes, no = YES_AND_NO[factor, level]
    assert FACTORS[factor][level](yes)
    assert not FACTORS[factor][level](no)


SUBJECTS = [Subject(resolve("numpy"), "float32"), Subject(resolve("torch"), "float32")]
ARRAY = np.arange(2.0 * 3 * 5 * 4).reshape(2, 3, 5, 4)
PLACES = {
    Placement.COLUMN_GAPS: "gaps between columns",
    Placement.ROW_GAPS: "gaps between rows",
    Placement.HEAD_GAPS: "gaps between heads",
    Placement.BLHD_STORAGE: "heads and rows exchanged",
    Placement.TRANSPOSED: "transposed",
    Placement.FORTRAN: "Fortran",
    Placement.ODD_OFFSET: "odd address",
    Placement.FAR: "beyond 2³¹",
}


def memory_of(subject: Subject, native: Any, layout: Layout = Layout.BATCH_HEAD_LENGTH_WIDTH) -> frozenset[str]:
    others = subject.native(ARRAY), subject.native(ARRAY)
    return call_of(Step.ATTENTION, (native, *others), {}, layout, subject.implementation.to_numpy).memory[0]


@pytest.mark.parametrize("subject", SUBJECTS, ids=repr)
@pytest.mark.parametrize("placement", PLACES)
def test_each_placement_is_told_from_the_others_by_its_strides(subject: Subject, placement: Placement) -> None:
    (native,) = subject.placed(ARRAY, [placement])
    told = memory_of(subject, native)
    assert PLACES[placement] in told
    if placement is not Placement.FAR:  # which has gaps besides
        assert told & {*PLACES.values()} == {PLACES[placement]}


@pytest.mark.parametrize("subject", SUBJECTS, ids=repr)
def test_a_plain_array_is_contiguous_and_nothing_else(subject: Subject) -> None:
    assert memory_of(subject, subject.native(ARRAY)) == {"contiguous"}


@pytest.mark.parametrize("subject", SUBJECTS, ids=repr)
def test_a_repeated_array_has_a_stride_of_zero(subject: Subject) -> None:
    (native,) = subject.placed(np.repeat(ARRAY[:1], 2, axis=0), [Placement.REPEATED])
    assert "stride 0" in memory_of(subject, native)


@pytest.mark.parametrize("subject", SUBJECTS, ids=repr)
@pytest.mark.parametrize("packing", Packing)
def test_slices_of_one_buffer_are_packed(subject: Subject, packing: Packing) -> None:
    slices = subject.packed([ARRAY] * 3, packing)
    call = call_of(Step.ATTENTION, slices, {}, Layout.BATCH_HEAD_LENGTH_WIDTH, subject.implementation.to_numpy)
    assert all("packed" in told for told in call.memory)


@pytest.mark.parametrize(
    ("scores", "kinds"),
    [
        ([[0.0, 1.0]], {"ordinary"}),
        ([[-90.0, -91.0]], {"far below"}),
        ([[90.0, 89.0]], {"far above"}),
        ([[1.0, 1.0]], {"tied"}),
        ([[0.0, -128.0]], {"one winner"}),
        ([[0.0]], {"ordinary"}),
        ([[0.0, 1.0], [1.0, 1.0]], {"tied"}),
        ([[np.nan, 1.0]], {"not finite"}),
    ],
)
def test_scores_are_of_a_kind(scores: list[list[float]], kinds: set[str]) -> None:
    assert kinds_of(np.array(scores)) == kinds


def test_a_call_is_read_in_every_layout() -> None:
    query, key = np.zeros((2, 6, 3, 4)), np.zeros((2, 2, 5, 4))
    calls = [
        call_of(Step.ATTENTION, (query, key, key), {}, Layout.BATCH_HEAD_LENGTH_WIDTH, np.asarray),
        call_of(
            Step.ATTENTION,
            [np.ascontiguousarray(one.swapaxes(1, 2)) for one in (query, key, key)],
            {},
            Layout.BATCH_LENGTH_HEAD_WIDTH,
            np.asarray,
        ),
    ]
    assert calls[0] == calls[1]
    assert (calls[0].batch, calls[0].key_heads, calls[0].group, calls[0].queries, calls[0].keys) == (2, 2, 3, 3, 5)
    one = call_of(Step.ATTENTION, (query[0, 0], key[0, 0], key[0, 0]), {}, Layout.LENGTH_WIDTH, np.asarray)
    assert one == replace(calls[0], batch=1, key_heads=1, group=1)


def test_options_that_are_given_and_what_is_observed_are_told() -> None:
    array = np.zeros((1, 1, 2, 2))
    options = {"scale": 2.0, "mask": None, "causal": False, "return_lse": True}
    call = call_of(Step.ATTENTION, (array, array, array), options, Layout.BATCH_HEAD_LENGTH_WIDTH, np.asarray)
    assert (call.options, call.observed) == ({"scale": 2.0}, "log-sum-exp")
