"""Resolution of a target: a name that the project knows, or `package.module:callable`, to an implementation."""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from attention_tests.declare.implementation import Implementation
from attention_tests.declare.validation import problems_of
from attention_tests.environment import suite
from attention_tests.frameworks.found import Arrays, framework_for, is_module
from attention_tests.guards.warnings import unwarned
from attention_tests.signatures.reading import CONTRACT, from_callable
from attention_tests.targets import entry_points
from attention_tests.targets.registry import REGISTRY
from attention_tests.targets.source_location import places_of
from attention_tests.text.wording import BadTarget, article, raised, unknown

ANY_ARRAYS = Arrays()


def resolve(target: str, arrays: Arrays = ANY_ARRAYS) -> Implementation:
    """Return the implementation that `target` names.

    `target` is a name such as `numpy`, one that an installed package brings, or `package.module:attribute` or
    `path/to/file.py:attribute`, where the attribute is an `Implementation`, a callable `attention(query, key, value,
    ...)`, which is given `arrays`, or a class of such callables. Raises BadTarget with one sentence.
    """
    if ":" in target:
        return _plugged_in(target, target, arrays)
    if target.endswith(".py"):
        raise BadTarget(f"{target!r} is half a target: write {target}:name, the name of a function or a class in it")
    if target in entry_points.names():
        return _brought(target, arrays)
    if target not in REGISTRY.implementations.names():
        known = unknown(target, (*REGISTRY.implementations.names(), *entry_points.names()))
        raise BadTarget(f"the implementation {known}; your own is named as package.module:callable")
    try:
        found = shipped(target)
    except BadTarget:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a library of another version does becomes one sentence
        why = f"does not go with what is installed ({raised(error)})"
        raise BadTarget(f"{target} {why}: {_installing(target)}") from None
    return replace(_placed(found), target=target)


def shipped(name: str) -> Implementation:
    """Import an implementation of the suite's own. Raises BadTarget if its library is not here, or cannot run here."""
    try:
        with unwarned():
            return REGISTRY.implementations.load(name)
    except ModuleNotFoundError as error:
        raise BadTarget(lacking(name, str(error.name))) from None


def lacking(name: str, package: str) -> str:
    """Say that an implementation of the suite's own needs a package that is not installed, and how to install it."""
    return f"{name} needs the package {package!r}, which is not installed: {_installing(name)}"


def _installing(name: str) -> str:
    return f"pip install attention-tests[{REGISTRY.implementations.extra_of(name)}]"


def _brought(name: str, arrays: Arrays) -> Implementation:
    target = entry_points.target_of(name)
    try:
        return _plugged_in(target, name, arrays)
    except BadTarget as error:
        raise BadTarget(f"{name}, which an installed package brings: {error}") from None


def _plugged_in(target: str, name: str, arrays: Arrays) -> Implementation:
    module_name, _, attribute = target.rpartition(":")
    if not module_name or not attribute:
        raise BadTarget(f"{target!r} is half a target: write package.module:callable")
    module = found = _import(
        target, _module_of_file(target, module_name) if module_name.endswith(".py") else module_name
    )
    for part in attribute.split("."):
        found = _attribute(target, found, part)
    if inspect.isclass(found):
        found = instance_of(found, name, module)
    return replace(implementation_of(found, name, arrays), target=target)


def _module_of_file(target: str, path: str) -> str:
    """Return the name under which a file can be imported. Raises BadTarget if it is not there."""
    file = Path(path).resolve()
    if not file.is_file():
        raise BadTarget(f"{target}: there is no file {path} in {Path.cwd()}: check the spelling")
    sys.path.insert(0, str(file.parent))
    return file.stem


def instance_of(kind: type, name: str, module: ModuleType) -> Any:
    """Make an instance of a class, of what the function `get_init_inputs` of its module returns, as KernelBench has it.

    Raises BadTarget with one sentence.
    """
    inputs = getattr(module, "get_init_inputs", None)
    try:
        return kind(*inputs()) if inputs else kind()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever their class does becomes one sentence
        given = "of what get_init_inputs() of its module returns" if inputs else "without arguments"
        instead = "" if inputs else ", or give its module a function get_init_inputs() that returns its arguments"
        raise BadTarget(
            f"{name} is a class, and making one {given} raised {raised(error)}: name an instance of it{instead}"
        ) from None


def implementation_of(found: Any, name: str, arrays: Arrays = ANY_ARRAYS) -> Implementation:
    """Return an implementation of what was found: an `Implementation`, or a callable, which gets this name and arrays.

    Raises BadTarget with one sentence.
    """
    if isinstance(found, Implementation):
        return _placed(_well_declared(found, name))
    if not callable(found):
        kind = article(type(found).__name__)
        raise BadTarget(f"{name} is {kind}, which cannot be called: name a function {CONTRACT} or an Implementation")
    if is_module(found):
        # As it is used, and not as it is trained: dropout drops nothing.
        found.eval()
    return _placed(from_callable(found, name, framework_for(found, arrays)))


def _placed(implementation: Implementation) -> Implementation:
    return replace(implementation, places=places_of(implementation))


def _attribute(target: str, found: Any, part: str) -> Any:
    try:
        return getattr(found, part)
    except AttributeError:
        raise BadTarget(
            f"{target}: the attribute {unknown(part, (name for name in dir(found) if not name.startswith('_')))}"
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module may import what it names only now
        raise BadTarget(f"{target}: looking up {part!r} raised {raised(error)}; mend that first") from None


def _import(target: str, module_name: str) -> Any:
    # The command is run from the folder of the caller's own package. Last, for the suite's folders come first.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        with unwarned():
            return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise BadTarget(f"{target}: {_not_found(module_name, error.name or module_name)}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever their module does becomes one sentence
        raise BadTarget(f"{target}: importing {module_name} raised {raised(error)}; mend that first") from None


def _not_found(module_name: str, missing: str) -> str:
    package = missing.partition(".")[0]
    if package in suite.PACKAGES:
        return (
            f"the suite has a package {package!r} of its own, and finds no {missing!r} in it: give yours another name"
        )
    if module_name.startswith(missing):
        return (
            f"there is no module {missing!r} in {Path.cwd()} or among the installed packages; "
            "check the spelling, or run the command from the folder that contains it"
        )
    return f"importing {module_name} needs the module {missing!r}, which is not installed"


def _well_declared(implementation: Implementation, target: str) -> Implementation:
    if problem := next(problems_of(implementation), ""):
        raise BadTarget(f"{target}: {problem}")
    return implementation
