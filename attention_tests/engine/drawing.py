"""Hypothesis, as the suite uses it: what it draws depends on nothing but the strategy and the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.database import ExampleDatabase
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.strategies import SearchStrategy

from attention_tests.engine.profiles import Profile


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

    with _the_same_everywhere():
        run()


@contextmanager
def _the_same_everywhere() -> Iterator[None]:
    """Keep Hypothesis from trying numbers that it reads in the source of the modules that are not installed.

    With them, what is drawn would depend on what is imported: on the implementation, on the laws that are selected, and
    on whether the suite is run from a wheel or from a checkout. There is no setting for it (hypothesis 6.170).
    """
    with patch.multiple(providers, _get_local_constants=Constants, CONSTANTS_CACHE={}):
        yield
