"""Whatever a call changes is named, and put back."""

from __future__ import annotations

import gc
import io
import math
import os
import random
import signal
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from attention_tests.guards import process_state
from attention_tests.guards.process_state import changed_by, put_back, remember
from tests.defects import correct

if TYPE_CHECKING:
    from collections.abc import Callable

remember()


def _patch(module: Any, name: str) -> None:
    function = getattr(module, name)
    setattr(module, name, partial(function))


CHANGES: dict[str, Callable[[], object]] = {
    "the current folder": lambda: os.chdir("/"),
    "the environment (OF_A_KERNEL)": lambda: os.environ.update(OF_A_KERNEL="1"),
    "the signal handlers (SIGTERM)": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "garbage collection": gc.disable,
    "the recursion limit": lambda: sys.setrecursionlimit(12345),
    "Python's random numbers": random.random,
    "NumPy's random numbers": lambda: np.random.seed(0),  # noqa: NPY002 - the state that everybody shares
    "NumPy's treatment of floating-point errors (under)": lambda: np.seterr(under="warn"),
    "how NumPy prints (precision)": lambda: np.set_printoptions(precision=3),
    "PyTorch's random numbers": lambda: torch.manual_seed(0),
    "PyTorch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "PyTorch's number of threads": lambda: torch.set_num_threads(3),
    "PyTorch's recording of gradients": lambda: torch.set_grad_enabled(False),
    "PyTorch's precision of products": lambda: torch.set_float32_matmul_precision("medium"),
    "the search path": lambda: sys.path.append("a folder of kernels"),
    "the standard streams (stdout)": lambda: setattr(sys, "stdout", io.StringIO()),
    "what is warned of": lambda: warnings.simplefilter("ignore"),
    "numpy.exp": lambda: _patch(np, "exp"),
    "numpy.linalg.norm": lambda: _patch(np.linalg, "norm"),
    "math.sqrt": lambda: _patch(math, "sqrt"),
    "builtins.sorted": lambda: _patch(sys.modules["builtins"], "sorted"),
}
EACH = pytest.mark.parametrize("name", CHANGES)


@EACH
def test_a_change_made_by_a_call_is_named(name: str) -> None:
    assert changed_by(CHANGES[name]) == [name]


@EACH
def test_a_change_made_by_a_call_is_undone(name: str) -> None:
    assert changed_by(lambda: changed_by(CHANGES[name])) == []


@EACH
def test_a_change_that_every_call_repeats_is_named(name: str) -> None:
    with put_back():
        CHANGES[name]()
        assert changed_by(CHANGES[name]) == [name]


def test_a_function_that_was_replaced_before_the_first_call_is_named() -> None:
    with put_back():
        _patch(np, "exp")
        assert changed_by(lambda: None) == ["numpy.exp"]


def test_a_library_that_a_call_imports_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    assert changed_by(lambda: sys.modules.update(torch=torch)) == []


def test_the_restored_state_is_that_before_the_call() -> None:
    with put_back():
        os.environ["OF_THE_CALLER"] = "1"
        changed_by(lambda: os.environ.update(OF_THE_CALLER="2"))
        assert os.environ["OF_THE_CALLER"] == "1"


def test_the_state_is_restored_if_a_call_raises() -> None:
    def call() -> None:
        np.seterr(over="raise")
        raise ValueError("no kernel")

    with pytest.raises(ValueError, match="no kernel"):
        changed_by(call)
    assert np.geterr()["over"] == "warn"


def test_a_call_without_side_effects_changes_nothing() -> None:
    assert changed_by(lambda: correct.attention(*np.ones((3, 1, 1, 2, 2)))) == []
    assert changed_by(lambda: torch.softmax(torch.ones(2), dim=-1) @ torch.ones(2)) == []


def test_settings_of_a_library_that_is_imported_later_count_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_state, "_FIRST", {})
    with monkeypatch.context() as without:
        without.delitem(sys.modules, "torch")
        remember()
    remember()
    with put_back():
        CHANGES["PyTorch's default dtype"]()
        assert changed_by(CHANGES["PyTorch's default dtype"]) == ["PyTorch's default dtype"]
