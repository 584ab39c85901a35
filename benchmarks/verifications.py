"""Many calls of `attention_tests.verify` in one process: what they take, and what they leave behind.

    python -m benchmarks.verifications [--calls 10000] [--kernel dies]

A kernel that dies costs a new copy of the process with each question, one that raises is refused by every question, and
one that is right is held against every law.
"""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import getpagesize
from threading import active_count
from typing import Any

import numpy as np
from tabulate import tabulate

from attention_tests import verify

HEADERS = ["calls", "seconds", "MiB", "open files", "threads"]


def right(query: Any, key: Any, value: Any) -> Any:
    """Compute attention."""
    scores = query @ np.swapaxes(key, -1, -2) * query.shape[-1] ** -0.5
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ value


def raises(_query: Any, _key: Any, _value: Any) -> Any:
    """Refuse."""
    raise ValueError("not here")


def dies(_query: Any, _key: Any, _value: Any) -> Any:
    """End the process."""
    os._exit(3)


KERNELS: dict[str, Callable[..., Any]] = {kernel.__name__: kernel for kernel in (right, raises, dies)}


def main() -> int:
    """Print a line each time that the number of calls has doubled, and one in the end."""
    parser = ArgumentParser(description="Verify a kernel again and again, and see what that leaves behind.")
    parser.add_argument("--calls", type=int, default=10_000, help="how often (default: %(default)s)")
    parser.add_argument("--kernel", choices=KERNELS, default="dies", help="which (default: %(default)s)")
    options = parser.parse_args()
    table = tabulate(measured(KERNELS[options.kernel], options.calls), headers=HEADERS, floatfmt=".0f")
    sys.stdout.write(f"{table}\n")
    return 0


def measured(kernel: Callable[..., Any], calls: int) -> Iterator[tuple[int, float, float, int, int]]:
    """Yield what there is after 1, 2, 4, … and all calls."""
    start = time.monotonic()
    for call in range(1, calls + 1):
        verify(kernel, dtypes=("float32",))
        if call & (call - 1) == 0 or call == calls:
            yield call, time.monotonic() - start, mebibytes(), open_files(), active_count()


def mebibytes() -> float:
    """Return how much memory this process takes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * getpagesize() / 2**20


def open_files() -> int:
    """Return how many files this process has open, without the folder that tells."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1


if __name__ == "__main__":
    sys.exit(main())
