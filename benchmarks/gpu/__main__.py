"""Verify kernels on a GPU, and write a report with the name of the card into build/gpu.

python -m benchmarks.gpu [any option of attention-tests]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import chdir
from importlib.util import find_spec

import pytest
import torch

from attention_tests.cli import main as attention_tests
from attention_tests.environment.suite import FOLDER

KERNELS = ("flash", "efficient", "cudnn", "flex")
"""Those of `kernels.py` that are verified: the one that PyTorch writes out, `math`, is verified everywhere."""
EXAMPLE = "examples/triton/attention.py"
JAX_ON_A_GPU = ("jax_cuda12_plugin", "jax_cuda13_plugin")
NO_GPU = "nothing is verified on a GPU: PyTorch finds no CUDA device here"

OPTIONS = (
    "--device=cuda",
    "--profile=quick",
    *(f"--dtype={dtype}" for dtype in ("float32", "float16", "bfloat16")),
    "--report=build/gpu",
    # Most of the time is that of the oracle, on the CPU.
    "-n4",
)


def targets() -> Iterator[str]:
    """Yield what is verified: of what may be missing, what is there."""
    yield from (f"benchmarks/gpu/kernels.py:{name}" for name in KERNELS)
    if FOLDER.joinpath(EXAMPLE).exists():
        yield f"{EXAMPLE}:right"
    if any(map(find_spec, JAX_ON_A_GPU)):
        yield "jax.nn:dot_product_attention"


def main() -> int:
    """Return what the command does; where there is no GPU, that nothing could be verified."""
    if not torch.cuda.is_available():
        sys.stderr.write(f"{NO_GPU}\n")
        return pytest.ExitCode.USAGE_ERROR
    with chdir(FOLDER):
        return attention_tests([*targets(), *OPTIONS, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
