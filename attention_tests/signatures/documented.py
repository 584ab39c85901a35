"""Parameters of a function that is not written in Python: its documentation begins with them, as `name(q, k, v, *, s)`.

Those of PyTorch, MLX and others that are bound by pybind11 or nanobind are documented so.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Mapping
from typing import Any


def documented(target: Any) -> Mapping[str, inspect.Parameter]:
    """Return the parameters that the documentation of a function begins with; none where it does not."""
    name, text = str(getattr(target, "__name__", "")), inspect.getdoc(target) or ""
    if not (name and text.startswith(f"{name}(")):
        return {}
    for end in (place for place, letter in enumerate(text, 1) if letter == ")"):
        try:
            (definition,) = ast.parse(f"def {text[:end]}: pass").body
        except SyntaxError:
            # A parenthesis inside, such as that of a default.
            continue
        assert isinstance(definition, ast.FunctionDef), "it begins with `def`"
        return {each.name: each for each in _parameters(definition.args)}
    return {}


def _parameters(arguments: ast.arguments) -> Iterator[inspect.Parameter]:
    by_position = [*arguments.posonlyargs, *arguments.args]
    wanting = len(by_position) - len(arguments.defaults)
    for place, each in enumerate(by_position):
        named = inspect.Parameter.POSITIONAL_OR_KEYWORD
        kind = inspect.Parameter.POSITIONAL_ONLY if place < len(arguments.posonlyargs) else named
        yield _parameter(each.arg, kind, optional=place >= wanting)
    if arguments.vararg:
        yield _parameter(arguments.vararg.arg, inspect.Parameter.VAR_POSITIONAL)
    for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(each.arg, inspect.Parameter.KEYWORD_ONLY, optional=default is not None)
    if arguments.kwarg:
        yield _parameter(arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD)


def _parameter(name: str, kind: Any, *, optional: bool = False) -> inspect.Parameter:
    return inspect.Parameter(name, kind, default=None if optional else inspect.Parameter.empty)
