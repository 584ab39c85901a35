"""A convention: how a family of functions names its options, and in what form it takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from attention_tests.declare.dialect import Dialect, Layout

Options: TypeAlias = Mapping[str, Any]
"""The options of one call, by their names in `Implementation.attention`."""
Asked: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""The shapes of the query and of the key."""


def _as_it_is(value: Any, _options: Options) -> Any:
    return value


@dataclass(frozen=True)
class Parameter:
    """A parameter by which a function takes an option."""

    name: str
    option: str
    given: Callable[[Any, Options], Any] = _as_it_is
    """Makes the argument of the value of the option, and of the other options of the call."""


def _output_and_lse(answer: Any) -> Any:
    return answer


@dataclass(frozen=True, kw_only=True)
class Convention:
    """The parameters of a family of functions, and what their documentation says about them."""

    name: str
    source: str
    """A link to the documentation."""
    marks: frozenset[str]
    """Names of parameters, all of which a function of this convention has, and no other."""
    parameters: tuple[Parameter, ...]
    layout: Layout | None = None
    """The order of the axes; None: it is found out."""
    dialect: Dialect = field(default_factory=Dialect)
    """The documented meaning of masks and causality, where it differs from what is usual."""
    always: Mapping[str, Callable[[Asked], Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Arguments that a call needs besides its options, by the shapes of query and key."""
    output_and_lse: Callable[[Any], Any] = _output_and_lse
    """Makes the output and the log-sum-exp (batch, heads, n_q) of what comes back where both are wanted."""
