"""Messages between two processes through a socket: the length of each, and so many bytes.

Questions are pickled. Answers are not, for nothing that comes from the process of an implementation is ever executed:
one that went wrong can send only what is declared here, numbers and words of these types.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from typing import Any, TypeAlias

import msgspec
import numpy as np

from attention_tests.declare.implementation import Implementation
from attention_tests.execution.isolation.declaration import elsewhere, plain

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

LENGTH = struct.Struct("<Q")
LONGEST = 1 << 32
SECONDS_AWAKE = 1e-3
SECONDS_SILENT = 1e-2
"""The time after a message in which a call may begin without one: it then counts from that message."""
FLOAT = np.dtype(np.float64)


class Refused(msgspec.Struct, tag=True):
    """The reason why the target cannot be imported."""

    sentence: str


class Declared(msgspec.Struct, tag=True):
    """The declaration of the target, without its callables."""

    implementation: Implementation


class Numbers(msgspec.Struct, tag=True):
    """An array. Raises ValueError where there are more numbers, or fewer, than its shape says."""

    shape: tuple[int, ...]
    content: memoryview

    @classmethod
    def of(cls, array: Array) -> Numbers:
        """Send the numbers of an array."""
        return cls(array.shape, np.ascontiguousarray(array, FLOAT).data)

    def __post_init__(self) -> None:
        self.array()

    def array(self) -> Array:
        """Return them as an array that cannot be written."""
        return np.frombuffer(self.content, FLOAT).reshape(self.shape)


class Done(msgspec.Struct, tag=True):
    """Everything that was asked for is done: the answers."""

    answers: list[Numbers | int | float | str | list[str]]


class Failed(msgspec.Struct, tag=True):
    """One of the operations failed: which, and why."""

    place: int
    words: str


class Ended(msgspec.Struct, tag=True):
    """The process ended, and a copy of it as it was at its start takes its place: the code, negative for a signal."""

    code: int


Message = Refused | Declared | Done | Failed | Ended

encode = msgspec.msgpack.Encoder(enc_hook=plain).encode
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message, dec_hook=elsewhere)
decode = _decoder.decode


class Line:
    """One end of the connection. Raises OSError or EOFError if the other end is gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._incoming = connection.makefile("rb")
        self._arrival = select.poll()
        self._arrival.register(connection, select.POLLIN)
        self._heard = 0.0

    def listen_again(self) -> None:
        """Be ready for messages after a timeout, after which nothing more can be read as before."""
        self._incoming.close()
        self._incoming = self._connection.makefile("rb")

    def send(self, message: bytes) -> None:
        """Send a message."""
        self._connection.sendall(LENGTH.pack(len(message)) + message)

    def say_that_a_call_begins(self) -> None:
        """Send an empty message, unless something was sent just now."""
        now = time.monotonic()
        if now - self._heard > SECONDS_SILENT:
            self._heard = now
            self.send(b"")

    def receive(self, seconds: float | None = None) -> bytes:
        """Wait for a message, and for `seconds` since the last call began.

        Raises TimeoutError, and ValueError if it is none.
        """
        self._connection.settimeout(seconds)
        self._stay_awake()
        length = 0
        while not length:
            (length,) = LENGTH.unpack(self._read(LENGTH.size))
        if length > LONGEST:
            raise ValueError("a message that is too long")
        self._heard = time.monotonic()
        return self._read(length)

    def _read(self, length: int) -> bytes:
        content = self._incoming.read(length)
        if len(content) < length:
            raise EOFError
        return content

    def close(self) -> None:
        """Give it back."""
        self._incoming.close()
        self._connection.close()

    def _stay_awake(self) -> None:
        """Wait a little without falling asleep: to be woken takes longer than most calls of an implementation."""
        until = time.perf_counter() + SECONDS_AWAKE
        while time.perf_counter() < until and not self._arrival.poll(0):
            os.sched_yield()
