"""A plan is read from what it printed, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.plan_text import UnreadablePlan, read
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import corpus
from properties.drawing.histories import Call, HistoryPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan

SOME = replace(QUICK, examples=5)
LAWS = all_laws()


@pytest.mark.parametrize("law", LAWS, ids=[law.name for law in LAWS])
def test_every_plan_that_a_law_draws_can_be_parsed(law: Law) -> None:
    plans = corpus(law.given, SOME)
    assert plans
    assert [read(repr(plan)) for plan in plans] == list(plans)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(queries=2, regimes=("normal", "large"), options=Options(causal=True, scale=-0.5, window=3)),
        HistoryPlan((Call("append", 2), Call("append", 2), Call("attend", 1, "b")), Plan(seed=3)),
        HistoryPlan((Call("attend"),)),
    ],
    ids=repr,
)
def test_options_and_calls_are_parsed(plan: object) -> None:
    assert read(f"  {plan!r}\n") == plan


def test_a_plan_may_span_several_lines() -> None:
    assert read("Plan(\n  queries=2,\n  overlay='special\n   numbers',\n)") == Plan(
        queries=2, overlay="special numbers"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "'' is no plan"),
        ("Plan(", "'Plan(' is no plan"),
        ("3", "'3' is no plan: write one such as"),
        ("Options(causal=True)", "is no plan: write one such as"),
        ("Plann()", "did you mean 'Plan'?"),
        ("Plan(querys=2)", "'Plan(querys=2)' is no Plan: "),
        ("Plan(regimes=['normal'])", "is no Plan: unhashable"),
        ("Plan(queries=print(1))", "the plan 'print' is not known"),
        ("Plan(queries=1 + 1j * n)", "is no part of a plan"),
        ("Plan(**{'queries': 2})", "is no part of a plan"),
        ("Plan(*(1, 2))", "is no part of a plan"),
        ("__import__('os').system('true')", "is no part of a plan"),
        ("(" * 10_000, "is no plan"),
    ],
)
def test_an_invalid_plan_is_refused_in_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UnreadablePlan) as refused:
        read(text)
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
