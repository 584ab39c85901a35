"""Process-global state, before and after a call: settings, and functions of libraries that somebody may replace."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

Values: TypeAlias = dict[str, Any]
Members: TypeAlias = dict[ModuleType, Values]

LIBRARIES = ("builtins", "math", "numpy")
OURS = ("attention_tests", "properties", "reference")


@dataclass(frozen=True)
class Setting:
    """One thing that is set for the whole process."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]


def changed_by(call: Callable[[], object]) -> list[str]:
    """Make a call, and name what it leaves otherwise than it was, all of which is put back.

    It finds settings as they were before any implementation was called, so that what every call sets again is seen.
    """
    with put_back():
        _write(_own_settings(), _FIRST)
        warnings.filterwarnings("ignore", message=".*")  # any other filter, even one that is there, then comes before
        before = _read(_settings())
        call()
        after = _read(_settings())
        changed = [_named(name, before[name], after[name]) for name in before if before[name] != after[name]]
        return changed + [f"{module.__name__}.{name}" for module, name in _replaced(_first_members())]


@contextmanager
def put_back() -> Iterator[None]:
    """Put back whatever the block changes."""
    settings, members = _read(_settings()), _members(LIBRARIES + OURS)
    try:
        yield
    finally:
        _write(_settings(), settings)
        for module, name in _replaced(members):
            setattr(module, name, members[module][name])


def _named(name: str, before: Any, after: Any) -> str:
    if not isinstance(before, dict):
        return name
    differing = [part for part in {**before, **after} if before.get(part) != after.get(part)]
    return f"{name} ({', '.join(differing)})"


def _read(settings: tuple[Setting, ...]) -> Values:
    return {setting.name: setting.read() for setting in settings}


def _write(settings: tuple[Setting, ...], values: Values) -> None:
    for setting in settings:
        if setting.name in values and setting.read() != values[setting.name]:
            setting.write(values[setting.name])


def _members(packages: tuple[str, ...]) -> Members:
    modules = (module for name, module in sys.modules.copy().items() if name.partition(".")[0] in packages)
    return {module: vars(module).copy() for module in modules}


def _replaced(members: Members) -> list[tuple[ModuleType, str]]:
    """Return the places of functions that are no longer there."""
    return [
        (module, name)
        for module, before, now in ((module, before, vars(module)) for module, before in members.items())
        for name, member in before.items()
        if now.get(name) is not member and callable(member)
    ]


_FIRST: Values = {}
"""The settings as they were before any implementation was called that could change them."""


@cache
def _first_members() -> Members:
    return _members(OURS) | _INSTALLED


def remember() -> None:
    """Note how things are, before an implementation is called: of each setting, only the first time counts.

    A library that is imported later brings settings of its own, which count from then on.
    """
    _first_members()
    for setting in _own_settings():
        if setting.name not in _FIRST:
            _FIRST[setting.name] = setting.read()


# Read before anything is imported that is to be verified: that may replace them, too.
_INSTALLED = _members(LIBRARIES)


def _settings() -> tuple[Setting, ...]:
    return _own_settings() + _MANAGED


def _own_settings() -> tuple[Setting, ...]:
    """Return the settings that nobody changes between two calls, unless it is the implementation."""
    torch = sys.modules.get("torch")
    return _ALWAYS if torch is None else _ALWAYS + _of_torch(torch)


def _of_torch(torch: Any) -> tuple[Setting, ...]:
    random_numbers = Setting(
        "PyTorch's random numbers",
        lambda: torch.get_rng_state().numpy().tobytes(),
        lambda kept: torch.set_rng_state(torch.frombuffer(bytearray(kept), dtype=torch.uint8)),
    )
    return (
        random_numbers,
        Setting("PyTorch's default dtype", torch.get_default_dtype, torch.set_default_dtype),
        Setting("PyTorch's number of threads", torch.get_num_threads, torch.set_num_threads),
        Setting("PyTorch's recording of gradients", torch.is_grad_enabled, torch.set_grad_enabled),
        Setting(
            "PyTorch's precision of products", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
        ),
    )


def _set_environment(variables: Values) -> None:
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


def _signal_handlers() -> Values:
    return {one.name: signal.getsignal(one) for one in signal.Signals}


def _set_signal_handlers(handlers: Values) -> None:
    for name, handler in handlers.items():
        if signal.getsignal(signal.Signals[name]) != handler:
            signal.signal(signal.Signals[name], handler)


def _numpy_random_state() -> tuple[Any, ...]:
    state: Any = np.random.get_state()  # noqa: NPY002 - the state that everybody shares is what is meant
    kind, keys, *rest = state
    return kind, bytes(keys), *rest


def _set_numpy_random_state(state: tuple[Any, ...]) -> None:
    kind, keys, *rest = state
    np.random.set_state((kind, np.frombuffer(keys, np.uint32), *rest))  # noqa: NPY002 - likewise


def _streams() -> Values:
    return {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}


def _set_streams(streams: Values) -> None:
    for name, stream in streams.items():
        setattr(sys, name, stream)


def _set_search_path(places: list[str]) -> None:
    sys.path[:] = places


def _set_filters(filters: list[Any]) -> None:
    warnings.resetwarnings()
    in_use: Any = warnings.filters
    in_use[:] = filters


_ALWAYS = (
    Setting("the current folder", os.getcwd, os.chdir),
    Setting("the environment", lambda: dict(os.environ), _set_environment),
    Setting("the signal handlers", _signal_handlers, _set_signal_handlers),
    Setting("garbage collection", gc.isenabled, lambda enabled: gc.enable() if enabled else gc.disable()),
    Setting("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Setting("Python's random numbers", random.getstate, random.setstate),
    Setting("NumPy's random numbers", _numpy_random_state, _set_numpy_random_state),
    Setting("NumPy's treatment of floating-point errors", np.geterr, lambda kept: np.seterr(**kept)),
    Setting("how NumPy prints", np.get_printoptions, lambda kept: np.set_printoptions(**kept)),
)
_MANAGED = (
    Setting("the search path", lambda: list(sys.path), _set_search_path),
    Setting("the standard streams", _streams, _set_streams),
    Setting("what is warned of", lambda: list(warnings.filters), _set_filters),
)
"""Those that pytest and imports change between two calls."""
