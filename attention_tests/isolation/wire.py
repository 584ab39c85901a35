"""What travels between two processes: messages as JSON over a socket, arrays through memory that both see.

Nothing that arrives is ever executed: a process that went wrong can send only numbers and words.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import socket
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

HEADER = 8
"""The first bytes of the memory count the calls that were begun."""
PAGE = 1 << 20
LENGTH = 4
"""The bytes that say how long a message is."""
LONGEST = 1 << 26
DTYPES = {"f": np.dtype(np.float64), "b": np.dtype(np.bool_)}


class Garbled(Exception):  # noqa: N818 - what a message is
    """What arrived is not what the other side should send."""


@dataclass(frozen=True)
class Handle:
    """Stands for something that stays in the other process."""

    number: int


class Memory:
    """Memory that two processes share, as large as the largest message so far needed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._map = mmap.mmap(descriptor, os.fstat(descriptor).st_size)
        self.used = HEADER

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
        """How many calls were begun."""
        return int.from_bytes(self._map[:HEADER], "little")

    def begin(self) -> None:
        """Count a call."""
        self._map[:HEADER] = (self.begun + 1).to_bytes(HEADER, "little")

    def put(self, array: Array) -> dict[str, Any]:
        """Lay an array of numbers or of booleans into the memory, and return where it is."""
        kind = "b" if array.dtype == bool else "f"
        at, dtype = self.used, DTYPES[kind]
        self.used = at + (array.size * dtype.itemsize + HEADER - 1) // HEADER * HEADER
        self._reach(self.used)
        np.ndarray(array.shape, dtype, self._map, at)[...] = array
        return {"a": [kind, at, *array.shape]}

    def get(self, kind: str, at: int, *shape: int) -> Array:
        """Copy an array out of the memory."""
        dtype = DTYPES[kind]
        end = at + prod(shape) * dtype.itemsize
        if not HEADER <= at <= end <= os.fstat(self._descriptor).st_size or min(shape, default=0) < 0:
            raise Garbled("an array outside of the memory")
        self._reach(end)
        return np.ndarray(shape, dtype, self._map, at).copy()

    def _reach(self, end: int) -> None:
        size = os.fstat(self._descriptor).st_size
        if end > size:
            size = -(-end // PAGE) * PAGE
            os.ftruncate(self._descriptor, size)
        if end > len(self._map):
            self._map = mmap.mmap(self._descriptor, size)

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


class Line:
    """One end of the connection."""

    def __init__(self, connection: socket.socket, memory: Memory) -> None:
        self.connection = connection
        self.memory = memory

    def pack(self, message: Any) -> bytes:
        """Write a message, its arrays into the memory, where they replace those of the message before."""
        self.memory.used = HEADER
        return json.dumps(self._pack(message), separators=(",", ":")).encode()

    def send(self, text: bytes) -> None:
        """Send what `pack` made. Raises OSError if the other side is gone."""
        self.connection.sendall(len(text).to_bytes(LENGTH, "little") + text)

    def receive(self) -> Any:
        """Wait for a message. Raises EOFError if the other side is gone, and Garbled if it talks nonsense."""
        length = int.from_bytes(self._receive(LENGTH), "little")
        if length > LONGEST:
            raise Garbled("a message that has no end")
        try:
            return self._unpack(json.loads(self._receive(length)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise Garbled(f"a message that is none: {error}") from None

    def _receive(self, length: int) -> bytes:
        parts, missing = [], length
        while missing:
            part = self.connection.recv(missing)
            if not part:
                raise EOFError
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _pack(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self.memory.put(value)
        if isinstance(value, Handle):
            return {"h": value.number}
        if isinstance(value, tuple | list):
            return [self._pack(one) for one in value]
        if isinstance(value, dict):
            return {"d": [[name, self._pack(one)] for name, one in value.items()]}
        return value.item() if isinstance(value, np.generic) else value

    def _unpack(self, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(self._unpack(one) for one in value)
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        if kind == "a":
            return self.memory.get(*content)
        return Handle(int(content)) if kind == "h" else {name: self._unpack(one) for name, one in content}
