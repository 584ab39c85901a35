"""A known failure is expected on the problem that is stored with it, and nothing else passes for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from attention_tests import Implementation
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import hold, hold_pinned
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.environment import processor
from attention_tests.execution.subject import Subject
from attention_tests.expectations.entries import Expectations, Finding, KnownFailure, PinnedProblem
from attention_tests.expectations.replay import expect_failure
from attention_tests.pytest_plugin.decide import decide
from attention_tests.pytest_plugin.run import Run
from properties.drawing.plans import Plan
from tests.defects import correct
from tests.defects.correct import Array
from tests.support import targets

LAWS = {law.name: law for law in all_laws()}
LAW = LAWS["test_every_element_is_inside_the_derived_bound"]
FINDING = Finding(reason="seven is not supported", issue="https://example.org/7", verdict=Verdict.ERROR)
KNOWN = KnownFailure(
    finding=FINDING, implementation="mine", dtype="float32", law=LAW.name, counterexample="Plan(keys=7)"
)


def subject(function: Callable[..., Any]) -> Subject:
    return Subject(Implementation(name="mine", attention=function), "float32")


def expected(function: Callable[..., Any], known: KnownFailure = KNOWN) -> Outcome:
    return expect_failure(LAW, subject(function), known, QUICK)


def wrong_at(*lengths: int) -> Callable[..., Array]:
    def attention(query: Array, key: Array, value: Array) -> Array:
        return correct.attention(query, key, value) + (key.shape[-2] in lengths)

    return attention


def test_only_the_stored_problem_decides() -> None:
    calls = []

    def counted(query: Array, key: Array, value: Array) -> Array:
        calls.append(key.shape)
        return targets.raises_on_seven_keys(query, key, value)

    outcome = expected(counted)
    assert outcome.verdict is Verdict.EXPECTED_FAILURE
    assert outcome.explanation == "seven is not supported (https://example.org/7)"
    assert outcome.counterexample == KNOWN.counterexample
    assert calls == [(1, 1, 7, 1)]


def test_a_law_that_holds_now_is_an_unexpected_pass() -> None:
    outcome = expected(targets.attention)
    assert outcome.verdict is Verdict.UNEXPECTED_PASS
    assert "seven is not supported" in outcome.explanation
    assert outcome.explanation.endswith("take it out")


def test_another_problem_that_breaks_the_law_was_not_known() -> None:
    known = replace(KNOWN, finding=structs.replace(FINDING, verdict=Verdict.FAIL))
    outcome = expected(wrong_at(3), known)
    assert outcome.verdict is Verdict.FAIL
    assert "the problem stored for that passes now" in outcome.explanation
    assert "The smallest problem found:" in outcome.explanation
    assert "keys=3" in outcome.counterexample
    assert expected(wrong_at(7), known).verdict is Verdict.EXPECTED_FAILURE


def test_another_verdict_on_the_stored_problem_was_not_known() -> None:
    outcome = expected(wrong_at(7))
    assert outcome.verdict is Verdict.FAIL
    assert "with the verdict error, and what it does now is another: fail." in outcome.explanation


def test_without_a_stored_problem_any_will_do() -> None:
    known = replace(KNOWN, counterexample="")
    assert expected(targets.raises_on_seven_keys, known).verdict is Verdict.EXPECTED_FAILURE
    assert expected(targets.attention, known).verdict is Verdict.UNEXPECTED_PASS
    assert expected(wrong_at(7), known).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("versions", "applies"),
    [
        ("", True),
        ("numpy>=1", True),
        (f"numpy=={version('numpy')}", True),
        ("numpy<1", False),
        ("a-library-that-nobody-has>=1", False),
    ],
)
def test_an_entry_applies_to_its_versions(versions: str, applies: bool) -> None:  # noqa: FBT001 - a table
    known = replace(KNOWN, finding=structs.replace(FINDING, versions=versions))
    assert known.finding.applies is applies
    assert (Expectations((known,)).known("mine", "float32", LAW.name) is known) is applies


@pytest.mark.parametrize(("ability", "applies"), [("", True), ("amx_bf16", True), ("a-thing-that-none-can-do", False)])
def test_an_entry_applies_to_its_processors(ability: str, applies: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a table
    monkeypatch.setattr(processor, "abilities", lambda: frozenset({"fpu", "amx_bf16"}))
    assert structs.replace(FINDING, processor=ability).applies is applies


@pytest.mark.parametrize("asked", [("mine", "float64", LAW.name), ("m", "float32", LAW.name), ("mine", "float32", "t")])
def test_an_entry_applies_to_nothing_else(asked: tuple[str, str, str]) -> None:
    assert Expectations((KNOWN,)).known(*asked) is None


def run_with(expectations: Expectations) -> Run:
    return Run(QUICK, expectations=expectations)


def test_a_run_expects_what_is_known() -> None:
    mine = subject(targets.raises_on_seven_keys)
    assert decide(LAW, mine, run_with(Expectations((KNOWN,)))).verdict is Verdict.EXPECTED_FAILURE
    assert decide(LAW, mine, run_with(Expectations())).verdict is Verdict.ERROR


def test_a_law_that_does_not_apply_is_unsupported_whatever_is_known() -> None:
    law = LAWS["test_every_scale_is_used"]
    known = replace(KNOWN, law=law.name)
    assert decide(law, subject(targets.attention), run_with(Expectations((known,)))).verdict is Verdict.UNSUPPORTED


def test_a_pinned_problem_is_tried_first() -> None:
    pinned = Expectations(problems=(PinnedProblem(law=LAW.name, plan="Plan(keys=71)"),))
    assert decide(LAW, subject(wrong_at(71)), run_with(Expectations())).verdict is Verdict.PASS
    failed = decide(LAW, subject(wrong_at(71)), run_with(pinned))
    assert failed.verdict is Verdict.FAIL
    assert failed.counterexample == "Plan(keys=71)"
    other = LAWS["test_a_single_key_returns_its_value"]
    assert decide(other, subject(wrong_at(71)), run_with(pinned)).verdict is Verdict.PASS


def test_pinned_problems_alone_decide_only_where_one_breaks_the_law() -> None:
    plans = (Plan(keys=3), Plan(keys=71))
    failed = hold_pinned(LAW, subject(wrong_at(71)), plans)
    assert failed is not None
    assert failed.verdict is Verdict.FAIL
    assert failed.counterexample == "Plan(keys=71)"
    assert hold_pinned(LAW, subject(wrong_at(5)), plans) is None
    assert hold_pinned(LAW, subject(wrong_at(3, 71)), ()) is None


def test_a_pinned_problem_is_measured_as_any_other() -> None:
    alone, pinned = (hold(LAW, subject(targets.attention), QUICK, plans) for plans in ((), (Plan(keys=71),)))
    assert np.diff([float(outcome.measured["elements"]) for outcome in (alone, pinned)]) == [1]
