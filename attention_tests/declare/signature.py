"""The features of a bare callable, read from the names of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any

from attention_tests.declare.features import SHAPING, Feature
from attention_tests.declare.implementation import Implementation
from attention_tests.text.wording import BadTarget

CONTRACT = "attention(query, key, value, *, scale=None)"

OPTIONS = {
    "scale": Feature.SCALE,
    "mask": Feature.MASK,
    "bias": Feature.BIAS,
    "causal": Feature.CAUSAL,
    "window": Feature.WINDOW,
    "softcap": Feature.SOFTCAP,
    "dropout": Feature.DROPOUT,
    "return_lse": Feature.LOG_SUM_EXP,
}
"""The options of attention, and the feature that each is."""

HIDING = frozenset({"mask", "bias", "causal", "window"})
"""The options of which one is given at a time, unless an implementation can combine them."""

PARAMETERS = {
    "mask": ("mask", "attn_mask"),
    "bias": ("bias", "attn_bias", "attn_mask"),
    "causal": ("causal", "is_causal"),
    "softcap": ("softcap", "soft_cap"),
    "dropout": ("dropout", "dropout_p"),
}
"""The names under which libraries take an option, where there is more than one; `attn_mask` takes two."""


def takes(options: Collection[str], features: Collection[str]) -> bool:
    """Tell whether an implementation with `features` takes these options in one call."""
    is_combined = len(HIDING.intersection(options)) > 1
    return all(OPTIONS[name] in features for name in options) and (
        not is_combined or Feature.COMBINED_MASKS in features
    )


def from_callable(function: Callable[..., Any], name: str) -> Implementation:
    """Make an implementation of a bare callable over NumPy arrays (batch, heads, length, width).

    What its signature takes, it supports. Raises BadTarget if it cannot take a query, a key and a value.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        # A builtin or an extension without a signature: the plain call is all that can be assumed.
        return Implementation(name=name, attention=function, parameters={})
    try:
        signature.bind(None, None, None)
    except TypeError as error:
        raise BadTarget(
            f"{name}{signature} cannot be called with a query, a key and a value ({error}); its form must be {CONTRACT}"
        ) from None
    taken = {option: parameter for option in OPTIONS if (parameter := _parameter(option, signature))}
    supports = SHAPING | {OPTIONS[option] for option in taken}
    return Implementation(name=name, attention=_renamed(function, taken), supports=supports, parameters=taken)


def _parameter(option: str, signature: inspect.Signature) -> str | None:
    """Return the name under which a signature takes an option, if it does."""
    return next((name for name in PARAMETERS.get(option, (option,)) if name in signature.parameters), None)


def _renamed(function: Callable[..., Any], parameters: Mapping[str, str]) -> Callable[..., Any]:
    if all(option == parameter for option, parameter in parameters.items()):
        return function

    @wraps(function)
    def renamed(query: Any, key: Any, value: Any, **options: Any) -> Any:
        return function(query, key, value, **{parameters[name]: option for name, option in options.items()})

    return renamed
