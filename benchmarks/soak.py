"""Look for a false alarm: hold the correct implementations against every law, on problems that the gate never draws.

    python -m benchmarks.soak [--examples 200000] [--first-seed 1]

An example is one law on one problem. Each seed draws a stream of problems of its own for all laws and implementations.
What a released library is known to get wrong is left out, and PyTorch does without AMX, with which it spreads NaN.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from itertools import count

from tabulate import tabulate

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT, Profile
from attention_tests.engine.search import corpus, hold
from attention_tests.engine.verdict import Outcome, Verdict
from attention_tests.execution.subject import Subject
from attention_tests.execution.subjects import subjects_of
from attention_tests.expectations.book import shipped
from attention_tests.frameworks.torch import keep_from_spreading_nan
from attention_tests.targets.resolve import resolve
from implementations import SHIPPED


def main() -> int:
    """Print how many examples each implementation was held against, and how many rejected it; exit 1 if any did."""
    parser = ArgumentParser(description="Look for a false alarm among the correct implementations.")
    parser.add_argument("--examples", type=int, default=200_000, help="stop after as many (default: %(default)s)")
    parser.add_argument("--first-seed", type=int, default=1, metavar="N", help="the first seed (default: %(default)s)")
    options = parser.parse_args()
    keep_from_spreading_nan()
    subjects = subjects_of([resolve(name) for name in SHIPPED.gate()])
    examples: Counter[Subject] = Counter()
    alarms: Counter[Subject] = Counter()
    start = time.monotonic()
    for seed in count(options.first_seed):
        profile = Profile("soak", DEFAULT.examples, seed)
        for subject, tried, outcome in held(subjects, profile):
            examples[subject] += tried
            if outcome.verdict is not Verdict.PASS:
                alarms[subject] += 1
                sys.stdout.write(f"seed {seed}: {outcome.verdict}: {outcome.explanation}\n\n")
        if examples.total() >= options.examples:
            break
    lines = [[repr(subject), examples[subject], alarms[subject]] for subject in subjects]
    total = ["all", examples.total(), alarms.total()]
    sys.stdout.write(tabulate([*lines, total], headers=["implementation", "examples", "false alarms"]))
    sys.stdout.write(f"\nseeds {options.first_seed} to {seed}, {time.monotonic() - start:.0f} s\n")
    return 1 if alarms else 0


def held(subjects: list[Subject], profile: Profile) -> Iterator[tuple[Subject, int, Outcome]]:
    """Yield each subject with the number of problems and the outcome, for every law that applies to it."""
    for law in all_laws():
        for subject in subjects:
            known = shipped().known(subject.implementation.name, subject.dtype, law.name)
            if not law.missing(subject) and not known:
                outcome = hold(law, subject, profile)
                yield subject, len(corpus(law.given, profile)), outcome


if __name__ == "__main__":
    sys.exit(main())
