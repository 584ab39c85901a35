"""Kernels that are chosen for some calls: a wrong one where a condition holds, and the correct layer for all others."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tests.defects.correct import Array
from tests.defects.correct_layer import layer

Kernel = Callable[..., Any]
Condition = Callable[[Array, Array, Array, dict[str, Any]], Any]
"""Tells of a query, a key, a value and the options that are given whether the wrong kernel is chosen."""


def chosen_where(condition: Condition, *, without: tuple[str, ...] = ()) -> Callable[[Kernel], Kernel]:
    """Return a decorator that makes an attention of a wrong kernel, with the options of the layer but for `without`."""
    signature = inspect.signature(layer)
    left_out = {"dropout", "alignment", *without}
    taken = [parameter for name, parameter in signature.parameters.items() if name not in left_out]

    def decorate(wrong: Kernel) -> Kernel:
        def attention(query: Array, key: Array, value: Array, **options: Any) -> Any:
            given = {name: option for name, option in options.items() if option is not None and option is not False}
            chosen = wrong if condition(query, key, value, given) else layer
            return chosen(query, key, value, **given)

        attention.__name__ = wrong.__name__
        attention.__signature__ = signature.replace(parameters=taken)  # type: ignore[attr-defined]  # read by inspect
        return attention

    return decorate
