"""Arrays lie in memory as their placement says: strides, offsets and buffers, in this process and in another."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_tests import Dialect, Implementation, Layout
from attention_tests.execution.isolation import POSSIBLE, isolated
from attention_tests.execution.isolation.process import Limits
from attention_tests.execution.placement import NEAR, Packing, Placement
from attention_tests.execution.subject import Subject
from attention_tests.targets.resolve import resolve
from tests.defects import correct

SHAPE = (2, 3, 4, 5)
ARRAY = np.arange(1.0, 121.0).reshape(SHAPE)
HALF = 2**31
STRIDES = {
    Placement.COLUMN_GAPS: (120, 40, 10, 2),
    Placement.ROW_GAPS: (120, 40, 10, 1),
    Placement.HEAD_GAPS: (120, 40, 5, 1),
    Placement.BLHD_STORAGE: (60, 5, 15, 1),
    Placement.TRANSPOSED: (60, 20, 1, 4),
    Placement.FORTRAN: (1, 2, 6, 24),
    Placement.BACKWARDS: (-60, -20, -5, -1),
    Placement.ODD_OFFSET: (60, 20, 5, 1),
    Placement.FAR: (HALF + 2**12, HALF + 2**16, HALF + 2**20, 1),
}
"""In elements, for the layout BHLD; what is not here cannot be, or depends on the numbers."""
OF_BLHD = {
    Placement.ROW_GAPS: (120, 30, 5, 1),
    Placement.HEAD_GAPS: (120, 30, 10, 1),
    Placement.BHLD_STORAGE: (60, 5, 20, 1),
    Placement.TRANSPOSED: (60, 1, 20, 4),
}
ONLY_IN_NUMPY = {Placement.BACKWARDS}
LIBRARIES = [("numpy", "float32"), ("numpy", "float16"), ("torch", "float64"), ("torch", "bfloat16")]


def numpy_subject(**dialect: Any) -> Subject:
    return Subject(Implementation(name="mine", attention=correct.attention, dialect=Dialect(**dialect)), "float32")


def strides_of(view: Any) -> tuple[int, ...]:
    if isinstance(view, np.ndarray):
        return tuple(stride // view.itemsize for stride in view.strides)
    return tuple(view.stride())


def placed(subject: Subject, array: Any = ARRAY) -> dict[Placement, Any]:
    views = zip(Placement, subject.placed(array, tuple(Placement)), strict=True)
    return {placement: view for placement, view in views if view is not None}


@pytest.mark.parametrize(("name", "dtype"), LIBRARIES)
def test_strides_are_those_of_the_placement(name: str, dtype: str) -> None:
    views = placed(Subject(resolve(name), dtype))
    wanted = {one: strides for one, strides in STRIDES.items() if name == "numpy" or one not in ONLY_IN_NUMPY}
    assert {placement: strides_of(view) for placement, view in views.items()} == wanted


def test_placements_are_of_heads_and_tokens_in_every_layout() -> None:
    views = placed(numpy_subject(layout=Layout.BATCH_LENGTH_HEAD_WIDTH))
    assert {one: strides_of(views[one]) for one in OF_BLHD} == OF_BLHD
    assert Placement.BLHD_STORAGE not in views
    alone = placed(numpy_subject(layout=Layout.LENGTH_WIDTH), ARRAY[:1, :1])
    of_heads = {Placement.HEAD_GAPS, Placement.BLHD_STORAGE, Placement.BHLD_STORAGE, Placement.FORTRAN}
    assert set(Placement) - alone.keys() == {*of_heads, Placement.REPEATED}
    assert all(view.tolist() == ARRAY[0, 0].tolist() for view in alone.values())


@pytest.mark.parametrize(("name", "dtype"), LIBRARIES)
def test_views_have_the_numbers_of_their_array(name: str, dtype: str) -> None:
    subject = Subject(resolve(name), dtype)
    for view in placed(subject).values():
        np.testing.assert_array_equal(subject.take(view, SHAPE), ARRAY)


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
@pytest.mark.parametrize(("name", "dtype"), LIBRARIES)
def test_another_process_makes_the_same_views(name: str, dtype: str) -> None:
    implementation, executor = isolated(name, Limits())
    here, there = Subject(resolve(name), dtype), Subject(implementation, dtype, executor)
    views = placed(there)
    assert views.keys() == placed(here).keys()
    for view in views.values():
        np.testing.assert_array_equal(there.take(view, SHAPE), ARRAY)
    for packing in Packing:
        slices = there.packed([ARRAY, -ARRAY], packing)
        assert [there.take(one, SHAPE).tolist() for one in slices] == [ARRAY.tolist(), (-ARRAY).tolist()]
    executor.rest()


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
def test_another_process_gives_the_kernel_the_strides() -> None:
    implementation, executor = isolated("tests.support.kernels:tells_its_strides", Limits())
    there = Subject(implementation, "float32", executor)
    for placement, view in placed(there).items():
        told = there.take(there.attend_natively(view, view, view), SHAPE)
        assert tuple(told.ravel()[: len(SHAPE)]) == tuple(np.float32(stride) for stride in STRIDES[placement])
    executor.rest()


def test_what_lies_beside_the_numbers_is_not_one() -> None:
    views = placed(numpy_subject())
    for placement in (Placement.COLUMN_GAPS, Placement.ROW_GAPS, Placement.HEAD_GAPS):
        buffer = views[placement].base
        assert buffer.size == 2 * ARRAY.size
        assert np.isnan(buffer).sum() == ARRAY.size
    buffer = views[Placement.ODD_OFFSET].base
    assert np.isnan(buffer[[0, -1]]).all()


@pytest.mark.parametrize(("name", "dtype"), LIBRARIES)
def test_an_odd_offset_is_aligned_to_one_element_only(name: str, dtype: str) -> None:
    view = placed(Subject(resolve(name), dtype))[Placement.ODD_OFFSET]
    address = view.ctypes.data if isinstance(view, np.ndarray) else view.data_ptr()
    assert address % 16 == view.dtype.itemsize


@pytest.mark.parametrize(("name", "dtype"), LIBRARIES)
def test_what_repeats_is_stored_once(name: str, dtype: str) -> None:
    subject = Subject(resolve(name), dtype)
    for axis in (0, 1):
        array = np.repeat(ARRAY.take([0], axis), SHAPE[axis], axis)
        view = placed(subject, array)[Placement.REPEATED]
        assert [stride == 0 for stride in strides_of(view)] == [place == axis for place in range(4)]
        np.testing.assert_array_equal(subject.take(view, SHAPE), array)
    ones = placed(subject, np.ones(SHAPE))[Placement.REPEATED]
    assert strides_of(ones) == (0, 0, 0, 0)


@pytest.mark.parametrize(("name", "dtype"), LIBRARIES)
def test_packed_arrays_are_slices_of_one_buffer(name: str, dtype: str) -> None:
    subject = Subject(resolve(name), dtype)
    wider, more_heads = np.concatenate([ARRAY, ARRAY], axis=-1), np.concatenate([ARRAY, ARRAY], axis=1)
    for packing, other, strides, offset in (
        (Packing.COLUMNS, wider, (180, 15, 45, 1), 10),
        (Packing.HEADS, more_heads, (180, 5, 45, 1), 30),
    ):
        slices = subject.packed([other, ARRAY], packing)
        assert [strides_of(one) for one in slices] == [strides, strides]
        pointers = [one.ctypes.data if isinstance(one, np.ndarray) else one.data_ptr() for one in slices]
        assert pointers[1] - pointers[0] == offset * slices[0].dtype.itemsize
        for one, array in zip(slices, (other, ARRAY), strict=True):
            np.testing.assert_array_equal(subject.take(one, array.shape), array)


def test_a_layout_without_heads_has_nothing_to_pack_along_heads() -> None:
    alone = numpy_subject(layout=Layout.LENGTH_WIDTH)
    assert alone.packed([ARRAY[:1, :1], ARRAY[:1, :1]], Packing.HEADS) == []
    first, second = alone.packed([ARRAY[:1, :1], -ARRAY[:1, :1]], Packing.COLUMNS)
    assert strides_of(first) == strides_of(second) == (10, 1)
    assert second.tolist() == (-ARRAY[0, 0]).tolist()


@pytest.mark.parametrize(("name", "dtype"), LIBRARIES)
def test_offsets_beyond_32_bits_take_milliseconds_and_little_memory(name: str, dtype: str) -> None:
    subject = Subject(resolve(name), dtype)
    subject.placed(ARRAY, [Placement.FAR])
    before, start = resident_bytes(), time.perf_counter()
    views = [subject.placed(ARRAY, [Placement.FAR])[0] for _ in range(10)]
    assert time.perf_counter() - start < 0.5
    assert resident_bytes() - before < 10 * 2**20
    assert all((subject.take(view, SHAPE) == ARRAY).all() for view in views)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_what_a_library_cannot_hold_is_none_and_not_a_copy() -> None:
    class Opaque:
        def __init__(self, array: Any) -> None:
            self.array = array

    mine = Implementation(
        name="mine",
        attention=correct.attention,
        to_native=lambda array, _dtype: Opaque(array),
        to_numpy=lambda opaque: opaque.array,
    )
    assert placed(Subject(mine, "float32")) == {}
    assert Subject(mine, "float32").packed([ARRAY, ARRAY], Packing.COLUMNS) == []


def test_an_error_of_to_native_is_not_taken_for_a_missing_placement() -> None:
    def to_native(_array: Any, _dtype: str) -> Any:
        raise ValueError("no")

    mine = Implementation(name="mine", attention=correct.attention, to_native=to_native)
    with pytest.raises(Exception, match="to_native, given a float64 array"):
        Subject(mine, "float32").placed(ARRAY, NEAR)
