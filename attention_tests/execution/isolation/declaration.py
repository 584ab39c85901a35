"""A declaration on its way between processes: without its callables, which stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from attention_tests.declare.features import Step
from attention_tests.declare.implementation import Implementation
from attention_tests.text.wording import encodable


def without_callables(implementation: Implementation) -> Implementation:
    """Leave the callables here, and say only that there are some."""
    names = (*Step, "to_native", "to_numpy")
    here: dict[str, Any] = {name: True for name in names if getattr(implementation, name) is not None}
    places = {name: encodable(str(place)) for name, place in implementation.places.items()}
    return replace(implementation, places=places, **here)


def plain(value: Any) -> Any:
    """Return what msgspec cannot encode as something that it can. Raises TypeError where there is nothing like it."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


def elsewhere(_kind: object, _content: object) -> Callable[..., None]:
    """Stand for a callable that is there, whatever was sent of it."""
    return _elsewhere


def _elsewhere(*_arguments: object, **_options: object) -> None:
    raise RuntimeError("this implementation runs in another process, and is called there")
