"""Arrays as an implementation takes them: in its layout, with its meaning of a mask, anywhere in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from attention_tests import Dialect, Implementation, Layout
from attention_tests.execution.failures import NotAsked
from attention_tests.execution.subject import Subject
from tests.defects import correct

ARRAY = np.arange(48.0).reshape(2, 2, 3, 4) / 8
MASK = np.array([[True, False, True, True]])
SHAPE = (2, 2, 3, 4)


def subject(**dialect: Any) -> Subject:
    return Subject(Implementation(name="mine", attention=correct.attention, dialect=Dialect(**dialect)), "float32")


@pytest.mark.parametrize(
    ("layout", "laid_out"),
    [
        (Layout.BATCH_HEAD_LENGTH_WIDTH, ARRAY),
        (Layout.BATCH_LENGTH_HEAD_WIDTH, ARRAY.swapaxes(1, 2)),
        (Layout.LENGTH_WIDTH, ARRAY[0, 0]),
        (Layout.HEAD_LENGTH_WIDTH, ARRAY[0]),
        (Layout.LENGTH_HEAD_WIDTH, ARRAY[0].swapaxes(0, 1)),
    ],
)
def test_an_array_has_the_dtype_and_the_layout_that_are_declared(layout: Layout, laid_out: Any) -> None:
    given = ARRAY[tuple(slice(None if layout.has(axis) else 1) for axis in "BH")]
    native = subject(layout=layout).give(given)
    assert native.dtype == np.float32
    assert native.tolist() == laid_out.tolist()
    assert layout.laid_out(given.shape) == laid_out.shape
    assert layout.restored(laid_out).tolist() == given.tolist()


def test_what_has_no_axis_for_batches_or_heads_is_not_asked_for_several() -> None:
    with pytest.raises(NotAsked, match="no axis for 2 batches"):
        subject(layout=Layout.HEAD_LENGTH_WIDTH).give(np.ones((2, 1, 3, 4)))
    with pytest.raises(NotAsked, match="no axis for 2 heads"):
        subject(layout=Layout.LENGTH_WIDTH).give(np.ones((1, 2, 3, 4)))


@pytest.mark.parametrize("true_hides", [False, True])
def test_a_mask_means_what_is_declared_and_a_bias_what_it_is(true_hides: bool) -> None:  # noqa: FBT001
    given = subject(true_hides=true_hides).give_options({"mask": MASK, "bias": ARRAY, "scale": 0.5})
    assert given["mask"].dtype == bool
    assert given["mask"].tolist() == (MASK ^ true_hides).tolist()
    assert given["bias"].tolist() == ARRAY.tolist()
    assert given["scale"] == 0.5


def test_options_have_no_batch_and_no_head_where_arrays_have_none() -> None:
    given = subject(layout=Layout.LENGTH_WIDTH).give_options({"mask": MASK, "bias": ARRAY})
    assert given["mask"].shape == MASK.shape
    assert given["bias"].tolist() == ARRAY[0, 0].tolist()


def test_a_mask_is_copied_for_every_query_lies_otherwise_and_is_repeated_without_a_copy() -> None:
    for layout in (Layout.BATCH_HEAD_LENGTH_WIDTH, Layout.BATCH_LENGTH_HEAD_WIDTH):
        copied, *views, repeated = subject(layout=layout).option_views("mask", MASK, SHAPE)
        assert all(view.tolist() == np.broadcast_to(MASK, SHAPE).tolist() for view in (copied, *views, repeated))
        assert copied.flags.c_contiguous
        assert sum(view.flags.c_contiguous for view in views) == 1  # at an odd offset
        assert repeated.strides == (0, 0, 0, 1)
        assert len(views) == 8


def test_options_that_differ_between_heads_are_not_broadcast() -> None:
    assert len(list(subject().option_views("bias", ARRAY, SHAPE))) == 9
    alone = subject(layout=Layout.LENGTH_WIDTH)
    assert [view.shape for view in alone.option_views("mask", MASK, SHAPE)] == [SHAPE[2:]] * 7


def test_an_option_is_read_as_numbers() -> None:
    numbers = subject().read_option(MASK)
    assert numbers.dtype == np.float64
    assert numbers.tolist() == MASK.tolist()


def test_what_is_written_into_a_native_array_is_in_it() -> None:
    mine = subject(layout=Layout.BATCH_LENGTH_HEAD_WIDTH)
    native = mine.give(ARRAY)
    mine.write(native, -ARRAY)
    assert mine.take(native, ARRAY.shape).tolist() == (-ARRAY).tolist()
