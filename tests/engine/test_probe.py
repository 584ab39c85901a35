"""The probe finds out what an implementation declares, in whatever dialect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attention_tests import Alignment, Dialect, Feature, FullyMasked, Implementation, Layout
from attention_tests.declare.signature import from_callable
from attention_tests.engine.probe import declared, probe
from implementations import SHIPPED
from tests.command.test_command import ended
from tests.defects.correct_layer import layer, layer_of_a_decoder

WHOLE = SHIPPED.load("numpy")
LAYER = SHIPPED.load("numpy-layer")


def foreign(query: Any, key: Any, value: Any, *, mask: Any = None, causal: bool = False) -> Any:
    """Speak another dialect: True hides, the last query is the last word, and who sees nothing gets NaN."""
    assert LAYER.attention is not None
    n_q, n_k = query.shape[-2], key.shape[-2]
    seen = np.ones((n_q, n_k), bool) if mask is None else ~mask
    if causal:
        seen = seen & (np.arange(n_k) <= np.arange(n_q)[:, None] + n_k - n_q)
    output = LAYER.attention(query, key, value, mask=seen)
    fully_masked = ~np.broadcast_to(seen, (*query.shape[:-1], n_k)).any(-1)
    output[fully_masked] = np.nan
    return output


def test_a_probe_finds_what_plain_attention_declares() -> None:
    probed = probe(replace(WHOLE, supports=frozenset(), dtypes={}))
    assert probed is not None
    assert probed.declaration.supports == WHOLE.supports
    assert {dtype: one.name for dtype, one in probed.declaration.dtypes.items()} == {
        "float64": "float64",
        "float32": "float32",
        "float16": "upcast",
    }
    assert probed.broken[Feature.MASK]


def test_a_probe_finds_the_dialect() -> None:
    probed = probe(from_callable(foreign, "foreign"))
    assert probed is not None
    assert {Feature.MASK, Feature.CAUSAL} <= probed.declaration.supports
    assert Feature.BIAS not in probed.declaration.supports
    assert probed.declaration.dialect == Dialect(
        alignment=Alignment.BOTTOM_RIGHT, true_hides=True, fully_masked=FullyMasked.NAN
    )
    assert "Dialect(alignment=Alignment.BOTTOM_RIGHT, true_hides=True, fully_masked=FullyMasked.NAN)" in probed.report()


def test_a_probe_finds_windows_that_are_causal() -> None:
    probed = probe(from_callable(layer_of_a_decoder, "decoder"))
    assert probed is not None
    assert {Feature.CAUSAL, Feature.WINDOW} <= probed.declaration.supports
    assert probed.declaration.dialect == Dialect(causal_windows=True)
    assert "Dialect(causal_windows=True)" in probed.report()


def test_a_probe_finds_windows_that_are_symmetric() -> None:
    probed = probe(from_callable(layer, "layer"))
    assert probed is not None
    assert Feature.WINDOW in probed.declaration.supports
    assert not probed.declaration.dialect.causal_windows


def test_a_probe_finds_the_layout() -> None:
    def words_first(query: Any, key: Any, value: Any) -> Any:
        assert WHOLE.attention is not None
        return WHOLE.attention(*(array.swapaxes(1, 2) for array in (query, key, value))).swapaxes(1, 2)

    probed = probe(Implementation(name="words first", attention=words_first))
    assert probed is not None
    assert probed.declaration.dialect.layout is Layout.BATCH_LENGTH_HEAD_WIDTH


def test_a_function_that_is_no_attention_has_no_declaration() -> None:
    assert probe(Implementation(name="mean", attention=lambda query, _key, value: 0 * query + value.mean())) is None


def test_a_printed_declaration_is_valid_python() -> None:
    names = {"Implementation", "Feature", "Precision", "Dialect"}
    compiled = compile(declared(LAYER), "declaration", "eval")
    assert names <= set(compiled.co_names)


def test_the_command_probes_one_target(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["numpy", "torch"], ["numpy", "-x"]):
        assert ended("probe", *arguments) == pytest.ExitCode.USAGE_ERROR
        assert "probe one target" in capsys.readouterr().err
    assert ended("probe", "nunpy") == pytest.ExitCode.USAGE_ERROR
    assert "did you mean 'numpy'" in capsys.readouterr().err
