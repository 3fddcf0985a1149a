"""Files that are flushed and destroyed."""

import fcntl
import os
from pathlib import Path

import pytest

from crm.kit import files


def test_where_the_system_has_a_cache_behind_fsync_it_is_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As macOS does; here it is only seen that it is asked."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", lambda handle, command: asked.append((handle, command)))
    handle = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)

    files.append(handle, b"x")

    os.close(handle)
    assert asked == [(handle, 51)]


@pytest.mark.parametrize("there", [[], ["key"], ["key.gone"], ["key", "key.gone"]], ids="+".join)
def test_nothing_is_left_of_what_was_destroyed(tmp_path: Path, there: list[str]) -> None:
    """Nor of what a crash left of it under the name it goes by."""
    for name in there:
        (tmp_path / name).write_bytes(b"secret")

    files.destroy(tmp_path / "key")

    assert not list(tmp_path.iterdir())


def test_the_bytes_are_overwritten_before_the_name_goes(tmp_path: Path) -> None:
    path, seen = tmp_path / "key", tmp_path / "seen"
    path.write_bytes(b"secret")
    seen.hardlink_to(path)

    files.destroy(path)

    assert seen.read_bytes() == bytes(6)
