"""The bound agrees, number for number, with the validated prototype it was written after."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from properties.checks.roundings import roundings_of
from reference.bounds import error_bound
from reference.bounds.arithmetic import Roundings
from reference.bounds.attention_error import ForwardPass
from reference.bounds.formats import Array
from tests.reference.families import PRECISIONS

RECORDED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("prototype_bounds.json").read_text())
"""The prototype's E, row by row, and its verdict on answers 0.8 and 1.6 tolerances to either side of the value."""

SAME_ARITHMETIC = 1e-12
"""Both evaluate one formula in float64; sums may be taken in another order, and nothing else may differ."""


def array(numbers: list[str], *shape: int) -> Array:
    return np.array([float.fromhex(number) for number in numbers]).reshape(shape)


def problem(record: dict[str, Any]) -> tuple[tuple[Array, Array, Array], float | None, Array | None, Roundings]:
    n_q, n_k, d_k, d_v = record["shapes"]
    inputs = (
        array(record["query"], n_q, d_k),
        array(record["key"], n_k, d_k),
        array(record["value"], n_k, d_v),
    )
    dtype, precision = PRECISIONS[record["arithmetic"]]
    bias = None if record["bias"] is None else array(record["bias"], n_q, n_k)
    # The prototype knew of no merges.
    return inputs, record["scale"], bias, roundings_of(replace(precision, merges=0), dtype)


def name(record: dict[str, Any]) -> str:
    return f"{record['family']}-{record['arithmetic']}"


@pytest.mark.parametrize("record", RECORDED, ids=name)
def test_the_error_is_that_of_the_prototype(record: dict[str, Any]) -> None:
    inputs, scale, bias, roundings = problem(record)
    error, _ = ForwardPass.of(*inputs, scale, bias).error(roundings)
    np.testing.assert_allclose(error, array(record["error"], *error.shape), rtol=SAME_ARITHMETIC, atol=0)


@pytest.mark.parametrize("record", [record for record in RECORDED if "answers" in record], ids=name)
def test_the_verdict_is_that_of_the_prototype(record: dict[str, Any]) -> None:
    inputs, scale, bias, roundings = problem(record)
    expected = error_bound.attention(*inputs, roundings, scale=scale, bias=bias)
    n_q, d_v = expected.value.shape
    answers = array(record["answers"], n_q, 4, d_v).swapaxes(0, 1)
    accepted = np.array(record["accepted"], bool).reshape(n_q, 4, d_v).swapaxes(0, 1)
    np.testing.assert_array_equal([expected.accepts(answer) for answer in answers], accepted)
