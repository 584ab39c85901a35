"""What travels between two processes, through memory that both see; a socket says when something is there.

Questions are pickled. Answers are not, for nothing that comes from the process of an implementation is ever executed:
one that went wrong can send only numbers and words.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import pickle
import socket
import struct
import time
from contextlib import suppress
from math import prod
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

BEGUN = 8
"""The first bytes of the memory count the calls that were begun."""
PAGE = 1 << 20
PLACE = struct.Struct("<QQ")
"""What the socket says: where a message begins, and how long it is."""
SECONDS_AWAKE = 1e-3
SECONDS_AT_MOST = 1e6
FLOAT = np.dtype(np.float64)


class Garbled(Exception):  # noqa: N818 - what a message is
    """What arrived is not what the other side should send."""


class Memory:
    """Memory that two processes share, as large as the largest message so far needed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        self._used = BEGUN

    @classmethod
    def new(cls) -> tuple[Memory, int]:
        """Make some, and return it with the file descriptor under which the other process finds it."""
        descriptor = os.memfd_create("attention-tests", os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, PAGE)
        # Whoever reads memory that was taken away is killed for it.
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return cls(descriptor), descriptor

    @property
    def begun(self) -> int:
        """How many calls the other side has begun."""
        return int.from_bytes(self._map[:BEGUN], "little")

    @begun.setter
    def begun(self, number: int) -> None:
        self._map[:BEGUN] = number.to_bytes(BEGUN, "little")

    def clear(self) -> None:
        """Make room for a message."""
        self._used = BEGUN

    def put(self, content: bytes) -> int:
        """Lay something into the memory, and return where it is."""
        at = self._used
        self._used = at + len(content)
        self._reach(self._used)
        self._map[at : self._used] = content
        return at

    def get(self, at: int, length: int) -> bytes:
        """Copy something out of the memory. Raises Garbled if it lies outside."""
        end = at + length
        if at < BEGUN or length < 0 or (end > len(self._map) and end > self._size):
            raise Garbled("a message outside of the memory")
        self._reach(end)
        return self._map[at:end]

    @property
    def _size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def _reach(self, end: int) -> None:
        if end > len(self._map):
            if end > self._size:
                os.ftruncate(self._descriptor, -(-end // PAGE) * PAGE)
            self._map = mmap.mmap(self._descriptor, self._size)

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


class Line:
    """One end of the connection. Raises OSError or EOFError if the other end is gone."""

    def __init__(self, connection: socket.socket, memory: Memory) -> None:
        self.connection = connection
        self.memory = memory
        # With a limit, however large, a read that finds nothing comes back at once.
        connection.settimeout(SECONDS_AT_MOST)

    def ask(self, question: bytes) -> None:
        """Send what was pickled."""
        self.memory.clear()
        self._send(question)

    def asked(self) -> Any:
        """Wait for a question."""
        return pickle.loads(self._receive())  # noqa: S301 - the suite asks, and the implementation trusts it

    def answer(self, answer: Any) -> None:
        """Send numbers and words, in lists and dicts."""
        self.memory.clear()
        self._send(json.dumps(self._plain(answer)).encode())

    def answered(self) -> Any:
        """Wait for an answer. Raises Garbled if it is none."""
        try:
            return self._read(json.loads(self._receive()))
        except (ValueError, TypeError, RecursionError) as error:
            raise Garbled(f"an answer that is none: {error}") from None

    def _send(self, message: bytes) -> None:
        self.connection.sendall(PLACE.pack(self.memory.put(message), len(message)))

    def _receive(self) -> bytes:
        place = self._soon() or self.connection.recv(PLACE.size, socket.MSG_WAITALL)
        if len(place) < PLACE.size:
            raise EOFError
        return self.memory.get(*PLACE.unpack(place))

    def _soon(self) -> bytes:
        """Wait a little without falling asleep: to be woken takes longer than most calls of an implementation."""
        until = time.perf_counter() + SECONDS_AWAKE
        while time.perf_counter() < until:
            with suppress(BlockingIOError):
                return os.read(self.connection.fileno(), PLACE.size)
            os.sched_yield()
        return b""

    def _plain(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value, FLOAT)
            return {"array": [self.memory.put(array.tobytes()), *value.shape]}
        if isinstance(value, list):
            return [self._plain(one) for one in value]
        return value

    def _read(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._read(one) for one in value]
        if isinstance(value, dict) and "array" in value:
            at, *shape = map(int, value["array"])
            content = self.memory.get(at, prod(shape) * FLOAT.itemsize)
            return np.frombuffer(content, FLOAT).reshape(shape)
        return value
