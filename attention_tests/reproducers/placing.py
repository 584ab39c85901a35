"""Source text of the functions that place an array in memory, for programs that need nothing of the suite."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attention_tests.execution import placement
from attention_tests.reproducers.program import Expression, listed

FUNCTIONS: tuple[Callable[..., Any], ...] = (
    placement.with_gaps,
    placement.put_back,
    placement.stored,
    placement.packed,
    *placement.FUNCTIONS.values(),
)
NEEDS = {"stored": ["put_back"], "packed": ["put_back"]}
"""The functions that a function calls."""


def functions_of(placing: partial[Any]) -> list[str]:
    """Name the functions that a placing calls, in the order in which they are defined."""
    name = placing.func.__name__
    return [*NEEDS.get(name, []), name]


def placed(placing: partial[Any], native: Expression, arrays: Sequence[Expression]) -> Expression:
    """Write the call that places an array, or several in one buffer; `native` makes a native one of `array`."""
    given = listed(arrays) if placing.func is not placement.packed else ["[", *listed(arrays), "]"]
    options = "".join(f", {name}={value!r}" for name, value in placing.keywords.items())
    return Expression((f"{placing.func.__name__}(lambda array: ", native, ", ", *given, f"{options})"))


def source(function: Callable[..., Any]) -> str:
    """Return the source text of a function without its types and its docstring, which only the suite needs."""
    (definition,) = ast.parse(inspect.getsource(function)).body
    assert isinstance(definition, ast.FunctionDef)
    definition.body, definition.returns = definition.body[1:], None
    for argument in definition.args.args:
        argument.annotation = None
    return f"{ast.unparse(definition)}\n"
