"""Source locations of callables, as `file:line`."""

from __future__ import annotations

import inspect
from functools import partial
from types import CodeType
from typing import Any

from attention_tests.declare.implementation import Implementation


def places_of(implementation: Implementation) -> dict[str, str]:
    """Return the place of each callable that an implementation exposes, as declared or as Python knows it.

    What is not written in Python has no place, unless it is declared.
    """
    exposed = {step.value: getattr(implementation, step.value) for step in implementation.steps}
    found = {name: place for name, function in exposed.items() if (place := _place(function))}
    return found | dict(implementation.places)


def _place(function: Any) -> str:
    try:
        code = _code(function)
    except Exception:  # noqa: BLE001 - looking at an object of theirs may run code of theirs
        return ""
    return f"{code.co_filename}:{code.co_firstlineno}" if isinstance(code, CodeType) else ""


def _code(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    # An object that is called has its code in its class.
    return getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
