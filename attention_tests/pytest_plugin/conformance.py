"""`conformance`: every law on an implementation, as tests in somebody's own test file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from os import PathLike
from types import FrameType
from typing import Any

from attention_tests.declare.implementation import Implementation
from attention_tests.environment import suite
from attention_tests.text.wording import BadTarget

Test = Callable[..., None]


def conformance(
    target: Callable[..., Any] | Implementation | str,
    *,
    profile: str = "default",
    dtypes: Iterable[str] = (),
    expectations: str | PathLike[str] = "",
) -> Test:
    """Return a test function of pytest that holds an implementation against every law, at each of its dtypes.

        test_flash = conformance(flash_attention)

    `target` is a callable `attention(query, key, value, ...)` over NumPy arrays (batch, heads, length, width), an
    `Implementation`, or what the command takes as a target; `profile` is quick, default or explore; `dtypes` are those
    to verify, all that are declared if none is named; `expectations` is the file of known failures. Nothing is called
    before the test runs. What cannot be verified is a test that fails with one sentence.
    """
    here = inspect.currentframe()
    place = partial(_placed, caller=here and here.f_back)
    sentence = suite.join_path()
    if not sentence:
        from attention_tests.pytest_plugin.parametrized import test_of  # noqa: PLC0415 - finds the laws only now

        try:
            held = test_of(target, profile, tuple(dtypes), str(expectations), place)
        except BadTarget as error:
            sentence = str(error)
        else:
            return held
    return place(lambda: _fail(sentence))


def _fail(sentence: str) -> None:
    import pytest  # noqa: PLC0415 - a package that only declares its implementation needs no pytest

    pytest.fail(sentence, pytrace=False)


def _placed(test: Any, caller: FrameType | None) -> Test:
    """Let a function of one line lie where it was asked for, so that pytest names that file and that line.

    An interpreter need not know its callers: then pytest names this file, and all else is the same.
    """
    # What has no name gets no marks.
    test.__name__ = "test"
    if caller is not None:
        test.__module__ = caller.f_globals["__name__"]
        test.__code__ = test.__code__.replace(co_filename=caller.f_code.co_filename, co_firstlineno=caller.f_lineno)
    placed: Test = test
    return placed
