"""Facts that the workers of pytest-xdist are told: each reads the command line again, in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

SEED = "attention-tests: the seed"
"""The seed that a worker is told, which each would draw for itself where none was asked for."""
MADE = ("--report", "--database")
"""The options that name a folder which a run makes."""


def seed_of(config: pytest.Config) -> int | None:
    """Return the seed that was asked for, or that a worker was told; None where a new one is to be drawn."""
    told: dict[str, Any] = getattr(config, "workerinput", {})
    seed: int | None = told.get(SEED, config.getoption("seed"))
    return seed


def hand_on(config: pytest.Config) -> None:
    """Let workers read `--report DIR` as it was meant.

    pytest looks for tests, and so for the configuration that knows this option, in every folder of the command line
    that exists. When the command was given there was no DIR yet; when a worker reads it there is.
    """
    given = config.invocation_params
    arguments = tuple(in_one_word(map(str, given.args)))
    config.invocation_params = pytest.Config.InvocationParams(args=arguments, plugins=given.plugins, dir=given.dir)


def in_one_word(arguments: Iterable[str]) -> list[str]:
    """Write `--report DIR` as `--report=DIR`."""
    words: list[str] = []
    for argument in arguments:
        if words and words[-1] in MADE:
            words[-1] += f"={argument}"
        else:
            words.append(argument)
    return words
