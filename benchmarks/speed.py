"""The cost of an example over its floor, problems checked in a second, and what a matrix saves.

    python -m benchmarks.speed [--rounds 5]

An example is one law on one problem; its floor is an empty example of Hypothesis and the calls of the implementation.
Everything is measured side by side in processor time: a round takes each time once, on problems of its own, and the
table shows the median of the rounds.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from functools import partial
from statistics import median
from timeit import repeat
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tabulate import tabulate

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT, Profile
from attention_tests.engine.search import corpus, hold
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from properties.checks import comparison
from reference import matrix, vector

WORDS = (1, 4, 16, 64, 256)


@dataclass
class Round:
    """One run of all laws on one implementation, next to as many empty examples of Hypothesis."""

    examples: int
    problems: int
    calls: int
    example: float
    empty: float
    call: float
    over_floor: float
    problems_per_second: float


HEADERS = ["examples", "problems", "calls", "µs / example", "µs empty", "µs / call", "over floor", "problems / s"]


def main() -> int:
    """Print the two tables."""
    parser = ArgumentParser(description="Measure what an example costs, and what a matrix saves.")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything is measured (default: %(default)s)")
    rounds = parser.parse_args().rounds
    lines = [(dtype, *_medians(dtype, rounds)) for dtype in ("float64", "float32")]
    sys.stdout.write(tabulate(lines, headers=["numpy", *HEADERS], floatfmt=".3g") + "\n\n")
    ratios = [(words, vector_over_matrix(words)) for words in WORDS]
    sys.stdout.write(tabulate(ratios, headers=["words", "vector path / matrix path"], floatfmt=".3g") + "\n")
    return 0


def _medians(dtype: str, rounds: int) -> list[float]:
    # The first round, which also imports and warms up, does not count.
    measured = [one_round(dtype, seed) for seed in range(rounds + 1)][1:]
    return [median(numbers) for numbers in zip(*map(astuple, measured), strict=True)]


def one_round(dtype: str, seed: int) -> Round:
    """Hold the NumPy implementation against every law that applies to it."""
    implementation, timed = SHIPPED.load("numpy"), Timed(SHIPPED.load("numpy").attention)
    subject, profile = (
        Subject(replace(implementation, attention=timed), dtype),
        Profile("speed", DEFAULT.examples, seed),
    )
    laws = [law for law in all_laws() if not law.missing(subject)]
    known = comparison.expected.computed
    start = time.process_time()
    for law in laws:
        hold(law, subject, profile)
    seconds = time.process_time() - start
    problems = comparison.expected.computed - known
    examples = sum(len(corpus(law.given, profile)) for law in laws)
    empty = empty_example(DEFAULT.examples)
    return Round(
        examples=examples,
        problems=problems,
        calls=timed.calls,
        example=1e6 * seconds / examples,
        empty=1e6 * empty,
        call=1e6 * timed.seconds / timed.calls,
        over_floor=seconds / (examples * empty + timed.seconds),
        problems_per_second=problems / seconds,
    )


class Timed:
    """A callable that adds up how often it is called, and for how long."""

    def __init__(self, function: Callable[..., Any] | None) -> None:
        assert function is not None
        self.function = function
        self.calls, self.seconds = 0, 0.0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call, and count."""
        start = time.process_time()
        answer = self.function(*arguments, **options)
        self.seconds += time.process_time() - start
        self.calls += 1
        return answer


def empty_example(examples: int) -> float:
    """Return the seconds that an example of Hypothesis takes that draws a number and checks nothing."""

    @settings(max_examples=examples, database=None, deadline=None)
    @given(st.integers())
    def nothing(_number: int) -> None:
        pass

    start = time.process_time()
    nothing()
    return (time.process_time() - start) / examples


def vector_over_matrix(words: int) -> float:
    """Return how much longer the document's vector path takes than its matrix path, d_k being 64."""
    query, key, value = np.random.default_rng(words).standard_normal((3, words, 64))
    matrix_path = min(repeat(partial(matrix.attention, query, key, value), number=1, repeat=10))
    queries, keys, values = query.tolist(), key.tolist(), value.tolist()
    return min(repeat(partial(vector.attention, queries, keys, values), number=1, repeat=3)) / matrix_path


if __name__ == "__main__":
    sys.exit(main())
