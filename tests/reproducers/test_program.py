"""A failure is written as a program that anybody can run: what is in it, and that it does what it says."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attention_tests import Precision
from attention_tests.claims.finding import found_out
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import QUICK
from attention_tests.engine.search import hold
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.executor import Executor
from attention_tests.execution.failures import Crashed, TimedOut
from attention_tests.execution.subject import Subject
from attention_tests.frameworks.found import Arrays, framework_for
from attention_tests.reproducers import LONGEST, recorder, reproducer
from attention_tests.reproducers.header import comment
from attention_tests.signatures.reading import from_callable
from attention_tests.targets.resolve import resolve
from properties.drawing.plans import Plan
from tests.support import kernels
from tests.support.scripts import LAWS, run_all

INSIDE_THE_BOUND = "test_every_element_is_inside_the_derived_bound"
SAME_DTYPE = "test_output_has_the_dtype_of_its_inputs"
LOG_SUM_EXP = "test_log_sum_exp_is_the_logarithm_of_the_denominator"
CAUSAL = "test_a_causal_query_attends_to_no_later_token"
ROOT = Path(__file__).parents[2]


def outcome(target: str, law: str = INSIDE_THE_BOUND, dtype: str = "float32") -> Outcome:
    return hold(LAWS[law], Subject(resolve(target), dtype), QUICK)


def program(target: str, law: str = INSIDE_THE_BOUND, dtype: str = "float32") -> str:
    subject = Subject(resolve(target), dtype)
    return reproducer(LAWS[law], subject, hold(LAWS[law], subject, QUICK))


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """Programs for kernels that are imported in different ways, and are wrong in different ways."""
    found = {
        "with_other_names": CAUSAL,
        "without_scale": INSIDE_THE_BOUND,
        "kernels.fast.attention": INSIDE_THE_BOUND,
        "not a name": INSIDE_THE_BOUND,
        "class.attention": INSIDE_THE_BOUND,
        "raises": INSIDE_THE_BOUND,
        "exits": INSIDE_THE_BOUND,
        "a_list": INSIDE_THE_BOUND,
        "of_another_shape": INSIDE_THE_BOUND,
        "of_another_dtype": SAME_DTYPE,
        "of_one_part": LOG_SUM_EXP,
    }
    return {name: program(f"tests.support.kernels:{name}", law) for name, law in found.items()}


@pytest.fixture(scope="module")
def ran(scripts: dict[str, str]) -> dict[str, tuple[int, str]]:
    return run_all(scripts)


def test_every_kind_of_failure_is_reproduced(ran: dict[str, tuple[int, str]]) -> None:
    assert {name: one for name, one in ran.items() if one[0] != 1 or "\nreproduced" not in f"\n{one[1]}"} == {}


def test_a_program_needs_numpy_and_the_implementation_only(scripts: dict[str, str]) -> None:
    imported = {
        name
        for text in scripts.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert imported == {"importlib", "numpy", "os", "sys", "tests.support.kernels"}


def test_a_bare_callable_is_called_as_its_author_calls_it(scripts: dict[str, str]) -> None:
    text = scripts["with_other_names"]
    assert "\nfrom tests.support.kernels import with_other_names as attention\n" in text
    assert "\nquery = np.array([" in text
    assert "dtype=np.float32)\n" in text
    assert "attention(query, key, value, is_causal=True)\n" in text


def test_a_program_names_the_implementation_and_the_law(scripts: dict[str, str]) -> None:
    text, law = scripts["without_scale"], LAWS[INSIDE_THE_BOUND]
    says = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    for words in ("tests.support.kernels:without_scale", "float32", law.says, law.clause.says, "NumPy 2", "Python 3"):
        assert words in says


def test_a_program_prints_the_actual_and_the_expected_output(ran: dict[str, tuple[int, str]]) -> None:
    got, expected, error, *_ = ran["without_scale"][1].splitlines()
    assert (got.split()[0], expected.split()[0]) == ("got", "expected")
    wrong = abs(float(got.split()[1]) - float(expected.split()[1]))
    assert error.startswith(f"error     {wrong:.3g}, ")
    assert "times the bound" in error


def test_a_wrong_form_is_printed(ran: dict[str, tuple[int, str]]) -> None:
    assert "got       list, no shape" in ran["a_list"][1]
    assert "expected  return one array of shape (1, 1, 1, 1)" in ran["a_list"][1]


def test_text_of_an_implementation_cannot_become_code(scripts: dict[str, str], ran: dict[str, tuple[int, str]]) -> None:
    assert scripts["raises"].isascii() or "\ud800" not in scripts["raises"]
    assert "\ninjected" not in ran["raises"][1]
    assert "reproduced: ValueError" in ran["raises"][1]


@pytest.mark.parametrize("words", ["a\nb", "a\r\nb", "a\x0bb\x0cc", "a\u2028b\x85c", "a\x00b", "\ud800", "", "x " * 99])
def test_text_cannot_escape_its_comment(words: str) -> None:
    lines = comment(words)
    text = "\n".join(lines)
    assert all(line.startswith("#") for line in text.splitlines())
    assert ast.parse(text.encode()).body == []


def test_the_program_for_a_shipped_implementation_loads_it() -> None:
    # With one of its formats taken for a better one.
    shipped = replace(resolve("numpy-online"), dtypes={"float32": Precision.float64()})
    subject = Subject(shipped, "float32")
    text = reproducer(LAWS[INSIDE_THE_BOUND], subject, hold(LAWS[INSIDE_THE_BOUND], subject, QUICK))
    ran = subprocess.run([sys.executable, "-"], input=text, capture_output=True, text=True, cwd=ROOT, check=False)
    assert "from implementations.numpy.whole import ONLINE as implementation" in text
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (1, "reproduced")


def written(failure: Exception, function: Callable[..., Any]) -> str:
    def body(subject: Subject, problem: Any) -> None:
        subject.give(problem.query)
        subject.attention(problem.query, problem.key, problem.value)
        raise failure

    law = replace(LAWS[INSIDE_THE_BOUND], body=body)
    right = replace(resolve("numpy"), target=f"tests.support.kernels:{function.__name__}", parameters={})
    plan = Plan()
    broken_on = plan.build("float32", right.features)
    return reproducer(
        law, Subject(right, "float32"), Outcome(Verdict.FAIL, counterexample=repr(plan), broken_on=broken_on)
    )


def test_a_crash_ends_the_process_of_the_program() -> None:
    code, printed = run_all({"": written(Crashed("gone"), kernels.ends_the_process)})[""]
    assert code == 7
    assert "ends this process" in printed


def test_a_call_that_does_not_return_is_stopped() -> None:
    text = written(TimedOut("gave no answer", 0.2), kernels.never_returns)
    code, printed = run_all({"": text})[""]
    assert code == 1
    assert "never_returns" in printed


def test_a_program_exits_with_zero_if_the_failure_is_gone() -> None:
    text = written(TimedOut("gave no answer", 60.0), kernels.without_scale)
    assert run_all({"": text})[""][0] == 0


@pytest.mark.parametrize(
    ("imports", "form"),
    [
        ("import numpy as np", "query @ key.swapaxes(-1, -2)"),
        ("import torch", "query @ key.mT"),
    ],
)
def test_a_program_for_a_file_runs_whatever_the_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, imports: str, form: str
) -> None:
    pytest.importorskip(imports.split()[1], reason="the arrays of a framework that is not installed")
    folder = tmp_path / "kernels of mine"
    folder.mkdir()
    name = f"flash_over_{imports.split()[1]}"
    (folder / f"{name}.py").write_text(
        f"{imports}\ndef attention(query, key, value):\n    return ({form}) @ value\n", "utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(folder)
    claims = found_out(resolve(f"kernels of mine/{name}.py:attention"))
    assert claims is not None
    subject = Subject(claims.implementation, "float32")
    failed = hold(LAWS[INSIDE_THE_BOUND], subject, QUICK)
    text = reproducer(LAWS[INSIDE_THE_BOUND], subject, failed)
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "reproduced"), done.stderr


def test_an_implementation_that_cannot_be_imported_has_no_program() -> None:
    implementation = from_callable(kernels.without_scale, "mine", framework_for(kernels.without_scale, Arrays()))
    subject = Subject(implementation, "float32")
    failed = hold(LAWS[INSIDE_THE_BOUND], subject, QUICK)
    assert failed.verdict is Verdict.FAIL
    assert reproducer(LAWS[INSIDE_THE_BOUND], subject, failed).startswith(
        "# There is no program that shows this failure: it is not known where"
    )


def test_a_failure_that_does_not_repeat_has_no_program() -> None:
    assert "kept the law" in program("tests.support.kernels:wrong_once")


def test_a_program_that_cannot_be_written_changes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no\nsource")

    monkeypatch.setattr(recorder, "source_of", broken)
    text = program("tests.support.kernels:without_scale")
    assert ast.parse(text).body == []
    assert "RuntimeError" in text


def test_recording_starts_only_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RecordedSubject", None)
    assert program("numpy") == ""


def test_the_same_failure_has_the_same_program(scripts: dict[str, str]) -> None:
    assert program("tests.support.kernels:without_scale") == scripts["without_scale"]


def test_a_program_for_long_inputs_is_small_enough_to_attach() -> None:
    law, subject = long_law(), Subject(resolve("tests.support.kernels:without_scale"), "float32")
    text = reproducer(law, subject, hold(law, subject, QUICK))
    assert 4 * 257 * 4 < len(text) < LONGEST
    assert run_all({"": text})[""][0] == 1


def long_law() -> Law:
    """Return a law that only long problems break."""
    law = LAWS["test_any_number_of_keys_gives_the_right_output"]

    def body(subject: Subject, problem: Any) -> None:
        if problem.key.shape[-2] >= 257:
            law.body(subject, problem)

    return replace(law, body=body)


def test_every_method_of_a_host_is_recorded() -> None:
    assert {name for name in vars(Executor) if not name.startswith("_")} <= vars(recorder.Recorder).keys()
