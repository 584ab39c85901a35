"""The search: each verdict of one law on one implementation has its case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import Any

import numpy as np
import pytest

from attention_tests import Implementation, Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import QUICK, Profile
from attention_tests.engine.search import corpus, hold
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.subject import Subject
from properties.drawing.streams import ANY_PROBLEM
from tests.defects import correct
from tests.defects.correct import Array
from tests.support import targets
from tests.text.test_literals import evaluated

LAWS = {law.name: law for law in all_laws()}
INSIDE_THE_BOUND = LAWS["test_every_element_is_inside_the_derived_bound"]
SAME_BITS = LAWS["test_same_call_gives_same_bits"]


def outcome(function: Callable[..., Any], law: Law = INSIDE_THE_BOUND, profile: Profile = QUICK) -> Outcome:
    return hold(law, Subject(Implementation(name="mine", attention=function), "float32"), profile)


def flaky() -> Callable[..., Array]:
    """Make an attention that is wrong in one call of a hundred."""
    calls = count()

    def attention(query: Array, key: Array, value: Array) -> Array:
        return correct.attention(query, key, value) + (next(calls) % 100 == 40)

    return attention


def test_a_law_that_holds_passes_and_is_measured() -> None:
    passed = outcome(targets.attention)
    assert passed.verdict is Verdict.PASS
    assert not passed.explanation
    assert float(passed.measured["elements"]) > 0
    assert 0 < float(passed.measured["error over bound"]) <= 1


def test_a_broken_law_fails() -> None:
    failed = outcome(targets.forgets_the_scale)
    assert failed.verdict is Verdict.FAIL
    assert "mine (float32, promised precision: float32) breaks a law." in failed.explanation
    assert "times the bound" in failed.explanation


def test_an_exception_is_an_error_with_its_location() -> None:
    error = outcome(targets.raises_on_seven_keys)
    assert error.verdict is Verdict.ERROR
    assert "raised ValueError: seven is not (" in error.explanation
    assert "(1, 1, 7, 1)" in error.explanation
    assert "targets.py:" in error.explanation


def test_an_answer_of_another_shape_fails() -> None:
    failed = outcome(targets.drops_a_column_for_seven_keys)
    assert failed.verdict is Verdict.FAIL
    assert "return one array of shape (1, 1, 1, 1)" in failed.explanation


@pytest.mark.parametrize(
    ("law", "words"),
    [
        (LAWS["test_softmax_normalises_the_exponentials"], "mine exposes no `softmax`"),
        (LAWS["test_every_scale_is_used"], "mine does not declare `scale`"),
    ],
    ids=["step", "feature"],
)
def test_an_undeclared_feature_is_unsupported(law: Law, words: str) -> None:
    unsupported = outcome(targets.attention, law)
    assert unsupported.verdict is Verdict.UNSUPPORTED
    assert unsupported.explanation == words


def test_warnings_do_not_affect_the_verdict() -> None:
    assert outcome(targets.warns).verdict is Verdict.PASS


def test_a_law_broken_only_once_fails_and_is_reported_as_such() -> None:
    failed = outcome(flaky(), SAME_BITS)
    assert failed.verdict is Verdict.FAIL
    assert "broke the law once and kept it when called again" in failed.explanation
    assert "\n  got       " in failed.explanation
    assert "\n  expected  " in failed.explanation


def test_alternating_answers_fail() -> None:
    signs: Iterator[int] = cycle([1, -1])
    failed = outcome(lambda query, key, value: next(signs) * correct.attention(query, key, value), SAME_BITS)
    assert failed.verdict is Verdict.FAIL


def test_an_interruption_ends_the_search() -> None:
    with pytest.raises(KeyboardInterrupt):
        outcome(targets.is_interrupted)


@pytest.mark.parametrize("patience", [10, 20, 30, 40, 50])
def test_an_interruption_ends_the_shrinking(patience: int) -> None:
    calls = count()

    def impatient(query: Array, key: Array, value: Array) -> Array:
        if next(calls) == patience:
            raise KeyboardInterrupt
        return targets.forgets_the_scale(query, key, value)

    with pytest.raises(KeyboardInterrupt):
        outcome(impatient)


@pytest.mark.parametrize("function", [targets.forgets_the_scale, targets.raises_on_seven_keys, targets.attention])
def test_the_same_code_has_the_same_outcome(function: Callable[..., Any]) -> None:
    assert outcome(function) == outcome(function)


def test_another_seed_draws_other_problems() -> None:
    assert list(corpus(ANY_PROBLEM, QUICK)) == list(corpus(ANY_PROBLEM, QUICK))
    assert list(corpus(ANY_PROBLEM, QUICK)) != list(corpus(ANY_PROBLEM, Profile("quick", QUICK.examples, seed=1)))


@pytest.mark.parametrize("function", [targets.forgets_the_scale, targets.raises_on_seven_keys])
def test_no_text_of_hypothesis_is_printed(function: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    explanation = outcome(function).explanation
    assert explanation
    for word in ("Hypothesis", "hypothesis", "Falsifying", "reproduce_failure", "Traceback", "lambda"):
        assert word not in explanation
    assert capsys.readouterr() == ("", "")


def test_the_printed_problem_breaks_the_law_when_it_is_run() -> None:
    lines = outcome(targets.forgets_the_scale).explanation.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    query"))
    names = evaluated([line[4:] for line in lines[first : lines.index("", first)]])
    arrays = [names[name] for name in ("query", "key", "value")]
    assert sum(array.size for array in arrays) <= 8
    got, right = targets.forgets_the_scale(*arrays), targets.attention(*arrays)
    assert not np.allclose(got, right)
    printed = next(line.removeprefix("  got       ") for line in lines if line.startswith("  got "))
    assert np.isclose(got, float(printed), rtol=1e-6).any()


def test_a_step_alone_is_verified_by_its_laws() -> None:
    steps = Implementation(name="steps", **{step.value: function for step, function in correct.STEPS.items()})  # type: ignore[arg-type]
    law = LAWS["test_softmax_normalises_the_exponentials"]
    assert law.steps == (Step.SOFTMAX,)
    assert hold(law, Subject(steps, "float64"), QUICK).verdict is Verdict.PASS
