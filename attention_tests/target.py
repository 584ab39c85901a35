"""From the words on a command line to implementations: a name that the project knows, or `package.module:callable`."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

import implementations
from attention_tests.implementation import Feature, Implementation
from attention_tests.subject import Subject
from attention_tests.verdict import Disagreement, ImplementationRaised

CONTRACT = "attention(query, key, value, *, scale=None)"


class BadTarget(Exception):  # noqa: N818 - the word in the message
    """One sentence: what cannot be verified, where it is, and what to do."""


def resolve(target: str) -> Implementation:
    """Return the implementation that `target` names.

    `target` is a name such as `numpy`, or `package.module:attribute` where the attribute is an `Implementation` or a
    callable `attention(query, key, value, ...)`. Raises BadTarget with one sentence.
    """
    if ":" in target:
        return _plugged_in(target)
    if target not in implementations.names():
        raise BadTarget(_unknown(target))
    try:
        return implementations.load(target)
    except ModuleNotFoundError as error:
        hint = f"pip install attention-tests[{error.name}]"
        raise BadTarget(f"{target} needs the package {error.name!r}, which is not installed: {hint}") from None


def _unknown(target: str) -> str:
    close = get_close_matches(target, implementations.names(), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    names = ", ".join(implementations.names())
    known = f"known are {names}; your own is named as package.module:callable"
    return f"{target!r} is not a known implementation: {hint}{known}"


def _plugged_in(target: str) -> Implementation:
    module_name, _, attribute = target.partition(":")
    found = _import(target, module_name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            close = get_close_matches(part, dir(found), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "; name one of its callables after the colon"
            raise BadTarget(f"{target}: {module_name} has no attribute {part!r}{hint}")
        found = getattr(found, part)
    if isinstance(found, Implementation):
        return found
    if not callable(found):
        raise BadTarget(
            f"{target} is {_article(type(found).__name__)}, which cannot be called: "
            f"name a function {CONTRACT} or an Implementation"
        )
    return from_callable(found, target)


def _import(target: str, module_name: str) -> Any:
    # The command is run from the folder of the caller's own package.
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise BadTarget(
                f"{target}: there is no module {error.name!r} in {Path.cwd()} or among the installed packages; "
                "check the spelling, or run the command from the folder that contains it"
            ) from None
        raise BadTarget(
            f"{target}: importing {module_name} needs the module {error.name!r}, which is not installed"
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever their module does becomes one sentence
        where = _innermost_line(error)
        raise BadTarget(
            f"{target}: importing {module_name} raised {type(error).__name__}: {error} ({where}); mend that first"
        ) from None


def _innermost_line(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "unknown place" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def from_callable(function: Callable[..., Any], name: str) -> Implementation:
    """Make an implementation of a bare callable over NumPy arrays (batch, heads, length, width).

    What its signature takes, it supports. Raises BadTarget if it cannot take a query, a key and a value.
    """
    supports = {Feature.LENGTHS, Feature.VALUE_WIDTH, Feature.HEADS}
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # A builtin or an extension without a signature: the plain call is all that can be assumed.
        return Implementation(name=name, attention=function, supports=frozenset(supports))
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        raise BadTarget(
            f"{name}{signature} cannot be called with a query, a key and a value ({error}); its form must be {CONTRACT}"
        ) from None
    if "scale" in signature.parameters:
        supports.add(Feature.SCALE)
    return Implementation(name=name, attention=function, supports=frozenset(supports))


def subjects_of(found: list[Implementation], dtypes: tuple[str, ...] = ()) -> list[Subject]:
    """Return the implementations at each of their dtypes, or at those of `dtypes`. Raises BadTarget if none is left."""
    subjects = [
        Subject(implementation, dtype)
        for implementation in found
        for dtype in implementation.dtypes
        if not dtypes or dtype in dtypes
    ]
    if not subjects:
        declared = sorted({dtype for implementation in found for dtype in implementation.dtypes})
        raise BadTarget(
            f"no implementation declares the dtype {' or '.join(dtypes)}: declared are {', '.join(declared) or 'none'}"
        )
    return subjects


def trial(subject: Subject) -> str:
    """Ask for the simplest answers, and say in one sentence why no property can be checked; empty if all is well."""
    if subject.implementation.attention is None:
        return ""
    failures = list(_failures(subject))
    return str(failures[0]) if len(failures) == len(TRIALS) else ""


TRIALS = ((1, 1, 2, 2, 2), (1, 2, 4, 4, 3), (2, 3, 5, 5, 4))
"""batch, heads, queries, keys, width: shapes that every implementation takes."""


def _failures(subject: Subject) -> Iterator[Disagreement | ImplementationRaised]:
    for batch, heads, queries, keys, width in TRIALS:
        batch_and_heads = (batch, heads) if Feature.HEADS in subject.features else (1, 1)
        query, key = np.ones((*batch_and_heads, queries, width)), np.ones((*batch_and_heads, keys, width))
        try:
            subject.attention(query, key, key)
        except (Disagreement, ImplementationRaised) as failure:
            yield failure


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
