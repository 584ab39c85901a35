"""The framework that a callable is written in: read from what it says, else from what its module imports."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import CellType, FunctionType, ModuleType
from typing import Any

from attention_tests.frameworks.framework import Framework
from attention_tests.text.wording import BadTarget, unknown


@dataclass(frozen=True)
class Arrays:
    """The arrays that bare callables are given, where a user says so."""

    framework: str = ""
    """The name of the framework; empty: found out for each callable."""
    device: str = "cpu"


FRAMEWORKS = ("numpy", "torch", "jax", "mlx", "tensorflow", "tinygrad", "cupy")
"""The frameworks whose arrays can be made: each is the name of its package, and of a module here."""


def framework_for(target: Callable[..., Any], arrays: Arrays) -> Framework:
    """Return the framework whose arrays a callable is given.

    Raises BadTarget if it is not known, not installed, or has no such device.
    """
    name = arrays.framework or framework_of(target)
    if name not in FRAMEWORKS:
        raise BadTarget(f"--arrays: the framework {unknown(name, FRAMEWORKS)}")
    if find_spec(name) is None:
        raise BadTarget(f"arrays of {name} are wanted, and {name} is not installed: install it, or name another")
    try:
        framework: Framework = import_module(f"attention_tests.frameworks.{name}").framework(arrays.device)
    except ValueError as error:
        raise BadTarget(f"--device {arrays.device}: {error}") from None
    return framework


def framework_of(target: Callable[..., Any]) -> str:
    """Return the name of the framework whose arrays a callable takes, as far as its source tells; NumPy if it does not.

    Its annotations decide, or that it is a framework's own; then what its module imports: NumPy beside another
    framework only helps. Where that is none, the functions that it calls decide in the same way.
    """
    return _told(target, set()) or "numpy"


def _told(target: Any, asked: set[Any]) -> str:
    function = written(target)
    asked.add(function)
    named = [name for name in (*_annotated(function), _package_of(function), _package_of(target)) if name in FRAMEWORKS]
    if named:
        return named[0]
    imported = [name for name in FRAMEWORKS if name in _imported(function)]
    others = [name for name in imported if name != "numpy"]
    if others:
        return others[0] if len(others) == 1 else _most_named(function, others)
    called = (one for one in _used(function) if isinstance(one, FunctionType) and one not in asked)
    return "numpy" if imported else next(filter(None, (_told(one, asked) for one in called)), "")


def written(target: Callable[..., Any]) -> Any:
    """Return what was written of a callable: the function in a wrapper or a partial, the method that an object has."""
    while isinstance(target, partial):
        target = target.func
    target = inspect.unwrap(target)
    if inspect.isfunction(target) or inspect.isbuiltin(target):
        return target
    if inspect.ismethod(target):
        return target.__func__
    # PyTorch calls the method `forward` of a module.
    return inspect.unwrap(getattr(type(target), "forward", None) or type(target).__call__)


def _annotated(function: Any) -> Iterator[str]:
    """Yield the packages of the types in the annotations."""
    names = getattr(function, "__globals__", {})
    for annotation in getattr(function, "__annotations__", {}).values():
        if isinstance(annotation, str):
            name = annotation.strip("\"' ").partition(".")[0].partition("[")[0]
            # What is imported for a type checker alone has no name at run time, but that of its package.
            yield _package_of(names[name]) if name in names else name
        else:
            yield _package_of(annotation)


def _imported(function: Any) -> set[str]:
    """Return the packages of everything that a function, or its module, has a name for."""
    return {_package_of(value) for value in _names(function).values()}


def _names(function: Any) -> dict[str, Any]:
    """Return what the names outside of a function stand for: those of its module, and of functions around it."""
    if not inspect.isfunction(function):
        return {}
    around = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return function.__globals__ | {name: cell.cell_contents for name, cell in around if cell != CellType()}


def _used(function: Any) -> list[Any]:
    """Return what stands behind the names from outside that the code of a function has in it."""
    names, code = _names(function), getattr(function, "__code__", None)
    return [names[name] for name in (*code.co_freevars, *code.co_names) if name in names] if code else []


def _package_of(value: Any) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return str(name or "").partition(".")[0]


def _most_named(function: Any, frameworks: list[str]) -> str:
    """Return the framework whose names the code of a function uses, the first of several."""
    return next((name for name in map(_package_of, _used(function)) if name in frameworks), frameworks[0])


def is_module(target: object) -> bool:
    """Tell whether something is a module of PyTorch, without importing it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(target, torch.nn.Module)
