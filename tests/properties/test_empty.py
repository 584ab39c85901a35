"""An axis of size zero may be answered or refused; what it may not do is end the process."""

from __future__ import annotations

import pytest

from attention_tests import Feature, Implementation
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import DEFAULT, QUICK, Profile
from attention_tests.engine.search import corpus, hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.isolation import POSSIBLE, isolated
from attention_tests.execution.isolation.process import Limits
from attention_tests.execution.subject import Subject
from properties.drawing.emptied import AXES, Emptied
from tests.support import hostile

LAWS = {law.name: law for law in all_laws()}
ANSWERED_OR_REFUSED = LAWS["test_an_axis_of_size_zero_is_answered_or_refused"]


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
@pytest.mark.parametrize(
    ("kernel", "verdict"),
    [("exits_without_an_element", Verdict.CRASH), ("refuses_without_an_element", Verdict.PASS)],
)
def test_the_end_of_a_process_is_told_from_a_refusal(kernel: str, verdict: Verdict) -> None:
    implementation, executor = isolated(f"tests.support.hostile:{kernel}", Limits(seconds=5, gibibytes=1))
    assert hold(ANSWERED_OR_REFUSED, Subject(implementation, "float32", executor), QUICK).verdict is verdict


@pytest.mark.parametrize(
    "law", [law for law in LAWS.values() if Feature.EMPTY in law.features], ids=lambda law: law.name
)
def test_who_declares_axes_of_size_zero_may_not_refuse_them(law: Law) -> None:
    kernel = hostile.refuses_without_an_element
    declared = Implementation(name="refuses", attention=kernel, gradient=kernel, supports=frozenset(Feature))
    assert hold(law, Subject(declared, "float32"), QUICK).verdict is not Verdict.PASS


@pytest.mark.parametrize("profile", [QUICK, DEFAULT], ids=lambda profile: profile.name)
def test_every_axis_is_emptied_in_every_profile(profile: Profile) -> None:
    plans = corpus(ANSWERED_OR_REFUSED.given, profile)
    features = frozenset(Feature)
    assert {Emptied.of(plan.build("float64", features), features).axis for plan in plans} == {*AXES}


def test_without_its_feature_an_axis_is_that_of_the_keys() -> None:
    plans = corpus(ANSWERED_OR_REFUSED.given, QUICK)
    none: frozenset[Feature] = frozenset()
    emptied = [Emptied.of(plan.build("float64", none), none) for plan in plans]
    assert {one.axis for one in emptied} == {"k", "d", "t"}
    assert all(one.given.key.size == 0 for one in emptied)
