from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from attention_tests import Alignment, Dialect, Feature, Implementation, Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT, QUICK
from attention_tests.engine.search import hold, that_break
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.guards.process_state import put_back
from reference.document import CLAUSES
from tests.defects import DEFECTS, Defect, addresses, correct, correct_cache, correct_gradient, correct_layer, merges
from tests.defects.defect import implementation_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attention_tests.engine.law import Law

LAWS = {law.name: law for law in all_laws()}
WITHOUT_DEFECT = (
    implementation_of(correct.attention),
    implementation_of(correct.online),
    implementation_of(addresses.attention_by_address),
    implementation_of(correct.self_attention, Step.SELF_ATTENTION),
    implementation_of(correct.softmax, Step.SOFTMAX),
    implementation_of(correct_layer.layer, features=Feature),
    implementation_of(correct_layer.layer_of_a_decoder, dialect=Dialect(causal_windows=True)),
    implementation_of(correct_layer.layer_of_a_cache, dialect=Dialect(alignment=Alignment.BOTTOM_RIGHT)),
    implementation_of(correct_layer.online_layer),
    implementation_of(merges.layer_of_parts, features=[Feature.GROUPED_HEADS]),
    implementation_of(
        correct_gradient.gradient,
        Step.GRADIENT,
        features=[Feature.COMBINED_MASKS, Feature.NON_FINITE, Feature.GROUPED_HEADS],
    ),
    implementation_of(correct_cache.Cache, Step.CACHE, features=[Feature.GROUPED_HEADS]),
    implementation_of(correct_cache.Buffer, Step.CACHE),
)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    with put_back():
        yield


def test_no_two_defects_have_one_name() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)


# docs/reference/defects.md lists each of them, and a test of documents says whether it does.
def test_every_defect_that_is_written_is_in_the_catalogue() -> None:
    modules = [import_module(f"tests.defects.{file.stem}") for file in Path(__file__).parent.glob("*.py")]
    written = {id(member) for module in modules for member in vars(module).values() if isinstance(member, Defect)}
    assert written == {id(defect) for defect in DEFECTS}


def test_every_defect_breaks_a_clause_of_the_document() -> None:
    assert {defect.clause for defect in DEFECTS} <= set(CLAUSES)


def test_every_law_kills_at_least_one_defect() -> None:
    assert {defect.killed_by for defect in DEFECTS} == set(LAWS)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_the_law_that_kills_a_defect_applies_to_it(defect: Defect) -> None:
    subjects = (Subject(defect.implementation, dtype) for dtype in defect.implementation.dtypes)
    assert not any(LAWS[defect.killed_by].missing(subject) for subject in subjects)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_is_killed_by_its_law_at_every_dtype(defect: Defect) -> None:
    law = LAWS[defect.killed_by]
    for dtype in defect.implementation.dtypes:
        assert any(that_break(law, Subject(defect.implementation, dtype), DEFAULT)), f"{dtype} is let through"


# Otherwise a defect would have two things wrong, and a law might have found the other one.
@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
@pytest.mark.parametrize("implementation", WITHOUT_DEFECT, ids=lambda implementation: implementation.name)
def test_the_correct_parts_of_the_defects_break_no_law(implementation: Implementation, law: Law) -> None:
    for dtype in implementation.dtypes:
        outcome = hold(law, Subject(implementation, dtype), QUICK)
        assert outcome.verdict in (Verdict.PASS, Verdict.UNSUPPORTED), outcome.explanation
