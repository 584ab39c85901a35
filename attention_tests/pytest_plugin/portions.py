"""Portions: which worker of pytest-xdist gets which tests, and gets them together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

SCOPE = "_split_scope"
"""The method of a scheduler that tells whose a test is.

It is private, and stays: groups of pytest-xdist's own are made before tests are deselected, and become part of names.
"""


def equal_portions(config: pytest.Config, log: Any) -> Any:
    """Return a scheduler that deals properties out like cards, every n-th to each of n workers; None as `scheduler_by`.

    Exploring takes the same time for each property. A worker that knew only its next one could share nothing out.
    """

    def turn(scheduler: Any, nodeid: str) -> str:
        return str(scheduler.collection.index(nodeid) % scheduler.numnodes)

    return scheduler_by(turn, config, log)


def together(subjects: Collection[str], config: pytest.Config, log: Any) -> Any:
    """Return a scheduler that gives all tests of each of some subjects to one worker; None as `scheduler_by`.

    What one worker has compiled for them, another would compile again.
    """

    def subject_of(_scheduler: Any, nodeid: str) -> str:
        subject = nodeid.rpartition("[")[2].rstrip("]")
        return subject if subject in subjects else nodeid

    return scheduler_by(subject_of, config, log)


def scheduler_by(whose: Callable[[Any, str], str], config: pytest.Config, log: Any) -> Any:
    """Return a scheduler that gives tests of which `whose` says the same to one worker.

    Returns None where this version of pytest-xdist has none that could be told how.
    """
    try:
        from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # noqa: PLC0415 - it may be gone
    except ImportError:
        return None
    if not hasattr(LoadScopeScheduling, SCOPE):
        return None
    scheduler = LoadScopeScheduling(config, log)
    setattr(scheduler, SCOPE, lambda nodeid: whose(scheduler, nodeid))
    return scheduler
