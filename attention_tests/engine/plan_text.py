"""Plans as text: the `repr` of a counterexample, read again without running anything."""

from __future__ import annotations

import ast
from dataclasses import is_dataclass
from functools import cache
from importlib import import_module
from typing import Any

from attention_tests.targets.registry import REGISTRY
from attention_tests.text.wording import unknown

FIELDS = ("Options", "Call")
"""Classes of what a plan consists of."""


class UnreadablePlan(ValueError):  # noqa: N818 - the word in the message
    """One sentence: which part of a text is no plan."""


def read(text: str) -> Any:
    """Return the plan whose `repr` is `text`: names of plans, their fields by name or in order, and literals.

    Raises UnreadablePlan with one sentence.
    """
    try:
        # What was folded to be read, and copied, is one line again.
        expression = ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadablePlan(f"{text!r} is no plan: {getattr(error, 'msg', error)}") from None
    plan = _value(expression)
    if not hasattr(plan, "build"):
        raise UnreadablePlan(f"{text!r} is no plan: write one such as Plan(queries=2, keys=3)")
    return plan


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(func=ast.Name(id=name)) if all(keyword.arg for keyword in node.keywords):
            return _plan(name, node)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=store), attr=method), args=[count], keywords=[]):
            # A call of a history is written as it would be made: a.append(2).
            return _parts()["Call"](method, _value(count), store)
        case ast.Tuple(elts=elements):
            return tuple(value for element in elements for value in _repeated(element))
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise UnreadablePlan(f"{ast.unparse(node)!r} is no part of a plan: write names of plans and literals") from None


def _repeated(node: ast.expr) -> list[Any]:
    match node:
        case ast.BinOp(left=ast.Constant(value=int(times)), op=ast.Mult(), right=call):
            return times * [_value(call)]
    return [_value(node)]


def _plan(name: str, call: ast.Call) -> Any:
    if name not in _parts():
        raise UnreadablePlan(f"the plan {unknown(name, _parts())}")
    try:
        plan = _parts()[name](*map(_value, call.args), **{str(one.arg): _value(one.value) for one in call.keywords})
        hash(plan)
    except TypeError as error:
        raise UnreadablePlan(f"{ast.unparse(call)!r} is no {name}: {error}") from None
    return plan


@cache
def _parts() -> dict[str, type[Any]]:
    """Return the classes that plans are made of, by name: those that build an input, and what these have as fields."""
    modules = [import_module(name) for name in REGISTRY.plans]
    members = [(module, member) for module in modules for member in vars(module).values() if isinstance(member, type)]
    classes = {
        member.__name__: member
        for module, member in members
        if member.__module__ == module.__name__ and is_dataclass(member)
    }
    return {name: one for name, one in classes.items() if hasattr(one, "build") or name in FIELDS}
