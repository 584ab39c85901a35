"""The number of examples a second of the gate, and of exploring.

    python -m benchmarks.exploring [--share 0.5]

An example is one law on one problem. The gate holds all laws against the same problems, which are drawn, built and
solved once; exploring draws each law problems of its own. Times are processor time, of the NumPy implementation.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser

from hypothesis.database import InMemoryExampleDatabase
from tabulate import tabulate

from attention_tests.engine.budget import Budget
from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.database import Lossy
from attention_tests.engine.explore import PROBLEMS, Exploration, explore
from attention_tests.engine.law import Law
from attention_tests.engine.profiles import DEFAULT, EXPLORE
from attention_tests.engine.search import corpus, hold
from attention_tests.execution.subject import Subject
from implementations import SHIPPED
from properties.checks import comparison


def main() -> int:
    """Print a line for each way."""
    parser = ArgumentParser(description="Measure how many examples a second are tried.")
    parser.add_argument("--share", type=float, default=0.5, help="seconds to explore a law (default: %(default)s)")
    share = parser.parse_args().share
    subject = Subject(SHIPPED.load("numpy"), "float32")
    laws = [law for law in all_laws() if not law.missing(subject)]
    # The first law imports and warms up.
    hold(laws[0], subject, EXPLORE)
    lines = [("gate", *_gate(laws, subject)), ("exploring", *_exploring(laws, subject, share))]
    headers = ["numpy, float32", "laws", "examples", "examples / s", "problems solved / s"]
    sys.stdout.write(tabulate(lines, headers=headers, floatfmt=".3g") + "\n")
    return 0


def _gate(laws: list[Law], subject: Subject) -> tuple[int, int, float, float]:
    start, solved = time.process_time(), _solved()
    for law in laws:
        hold(law, subject, DEFAULT)
    return _line(len(laws), sum(len(corpus(law.given, DEFAULT)) for law in laws), start, solved)


def _exploring(laws: list[Law], subject: Subject, share: float) -> tuple[int, int, float, float]:
    start, solved = time.process_time(), _solved()
    examples = 0
    for law in laws:
        exploration = Exploration(Budget(share), EXPLORE, Lossy(InMemoryExampleDatabase()))
        examples += int(float(explore(law, subject, exploration).measured[PROBLEMS]))
    return _line(len(laws), examples, start, solved)


def _solved() -> int:
    return comparison.expected.computed


def _line(laws: int, examples: int, start: float, solved: int) -> tuple[int, int, float, float]:
    seconds = time.process_time() - start
    return laws, examples, examples / seconds, (_solved() - solved) / seconds


if __name__ == "__main__":
    sys.exit(main())
