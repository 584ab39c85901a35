"""The probe finds out what a callable answers, what of it is wrong, and the declaration to copy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from attention_tests import Dialect, Feature, Implementation
from attention_tests.declare.domain import Domain
from attention_tests.engine.probe import Probed, declared, probe
from attention_tests.frameworks.found import Arrays, framework_for
from attention_tests.signatures.reading import from_callable
from implementations import SHIPPED
from tests.command.test_command import ended
from tests.defects.correct_layer import layer_of_a_decoder
from tests.support.bare import mask_dropped_if_causal, plain

WHOLE = SHIPPED.load("numpy")
LAYER = SHIPPED.load("numpy-layer")


def probed(target: Any) -> Probed:
    found = target
    if not isinstance(target, Implementation):
        found = from_callable(target, "mine", framework_for(target, Arrays()))
        found = replace(found, dtypes={"float32": found.dtypes["float32"]})
    result = probe(found)
    assert result is not None
    return result


def test_a_probe_finds_what_an_implementation_answers_whatever_it_declares() -> None:
    result = probed(replace(WHOLE, supports=frozenset(), dtypes={}))
    assert WHOLE.supports - {Feature.THREADS, Feature.NON_FINITE} <= result.declaration.supports
    assert {dtype: one.name for dtype, one in result.declaration.dtypes.items()} == {
        "float64": "float64",
        "float32": "float32",
        "float16": "upcast",
    }
    assert not result.broken


def test_what_is_answered_stays_and_the_laws_that_it_breaks_are_said() -> None:
    result = probed(mask_dropped_if_causal)
    assert {Feature.MASK, Feature.CAUSAL, Feature.COMBINED_MASKS} <= result.declaration.supports
    law = "test_a_mask_is_applied_with_causality_or_a_window"
    assert result.broken[law] == ["float32"]
    assert law in result.report()
    assert "Feature.COMBINED_MASKS" in result.report()


@pytest.mark.parametrize(
    ("kernel", "dialect"), [(layer_of_a_decoder, Dialect(causal_windows=True)), (plain, Dialect())]
)
def test_a_right_callable_breaks_nothing(kernel: Any, dialect: Dialect) -> None:
    result = probed(kernel)
    assert not result.broken
    assert result.declaration.dialect == dialect


def test_what_answers_nothing_has_no_declaration() -> None:
    def broken(_query: Any, _key: Any, _value: Any) -> Any:
        raise ValueError("no kernel for this device")

    assert probe(from_callable(broken, "mine", framework_for(broken, Arrays()))) is None


def test_a_printed_declaration_is_valid_python() -> None:
    names = {"Implementation", "Feature", "Precision", "Dialect", "Domain"}
    written = declared(replace(LAYER, domain=Domain(widths=frozenset({64}), key_multiple=16)))
    assert names <= set(compile(written, "declaration", "eval").co_names)
    assert "Domain(key_multiple=16, widths=frozenset({64}))" in written


def test_the_command_probes_one_target(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["numpy", "torch"], ["numpy", "-x"]):
        assert ended("probe", *arguments) == pytest.ExitCode.USAGE_ERROR
        assert "probe one target" in capsys.readouterr().err
    assert ended("probe", "nunpy") == pytest.ExitCode.USAGE_ERROR
    assert "did you mean 'numpy'" in capsys.readouterr().err
