from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Feature, Implementation, Step
from attention_tests.catalogue import all_laws
from attention_tests.profiles import QUICK
from attention_tests.search import hold
from attention_tests.subject import Subject
from attention_tests.verdict import Verdict
from reference.document import CLAUSES
from tests.defects import DEFECTS, correct

LAWS = {law.name: law for law in all_laws()}
quietly = np.errstate(all="ignore")
WITHOUT_DEFECT = Implementation(
    name="without-defect",
    attention=quietly(correct.attention),
    self_attention=quietly(correct.self_attention),
    supports=frozenset({Feature.SCALE, Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS}),
    **{step.value: quietly(function) for step, function in correct.STEPS.items()},
)
ONLINE_WITHOUT_DEFECT = Implementation(name="online-without-defect", attention=quietly(correct.online))


def test_no_two_defects_have_one_name() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)


def test_there_are_at_least_sixty() -> None:
    assert len(DEFECTS) >= 60


def test_every_defect_breaks_a_clause_of_the_document() -> None:
    assert {defect.clause for defect in DEFECTS} <= set(CLAUSES)


def test_every_law_is_there_to_kill_a_defect() -> None:
    assert {defect.killed_by for defect in DEFECTS} == set(LAWS)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_the_law_that_kills_a_defect_applies_to_it(defect) -> None:  # type: ignore[no-untyped-def]
    law = LAWS[defect.killed_by]
    assert not any(law.missing(Subject(defect.implementation, dtype)) for dtype in defect.implementation.dtypes)


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
@pytest.mark.parametrize("implementation", [WITHOUT_DEFECT, ONLINE_WITHOUT_DEFECT], ids=lambda one: one.name)
def test_what_the_defects_are_made_of_has_none(implementation, law) -> None:  # type: ignore[no-untyped-def]
    for dtype in implementation.dtypes:
        outcome = hold(law, Subject(implementation, dtype), QUICK)
        assert outcome.verdict in (Verdict.PASS, Verdict.UNSUPPORTED), outcome.explanation
