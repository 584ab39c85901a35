"""Turns of isolated implementations: all laws of one, then all of the next.

What one keeps in memory, such as the programs that it has compiled, is given back before the next one begins. What is
compiled for its shapes is verified by one worker of pytest-xdist at each dtype.
"""

from __future__ import annotations

from typing import Any

import pytest

from attention_tests.execution.executor import Executor
from attention_tests.execution.in_process import LocalExecutor
from attention_tests.execution.subject import Subject
from attention_tests.pytest_plugin.portions import together
from attention_tests.pytest_plugin.run import RUN


# Before what explores is put first, by a hook that comes last: a budget goes before turns.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the laws of each isolated implementation together; those of this process share what a law works out."""
    isolated = [
        subject.executor for subject in config.stash[RUN].subjects if not isinstance(subject.executor, LocalExecutor)
    ]
    turns = {id(executor): turn for turn, executor in enumerate(isolated, start=1)}
    items.sort(key=lambda item: turns.get(id(_executor_of(item)), 0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give what is compiled to one worker at each dtype, unless another way was asked for."""
    compiled = {repr(subject) for subject in config.stash[RUN].subjects if subject.implementation.compiled}
    return together(compiled, config, log) if compiled and config.getoption("dist") == "load" else None


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the turn of an implementation that is not the next one's."""
    executor = _executor_of(item)
    if executor is not None and nextitem is not None and _executor_of(nextitem) is not executor:
        executor.rest()


def _executor_of(item: pytest.Item) -> Executor | None:
    subject = item.callspec.params.get("subject") if hasattr(item, "callspec") else None
    return subject.executor if isinstance(subject, Subject) else None
