"""Implementations that the suite ships, each imported only when it is asked for by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attention_tests.implementation import Implementation

# Where each one is, as `module:attribute`: listing the names imports no library.
_PLACES = {
    "numpy": "implementations.numpy:WHOLE",
    "numpy-online": "implementations.numpy:ONLINE",
    "numpy-layer": "implementations.numpy_layer:LAYER",
    "numpy-steps": "implementations.numpy_steps:STEPS",
    "torch": "implementations.torch:EAGER",
    "torch-steps": "implementations.torch_steps:STEPS",
    "torch-sdpa-math": "implementations.torch:SDPA_MATH",
    "torch-sdpa-flash": "implementations.torch:SDPA_FLASH",
}


KNOWN_FAILURES = Path(__file__).parent / "known_failures.toml"


def names() -> tuple[str, ...]:
    """Return the name of every implementation."""
    return tuple(_PLACES)


def load(name: str) -> Implementation:
    """Import one implementation.

    Raises
    ------
    KeyError
        No implementation has this name.
    ModuleNotFoundError
        The library that it adapts is not installed.
    """
    module, _, attribute = _PLACES[name].partition(":")
    implementation: Implementation = getattr(import_module(module), attribute)
    return implementation
