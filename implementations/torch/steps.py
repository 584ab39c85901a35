"""The document's steps in PyTorch."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from attention_tests.declare.precision import Precision
from attention_tests.frameworks.torch import to_native, to_numpy
from implementations.steps import by_steps

STEPS = replace(
    by_steps("torch-steps", partial(torch.softmax, dim=-1)),
    # Every step stores its result, the weighted values too, so bfloat16 is promised no better than bfloat16 throughout.
    # No float16: a score beyond 65504 would be infinite before it is scaled, and that is no attention.
    dtypes={
        "float64": Precision.float64(),
        "float32": Precision.float32(),
        "bfloat16": Precision.pure("bfloat16"),
    },
    to_native=to_native,
    to_numpy=to_numpy,
)
