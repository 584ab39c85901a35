"""Isolated implementations are verified one after the other, and what one took is given back before the next."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from attention_tests.engine.profiles import QUICK
from attention_tests.execution.executor import Executor
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.isolation import POSSIBLE, Isolation
from attention_tests.execution.isolation.executor import RemoteExecutor
from attention_tests.execution.subject import Subject
from attention_tests.pytest_plugin.run import Run
from attention_tests.pytest_plugin.turns import pytest_runtest_teardown
from attention_tests.targets.resolve import resolve
from tests.command.test_command import run as command

KERNELS = ("exits", "speaks")


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
def test_all_laws_of_one_implementation_come_before_the_next(tmp_path: Path) -> None:
    targets = [f"tests.support.hostile:{kernel}" for kernel in KERNELS]
    done = command(tmp_path, *targets, "--profile=quick", "--dtype=float32", "-k", "every_element or same_call", "-v")
    verdicts = [line for line in done.stdout.splitlines() if line.startswith("test_") and "-float32] " in line]
    verified = [kernel for line in verdicts for kernel in KERNELS if f":{kernel}-" in line]
    assert [kernel for kernel, _ in groupby(verified)] == list(KERNELS)


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
def test_an_implementation_waiting_for_its_turn_has_no_process() -> None:
    run = Run(QUICK, isolation=Isolation(everything=True))
    run.load_targets(["numpy", "numpy-online"], ["float32"])
    assert [is_running(subject.executor) for subject in run.subjects] == [False, True]


def is_running(executor: Executor) -> bool:
    assert isinstance(executor, RemoteExecutor)
    return executor._process._running is not None


class Guest(LocalExecutor):
    rested = False

    def rest(self) -> None:
        self.rested = True


def item_of(executor: LocalExecutor) -> Any:
    subject = Subject(resolve("numpy"), "float32", executor)
    return SimpleNamespace(callspec=SimpleNamespace(params={"subject": subject}))


def test_an_implementation_used_again_next_keeps_its_process() -> None:
    one, other = Guest(resolve("numpy")), Guest(resolve("numpy"))
    pytest_runtest_teardown(item_of(one), item_of(one))
    assert not one.rested
    pytest_runtest_teardown(item_of(one), item_of(other))
    assert one.rested
    assert not other.rested


def test_what_is_compiled_is_verified_by_one_worker_at_each_dtype(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTED", str(tmp_path / "signatures"))
    asked = ("--profile=quick", "--dtype=float32", "--dtype=float64", "-n2", "-v", "-k", "equal or row or bits")
    done = command(tmp_path, "tests.support.counted:IMMUTABLE", "numpy", *asked)
    workers: dict[str, set[str]] = {}
    for worker, subject in re.findall(r"^\[(gw\d)\] .*\[(.*)\] *$", done.stdout, re.MULTILINE):
        workers.setdefault(subject, set()).add(worker)
    assert [len(workers[f"counted-{dtype}"]) for dtype in ("float32", "float64")] == [1, 1], done.stdout
    assert any(len(of) == 2 for subject, of in workers.items() if subject.startswith("numpy")), done.stdout
