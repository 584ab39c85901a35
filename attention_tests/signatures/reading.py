"""Reading of a signature: an implementation of a bare callable, by the convention that its parameters are of."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from attention_tests.declare.dialect import Layout
from attention_tests.declare.features import SHAPING
from attention_tests.declare.implementation import Implementation
from attention_tests.declare.precision import Precision
from attention_tests.declare.signature import OPTIONS
from attention_tests.frameworks.found import is_module
from attention_tests.frameworks.framework import Framework
from attention_tests.signatures.convention import Asked, Convention, Parameter
from attention_tests.signatures.conventions import CONVENTIONS, PLAIN, default_scale
from attention_tests.signatures.documented import documented
from attention_tests.text.wording import BadTarget

CONTRACT = "attention(query, key, value, *, scale=None)"


def from_callable(function: Callable[..., Any], name: str, framework: Framework) -> Implementation:
    """Make an implementation of a bare callable over arrays of a framework.

    What its signature takes is asked for; what it answers is found out later. Raises BadTarget if it cannot take a
    query, a key and a value.
    """
    parameters = _parameters(function, name)
    convention = convention_of(parameters)
    taken = options_taken(convention, parameters)
    attention = _adapted(function, convention, taken, _always(convention, parameters, name))
    return Implementation(
        name=name,
        attention=framework.called(attention),
        gradient=None if framework.gradient_of is None else framework.called(framework.gradient_of(attention)),
        supports=SHAPING | {OPTIONS[option] for option in taken},
        dtypes={dtype: Precision.undeclared(dtype) for dtype in framework.dtypes},
        dialect=convention.dialect,
        to_native=framework.to_native,
        to_numpy=framework.to_numpy,
        immutable=framework.immutable,
        compiled=framework.compiled,
        parameters=_written_as_given(convention, taken) if framework.name == "numpy" else None,
        masks_are_biases={"mask", "bias"} <= taken.keys() and taken["mask"].name == taken["bias"].name,
        layouts=tuple(Layout) if convention.layout is None else (convention.layout,),
    )


def _written_as_given(convention: Convention, taken: Mapping[str, Parameter]) -> dict[str, str] | None:
    """Return the names of the options, for a program to call the function by; None where there is more to it."""
    if convention is not PLAIN:
        return None
    return {option: parameter.name for option, parameter in taken.items()}


def _parameters(function: Any, name: str) -> Mapping[str, inspect.Parameter]:
    try:
        # PyTorch calls the method `forward` of a module, and shows any arguments.
        signature = inspect.signature(function.forward if is_module(function) else function)
    except (TypeError, ValueError):
        # A builtin or an extension: where it is not documented, the plain call is all that can be assumed.
        return documented(function)
    wanting = {
        each.name: None
        for each in signature.parameters.values()
        if each.kind is each.KEYWORD_ONLY and each.default is each.empty
    }
    try:
        signature.bind(None, None, None, **wanting)
    except TypeError as error:
        raise BadTarget(
            f"{name}{signature} cannot be called with a query, a key and a value ({error}); its form must be {CONTRACT}"
        ) from None
    return signature.parameters


def convention_of(parameters: Mapping[str, inspect.Parameter]) -> Convention:
    """Return the first convention whose marks are all among the parameters."""
    return next(one for one in CONVENTIONS if one.marks <= parameters.keys())


def options_taken(convention: Convention, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Parameter]:
    """Return the options that a signature takes, by the parameter of its convention, else by a usual name."""
    taken: dict[str, Parameter] = {}
    for parameter in (*convention.parameters, *PLAIN.parameters):
        if parameter.name in parameters:
            taken.setdefault(parameter.option, parameter)
    return taken


def _always(
    convention: Convention, parameters: Mapping[str, inspect.Parameter], name: str
) -> dict[str, Callable[[Asked], Any]]:
    """Return the arguments that every call needs. Raises BadTarget for one that nobody could guess."""
    always = {one: made for one, made in convention.always.items() if one in parameters}
    for one in parameters.values():
        if one.kind is one.KEYWORD_ONLY and one.default is one.empty and one.name not in always:
            if one.name not in {"scale", "sm_scale", "softmax_scale"}:
                raise BadTarget(f"{name} wants the argument {one.name!r}, which has no default: give it one")
            always[one.name] = default_scale
    return always


def _adapted(
    function: Callable[..., Any],
    convention: Convention,
    taken: Mapping[str, Parameter],
    always: Mapping[str, Callable[[Asked], Any]],
) -> Callable[..., Any]:
    """Return the function under the names that `Implementation.attention` has for options.

    It raises ValueError where two options are given that are one parameter.
    """

    @wraps(function)
    def attention(query: Any, key: Any, value: Any, **options: Any) -> Any:
        given: dict[str, Any] = {}
        for name, option in options.items():
            parameter = taken[name]
            if parameter.name in given:
                raise ValueError(f"{parameter.name} is given once, and not as two of {', '.join(options)}")
            given[parameter.name] = parameter.given(option, options)
        if always:
            asked = tuple(query.shape), tuple(key.shape)
            given = {name: made(asked) for name, made in always.items()} | given
        answer = function(query, key, value, **given)
        return convention.output_and_lse(answer) if options.get("return_lse") else answer

    return attention
