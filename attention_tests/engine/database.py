"""The place where Hypothesis keeps what it finds: a folder, or a Redis server that many machines share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase

FOLDER = ".hypothesis/examples"
"""Hypothesis's own, in the folder that the command is run from."""
SCHEMES = ("redis", "rediss", "unix")
SECONDS_TO_ANSWER = 5.0


class BadDatabase(ValueError):  # noqa: N818 - the word in the message
    """One sentence: why nothing can be kept in a place, and what to do."""


class Lossy(ExampleDatabase):
    """A database that may be lost on the way: exploring goes on with one in memory, and `lost` says why."""

    def __init__(self, database: ExampleDatabase) -> None:
        super().__init__()
        self.database = database
        self.lost = ""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return what is kept under `key`."""
        with self._which_may_be_lost() as database:
            return list(database.fetch(key))
        return []

    def save(self, key: bytes, value: bytes) -> None:
        """Keep `value` under `key`."""
        with self._which_may_be_lost() as database:
            database.save(key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Keep `value` no longer under `key`."""
        with self._which_may_be_lost() as database:
            database.delete(key, value)

    @contextmanager
    def _which_may_be_lost(self) -> Iterator[ExampleDatabase]:
        try:
            yield self.database
        except Exception as error:  # noqa: BLE001 - each database raises what it likes, and no verdict depends on it
            self.database, self.lost = InMemoryExampleDatabase(), _first_line(error)


class Drawer(ExampleDatabase):
    """The part of a database that belongs to one property: its name stands before every key of Hypothesis."""

    def __init__(self, database: ExampleDatabase, name: str) -> None:
        super().__init__()
        self.database, self.name = database, f"attention-tests {name} ".encode()

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return what is kept under `key`."""
        return self.database.fetch(self.name + key)

    def save(self, key: bytes, value: bytes) -> None:
        """Keep `value` under `key`."""
        self.database.save(self.name + key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Keep `value` no longer under `key`."""
        self.database.delete(self.name + key, value)


def opened(place: str) -> Lossy:
    """Open the database at a path or at an address such as redis://host:6379/0. Raises BadDatabase."""
    return Lossy(_redis(place) if "://" in place else _folder(Path(place)))


def _folder(path: Path) -> ExampleDatabase:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadDatabase(f"--database: {path} cannot be made a folder ({error.strerror})") from None
    if not os.access(path, os.W_OK):
        raise BadDatabase(f"--database: nothing can be written to {path}")
    return DirectoryBasedExampleDatabase(path)


def _redis(url: str) -> ExampleDatabase:
    try:
        import redis  # noqa: PLC0415 - an extra, needed only here
        from hypothesis.extra.redis import RedisExampleDatabase  # noqa: PLC0415 - likewise
    except ModuleNotFoundError:
        hint = "pip install attention-tests[redis]"
        raise BadDatabase(f"--database: Redis needs the package 'redis', which is not installed: {hint}") from None
    # A URL may hold a password: of a wrong one, nothing but the scheme and the host is ever printed.
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES:
        raise BadDatabase(f"--database: {scheme}:// is not known: name a folder, or redis://host:6379/0")
    try:
        times = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), SECONDS_TO_ANSWER)
        client = redis.Redis.from_url(url, retry=None, **times)
        client.ping()
    except redis.RedisError as error:
        where = urlsplit(url).hostname or "its socket"
        sentence = f"--database: the Redis server at {where} does not let us in ({_first_line(error)})"
        raise BadDatabase(f"{sentence}: start it, or mend the address") from None
    except (ValueError, TypeError):
        raise BadDatabase("--database: no address of a Redis server: write it as redis://host:6379/0") from None
    return RedisExampleDatabase(client)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
