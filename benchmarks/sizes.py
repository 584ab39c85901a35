"""The cost of each large size: the problem, the oracle with its bound, and the answer of the NumPy implementation.

    python -m benchmarks.sizes

The sizes are those that every run visits (properties/test_sizes.py), in float32; the last line is their share of a run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from timeit import default_timer, repeat

from tabulate import tabulate

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT, Profile
from attention_tests.engine.search import corpus, hold
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from properties.checks import comparison
from properties.drawing.by_size import PROBLEMS_BY_NUMBER_OF_KEYS, PROBLEMS_BY_NUMBER_OF_QUERIES, PROBLEMS_BY_WIDTH
from properties.drawing.plans import Plan

STREAMS = {"keys": PROBLEMS_BY_NUMBER_OF_KEYS, "queries": PROBLEMS_BY_NUMBER_OF_QUERIES, "widths": PROBLEMS_BY_WIDTH}


def main() -> int:
    """Print a line for each size, and the share of all of them in a run at the default profile."""
    subject = Subject(SHIPPED.load("numpy"), "float32")
    lines = [
        (kind, plan.seed, *costs(plan, subject))
        for kind, stream in STREAMS.items()
        for plan in sorted(corpus(stream, DEFAULT), key=lambda plan: plan.seed)
    ]
    sys.stdout.write(tabulate(lines, headers=["of", "size", "build ms", "oracle ms", "call ms"], floatfmt=".2f"))
    sys.stdout.write(f"\n\nshare of a run: {share(subject):.1%}\n")
    return 0


def costs(plan: Plan, subject: Subject) -> tuple[float, float, float]:
    """Return the milliseconds for building a problem, for its oracle and bound, and for the call."""
    problem = plan.build(subject.dtype, subject.features)
    fresh = comparison.expected.__wrapped__
    return (
        _milliseconds(lambda: plan.build(subject.dtype, subject.features)),
        _milliseconds(lambda: fresh(problem, subject.precision)),
        _milliseconds(lambda: subject.attention(problem.query, problem.key, problem.value)),
    )


def _milliseconds(function: Callable[[], object]) -> float:
    return 1e3 * min(repeat(function, number=1, repeat=5))


def share(subject: Subject) -> float:
    """Return the share of the time for these laws in the time for all."""
    profile = Profile("sizes", DEFAULT.examples, seed=1)
    seconds = {law.name: _seconds(partial(hold, law, subject, profile)) for law in all_laws()}
    large = sum(time for name, time in seconds.items() if "gives_the_right_output" in name)
    return large / sum(seconds.values())


def _seconds(function: Callable[[], object]) -> float:
    start = default_timer()
    function()
    return default_timer() - start


if __name__ == "__main__":
    sys.exit(main())
