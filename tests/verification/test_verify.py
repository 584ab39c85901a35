"""`verify` returns what became of a kernel, whatever the kernel does, and leaves nothing behind."""

from __future__ import annotations

import gc
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from attention_tests import Domain, Implementation, verify
from attention_tests.engine.row import Row
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.isolation import no_copy
from attention_tests.execution.subject import Subject
from attention_tests.text.wording import BadTarget
from attention_tests.verification.report import Report
from benchmarks.verifications import open_files
from tests.support import bare, kernels, targets
from tests.support.reported import row

FLOAT32 = ("float32",)


def one_head(kernel: bare.Kernel) -> bare.Kernel:
    """Return a kernel of few sizes, so that little is asked of it."""
    return bare.within(Domain(heads=frozenset({1}), batches=frozenset({1}), longest=64), kernel)


def test_a_right_kernel_passes() -> None:
    report = verify(one_head(bare.plain), dtypes=FLOAT32)
    assert report.passed
    assert report.score == 1
    assert not report.failures
    assert "in a domain: batches 1; key heads 1; lengths up to 64" in report.said


@pytest.fixture(scope="module")
def wrong() -> Report:
    return verify(one_head(bare.a_single_causal_query_sees_all), dtypes=FLOAT32)


def test_a_wrong_kernel_fails_and_says_how(wrong: Report) -> None:
    assert not wrong.passed
    assert 0 < wrong.score < 1
    failure = wrong.failures[0]
    assert failure.verdict is Verdict.FAIL
    assert "breaks a law" in failure.explanation
    assert "ignores causality, only with queries = 1" in wrong.diagnosis
    assert wrong.diagnosis in str(wrong)
    (shown,) = wrong.of_failures.shown
    assert f"{shown.law} [float32]" in str(wrong)
    assert "The smallest problem found" in shown.explanation


@pytest.mark.parametrize("kernel", ["tests.support.targets:forgets_the_scale", targets.declared])
def test_a_target_or_a_declaration_may_be_named(kernel: str | Implementation) -> None:
    report = verify(kernel, dtypes=FLOAT32)
    assert report.passed is (kernel is targets.declared)


@pytest.mark.parametrize("kernel", [targets.exits_at_once, kernels.never_returns, targets.raises])
def test_a_hostile_kernel_is_refused(kernel: Any) -> None:
    report = verify(kernel, dtypes=FLOAT32, call_seconds=1.0)
    assert not report.passed
    assert report.score == 0
    assert report.refusal in str(report)


def test_a_kernel_that_crashes_now_and_then_is_verified_all_the_same() -> None:
    def crashes(query: Any, key: Any, value: Any) -> Any:
        if key.shape[-2] == 7:
            os.abort()
        return one_head(bare.plain)(query, key, value)

    report = verify(crashes, dtypes=FLOAT32)
    verdicts = {one.verdict for one in report.rows}
    assert {Verdict.CRASH, Verdict.PASS} <= verdicts
    assert not report.passed


def test_what_it_changes_is_changed_in_a_copy_of_this_process() -> None:
    def writes(_query: Any, _key: Any, _value: Any) -> Any:
        np.seterr(all="raise")
        CHANGED.append(1)
        raise ValueError("not here")

    before = np.geterr()
    verify(writes, dtypes=FLOAT32)
    assert not CHANGED
    assert np.geterr() == before


CHANGED: list[int] = []


@pytest.mark.parametrize("kernel", [targets.exits_at_once, one_head(bare.plain)])
def test_it_leaves_nothing_behind(kernel: Any) -> None:
    def there() -> tuple[int, int]:
        return open_files(), sum(type(one) is Subject for one in gc.get_objects())

    verify(kernel, dtypes=FLOAT32)
    gc.collect()
    before = there()
    gc.disable()
    try:
        verify(kernel, dtypes=FLOAT32)
        files, _ = there()
    finally:
        gc.enable()
    gc.collect()
    assert (files, there()[1]) == before


def test_it_may_be_called_from_threads() -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = [pool.submit(verify, kernel, dtypes=FLOAT32) for kernel in (targets.raises, one_head(bare.plain))]
        assert [report.result().passed for report in reports] == [False, True]


def test_a_kernel_that_is_right_only_where_it_is_tested_scores_nothing() -> None:
    def one(law: str, verdict: Verdict) -> Row:
        return row(law, "every-word", "mine", "float32", verdict)

    anew = one("test_a_problem_drawn_anew_is_computed_correctly", Verdict.FAIL)
    plain = "test_every_element_is_inside_the_derived_bound"
    others = [one("test_equal_keys_get_equal_weights", Verdict.PASS), one("test_a_single_key", Verdict.PASS)]
    pretends = Report("mine", [one(plain, Verdict.PASS), anew, *others])
    wrong = Report("mine", [one(plain, Verdict.FAIL), anew, *others])
    crashes = Report("mine", [one(plain, Verdict.PASS), replace(anew, verdict=Verdict.CRASH), *others])
    assert (pretends.score, pretends.pretends) == (0, True)
    assert (wrong.score, wrong.pretends) == (0, False)
    assert (crashes.score, crashes.pretends) == (0.75, False)


def test_a_report_is_plain_and_can_be_looked_at(wrong: Report) -> None:
    written = json.loads(json.dumps(wrong.to_dict()))
    assert written["passed"] is False
    assert written["failures"][0]["law"] == wrong.failures[0].law
    html = wrong._repr_html_()
    assert wrong.failures[0].law in html
    assert html.count("<details>") == len(wrong.failures)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"profile": "quik"}, "did you mean 'quick'"),
        ({"arrays": "troch"}, "'troch' is not known"),
        ({"dtypes": ["float23"]}, "'float23' is not known"),
        ({"device": "nowhere"}, "NumPy's arrays are on the CPU"),
        ({"kernel": targets.declared, "device": "cuda", "isolate": True}, "a copy of this process cannot use .* cuda"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        verify(**{"kernel": bare.plain} | asked)


def test_a_kernel_of_pytorch_is_held_in_a_process_that_has_computed_on_many_threads() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def attention(query: Any, key: Any, value: Any) -> Any:
        if query.shape[:2] != (1, 1) or max(query.shape[2], key.shape[2]) > 64:
            raise ValueError("one short text at a time")
        return torch.softmax(query @ key.mT * query.shape[-1] ** -0.5, -1) @ value

    many = torch.get_num_threads()
    torch.set_num_threads(max(2, many))
    try:
        square = torch.ones(512, 512, requires_grad=True)
        (square @ square).sum().backward()
        report = verify(attention, dtypes=FLOAT32)
    finally:
        torch.set_num_threads(many)
    assert report.passed, str(report)


@pytest.mark.parametrize("package", ["jax", "mlx", "tensorflow"])
def test_what_computes_on_threads_that_cannot_be_copied_runs_here_and_all_else_in_a_copy(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, ModuleType(package))
    before = len(CHANGED)

    def counts(_query: Any, _key: Any, _value: Any) -> Any:
        CHANGED.append(1)
        raise ValueError("not here")

    assert f"cannot use {package}" in no_copy(package, "cpu")
    assert not no_copy("numpy", "cpu")
    assert not verify(counts, dtypes=FLOAT32).passed
    assert len(CHANGED) == before
    assert not verify(counts, dtypes=FLOAT32, isolate=False).passed
    assert len(CHANGED) > before
    del CHANGED[before:]
