from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from properties.drawing.options import Options
from tests.implementations.adapters import dtypes_outside_the_bound, loaded, subjects

EXTRAS = ("mlx", "tinygrad", "paddle", "array-api", "array-api-torch")
NAMES = [name for name in SHIPPED.names() if SHIPPED.extra_of(name) in EXTRAS]
OPTIONS = (
    Options(),
    Options(mask="most", mask_axes="bhqk"),
    Options(mask="most", mask_axes="1k"),
    Options(bias="normal"),
    Options(causal=True),
    Options(group=2),
    Options(scale=-0.5),
)


@pytest.mark.parametrize("options", OPTIONS, ids=repr)
@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_does_what_it_declares(name: str, options: Options) -> None:
    assert not dtypes_outside_the_bound(name, options)


@pytest.mark.parametrize("name", NAMES)
def test_a_native_array_round_trips_and_shares_no_memory(name: str) -> None:
    for subject in subjects(name):
        numbers = np.array([[[[0.5, -0.0], [1.0, 2.0]]]])
        native: Any = subject.give(numbers)
        numbers[...] = 3
        assert subject.take(native, numbers.shape).tolist() == [[[[0.5, -0.0], [1.0, 2.0]]]]


@pytest.mark.parametrize("name", NAMES)
def test_views_of_native_arrays_have_the_numbers_of_their_base(name: str) -> None:
    for subject in subjects(name):
        numbers = np.arange(12.0).reshape(1, 2, 2, 3)
        views = [subject.take(view, numbers.shape) for view in subject.placed(numbers) if view is not None]
        assert len(views) >= 6
        assert all((view == numbers).all() for view in views)


@pytest.mark.parametrize("name", NAMES)
def test_a_native_mask_is_broadcast_without_a_copy(name: str) -> None:
    subject, mask = Subject(loaded(name), "float32"), np.array([[True, False, True]])
    *_, repeated = subject.option_views("mask", mask, (2, 2, 2, 3))
    assert subject.read_option(repeated).tolist() == np.broadcast_to(mask, (2, 2, 2, 3)).tolist()


def test_only_the_array_api_standard_is_used() -> None:
    strict = pytest.importorskip("array_api_strict", reason="pip install attention-tests[array-api]")
    from implementations.array_api.formula import attention  # noqa: PLC0415 - needs the library

    ones = strict.ones((1, 1, 2, 2))
    assert attention(ones, ones, ones).__array_namespace__() is strict
    with pytest.raises(TypeError):
        ones + np.ones(2)  # what is no array of the standard is refused, so that nothing else can have answered
