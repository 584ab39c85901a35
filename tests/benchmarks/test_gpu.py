"""`make gpu`: its kernels are held on the CPU where they run there, and without a GPU one sentence is said."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from attention_tests import Feature
from attention_tests.claims.finding import Claims, found_out
from attention_tests.declare.validation import problems_of
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Verdict
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import trial
from attention_tests.targets.resolve import implementation_of

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
gpu = import_module("benchmarks.gpu.__main__")
kernels = import_module("benchmarks.gpu.kernels")

LAWS = {law.name: law for law in all_laws()}
HELD = (
    "test_every_element_is_inside_the_derived_bound",
    "test_causality_is_aligned_as_the_dialect_declares",
    "test_query_heads_of_a_group_share_a_key_head",
    "test_gradients_are_those_of_the_formula",
)


def claims_of(name: str) -> Claims | None:
    return found_out(implementation_of(getattr(kernels, name), name))


@pytest.mark.parametrize("name", ["math", "flash"])
def test_a_kernel_that_runs_on_the_cpu_is_right_there(name: str) -> None:
    claims = claims_of(name)
    assert claims is not None
    assert {Feature.MASK, Feature.BIAS, Feature.CAUSAL, Feature.SCALE} <= claims.implementation.supports
    for dtype in ("float32", "bfloat16"):
        subject = Subject(claims.implementation, dtype)
        assert {law: hold(LAWS[law], subject, QUICK).verdict for law in HELD} == dict.fromkeys(HELD, Verdict.PASS)


@pytest.mark.parametrize("name", ["efficient", "cudnn"])
def test_a_kernel_that_does_not_run_on_the_cpu_refuses_everything(name: str) -> None:
    assert claims_of(name) is None
    implementation = implementation_of(getattr(kernels, name), name)
    assert "No viable backend" in trial(Subject(implementation, "float32"))


def test_what_flex_attention_is_compiled_to_is_declared_well() -> None:
    for device in ("cpu", "cuda"):
        assert not [*problems_of(kernels.compiled_flex(device))]
    assert kernels.flex.compiled


def test_without_a_gpu_one_sentence_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert gpu.main() == pytest.ExitCode.USAGE_ERROR
    printed = capsys.readouterr()
    assert printed.err == f"{gpu.NO_GPU}\n"
    assert not printed.out


@pytest.mark.parametrize("there", [True, False])
def test_with_a_gpu_the_command_verifies_all_that_is_there(
    *, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def command(arguments: list[str]) -> Any:
        asked.extend(arguments)
        return pytest.ExitCode.OK

    if there:
        (tmp_path / gpu.EXAMPLE).parent.mkdir(parents=True)
        (tmp_path / gpu.EXAMPLE).touch()
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(gpu, "attention_tests", command)
    monkeypatch.setattr(gpu, "FOLDER", tmp_path)
    monkeypatch.setattr(gpu, "find_spec", lambda name: there and name == gpu.JAX_ON_A_GPU[-1])
    monkeypatch.setattr(gpu.sys, "argv", ["gpu", "-x"])
    assert gpu.main() == pytest.ExitCode.OK
    names = [one.rpartition(":")[2] for one in asked if not one.startswith("-")]
    assert names == [*gpu.KERNELS, *(["right", "dot_product_attention"] if there else [])]
    assert asked[-1] == "-x"
    assert {"--device=cuda", "--profile=quick", "--dtype=float16"} <= {*asked}


def test_the_example_in_triton_is_where_it_is_looked_for() -> None:
    assert "def right(" in gpu.FOLDER.joinpath(gpu.EXAMPLE).read_text("utf-8")
