"""The laws of causality: what a right implementation may do all the same."""

from __future__ import annotations

import pytest

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.search import failure_on
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from properties.drawing.options import Options
from properties.drawing.plans import Plan

LAWS = {law.name: law for law in all_laws()}
SIGNED = Plan(
    heads=2,
    queries=4,
    keys=4,
    d_k=11,
    d_v=4,
    regimes=("signed zeros",),
    overlay="special numbers",
    seed=65535,
    options=Options(causal=True),
)


@pytest.mark.parametrize(
    ("name", "dtype", "plan"),
    [
        ("numpy-layer", "float32", SIGNED),
        ("torch", "float16", Plan(batch=2, regimes=("huge logits",), options=Options(causal=True))),
    ],
    ids=["sign of zero", "no number"],
)
def test_a_later_value_may_change_the_sign_of_a_zero_and_leaves_what_is_no_number(
    name: str, dtype: str, plan: Plan
) -> None:
    subject = Subject(SHIPPED.load(name), dtype)
    assert failure_on(LAWS["test_later_tokens_change_no_bit_of_earlier_outputs"], subject, plan) is None
