"""Equal portions: the workers of pytest-xdist get the properties in turn, each at once all that are its own.

Exploring takes the same time for each property. A worker that knew only its next one could share nothing out.
"""

from __future__ import annotations

from typing import Any

import pytest

SCOPE = "_split_scope"
"""The method of a scheduler that tells whose a test is.

It is private, and stays: groups of pytest-xdist's own are made before tests are deselected, and become part of names.
"""


def portions(config: pytest.Config, log: Any) -> Any:
    """Return a scheduler that deals properties out like cards, every n-th to each of n workers.

    Returns None where this version of pytest-xdist has none that could be told how.
    """
    try:
        from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # noqa: PLC0415 - it may be gone
    except ImportError:
        return None
    if not hasattr(LoadScopeScheduling, SCOPE):
        return None
    scheduler = LoadScopeScheduling(config, log)
    setattr(scheduler, SCOPE, lambda nodeid: str(scheduler.collection.index(nodeid) % scheduler.numnodes))
    return scheduler
