"""Problems depend on the values in a plan, and not on how the class of the plan is written down."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import field, fields, make_dataclass, replace
from itertools import islice, product
from typing import Any
from zlib import crc32

import pytest
from hypothesis import Phase

from attention_tests import Feature
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.drawing import drive
from attention_tests.engine.law import Stream
from attention_tests.engine.minimise import _smaller
from attention_tests.engine.profiles import QUICK
from properties.drawing import histories, plans, streams
from properties.drawing.gradient_options import plan
from properties.drawing.options import Options
from properties.drawing.plans import Plan, SentencePlan

Fields = list[tuple[str, Any, Any]]

DRAWN = [one.strategy for one in (streams.ANY_PROBLEM, streams.ANY_SENTENCE, histories.HISTORIES_OF_ONE_CACHE)]
FEW = replace(QUICK, examples=10)
STREAMS = {law.given for law in all_laws() if law.given.strategy in DRAWN}
FEATURES = (frozenset(Feature), frozenset[Feature]())


def with_another_field_first(written: Fields) -> Fields:
    return [("another", str, field(default="")), *written]


def with_another_field_last(written: Fields) -> Fields:
    return [*written, ("another", str, field(default=""))]


def in_another_order(written: Fields) -> Fields:
    return written[::-1]


def written_again(kind: type[Any], rewrite: Callable[[Fields], Fields], **others: Any) -> type[Any]:
    """Return the same class with its fields written down in another way, some of them as `others` says."""
    written = [(one.name, one.type, others.get(one.name, copy(one))) for one in fields(kind)]
    names = {name for name, _, _ in written}
    members = {name: member for name, member in vars(kind).items() if name not in names and not name.startswith("__")}
    members["__repr__"] = kind.__repr__
    return make_dataclass(kind.__name__, rewrite(written), namespace=members, frozen=True, kw_only=True)


def drawn(stream: Stream) -> list[Any]:
    """Return the plans that a law is held against, drawn anew."""
    plans: list[Any] = []
    drive(stream.strategy, FEW, (Phase.generate,), plans.append)
    return list(map(stream.narrow, plans))


def built(plan: Any) -> list[Any]:
    return [plan.build("float32", features, plans.DEFAULT_DIALECT) for features in FEATURES]


@pytest.fixture(scope="module")
def before() -> dict[Stream, list[Any]]:
    """Return the problems of each stream, built from the classes as they are."""
    return {stream: list(map(built, drawn(stream))) for stream in STREAMS}


@pytest.mark.parametrize(
    "rewrite", [with_another_field_first, with_another_field_last, in_another_order], ids=lambda one: one.__name__
)
def test_neither_another_field_nor_another_order_draws_other_problems(
    before: dict[Stream, list[Any]], rewrite: Callable[[Fields], Fields], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = written_again(Options, rewrite)
    classes = {
        "Options": options,
        "Plan": written_again(Plan, rewrite, options=field(default_factory=options)),
        "SentencePlan": written_again(SentencePlan, rewrite),
    }
    for module, (name, kind) in product((plans, streams, histories), classes.items()):
        if hasattr(module, name):
            monkeypatch.setattr(module, name, kind)
    assert {stream.strategy for stream in before} == set(DRAWN)
    for stream, problems_before in before.items():
        again = drawn(stream)
        assert {type(plan) for plan in again}.isdisjoint({Plan, SentencePlan})
        assert list(map(built, again)) == problems_before


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (Plan(seed=7), b"Plan(seed=7)"),
        (Plan(keys=5, overlay="tied rows", seed=1), b"Plan(keys=5, overlay='tied rows', seed=1)"),
        (
            Plan(batch=2, heads=3, queries=4, keys=5, d_k=6, d_v=7, regimes=("ones", "large"), overlay="none", seed=8),
            b"Plan(batch=2, heads=3, queries=4, keys=5, d_k=6, d_v=7, regimes=('ones', 'large'), seed=8)",
        ),
    ],
    ids=repr,
)
def test_the_number_of_a_plan_is_what_it_was_when_verdicts_were_recorded(plan: Plan, text: bytes) -> None:
    assert streams._number(plan) == crc32(text)


@pytest.mark.parametrize(
    "options", [{"mask": "most"}, {"bias": "normal", "bias_axes": "1hqk"}, {"mask": "padding", "mask_axes": "b11k"}]
)
@pytest.mark.parametrize("group", [1, 2])
def test_a_smaller_problem_has_options_that_fit_its_inputs(group: int, options: dict[str, Any]) -> None:
    problem = plan((3, 4, 2, 2), 1, group=group, **options).build("float32", frozenset(Feature))
    for smaller in islice(_smaller(problem), 40):
        assert smaller.seen.shape == smaller.logits_shape
