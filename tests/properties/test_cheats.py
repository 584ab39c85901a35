"""Planted cheats get through where they cheat: else they would need no law of their own."""

from __future__ import annotations

import pytest

from attention_tests.engine.calls import NUMBERS
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.search import build, corpus
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned
from properties.checks.comparison import expected
from tests.defects import DEFECTS

INSIDE_THE_BOUND = next(law for law in all_laws() if law.name == "test_every_element_is_inside_the_derived_bound")
CHEATS = {defect.name: defect for defect in DEFECTS}


@pytest.mark.parametrize("name", ["answer_found_in_memory", "answers_stored_in_a_table", "answer_of_the_oracle"])
@unwarned()
def test_a_cheat_passes_the_law_whose_answers_it_knows(name: str) -> None:
    subject = Subject(CHEATS[name].implementation, "float32")
    problems = [build(plan, subject) for plan in corpus(INSIDE_THE_BOUND.given, DEFAULT)]
    kept = [one for one in problems if one.numbers <= NUMBERS]
    for problem in kept:
        # As after another implementation was verified in the same process.
        expected(problem, subject.precision)
    assert not any(INSIDE_THE_BOUND.failure(subject, problem) for problem in kept)
