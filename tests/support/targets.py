"""Targets that someone may name on the command line, right and wrong."""

# ruff: noqa: ARG001 - most of them answer without looking

from __future__ import annotations

import os
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from attention_tests import Implementation
from tests.defects import correct
from tests.defects.correct import Array


def attention(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value)


def with_scale(query: Array, key: Array, value: Array, *, scale: float | None = None) -> Array:
    return correct.attention(query, key, value, scale=scale)


def warns(query: Array, key: Array, value: Array) -> Array:
    warnings.warn("this is slow", UserWarning, stacklevel=1)
    np.exp(np.full(1, 1000.0))
    return correct.attention(query, key, value)


def prints(query: Array, key: Array, value: Array) -> Array:
    print("a kernel speaks")  # noqa: T201 - as its author may, too
    return forgets_the_scale(query, key, value)


def forgets_the_scale(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value, scale=1.0)


def raises_on_seven_keys(query: Array, key: Array, value: Array) -> Array:
    if key.shape[-2] == 7:
        raise ValueError("seven is not\nsupported")
    return correct.attention(query, key, value)


def drops_a_column_for_seven_keys(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value)[..., key.shape[-2] == 7 :]


def is_interrupted(query: Array, key: Array, value: Array) -> Array:
    raise KeyboardInterrupt


def raises(query: Array, key: Array, value: Array) -> Array:
    raise ValueError("no kernel for this device\nsecond line")


def exits(query: Array, key: Array, value: Array) -> Array:
    raise SystemExit(3)


def exits_at_once(query: Array, key: Array, value: Array) -> Array:
    os._exit(3)


def returns_none(query: Array, key: Array, value: Array) -> None:
    return None


def returns_a_list(query: Array, key: Array, value: Array) -> Any:
    return correct.attention(query, key, value).tolist()


def returns_a_tuple(query: Array, key: Array, value: Array) -> Any:
    return correct.attention(query, key, value), None


def returns_text(query: Array, key: Array, value: Array) -> str:
    return "attention"


def returns_an_object(query: Array, key: Array, value: Array) -> SimpleNamespace:
    return SimpleNamespace(output=correct.attention(query, key, value))


def returns_integers(query: Array, key: Array, value: Array) -> Array:
    return np.zeros((*query.shape[:-1], value.shape[-1]), int)


def returns_complex_numbers(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value).astype(complex)


def returns_objects(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value).astype(object)


def returns_another_shape(query: Array, key: Array, value: Array) -> Array:
    return correct.attention(query, key, value)[..., None]


def takes_only_words(words: Array) -> Array:
    return words


class Module:
    def __init__(self, width: int = 1) -> None:
        self.width = width

    def __call__(self, query: Array, key: Array, value: Array) -> Array:
        return correct.attention(query, key, value)


class WantsAWidth:
    def __init__(self, width: int) -> None:
        self.width = width


class LazyLibrary:
    @property
    def attention(self) -> Any:
        raise ImportError("the other half of this library is not installed")


made = Module()
lazy = LazyLibrary()
number = 3
declared = Implementation(name="declared", attention=attention)
declared_for_seven_keys = Implementation(
    name="tests.support.targets:declared_for_seven_keys", attention=raises_on_seven_keys
)
exposes_nothing = Implementation(name="exposes_nothing")
