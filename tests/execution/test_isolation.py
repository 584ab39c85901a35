"""Whatever an implementation does to its process becomes the verdict of the property at which it does it."""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from attention_tests.declare.features import Step
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.probe import probe
from attention_tests.engine.profiles import QUICK, Profile
from attention_tests.engine.search import failure_on, hold
from attention_tests.engine.verdict import Verdict, verdict_of
from attention_tests.execution.failures import FAILURES
from attention_tests.execution.isolation import POSSIBLE, Isolation, isolated
from attention_tests.execution.isolation.executor import RemoteExecutor
from attention_tests.execution.isolation.process import Limits
from attention_tests.execution.isolation.running import GONE
from attention_tests.execution.isolation.wire import Done, Numbers, decode
from attention_tests.execution.subject import Subject
from attention_tests.targets.resolve import resolve
from attention_tests.text.wording import BadTarget
from properties.drawing.plans import Plan
from tests.command.test_command import run, table

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")

LAWS = {law.name: law for law in all_laws()}
LAW = LAWS["test_every_element_is_inside_the_derived_bound"]
LIMITS = Limits(seconds=1, gibibytes=1)
FEW = Profile("few", examples=3)
BELOW = "from attention_tests import *; attention = Implementation(name='mine', attention=lambda q, k, v: v, "
SEVEN, EIGHT = Plan(keys=7, queries=7), Plan(keys=8, queries=8)


def subject_of(target: str, limits: Limits = LIMITS, dtype: str = "float32") -> Subject:
    implementation, executor = isolated(target, limits)
    return Subject(implementation, dtype, executor)


@pytest.mark.parametrize(
    ("kernel", "verdict", "words"),
    [
        ("segfaults", Verdict.CRASH, "ended by SIGSEGV"),
        ("aborts", Verdict.CRASH, "ended by SIGABRT"),
        ("exits", Verdict.CRASH, "exited with code 3"),
        ("closes_everything", Verdict.CRASH, "its process"),
        ("garbles", Verdict.CRASH, "its process"),
        ("loops", Verdict.TIMEOUT, "no answer for 1 seconds"),
        ("swallows_signals", Verdict.TIMEOUT, "no answer for 1 seconds"),
        ("raises_system_exit", Verdict.ERROR, "SystemExit"),
        ("interrupts", Verdict.ERROR, "KeyboardInterrupt"),
        ("says_halves", Verdict.ERROR, "half of a pair \\ud800\x00"),
    ],
)
def test_a_hostile_kernel_gets_its_verdict_and_the_run_continues(kernel: str, verdict: Verdict, words: str) -> None:
    subject = subject_of(f"tests.support.hostile:{kernel}")
    assert failure_on(LAW, subject, EIGHT) is None
    failure = failure_on(LAW, subject, SEVEN)
    assert isinstance(failure, FAILURES)
    assert verdict_of(failure) is verdict
    assert words in failure.sentence
    assert failure_on(LAW, subject, EIGHT) is None


def test_the_time_limit_applies_to_each_call_of_a_batch() -> None:
    executor = subject_of("tests.support.hostile:dawdles").executor
    array = executor.native(np.ones((1, 1, 7, 2)), "float32", AssertionError)
    answers = [executor.call(Step.ATTENTION, [array] * 3, {}, AssertionError) for _ in range(4)]
    executor.read(answers, [AssertionError] * 4)
    assert executor.losses == 0


def test_large_arrays_pass_both_ways() -> None:
    numbers = np.random.default_rng(0).integers(0, 1 << 20, (1, 3, 1 << 10, 1 << 11)).astype(float)
    executor = subject_of("tests.support.hostile:speaks", Limits()).executor
    (read,) = executor.read([executor.native(numbers, "float64", AssertionError)], [AssertionError])
    np.testing.assert_array_equal(read, numbers)


def numbers_of(shape: list[int], content: bytes) -> bytes:
    answers = [{"type": "Numbers", "shape": shape, "content": content}]
    return msgspec.msgpack.encode({"type": "Done", "answers": answers})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"0" * 16,
        b"\xdd\xff\xff\xff\xff",
        pickle.dumps("done"),
        msgspec.msgpack.encode(["done", 1.0]),
        msgspec.msgpack.encode({"type": "Done", "answers": [None]}),
        msgspec.msgpack.encode({"type": "Failed", "place": 0, "words": "x"}).replace(b"x", b"\xff"),
        numbers_of([2], bytes(8)),
        numbers_of([1], bytes(7)),
        numbers_of([-1, -1], bytes(8)),
        numbers_of([1 << 63], bytes(8)),
    ],
)
def test_an_invalid_message_is_rejected(content: bytes) -> None:
    with pytest.raises(GONE):
        decode(content)


def test_numbers_of_their_shape_are_a_message() -> None:
    match decode(numbers_of([1, 2], np.ones(2).tobytes())):
        case Done([Numbers() as numbers]):
            np.testing.assert_array_equal(numbers.array(), np.ones((1, 2)), strict=True)
        case other:
            pytest.fail(repr(other))


def test_running_out_of_memory_is_a_verdict() -> None:
    subject = subject_of("tests.support.hostile:takes_all_memory", Limits(gibibytes=0.5))
    failure = failure_on(LAW, subject, SEVEN)
    assert failure
    assert verdict_of(failure) is Verdict.ERROR
    assert "MemoryError" in failure.sentence
    assert failure_on(LAW, subject, EIGHT) is None


@pytest.mark.parametrize("kernel", ["speaks", "leaves_a_child"])
def test_harmless_side_effects_are_no_failure(kernel: str, capfd: pytest.CaptureFixture[str]) -> None:
    subject = subject_of(f"tests.support.hostile:{kernel}")
    assert failure_on(LAW, subject, SEVEN) is None
    assert failure_on(LAW, subject, EIGHT) is None
    assert capfd.readouterr() == ("", "")


def test_numpy_is_patched_only_where_the_kernel_runs() -> None:
    exponential = np.exp
    subject, other = subject_of("tests.support.hostile:patches_numpy"), subject_of("tests.support.hostile:speaks")
    failure = failure_on(LAW, subject, SEVEN)
    assert failure
    assert verdict_of(failure) is Verdict.FAIL
    assert failure_on(LAW, other, SEVEN) is None
    assert np.exp is exponential


def test_a_call_that_ended_its_process_is_not_repeated() -> None:
    subject = subject_of("tests.support.hostile:exits")
    first, second = (failure_on(LAW, subject, SEVEN) for _ in range(2))
    assert first is second
    assert subject.executor.losses == 1


def test_an_idle_executor_has_no_process_until_the_next_call() -> None:
    implementation, executor = isolated("tests.support.hostile:speaks", LIMITS)
    assert isinstance(executor, RemoteExecutor)
    group = group_of(executor)
    executor.rest()
    assert comes_to_an_end(group)
    assert failure_on(LAW, Subject(implementation, "float32", executor), EIGHT) is None
    assert members_of_session(group_of(executor))
    assert executor.losses == 0


def test_a_crash_is_explained_on_a_small_problem() -> None:
    outcome = hold(LAW, subject_of("tests.support.hostile:exits"), QUICK)
    assert outcome.verdict is Verdict.CRASH
    assert "ended its process where a law asks for an answer" in outcome.explanation
    assert "keys=7" in outcome.counterexample


def test_processes_started_by_a_kernel_end_with_it() -> None:
    implementation, executor = isolated("tests.support.hostile:leaves_a_child", LIMITS)
    failure_on(LAW, Subject(implementation, "float32", executor), SEVEN)
    assert isinstance(executor, RemoteExecutor)
    group = group_of(executor)
    assert len(members_of_session(group)) > 1
    executor.rest()
    assert comes_to_an_end(group)


def group_of(executor: RemoteExecutor) -> int:
    assert executor._process._running
    return executor._process._running._process.pid


def comes_to_an_end(group: int) -> bool:
    # What was killed is there until the system comes to it.
    latest = time.monotonic() + 10
    while members_of_session(group) and time.monotonic() < latest:
        time.sleep(0.01)
    return not members_of_session(group)


def members_of_session(group: int) -> list[int]:
    return [number for number in processes() if is_alive(number) and os.getsid(number) == group]


def processes() -> list[int]:
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]


def is_alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("target", "dtype"), [("numpy-layer", "float32"), ("torch", "bfloat16")])
def test_an_implementation_is_judged_alike_wherever_it_runs(target: str, dtype: str) -> None:
    here, there = resolve(target), subject_of(target, Limits(), dtype)
    assert there.implementation.features == here.features
    assert there.implementation.dialect == here.dialect
    assert there.implementation.dtypes == here.dtypes
    for law in all_laws():
        verdicts = [hold(law, subject, FEW).verdict for subject in (Subject(here, dtype), there)]
        assert verdicts[0] == verdicts[1], law.name


def test_a_kernel_that_ends_its_process_can_be_probed() -> None:
    given, executor = Isolation().bring("tests.support.hostile:exits")
    result = probe(replace(given, dtypes={"float32": given.dtypes["float32"]}), executor)
    assert result is not None
    assert "test_every_element_is_inside_the_derived_bound" in result.broken


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "while it was imported, its process exited with code 3"),
        ("import ctypes; ctypes.string_at(0)", "while it was imported, its process was ended by SIGSEGV"),
        ("attention = 3", "an int, which cannot be called"),
        ("raise KeyboardInterrupt", "while it was imported"),
        ("import no_such_library", "needs the module 'no_such_library'"),
        (BELOW + "immutable='yes')", "declares what makes no sense (Expected `bool`, got `str` - at `$."),
        (BELOW + "dtypes={'float32': Precision(name='x', accumulate='float31')})", "'float31' is not known"),
    ],
)
def test_a_target_that_cannot_be_imported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, words: str
) -> None:
    (tmp_path / "mine.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadTarget) as refused:
        isolated("mine:attention", LIMITS)
    assert words in str(refused.value)


def test_a_package_of_the_callers_may_be_named_as_one_of_the_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reference.py").write_text("def attention(query, key, value):\n    return value\n")
    monkeypatch.chdir(tmp_path)
    implementation, _ = isolated("reference:attention", LIMITS)
    assert implementation.name == "reference:attention"


def test_the_run_goes_on_and_counts_each_verdict(tmp_path: Path) -> None:
    kernels = ("exits", "loops", "speaks")
    targets = [f"tests.support.hostile:{kernel}" for kernel in kernels]
    options = (
        "--profile=quick",
        "--dtype=float32",
        "--call-seconds=1",
        "-k",
        "every_element or same_call",
        "-n2",
        "-v",
    )
    done = run(tmp_path, *targets, *options)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    rows = {line.split()[0].rpartition(":")[2]: line for line in table(done.stdout, "promises")[2:]}
    assert "2 crash" in rows["exits"]
    assert "2 timeout" in rows["loops"]
    assert "2 pass" in rows["speaks"]
    assert "a kernel speaks" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--call-seconds=0"], "positive number of seconds"),
        (["--memory=-1"], "0 for any"),
    ],
)
def test_an_invalid_limit_is_refused(tmp_path: Path, options: list[str], words: str) -> None:
    done = run(tmp_path, "numpy", *options)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert words in done.stderr


def test_a_crash_costs_no_import() -> None:
    implementation, executor = isolated("tests.support.hostile:exits", LIMITS)
    subject = Subject(implementation, "float32", executor)
    failure_on(LAW, subject, SEVEN)
    assert isinstance(executor, RemoteExecutor)
    before = group_of(executor)
    failure_on(LAW, subject, Plan(keys=7, queries=3))
    assert executor.losses == 2
    assert group_of(executor) == before
