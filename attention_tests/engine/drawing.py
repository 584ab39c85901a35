"""Hypothesis as the suite uses it: what it draws depends on nothing but the strategy and the seed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.metadata import version
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

from attention_tests.engine.profiles import Profile

PROVIDERS = "hypothesis.internal.conjecture.providers"
READ, FITTING, NONE = "_get_local_constants", "CONSTANTS_CACHE", "Constants"
"""Private names there: what Hypothesis reads in source, which of it fits where, and the class of what was read.

They stay for want of a setting (hypothesis 6.170): another way to draw would draw other problems.
"""


def drive(
    strategy: SearchStrategy[Any],
    profile: Profile,
    phases: tuple[Phase, ...],
    examine: Callable[[Any], None],
    database: ExampleDatabase | None = None,
) -> None:
    """Let Hypothesis draw what `examine` is called with, and shrink what it raises on, as far as `phases` say."""

    # Above the seed, which would take the database away.
    @settings(
        max_examples=profile.examples,
        phases=phases,
        database=database,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @seed(profile.seed)
    @given(strategy)
    def run(plan: Any) -> None:
        examine(plan)

    with _the_same_everywhere() or nullcontext():
        run()


def caveat() -> str:
    """Return one sentence that says why other problems may be drawn elsewhere; empty where they are the same."""
    if _the_same_everywhere():
        return ""
    return (
        f"Hypothesis {version('hypothesis')} cannot be kept from trying numbers that it reads in imported modules: "
        "elsewhere, other problems may be drawn, and other verdicts found"
    )


def _the_same_everywhere() -> AbstractContextManager[Any] | None:
    """Keep Hypothesis from trying numbers that it reads in the source of the modules that are not installed.

    With them, what is drawn would depend on what is imported: on the implementation, on the laws that are selected, and
    on whether the suite is run from a wheel or from a checkout. Returns None where this version cannot be kept from it.
    """
    try:
        providers = import_module(PROVIDERS)
    except ImportError:
        return None
    if not all(hasattr(providers, name) for name in (READ, FITTING, NONE)):
        return None
    patched: AbstractContextManager[Any] = patch.multiple(providers, **{READ: getattr(providers, NONE), FITTING: {}})
    return patched
