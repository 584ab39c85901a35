"""The time of a run that fails over that of one that passes: one kernel, right and wrong, against all laws.

python -m benchmarks.failing
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any, TypeAlias

import numpy as np
from tabulate import tabulate

from attention_tests import verify

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
TIMES = 3


def attention(  # noqa: PLR0913 - a kernel as its author has it, and what is wrong with it
    query: Array,
    key: Array,
    value: Array,
    *,
    mask: Array | None = None,
    causal: bool = False,
    scale: float | None = None,
    wrong: str = "",
) -> Array:
    """Return attention, or that of a kernel with one thing wrong."""
    if scale is None:
        scale = (value if wrong == "scale of the values" else query).shape[-1] ** -0.5
    scores = query @ key.swapaxes(-1, -2) * scale
    hidden = np.zeros(scores.shape, bool) if mask is None or (causal and wrong == "mask dropped") else ~mask
    if causal:
        hidden = hidden | ~np.tril(np.ones(scores.shape[-2:], bool))
    scores = np.where(hidden, -np.inf, scores)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    if wrong == "no kind that is known":
        weights = np.where(weights > 0.5, weights * 1.25, weights)
    output: Array = weights / weights.sum(axis=-1, keepdims=True) @ value
    return output


def seconds(kernel: Callable[..., Array]) -> float:
    """Return how long the default profile takes at float32."""
    start = time.perf_counter()
    verify(kernel, profile="default", dtypes=("float32",))
    return time.perf_counter() - start


def main() -> None:
    """Print the median of several times of each, and the ratio to that of the right one."""
    wrongs = ("", "scale of the values", "mask dropped", "no kind that is known")
    kernels = {wrong: partial(attention, wrong=wrong) for wrong in wrongs}
    times: dict[str, list[float]] = {wrong: [] for wrong in wrongs}
    for _ in range(TIMES):
        for wrong, kernel in kernels.items():
            times[wrong].append(seconds(kernel))
    right = median(times[""])
    rows = [[wrong or "right", median(taken), median(taken) / right] for wrong, taken in times.items()]
    sys.stdout.write(f"{tabulate(rows, headers=['', 'seconds', 'ratio'], floatfmt=('', '.1f', '.2f'))}\n")


if __name__ == "__main__":
    main()
