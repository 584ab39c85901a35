"""Isolated implementations are verified one after the other, and what one took is given back before the next."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from attention_tests.engine.profiles import QUICK
from attention_tests.execution.executor import Host
from attention_tests.execution.in_process import LocalHost
from attention_tests.execution.isolation import POSSIBLE, Isolation
from attention_tests.execution.isolation.executor import RemoteHost
from attention_tests.execution.subject import Subject
from attention_tests.pytest_plugin.run import Run
from attention_tests.pytest_plugin.turns import pytest_runtest_teardown
from attention_tests.targets.resolve import resolve
from tests.suite.test_command import run as command

KERNELS = ("exits", "speaks")


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
def test_all_laws_of_one_come_before_those_of_the_next(tmp_path: Path) -> None:
    targets = [f"tests.suite.hostile:{kernel}" for kernel in KERNELS]
    done = command(tmp_path, *targets, "--profile=quick", "--dtype=float32", "-k", "every_element or same_call", "-v")
    verdicts = [line for line in done.stdout.splitlines() if line.startswith("test_") and "-float32] " in line]
    verified = [kernel for line in verdicts for kernel in KERNELS if f":{kernel}-" in line]
    assert [kernel for kernel, _ in groupby(verified)] == list(KERNELS)


@pytest.mark.skipif(not POSSIBLE, reason="only Linux has what isolation takes")
def test_what_waits_for_its_turn_has_no_process() -> None:
    run = Run(QUICK, isolation=Isolation(everything=True))
    run.bring_in(["numpy", "numpy-online"], ["float32"])
    assert [is_running(subject.host) for subject in run.subjects] == [False, True]


def is_running(host: Host) -> bool:
    assert isinstance(host, RemoteHost)
    return host._process._running is not None


class Guest(LocalHost):
    rested = False

    def rest(self) -> None:
        self.rested = True


def item_of(host: LocalHost) -> Any:
    subject = Subject(resolve("numpy"), "float32", host)
    return SimpleNamespace(callspec=SimpleNamespace(params={"subject": subject}))


def test_who_comes_next_again_does_not_rest_in_between() -> None:
    one, other = Guest(resolve("numpy")), Guest(resolve("numpy"))
    pytest_runtest_teardown(item_of(one), item_of(one))
    assert not one.rested
    pytest_runtest_teardown(item_of(one), item_of(other))
    assert one.rested
    assert not other.rested
