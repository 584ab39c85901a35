from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from attention_tests import Feature
from attention_tests.engine.minimise import CALLS, minimise
from properties.drawing.options import Options
from properties.drawing.plans import Plan, SentencePlan
from properties.drawing.problem import Problem, Sentence, in_format
from reference.bounds.formats import FORMATS, round_to

ALL = frozenset(Feature)
DTYPES = ("float64", "float32", "float16", "bfloat16")
Predicate = Callable[[Problem], bool]


def large(dtype: str = "float32", features: frozenset[Feature] = ALL) -> Problem:
    plan = Plan(batch=2, heads=3, queries=5, keys=9, d_k=4, d_v=3, regimes=("normal",), seed=7)
    problem = plan.build(dtype, features)
    assert isinstance(problem, Problem)
    return problem


def has_three_keys(problem: Problem) -> bool:
    return len(problem.key[0, 0]) >= 3


def is_wide(problem: Problem) -> bool:
    return problem.d_k >= 2 and bool((problem.query != 0).any())


def has_a_large_value(problem: Problem) -> bool:
    return bool((problem.value > 1).any())


@pytest.mark.parametrize(
    ("fails", "query", "key", "value"),
    [
        (has_three_keys, (1, 1, 1, 1), (1, 1, 3, 1), (1, 1, 3, 1)),
        (is_wide, (1, 1, 1, 2), (1, 1, 1, 2), (1, 1, 1, 1)),
        (has_a_large_value, (1, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1)),
    ],
)
def test_the_shrunk_problem_is_small_and_fails(
    fails: Predicate, query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...]
) -> None:
    smallest = minimise(large(), fails)
    assert fails(smallest)
    assert (smallest.query.shape, smallest.key.shape, smallest.value.shape) == (query, key, value)


def test_numbers_that_do_not_matter_become_zero() -> None:
    smallest = minimise(large(), has_three_keys)
    assert not any(array.any() for array in (smallest.query, smallest.key, smallest.value))


@pytest.mark.parametrize("length", [3, 99])
def test_a_sign_of_zero_that_does_not_matter_is_dropped(length: int) -> None:
    numbers = np.where(np.arange(length) == 1, 2.0, -0.0)[None]
    smallest = minimise(Masked(numbers), lambda one: one.mask.shape == (1, length) and one.mask[0, 1] > 1)
    assert not np.signbit(smallest.mask).any()


def test_numbers_that_matter_become_simple() -> None:
    smallest = minimise(large(), has_a_large_value)
    assert smallest.value.item() == 2
    assert abs(minimise(large(), is_wide).query).max() == 1


def test_every_intermediate_problem_could_have_been_drawn() -> None:
    on_the_way: list[Problem] = []

    def could_be_drawn(problem: Problem) -> bool:
        (batch, heads, queries, d_k), n_keys = problem.query.shape, problem.key.shape[-2]
        assert problem.key.shape == (batch, heads, n_keys, d_k)
        assert problem.value.shape[:-1] == (batch, heads, n_keys)
        assert queries >= 1
        for array in (problem.query, problem.key, problem.value):
            assert np.array_equal(array, round_to(array, problem.dtype))
        on_the_way.append(problem)
        return has_three_keys(problem)

    smallest = minimise(large("bfloat16"), could_be_drawn)
    assert any(smallest is problem for problem in on_the_way)


def test_axes_that_are_tied_stay_tied() -> None:
    tied = large(features=frozenset({Feature.HEADS}))
    assert tied.query.shape == tied.key.shape == tied.value.shape

    def is_tied(problem: Problem) -> bool:
        assert problem.query.shape == problem.key.shape == problem.value.shape
        return has_three_keys(problem)

    assert minimise(tied, is_tied).query.shape == (1, 1, 3, 1)


def test_a_mask_keeps_the_shape_of_the_scores() -> None:
    plan = Plan(queries=5, keys=9, seed=7, options=Options(mask="most"))
    problem = plan.build("float32", ALL - {Feature.LENGTHS})
    left = minimise(problem, lambda candidate: candidate.seen.shape[2] >= 3)
    assert left.mask is not None
    assert left.mask.shape == (1, 1, 3, 3)


def test_an_axis_that_is_fixed_keeps_its_length() -> None:
    axes = {"query": "b1qd", "key": "b1kd", "value": "b1kv"}
    problem = large()
    fixed = Problem(problem.query, problem.key, problem.value, "float32", axes=axes)
    assert minimise(fixed, has_three_keys).key.shape == (1, 3, 3, 1)


@dataclass(frozen=True)
class Masked:
    """One array of two axes: a mask, or numbers."""

    mask: Any
    dtype: str = "float32"

    @property
    def axes(self) -> dict[str, str]:
        return {"mask": "qk"}

    def with_arrays(self, **arrays: Any) -> Masked:
        return replace(self, **arrays)


def test_a_mask_hides_no_more_than_it_must() -> None:
    masked = Masked(np.random.default_rng(0).random((5, 7)) < 0.5)
    assert minimise(masked, lambda masked: not masked.mask.all()).mask.tolist() == [[False]]
    assert minimise(masked, lambda masked: masked.mask.shape == (5, 7)).mask.all()
    assert minimise(masked, lambda masked: masked.mask.any()).mask.tolist() == [[True]]


@pytest.mark.parametrize(("hidden", "calls"), [(0, 8 + 2), (511, 8 * 2 + 1)])
def test_a_long_axis_is_halved(hidden: int, calls: int) -> None:
    masked = Masked(np.arange(512)[None] != hidden)
    assert minimise(masked, lambda masked: not masked.mask.all(), calls).mask.tolist() == [[False]]


@pytest.mark.parametrize(
    ("number", "least", "most", "plainest"),
    [
        (0.3, -1, 1, 0),
        (-2.3, -3, -0.2, -1),
        (2.3, 1.4, 3, 2),
        (2.3, 2.2, 2.6, 2.5),
        (2.3, 2.2, 2.4, 2.25),
        (2.3, 2.29, 2.31, 2.3),
        (2.5, 2.2, 2.6, 2.5),
    ],
)
def test_a_number_becomes_the_plainest_that_fails(number: float, least: float, most: float, plainest: float) -> None:
    smallest = minimise(Masked(np.array([[number]])), lambda masked: bool(least < masked.mask.item() < most))
    assert smallest.mask.item() == plainest


def test_a_number_that_matters_keeps_no_other_one() -> None:
    numbers = np.arange(2.0, 8.0).reshape(2, 3)
    smallest = minimise(Masked(numbers), lambda masked: masked.mask.shape == (2, 3) and masked.mask[1, 1] > 1)
    assert smallest.mask.tolist() == [[0, 0, 0], [0, 6, 0]]


def test_many_numbers_become_plain_together() -> None:
    numbers = np.full((9, 9), 2.3)
    smallest = minimise(Masked(numbers), lambda masked: masked.mask.shape == (9, 9) and masked.mask[1, 1] > 1)
    assert (smallest.mask == 2).all()


def test_an_empty_array_is_not_shrunk_further() -> None:
    empty = Masked(np.zeros((0, 3)))
    assert minimise(empty, lambda _: True).mask.shape == (0, 1)


def test_a_sentence_is_shrunk_too() -> None:
    sentence = SentencePlan(tokens=6, d_model=5, d_k=4, d_v=3, regime="normal", seed=3).build("float32", ALL)

    def has_two_words(sentence: Sentence) -> bool:
        return len(sentence.x) >= 2

    smallest = minimise(sentence, has_two_words)
    assert smallest.x.shape == (2, 1)
    assert smallest.w_query.shape == smallest.w_key.shape == smallest.w_value.shape == (1, 1)


@pytest.mark.parametrize("calls", [0, 1, 10, CALLS])
def test_it_ends_within_its_calls_and_on_a_failing_problem(calls: int) -> None:
    seen: list[Problem] = []

    def fails(problem: Problem) -> bool:
        seen.append(problem)
        return has_three_keys(problem) and bool(problem.query.any())

    problem = large()
    smallest = minimise(problem, fails, calls)
    assert len(seen) <= calls
    assert smallest is problem or any(smallest is one for one in seen)
    assert fails(smallest)


def test_a_problem_that_fails_only_as_a_whole_is_left_unchanged() -> None:
    problem = large()
    assert minimise(problem, lambda _: False) is problem


def test_a_problem_without_axes_to_cut_is_left_unchanged() -> None:
    problem = large()
    sample = Problem(problem.query, problem.key, problem.value, "float32", axes={})
    assert minimise(sample, lambda _: True) is sample


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_largest_numbers_can_be_shrunk(dtype: str) -> None:
    largest = FORMATS[dtype].max
    problem = large(dtype)
    problem = problem.with_arrays(
        value=np.sign(problem.value) * largest, key=problem.key * FORMATS[dtype].smallest_normal
    )
    tried: list[Problem] = []

    def fails(problem: Problem) -> bool:
        tried.append(problem)
        return bool((np.abs(problem.value) > largest / 2).any())

    smallest = minimise(problem, fails)
    assert len(tried) < CALLS
    assert smallest.value.size == 1
    assert in_format(smallest.value, dtype) == smallest.value


def test_shrinking_is_deterministic() -> None:
    first, second = (minimise(large(), is_wide) for _ in range(2))
    assert first == second != large()
