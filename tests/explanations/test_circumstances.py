"""Circumstances are named where they separate wrong answers from right ones, and sizes only where enough speak."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_tests import Precision
from explanations.aspect import OUTPUT
from explanations.circumstances import CIRCUMSTANCES, FEWEST, in_words, separating
from explanations.evidence import Observation
from properties.drawing.problem import Problem
from reference.bounds.interval import Interval


def observed(keys: int, **options: Any) -> Observation:
    shape = (1, 1, keys, 2)
    problem = replace(Problem(np.zeros((1, 1, 3, 2)), np.zeros(shape), np.zeros(shape), "float32"), **options)
    return Observation(OUTPUT, problem, Precision.float32(), (), ())


def said(some: list[Observation], others: list[Observation]) -> str:
    return in_words(separating(some, others, CIRCUMSTANCES, 2))


def test_an_option_that_all_wrong_answers_have_is_named() -> None:
    assert said([observed(5, causal=True)], [observed(5)]) == "causality"


def test_two_options_are_named_where_one_alone_does_no_harm() -> None:
    both = [observed(5, causal=True, window=2)]
    assert said(both, [observed(5, causal=True), observed(5, window=2)]) == "causality and a window"


def test_a_size_is_named_with_the_largest_limit_that_separates() -> None:
    wrong, right = (
        [observed(keys) for keys in sizes] for sizes in ((300, 400, 500, 600, 700, 800), (5, 6, 7, 8, 9, 10))
    )
    assert said(wrong, right) == "keys > 256"


@pytest.mark.parametrize("few", range(1, FEWEST))
def test_a_size_is_not_named_where_few_answers_speak_for_it(few: int) -> None:
    assert not said([observed(300)] * few, [observed(5)] * FEWEST)
    assert not said([observed(300)] * FEWEST, [observed(5)] * few)


def test_nothing_is_named_where_nothing_separates() -> None:
    assert not said([observed(5)], [observed(5)])


def test_an_answer_of_which_nothing_is_promised_explains_nothing() -> None:
    one, infinite = np.ones((1, 1)), np.full((1, 1), np.inf)
    right, anything = (Interval(one, error, "float32", flush=True) for error in (0 * one, infinite))
    wrong = Observation(OUTPUT, None, Precision.float32(), (2 * one,), (right,))
    assert not wrong.is_right
    assert wrong.fits([anything])
    assert not wrong.is_explained_by([anything])
    assert wrong.is_explained_by([replace(right, value=2 * one)])
    assert not wrong.is_explained_by([right])
