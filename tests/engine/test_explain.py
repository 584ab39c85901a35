"""A failure is told with everything that is needed to see it again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_tests import Feature
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.explain import explain
from attention_tests.execution.failures import Disagreement, ImplementationRaised, WrongForm
from attention_tests.execution.subject import Subject
from properties.drawing.exact import Gather, GatherPlan
from properties.drawing.options import Options
from properties.drawing.plans import Plan
from properties.drawing.problem import Problem
from tests.support import targets
from tests.text.test_literals import problem

LAW = next(law for law in all_laws() if law.name == "test_every_element_is_inside_the_derived_bound")
PLAN = Plan(queries=2, keys=3)


def build(plan: GatherPlan) -> Gather:
    return plan.build("float32", frozenset(Feature))


def text_of(failure: Disagreement | ImplementationRaised, dtype: str = "float32") -> str:
    return explain(LAW, Subject(targets.declared, dtype), PLAN, problem(dtype), failure)


def line_of(text: str, label: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"  {label} "))


def disagreement(got: Any, expected: Any, bound: float | None = 1e-3, where: tuple[int, ...] = (0,)) -> Disagreement:
    sentence = "1 of 1 elements are outside the derived bound; the worst one:"
    return Disagreement(sentence, got=np.asarray(got), expected=np.asarray(expected), where=where, bound=bound)


def test_a_failure_shows_everything_needed_to_reproduce_it() -> None:
    text = text_of(disagreement([np.float32(0.1)], [0.25]))
    assert text.startswith("declared (float32, promised precision: float32) breaks a law.\n")
    clause = f"  clause    {LAW.clause.id} (§{LAW.clause.section}): {LAW.clause.says}"
    assert clause.split() == text[text.index("  clause") : text.index("  law")].split()
    assert LAW.says in line_of(text, "law")
    assert line_of(text, "problem").startswith("  problem   Plan(")
    assert "    query = np.array([[[[" in text
    assert "outside the derived bound" in text
    assert line_of(text, "at") == "  at        [0]"
    assert line_of(text, "got") == "  got       0.1"
    assert line_of(text, "expected") == "  expected  0.25"
    assert line_of(text, "error") == "  error     0.15, 150 times the bound 0.001"


def test_a_failure_prints_numpy_only_as_literals() -> None:
    text = text_of(disagreement([[0.1, 0.2], [0.3, np.nan]], np.ones((2, 2)), where=(np.int64(1), np.int64(1))))  # type: ignore[arg-type]
    assert "np.float64(" not in text
    assert "np.int64" not in text
    assert line_of(text, "at") == "  at        [1, 1]"
    assert line_of(text, "got") == "  got       nan"


def test_small_answers_are_shown_whole() -> None:
    text = text_of(disagreement([1.0, 0.5, 0.0], [1.0, 1 / 3, 0.0], where=(1,)))
    assert "    got = np.array([1. , 0.5, 0. ], dtype=np.float32)" in text
    expected = "[1.                , 0.3333333333333333, 0.                ]"
    assert f"    expected = np.array({expected}, dtype=np.float64)" in text


@pytest.mark.parametrize("size", [2, 25])
def test_very_small_and_large_answers_are_not_shown_whole(size: int) -> None:
    assert "got = " not in text_of(disagreement(np.zeros(size), np.ones(size)))


@pytest.mark.parametrize(
    ("bound", "words"),
    [(None, "0.5"), (0.0, "0.5, where none is allowed"), (0.125, "0.5, 4 times the bound 0.125")],
)
def test_an_error_is_given_as_a_multiple_of_its_bound(bound: float | None, words: str) -> None:
    text = text_of(disagreement([1.0], [1.5], bound))
    assert line_of(text, "error") == f"  error     {words}"


def test_a_scalar_has_no_index() -> None:
    assert "\n  at " not in text_of(disagreement(1.0, 2.0, where=()))


def test_an_answer_of_the_wrong_form_has_a_sentence_of_its_own() -> None:
    text = text_of(WrongForm("attention returned a list; return one array"))
    assert text.endswith("\n\n  attention returned a list; return one array")


def test_an_exception_is_not_reported_as_a_broken_law() -> None:
    text = text_of(ImplementationRaised("attention raised ValueError: no"))
    assert text.splitlines()[0].endswith("raised where a law asks for an answer.")
    assert "breaks" not in text


def test_a_problem_that_cannot_be_shrunk_is_printed_as_it_was_given() -> None:
    given = problem("float32")
    whole = Problem(given.query, given.key, given.value, "float32", axes={})
    text = explain(LAW, Subject(targets.declared, "float32"), PLAN, whole, disagreement([0.0], [1.0]))
    assert "\n  The problem, as it was given:\n    query = np.array(" in text
    assert "\n    value = np.array(" in text


def test_a_problem_to_the_bit_shows_its_shapes_and_its_options() -> None:
    plan = GatherPlan(of=Plan(queries=2, keys=300, d_k=4, d_v=4, options=Options(mask="most", softcap=30.0)))
    text = explain(LAW, Subject(targets.declared, "float32"), plan, build(plan), disagreement([0.0], [1.0]))
    assert "\n    query = np.array(" in text
    assert "\n    # key: float32, of shape (1, 1, 300, 4)\n    # value: float32, of shape (1, 1, 300, 4)\n" in text
    # The one that was given: that of the plan would blur what is owed to the bit.
    assert "\n    softcap = 512.0\n" in text


def test_long_sentences_are_wrapped() -> None:
    assert all(len(line) <= 120 for line in text_of(disagreement([0.0], [1.0])).splitlines())
