"""Computations on an answer are written down as text that has the same value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attention_tests.reproducers.program import Expression, Program
from attention_tests.reproducers.traced import Traced, traced

NUMBERS = np.array([[1.5, -2.0, np.nan], [0.1, np.inf, -0.0]])

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "operators": lambda x: (x + 1.5) * x - 2 / x,
    "a number before": lambda x: 1 - x**2,
    "a negative": lambda x: -x,
    "a product of matrices": lambda x: x @ x.mT,
    "a function of each element": lambda x: np.exp(np.abs(x)),
    "a comparison": lambda x: x >= 0,
    "a reduction": lambda x: x.sum(axis=-1, keepdims=True),
    "a reduction where something holds": lambda x: x.max(initial=0.0, where=np.isfinite(x)),
    "a reduction by a function of NumPy": lambda x: np.mean(x, axis=0),
    "axes swapped": lambda x: x.swapaxes(0, 1),
    "transposed": lambda x: x.T,
    "a row": lambda x: x[1],
    "a single index in a tuple": lambda x: x[(np.int64(1),)],
    "a slice": lambda x: x[..., ::-1][:1, 1:],
    "an index in a list": lambda x: x[:, [2, 0]],
    "an index in an array": lambda x: x[:, np.array([2, 0])],
    "a mask": lambda x: x[np.isnan(x)],
    "new axes": lambda x: x[None, ..., None],
    "everything": lambda x: x[()],
    "joined": lambda x: np.concatenate([x, x[::-1], np.ones((1, 3))], axis=0),
    "stacked": lambda x: np.stack([x, -x], axis=-1),
    "taken apart by iterating": lambda x: np.stack(list(x)[::-1]),
    "a tuple of arrays": lambda x: np.broadcast_arrays(x, 1.0)[0],
    "chosen": lambda x: np.where(x > 0, x, np.inf),
    "broadcast": lambda x: np.broadcast_to(x[:, :1], (2, 3)),
    "another dtype": lambda x: x.astype(np.float32),
    "a dtype by an argument": lambda x: np.asanyarray(x, np.float64) + np.zeros_like(x),
}


def answer() -> tuple[Program, Traced]:
    program = Program()
    return program, traced(NUMBERS, Expression((program.assign("answer", "numbers"),)))


def evaluated(program: Program, source: Expression) -> Any:
    statements, (text,) = program.lines((source,))
    names: dict[str, Any] = {"np": np, "numbers": NUMBERS}
    exec("\n".join(line for lines in statements for line in lines), names)  # noqa: S102 - what is written is Python
    return eval(text, names)  # noqa: S307 - likewise


@np.errstate(all="ignore")
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_the_recorded_source_of_a_result_has_its_value(operation: Callable[[Any], Any]) -> None:
    program, array = answer()
    result = operation(array)
    assert isinstance(result, Traced)
    assert result.source is not None
    np.testing.assert_array_equal(np.asarray(result), operation(NUMBERS))
    np.testing.assert_array_equal(evaluated(program, result.source), operation(NUMBERS))


LOSSES: dict[str, Callable[[Any], Any]] = {
    "what NumPy copies without asking": lambda x: np.array(x, subok=True),
    "what is viewed": lambda x: x.view(),
    "an array that was written": lambda x: [copy := x.copy(), copy.__setitem__(0, 1.0)][0],
    "an array that was added to": lambda x: np.add(x, 1, out=x.copy()),
    "a function by a function": lambda x: np.apply_along_axis(np.sum, 0, x),
}


@pytest.mark.parametrize("operation", LOSSES.values(), ids=LOSSES)
def test_an_unrecorded_operation_has_no_source(operation: Callable[[Any], Any]) -> None:
    _, array = answer()
    assert getattr(operation(array), "source", None) is None


def test_plain_results_are_not_traced() -> None:
    _, array = answer()
    assert type(np.asarray(array)) is np.ndarray
    assert not isinstance(float(array[0, 0]), np.ndarray)
    assert f"{array[0, 0]:.3g}" == "1.5"
