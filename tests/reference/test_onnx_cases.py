"""The reference agrees with ONNX's own node tests of Attention, which nobody here has written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("onnx", reason="ONNX's node tests are in its package: pip install attention-tests[onnx]")

from attention_tests import Precision
from implementations.onnx.evaluator import OPSET_25 as EVALUATOR
from properties.checks.comparison import expected
from tests.reference.onnx_cases import Case, cases
from tests.reference.onnx_document import DOCUMENT, document

ALL = list(cases())

of_each = pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
of_each_with_weights = pytest.mark.parametrize(
    "case", [case for case in ALL if case.gives_weights], ids=lambda case: case.name
)


def arithmetic(case: Case) -> Precision:
    return EVALUATOR.dtypes[case.dtype]


@of_each
def test_the_output_is_inside_the_bound(case: Case) -> None:
    assert expected(case.problem, arithmetic(case)).accepts(case.output).all()


@of_each
def test_an_output_twice_as_far_away_as_the_bound_is_refused(case: Case) -> None:
    oracle = expected(case.problem, arithmetic(case))
    assert not oracle.accepts(oracle.value + 2 * oracle.tolerance).any()


@pytest.mark.parametrize(
    "case",
    [case for case in ALL if not case.problem.seen.all() and not case.has_one_value],
    ids=lambda case: case.name,
)
def test_the_output_is_refused_if_the_mask_is_ignored(case: Case) -> None:
    seeing_all = replace(case.problem, mask=None, bias=None)
    assert not expected(seeing_all, arithmetic(case)).accepts(case.output).all()


@of_each_with_weights
def test_the_weights_are_inside_the_bound(case: Case) -> None:
    assert expected(case.problem.with_identity_values, arithmetic(case)).accepts(case.weights).all()


@of_each_with_weights
def test_the_weights_of_other_tokens_are_refused(case: Case) -> None:
    assert not expected(case.problem.with_identity_values, arithmetic(case)).accepts(case.weights[..., ::-1]).all()


@pytest.mark.parametrize("case", [case for case in ALL if "present_key" in case.answers], ids=lambda case: case.name)
def test_the_past_keys_and_values_are_those_of_the_problem(case: Case) -> None:
    np.testing.assert_array_equal(case.answers["present_key"], case.problem.key)
    np.testing.assert_array_equal(case.answers["present_value"], case.problem.value)


def test_the_document_lists_the_cases() -> None:
    assert DOCUMENT.read_text("utf-8") == document(ALL), "run: python -m tests.reference.onnx_document"
