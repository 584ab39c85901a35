"""An answer is numbers: what an array says about itself does not count."""

# ruff: noqa: ARG002 - a lie does not look

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_tests import Implementation
from attention_tests.execution.failures import WrongForm
from attention_tests.execution.subject import Subject
from tests.defects import correct
from tests.defects.correct import Array

INPUTS = tuple(np.arange(12.0).reshape(1, 1, 3, 4) / 4 for _ in range(3))
RIGHT = correct.attention(*INPUTS)


def read(answer: Any) -> Array:
    """Read an answer as a law does."""
    return Subject(Implementation(name="liar", attention=lambda *_inputs: answer), "float64").attention(*INPUTS)


class Liar(np.ndarray[Any, np.dtype[Any]]):
    """Zeros that say that they are something else."""

    def __array__(self, *arguments: Any, **options: Any) -> Array:
        return RIGHT

    def __array_ufunc__(self, *arguments: Any, **options: Any) -> Any:
        return RIGHT

    def __array_function__(self, *arguments: Any, **options: Any) -> Any:
        return RIGHT

    def __eq__(self, other: object) -> Any:
        return np.ones_like(RIGHT, bool)

    __hash__ = None

    def astype(self, *arguments: Any, **options: Any) -> Any:
        return RIGHT


class Chameleon:
    """Has another shape and another dtype whenever it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def shape(self) -> tuple[int, ...]:
        self.asked += 1
        return (self.asked,)

    @property
    def dtype(self) -> str:
        self.asked += 1
        return f"float{self.asked}"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:  # noqa: FBT001 - NumPy's protocol
        return np.zeros_like(RIGHT).view(Liar)


@pytest.mark.parametrize(
    "answer", [np.zeros_like(RIGHT).view(Liar), Chameleon()], ids=lambda answer: type(answer).__name__
)
def test_only_the_numbers_are_read(answer: Any) -> None:
    output = read(answer)
    assert type(output) is np.ndarray
    assert output.tobytes() == np.zeros_like(RIGHT).tobytes()


def test_a_read_answer_stays_when_the_array_changes() -> None:
    answer = RIGHT.copy()
    output = read(answer)
    answer[...] = 0
    assert output.tobytes() == RIGHT.tobytes()


def test_an_answer_that_repeats_one_number_in_memory_is_read() -> None:
    assert read(np.broadcast_to(np.float64(2), RIGHT.shape)).tobytes() == np.full_like(RIGHT, 2).tobytes()


def test_masked_array_entries_are_refused() -> None:
    with pytest.raises(WrongForm, match="masked"):
        read(np.ma.masked_greater(RIGHT, 1.0))
    assert read(np.ma.asarray(RIGHT)).tobytes() == RIGHT.tobytes()
