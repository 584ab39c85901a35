"""The cost of isolation: all laws at the default profile, with and without, side by side, each in a new process.

python -m benchmarks.isolation [TARGET] [DTYPE]
"""

from __future__ import annotations

import subprocess
import sys
import time

from tabulate import tabulate

from attention_tests.engine.catalogue import all_laws
from attention_tests.engine.profiles import DEFAULT
from attention_tests.engine.search import corpus, hold
from attention_tests.environment.suite import FOLDER
from attention_tests.execution.isolation import Isolation
from attention_tests.execution.subject import Subject

TIMES = 5


def main(target: str = "numpy", dtype: str = "float32") -> None:
    """Print examples in a second without and with isolation, the best of several runs each, and their ratio."""
    rates: dict[str, list[float]] = {"no": [], "yes": []}
    for _ in range(TIMES):
        for isolated, measured in rates.items():
            measured.append(_in_a_new_process(target, dtype, isolated))
    without, isolated_rate = (max(measured) for measured in rates.values())
    line = [target, dtype, f"{without:.0f}", f"{isolated_rate:.0f}", f"{isolated_rate / without:.0%}"]
    headers = ["target", "dtype", "examples / s", "isolated", "ratio"]
    sys.stdout.write(tabulate([line], headers, disable_numparse=True) + "\n")


def _in_a_new_process(*arguments: str) -> float:
    command = [sys.executable, "-m", "benchmarks.isolation", *arguments]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=True)  # noqa: S603 - this module
    return float(done.stdout)


def examples_per_second(target: str, dtype: str, isolated: str) -> float:
    """Hold a target against all laws that apply, from its start on."""
    start = time.perf_counter()
    implementation, executor = Isolation(isolated == "yes").bring(target)
    subject, examples = Subject(implementation, dtype, executor), 0
    for law in all_laws():
        if not law.missing(subject):
            hold(law, subject, DEFAULT)
            examples += len(corpus(law.given, DEFAULT))
    return examples / (time.perf_counter() - start)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        sys.stdout.write(str(examples_per_second(*sys.argv[1:])))
    else:
        main(*sys.argv[1:])
