"""What a call must do without is seen, however it is called."""

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
from attention_tests.guards.forbidden_calls import ruled_out_calls
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
def test_what_is_called_of_a_package_is_named(call: Callable[[], object], without: str, named: str) -> None:
    assert named in ruled_out_calls(call, {without})
    assert ruled_out_calls(call, {"email", without[:-1]}) == []


def test_the_reference_is_always_ruled_out() -> None:
    assert "reference.matrix.softmax" in ruled_out_calls(lambda: matrix.softmax(ONES), ())


def test_a_thread_that_a_call_starts_is_seen() -> None:
    def call() -> None:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(math.sqrt, 2).result()

    assert ruled_out_calls(call, {"math"}) == ["math.sqrt"]


def test_no_profiler_is_used_where_there_is_nothing_to_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forbidden_calls, "COMPARED_WITH", ("a_package_that_nobody_imports",))
    profilers = [sys.getprofile()]
    assert ruled_out_calls(lambda: profilers.append(sys.getprofile()), ()) == []
    assert ruled_out_calls(lambda: profilers.append(sys.getprofile()), {"math"}) == []
    before, without, with_something_to_see = profilers
    assert before is without is not with_something_to_see


def test_one_of_several_packages_is_enough() -> None:
    assert ruled_out_calls(lambda: math.sqrt(2), ["email", "math"]) == ["math.sqrt"]


def test_the_profiler_of_the_caller_stays() -> None:
    seen: list[str] = []

    def profile(_frame: object, event: str, _argument: object) -> None:
        seen.append(event)

    sys.setprofile(profile)
    try:
        ruled_out_calls(lambda: None, ())
        assert sys.getprofile() is profile
    finally:
        sys.setprofile(None)
    assert threading.getprofile() is None
