"""Known failures are of laws and implementations that exist, and are never mixed with passes."""

from __future__ import annotations

from pathlib import Path

import pytest

import implementations
from attention_tests.catalogue import all_laws
from attention_tests.known_failures import KnownFailure, read, stale
from attention_tests.search import expect_failure
from attention_tests.subject import Subject
from attention_tests.verdict import Verdict

LAWS = {law.name: law for law in all_laws()}
SCALE = "test_a_scale_of_any_sign_goes_with_causality"


def test_none_is_stale() -> None:
    assert not stale(read(implementations.KNOWN_FAILURES), implementations.names(), LAWS)


def test_an_entry_that_can_never_apply_is_named() -> None:
    known = [KnownFailure(implementation="torhc", law=f"{SCALE}s", reason="a typo or two")]
    sentences = stale(known, implementations.names(), LAWS)
    assert "did you mean 'torch'" in sentences[0]
    assert f"did you mean {SCALE!r}" in sentences[1]


def test_an_entry_covers_the_dtypes_that_it_names(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text('[[known_failure]]\nimplementation = "a"\nlaw = "b"\nreason = "c"\ndtypes = ["float16"]\n')
    (known,) = read(file)
    assert known.covers("a", "float16", "b")
    assert not known.covers("a", "float32", "b")
    assert not known.covers("b", "float16", "b")


def test_every_entry_has_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text('[[known_failure]]\nimplementation = "a"\nlaw = "b"\n')
    with pytest.raises(TypeError, match="reason"):
        read(file)


def test_a_known_failure_that_passes_is_an_unexpected_pass() -> None:
    known = KnownFailure(implementation="numpy-layer", law=SCALE, reason="it is not")
    outcome = expect_failure(LAWS[SCALE], Subject(implementations.load("numpy-layer"), "float32"), known)
    assert outcome.verdict is Verdict.UNEXPECTED_PASS
    assert "it is not" in outcome.explanation


def test_what_fails_sometimes_may_pass() -> None:
    known = KnownFailure(implementation="numpy-layer", law=SCALE, reason="it is rare", sometimes=True)
    outcome = expect_failure(LAWS[SCALE], Subject(implementations.load("numpy-layer"), "float32"), known)
    assert outcome.verdict is Verdict.PASS
