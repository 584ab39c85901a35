from __future__ import annotations

from dataclasses import replace

from attention_tests import Precision
from properties.checks.roundings import roundings_of
from reference.bounds.arithmetic import ORACLE


def test_the_oracle_rounds_as_float64_that_is_not_online() -> None:
    assert roundings_of(replace(Precision.float64(), block=None, merges=0), "float64") == ORACLE


def test_an_accumulator_that_truncates_errs_by_twice_as_much() -> None:
    rounding, truncating = (replace(Precision.float32(), truncate=truncate) for truncate in (False, True))
    assert roundings_of(truncating, "float32").u == 2 * roundings_of(rounding, "float32").u
