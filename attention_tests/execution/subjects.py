"""Subjects: implementations at each of their dtypes, and a first call that tells whether one answers at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import redirect_stdout
from io import StringIO

import numpy as np

from attention_tests.declare.domain import Sizes
from attention_tests.declare.implementation import Implementation
from attention_tests.execution.executor import Executor
from attention_tests.execution.failures import FAILURES, Failure, Refused
from attention_tests.execution.subject import Subject
from attention_tests.guards.warnings import unwarned
from attention_tests.text.wording import BadTarget, unknown


def subjects_of(
    found: list[Implementation], dtypes: tuple[str, ...] = (), executors: Mapping[str, Executor] | None = None
) -> list[Subject]:
    """Return the implementations at each of their dtypes, or at those of `dtypes`.

    `executors` has those of the implementations that do not run in this process, by name.

    Raises BadTarget if none of the implementations declares one of `dtypes`, or two have one name.
    """
    for name, times in Counter(implementation.name for implementation in found).items():
        if times > 1:
            raise BadTarget(f"{times} implementations are named {name!r}: give each a name of its own")
    declared = list(dict.fromkeys(dtype for implementation in found for dtype in implementation.dtypes))
    for dtype in dtypes:
        if dtype not in declared:
            raise BadTarget(f"no implementation declares the dtype: {unknown(dtype, declared)}")
    return [one for each in found for one in at_its_dtypes(each, dtypes, (executors or {}).get(each.name))]


def at_its_dtypes(implementation: Implementation, dtypes: tuple[str, ...], executor: Executor | None) -> list[Subject]:
    """Return an implementation at each of its dtypes, or at those of `dtypes`."""
    return [
        Subject(implementation, dtype, executor) for dtype in implementation.dtypes if not dtypes or dtype in dtypes
    ]


def trial(subject: Subject) -> str:
    """Ask for the simplest answers, and say in one sentence why no property can be checked; empty if all is well."""
    if subject.implementation.attention is None:
        return ""
    # Properties run under pytest's capture of what is printed; this runs before.
    with redirect_stdout(StringIO()), unwarned():
        failures = [_failure(subject, TRIALS[0])]
        # The others are tried only where the first fails: what is compiled takes its time for each.
        while failures[-1] and len(failures) < len(TRIALS):
            failures.append(_failure(subject, TRIALS[len(failures)]))
    return str(failures[-1] or "")


TRIALS = (
    Sizes(batch=3, heads=2, queries=16, keys=16, d_k=16, d_v=16),
    Sizes(batch=1, heads=2, queries=4, keys=4, d_k=3, d_v=3),
    Sizes(batch=1, heads=1, queries=2, keys=2, d_k=2, d_v=2),
)
"""Sizes that all take, or that are made such: one that laws ask for anyway, and last the smallest."""


def _failure(subject: Subject, sizes: Sizes) -> Failure | Refused | None:
    batch, heads, group, queries, keys, d_k, d_v = sizes.fitted(subject.features)
    query = np.ones((batch, heads * group, queries, d_k))
    key, value = (np.ones((batch, heads, keys, width)) for width in (d_k, d_v))
    try:
        subject.attention(query, key, value)
    except (*FAILURES, Refused) as failure:
        return failure
    return None
