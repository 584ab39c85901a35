"""Keys hidden from every query reach none, except where fully masked rows are the mean of all values."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Dialect, FullyMasked
from properties.drawing.problem import Problem

ONE_SEES_NOTHING = np.array([[True, False], [False, False]])
BOTH_SEE = np.array([[True, False], [True, False]])


@pytest.mark.parametrize(
    ("mask", "fully_masked", "unseen"),
    [
        (BOTH_SEE, FullyMasked.MEAN, [False, True]),
        (ONE_SEES_NOTHING, FullyMasked.MEAN, [False, False]),
        (ONE_SEES_NOTHING, FullyMasked.ZEROS, [False, True]),
        (ONE_SEES_NOTHING, FullyMasked.NAN, [False, True]),
    ],
)
def test_keys_hidden_from_every_query_are_found(
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool]], fully_masked: FullyMasked, unseen: list[bool]
) -> None:
    ones = np.ones((1, 1, 2, 1))
    problem = Problem(ones, ones, ones, "float64", mask=mask, dialect=Dialect(fully_masked=fully_masked))
    assert problem.keys_hidden_from_all[0, 0, :, 0].tolist() == unseen
