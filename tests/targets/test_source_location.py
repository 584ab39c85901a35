"""Source locations: as Python knows them, as declared, and nothing where nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention_tests import Implementation
from attention_tests.declare.validation import problems_of
from attention_tests.targets.resolve import resolve
from attention_tests.targets.source_location import places_of
from tests.support import targets

FILE = targets.__file__


def line_of(words: str) -> int:
    return 1 + [line.startswith(words) for line in Path(FILE).read_text("utf-8").splitlines()].index(True)


@wraps(targets.attention)
def wrapped(*arrays: Any) -> Any:
    return targets.attention(*arrays)


ATTENTION = f"{FILE}:{line_of('def attention')}"


@pytest.mark.parametrize("function", [targets.attention, partial(targets.attention), partial(partial(wrapped))])
def test_the_location_of_a_function_is_its_definition(function: Callable[..., Any]) -> None:
    assert places_of(Implementation(name="mine", attention=function)) == {"attention": ATTENTION}


def test_the_location_of_an_object_is_its_call_method() -> None:
    assert places_of(resolve("tests.support.targets:made")) == {"attention": f"{FILE}:{line_of('    def __call__')}"}


def test_each_step_has_its_own_location() -> None:
    found = places_of(Implementation(name="mine", attention=targets.attention, softmax=targets.with_scale))
    assert found == {"attention": ATTENTION, "softmax": f"{FILE}:{line_of('def with_scale')}"}


class Hostile:
    def __call__(self, *arrays: Any) -> Any:
        return arrays

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_a_callable_not_written_in_python_has_no_location() -> None:
    assert not places_of(Implementation(name="mine", attention=np.dot))


def test_a_callable_that_raises_on_inspection_has_no_location() -> None:
    assert not places_of(Implementation(name="mine", attention=Hostile()))


def test_a_declared_location_is_used() -> None:
    places = {"attention": "csrc/flash.cu:120"}
    assert places_of(Implementation(name="mine", attention=targets.attention, places=places)) == places


def test_a_declaration_that_names_no_callable_is_refused() -> None:
    problem = next(problems_of(replace(targets.declared, places="flash.cu:120")))  # type: ignore[arg-type]
    assert "places must say where callables are written" in problem


def test_a_target_is_resolved_with_its_locations() -> None:
    assert resolve("tests.support.targets:declared").places == {"attention": ATTENTION}
