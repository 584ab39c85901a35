"""The database of exploring, and the refusal of a place where nothing can be kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from attention_tests.engine.database import BadDatabase, Drawer, opened
from tests.support.redis_server import PASSWORD, free_port, redis_server


def refused(place: str) -> str:
    with pytest.raises(BadDatabase) as error:
        opened(place)
    sentence = str(error.value)
    assert len(sentence.splitlines()) == 1
    assert sentence.startswith("--database: ")
    return sentence


def test_a_database_folder_is_created_and_persists(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    opened(str(folder)).save(b"key", b"value")
    assert list(opened(str(folder)).fetch(b"key")) == [b"value"]


def test_entries_of_one_property_are_separate_from_others(tmp_path: Path) -> None:
    database = opened(str(tmp_path))
    mine, yours = Drawer(database, "law mine float32"), Drawer(database, "law yours float32")
    mine.save(b"key", b"value")
    assert list(mine.fetch(b"key")) == [b"value"]
    assert not list(yours.fetch(b"key"))
    yours.delete(b"key", b"value")
    assert list(mine.fetch(b"key")) == [b"value"]
    mine.delete(b"key", b"value")
    assert not list(mine.fetch(b"key"))


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made a folder" in refused(str(tmp_path / "file"))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whoever runs the tests as root may write anywhere.
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    assert "nothing can be written to" in refused(str(tmp_path))


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("mysql://localhost/x", "mysql:// is not known"),
        ("redis://:secret@localhost:many/0", "no address of a Redis server"),
        ("redis://:se/cret@localhost:6379/0", "no address of a Redis server"),
        ("redis://user:secret@localhost:1/0?colour=red", "no address of a Redis server"),
        ("unix:///nowhere/redis.sock", "does not let us in"),
        ("://", ":// is not known"),
    ],
)
def test_an_invalid_database_is_refused_without_printing_its_password(place: str, words: str) -> None:
    sentence = refused(place)
    assert words in sentence
    assert "secret" not in sentence


def test_an_unreachable_server_is_reported() -> None:
    sentence = refused(f"redis://user:secret@127.0.0.1:{free_port()}/0")
    assert "the Redis server at 127.0.0.1 does not let us in" in sentence
    assert "refused" in sentence
    assert "secret" not in sentence


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    assert "pip install attention-tests[redis]" in refused("redis://127.0.0.1:6379/0")


def test_a_right_password_is_accepted_and_a_wrong_one_refused(tmp_path: Path) -> None:
    with redis_server(tmp_path, "--requirepass", PASSWORD) as (_, address):
        opened(f"redis://:{PASSWORD}@{address}/0").save(b"key", b"value")
        assert list(opened(f"redis://:{PASSWORD}@{address}/0").fetch(b"key")) == [b"value"]
        assert "let us in" in refused(f"redis://{address}/0")
        assert "secret" not in refused(f"redis://:secret@{address}/0")


def test_losing_the_server_loses_nothing_else(tmp_path: Path) -> None:
    with redis_server(tmp_path) as (server, address):
        database = opened(f"redis://{address}/0")
        database.save(b"key", b"value")
        assert list(database.fetch(b"key")) == [b"value"]
        assert not database.lost
        server.kill()
        server.wait()
        database.save(b"key", b"other")
        assert not list(database.fetch(b"key"))
        assert "Connection" in database.lost or "closed" in database.lost
