"""A call of which nobody can see who makes it."""

from __future__ import annotations

import os
import sys
import threading
import traceback

import pytest

from attention_tests.guards.concealment import CHECKERS, call_concealed


def signs() -> list[str]:
    """Look for a sign of a test."""
    frames = [frame.name for frame in traceback.extract_stack()]
    words = [*os.environ, *sys.argv, *sys.modules, *frames]
    names = ("pytest", "PYTEST", "attention_tests", "hypothesis", "test_", "call_concealed")
    return [word for word in words if word.startswith(names)]


def test_a_call_finds_no_sign_of_a_test() -> None:
    assert signs()
    assert call_concealed(signs, on_a_thread=True) == []


def test_what_is_no_sign_stays() -> None:
    def others() -> list[str]:
        modules = [name for name in sys.modules if name.partition(".")[0] not in CHECKERS]
        return sorted([*modules, *(name for name in os.environ if not name.startswith("PYTEST"))])

    assert call_concealed(others, on_a_thread=False) == others()


def test_a_call_on_a_thread_of_its_own_shows_no_caller() -> None:
    assert call_concealed(threading.current_thread, on_a_thread=True) is not threading.current_thread()
    assert call_concealed(threading.current_thread, on_a_thread=False) is threading.current_thread()
    assert "call_concealed" in call_concealed(signs, on_a_thread=False)


def test_everything_is_restored_even_if_the_call_raises() -> None:
    before = signs()
    modules = dict(sys.modules)
    assert {"attention_tests", "pytest"} <= modules.keys()
    with pytest.raises(ZeroDivisionError):
        call_concealed(lambda: 1 // 0, on_a_thread=True)
    assert signs() == before
    assert {name: sys.modules.get(name) for name in modules} == modules
