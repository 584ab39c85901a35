"""Warnings of Python, switched off around code that is not ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unwarned() -> Iterator[None]:
    """Run code that is not ours: it is judged by its answers, not by what it warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
