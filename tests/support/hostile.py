"""Kernels that are right but for seven keys, or for none, where they do what a process must be protected from."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.defects import correct
from tests.defects.correct import Array

Kernel = Callable[[Array, Array, Array], Array]


def with_seven_keys(does: Callable[[], Any]) -> Kernel:
    def attention(query: Array, key: Array, value: Array) -> Array:
        if key.shape[-2] == 7:
            does()
        return correct.attention(query, key, value)

    return attention


def loop() -> None:
    while True:
        pass


def take_all_memory() -> None:
    taken = []
    while True:
        taken.append(np.ones(1 << 24))


def swallow_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1)


def speak() -> None:
    print("a kernel speaks")  # noqa: T201 - that is what it does
    sys.stderr.write("a kernel speaks\n")
    os.write(1, b"a kernel speaks\n")


def patch_numpy() -> None:
    np.exp = np.sin  # type: ignore[assignment]  # that is what is wrong with it


def say_halves() -> None:
    raise ValueError("half of a pair \ud800\x00")


def interrupt() -> None:
    raise KeyboardInterrupt


def leave_a_child() -> None:
    if os.fork() == 0:
        time.sleep(1000)


def garble() -> None:
    """Write onto every socket and pipe there is."""
    for descriptor in range(3, 100):
        try:
            os.write(descriptor, b"0" * 16)
        except OSError:
            continue


def exits_without_an_element(query: Array, key: Array, value: Array) -> Array:
    if query.size == 0 or value.size == 0:
        os._exit(3)
    return correct.attention(query, key, value)


def refuses_without_an_element(query: Array, key: Array, value: Array) -> Array:
    if query.size == 0 or value.size == 0:
        raise ValueError("an axis of size zero")
    return correct.attention(query, key, value)


segfaults = with_seven_keys(lambda: ctypes.string_at(0))
aborts = with_seven_keys(os.abort)
exits = with_seven_keys(lambda: os._exit(3))
raises_system_exit = with_seven_keys(lambda: sys.exit(0))
loops = with_seven_keys(loop)
takes_all_memory = with_seven_keys(take_all_memory)
swallows_signals = with_seven_keys(swallow_signals)
closes_everything = with_seven_keys(lambda: os.closerange(0, 100))
garbles = with_seven_keys(garble)
says_halves = with_seven_keys(say_halves)
dawdles = with_seven_keys(lambda: time.sleep(0.4))
interrupts = with_seven_keys(interrupt)
leaves_a_child = with_seven_keys(leave_a_child)
patches_numpy = with_seven_keys(patch_numpy)
speaks = with_seven_keys(speak)
