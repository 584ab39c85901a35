"""Say what a target is asked, and what it is not."""

from __future__ import annotations

import argparse
import sys

from tabulate import tabulate

from attention_tests.engine.profiles import PROFILES
from attention_tests.pytest_plugin.registration import hand_in
from attention_tests.targets.resolve import resolve
from benchmarks.coverage.counting import Asked, ask
from benchmarks.coverage.factors import FACTORS
from benchmarks.coverage.required import NOT_REQUIRED, Meeting, required


def main() -> int:
    """Return 1 where a pair or a triple that is required was not asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage")
    parser.add_argument("target")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--profile", default="default", choices=PROFILES)
    given = parser.parse_args()
    hand_in()
    implementation = resolve(given.target)
    asked = ask(implementation, given.dtype, PROFILES[given.profile])
    meetings = list(required(implementation))
    missing = asked.missing(meetings)
    sys.stdout.write(f"{table(asked)}\n\n{said(asked, meetings, missing)}\n")
    return 1 if missing else 0


def table(asked: Asked) -> str:
    """Return the number of calls of each class."""
    lines = [[factor, name, asked.classes[factor, name]] for factor, names in FACTORS.items() for name in names]
    return tabulate(lines, headers=["factor", "class", "calls"])


def said(asked: Asked, meetings: list[Meeting], missing: list[Meeting]) -> str:
    """Return in words how much of what is required was asked, and what was not."""
    lines = [f"{asked.calls:,} calls of {len(asked.signatures):,} signatures"]
    for size, word in ((2, "pairs"), (3, "triples")):
        of_size, not_asked = ([one for one in some if len(one) == size] for some in (meetings, missing))
        lines.append(f"{len(of_size) - len(not_asked):,} of {len(of_size):,} {word} asked")
    lines.append(f"not required: {NOT_REQUIRED}")
    lines += ["missing: " + ", ".join(f"{factor} {name}" for factor, name in meeting) for meeting in missing]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
