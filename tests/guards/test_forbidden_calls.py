"""Forbidden calls are seen, however they are made."""

from __future__ import annotations

import math
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from attention_tests.guards import forbidden_calls
from attention_tests.guards.forbidden_calls import forbidden_calls_of
from reference import matrix
from tests.defects import correct

if TYPE_CHECKING:
    from collections.abc import Callable

ONES = np.ones((1, 1, 2, 2))
TENSOR = torch.ones((1, 1, 2, 2))


@pytest.mark.parametrize(
    ("call", "without", "named"),
    [
        (lambda: math.sqrt(2), "math", "math.sqrt"),
        (lambda: correct.softmax(ONES), "tests.defects", "tests.defects.correct.softmax"),
        (lambda: np.linalg.norm(ONES), "numpy.linalg", "numpy.linalg._linalg.norm"),
        (TENSOR.exp, "torch", "torch.exp"),
        (
            lambda: torch.nn.functional.scaled_dot_product_attention(TENSOR, TENSOR, TENSOR),
            "torch",
            "torch._C._nn.scaled_dot_product_attention",
        ),
        (lambda: torch.from_numpy(ONES), "torch", "torch.from_numpy"),
    ],
)
def test_a_forbidden_call_is_named_with_its_package(call: Callable[[], object], without: str, named: str) -> None:
    assert named in forbidden_calls_of(call, {without})
    assert forbidden_calls_of(call, {"email", without[:-1]}) == []


def test_the_reference_is_always_forbidden() -> None:
    assert "reference.matrix.softmax" in forbidden_calls_of(lambda: matrix.softmax(ONES), ())


def test_calls_on_a_thread_that_a_call_starts_are_traced() -> None:
    def call() -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(math.sqrt, 2).result()

    assert forbidden_calls_of(call, {"math"}) == ["math.sqrt"]


def test_no_profiler_is_used_where_there_is_nothing_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forbidden_calls, "COMPARED_WITH", ("a_package_that_nobody_imports",))
    profilers = [sys.getprofile()]
    assert forbidden_calls_of(lambda: profilers.append(sys.getprofile()), ()) == []
    assert forbidden_calls_of(lambda: profilers.append(sys.getprofile()), {"math"}) == []
    before, without, with_something_to_see = profilers
    assert before is without is not with_something_to_see


def test_one_of_several_packages_is_enough() -> None:
    assert forbidden_calls_of(lambda: math.sqrt(2), ["email", "math"]) == ["math.sqrt"]


def test_the_profiler_of_the_caller_stays() -> None:
    seen: list[str] = []

    def profile(_frame: object, event: str, _argument: object) -> None:
        seen.append(event)

    sys.setprofile(profile)
    try:
        forbidden_calls_of(lambda: None, ())
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    assert threading.getprofile() is None
