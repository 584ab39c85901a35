"""The account of the calls of an implementation: every one is counted, and each signature kept once."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from attention_tests import Implementation
from attention_tests.execution.calls import Calls
from attention_tests.execution.isolation import POSSIBLE, Isolation
from attention_tests.execution.placement import Packing, Placement
from attention_tests.execution.subject import Subject
from attention_tests.targets.resolve import resolve

NUMPY = resolve("numpy")
SMALL, LARGE = np.ones((1, 2, 3, 4)), np.ones((1, 2, 5, 4))


def test_calls_are_counted_and_each_signature_kept_once() -> None:
    subject = Subject(NUMPY, "float32")
    for array in (SMALL, SMALL, LARGE):
        subject.attention(array, array, array)
    calls = subject.account.taken()
    assert calls.count == 3
    assert [signature.arguments[0] for signature in calls.signatures] == [SMALL.shape, LARGE.shape]


def test_what_was_taken_is_not_counted_again() -> None:
    subject = Subject(NUMPY, "float32")
    subject.attention(SMALL, SMALL, SMALL)
    subject.account.taken()
    subject.attention(SMALL, SMALL, SMALL)
    calls = subject.account.taken()
    assert (calls.count, calls.signatures) == (1, [])


def test_every_way_of_calling_is_counted() -> None:
    subject = Subject(NUMPY, "float32")
    call, native = (SMALL, SMALL, SMALL), subject.give(SMALL)
    ways: tuple[tuple[Callable[[], object], int], ...] = (
        (lambda: subject.attention_at_once([call, call]), 2),
        (lambda: subject.attention_repeatedly(*call, times=3), 3),
        (lambda: subject.attention_concealed(*call), 1),
        (lambda: subject.changed_by_attention(*call), 1),
        (lambda: subject.forbidden_calls_of(*call), 1),
        (lambda: subject.shortest_time([(native, native, native)]), 10),
    )
    for ask, count in ways:
        ask()
        assert subject.account.taken().count == count


def test_the_places_in_memory_are_those_that_there_were() -> None:
    subject = Subject(NUMPY, "float32")
    subject.placed(np.arange(24.0).reshape(1, 2, 3, 4), [Placement.FORTRAN, Placement.REPEATED, Placement.FORTRAN])
    subject.packed([SMALL, SMALL], Packing.HEADS)
    assert subject.account.taken().placements == [Placement.FORTRAN, Packing.HEADS]


def test_a_call_with_an_input_or_a_mask_in_another_place_has_a_signature_of_its_own() -> None:
    subject = Subject(resolve("numpy-layer"), "float32")
    array, mask = np.arange(24.0).reshape(1, 2, 3, 4), np.ones((1, 2, 3, 3), bool)
    native = subject.give(array)
    (fortran,) = subject.placed(array, [Placement.FORTRAN])
    (transposed,) = subject.option_placed("mask", mask, [Placement.TRANSPOSED])
    for key, options in ((native, {}), (fortran, {}), (fortran, {}), (native, {"mask": transposed})):
        subject.attend_natively(native, key, native, **options)
    places = [signature.places for signature in subject.account.taken().signatures]
    assert places == [(), ("", Placement.FORTRAN, ""), ("", "", "", Placement.TRANSPOSED)]


def test_arrays_of_a_try_are_forgotten_with_it() -> None:
    subject = Subject(NUMPY, "float32")
    (fortran,) = subject.placed(np.arange(24.0).reshape(1, 2, 3, 4), [Placement.FORTRAN])
    kept = weakref.ref(fortran)
    del fortran
    assert kept() is not None
    subject.abandon()
    assert kept() is None


def calls_in(*, everything: bool) -> Calls:
    implementation, executor = Isolation(everything).bring("numpy-layer")
    subject = Subject(implementation, "float32", executor)
    mask = np.ones((3, 3), bool)
    given: tuple[dict[str, Any], ...] = ({}, {"scale": 2.0}, {"mask": mask})
    for options in given:
        subject.attention(SMALL, SMALL, SMALL, **options)
    return subject.account.taken()


@pytest.mark.skipif(not POSSIBLE, reason="Linux has what isolation takes")
def test_another_process_is_asked_the_same() -> None:
    assert calls_in(everything=True) == calls_in(everything=False)


def test_an_implementation_that_is_asked_nothing_has_an_empty_account() -> None:
    assert Subject(Implementation(name="mine"), "float32").account.taken().count == 0
