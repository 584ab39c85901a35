"""The laws of causality: what a right implementation may do all the same."""

from __future__ import annotations

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.search import failure_on
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from properties.drawing.options import Options
from properties.drawing.plans import Plan

LAWS = {law.name: law for law in all_laws()}


def test_a_later_value_may_change_the_sign_of_a_zero() -> None:
    plan = Plan(
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
    subject = Subject(SHIPPED.load("numpy-layer"), "float32")
    assert failure_on(LAWS["test_later_tokens_change_no_bit_of_earlier_outputs"], subject, plan) is None
