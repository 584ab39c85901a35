"""What is hidden from every query reaches none, but where a query that sees nothing gets the mean of all values."""

from __future__ import annotations

import numpy as np
import pytest

from attention_tests import Dialect, Unseeing
from properties.drawing.problem import Problem

ONE_SEES_NOTHING = np.array([[True, False], [False, False]])
BOTH_SEE = np.array([[True, False], [True, False]])


@pytest.mark.parametrize(
    ("mask", "unseeing", "unseen"),
    [
        (BOTH_SEE, Unseeing.MEAN, [False, True]),
        (ONE_SEES_NOTHING, Unseeing.MEAN, [False, False]),
        (ONE_SEES_NOTHING, Unseeing.ZEROS, [False, True]),
        (ONE_SEES_NOTHING, Unseeing.NAN, [False, True]),
    ],
)
def test_words_that_reach_no_query(
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool]], unseeing: Unseeing, unseen: list[bool]
) -> None:
    ones = np.ones((1, 1, 2, 1))
    problem = Problem(ones, ones, ones, "float64", mask=mask, dialect=Dialect(unseeing=unseeing))
    assert problem.unseen_words[0, 0, :, 0].tolist() == unseen
