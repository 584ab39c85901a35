"""`verify`: hold a kernel against every law, from Python, without pytest."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from attention_tests.declare.implementation import Implementation
from attention_tests.environment import suite
from attention_tests.text.wording import BadTarget

if TYPE_CHECKING:
    from attention_tests.verification.report import Report


def verify(  # noqa: PLR0913 - everything that the command can be told
    kernel: Callable[..., Any] | Implementation | str,
    *,
    profile: str = "quick",
    dtypes: Collection[str] = (),
    arrays: str = "",
    device: str = "cpu",
    isolate: bool | None = None,
    call_seconds: float = 10.0,
    gibibytes: float = 8.0,
) -> Report:
    """Hold a kernel against every law, and return what became of it, whatever it does.

    Parameters
    ----------
    kernel
        A callable of a query, a key and a value, a module of PyTorch, an `Implementation`, or the name of a target.
    profile
        How many problems each law is tried on: quick or default.
    dtypes
        Those to verify; none: all that it takes.
    arrays, device
        The framework whose arrays a bare callable takes, where its source does not tell, and where they lie.
    isolate
        Whether it runs in a process of its own; None: where it can. A target runs in a new one, and a callable in a
        copy of this process, which leaves nothing behind: not where its arrays lie on a device, or JAX, TensorFlow or
        MLX is imported, whose threads cannot be copied.
    call_seconds, gibibytes
        How long an isolated call may take, and how much memory on the CPU.

    Raises
    ------
    BadTarget
        What is asked for makes no sense, or is not there: one sentence says what to do.

    """
    sentence = suite.join_path()
    if sentence:
        raise BadTarget(sentence)
    from attention_tests.execution.isolation.process import Limits  # noqa: PLC0415 - finds the laws only now
    from attention_tests.frameworks.found import Arrays  # noqa: PLC0415 - likewise
    from attention_tests.verification.holding import report_of  # noqa: PLC0415 - likewise

    return report_of(
        kernel,
        profile=profile,
        dtypes=dtypes,
        arrays=Arrays(arrays, device),
        isolate=isolate,
        limits=Limits(call_seconds, gibibytes),
    )
