"""Forbidden-call tracing: calls of a library that an implementation declares to do without, or of the suite itself."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any

from attention_tests.environment.suite import COMPARED_WITH, FOLDER

OURS = tuple(f"{FOLDER / package}/" for package in COMPARED_WITH)


def forbidden_calls_of(call: Callable[[], object], without: Collection[str]) -> list[str]:
    """Make a call, and name the functions that it calls of the packages or modules `without`, and of the suite.

    Those that Python's profiler sees: what runs on threads that were there before is hidden from it.
    """
    if not without and not any(package in sys.modules for package in COMPARED_WITH):
        # Compilers trip over a profiler: it is used only where there is something to see.
        call()
        return []
    found: dict[str, None] = {}

    def see(frame: FrameType, event: str, function: Any) -> None:
        if event == "call":
            name = f"{frame.f_globals.get('__name__')}.{frame.f_code.co_name}"
            if frame.f_code.co_filename.startswith(OURS) or _is_of(name, without):
                found[name] = None
        elif event == "c_call":
            name = f"{_module_of(function)}.{function.__name__}"
            if _is_of(name, without):
                found[name] = None

    before = sys.getprofile(), threading.getprofile()
    sys.setprofile(see)
    threading.setprofile(see)
    try:
        call()
    finally:
        sys.setprofile(before[0])
        threading.setprofile(before[1])
    return list(found)


def _module_of(function: Any) -> str:
    """Return the module of a function that is not written in Python; of a method, that of the object's class."""
    return str(getattr(function, "__module__", None) or type(getattr(function, "__self__", None)).__module__)


def _is_of(name: str, packages: Collection[str]) -> bool:
    return any(name.startswith(f"{package}.") for package in packages)
