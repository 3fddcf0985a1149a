"""Files that hold secrets, and files that must stay the ones they are."""

import fcntl
import hashlib
import os
from pathlib import Path


class FileFault(Exception):
    """A file cannot be read, can be read by others, or is no longer the one that was opened."""


def sync_folder(folder: Path) -> None:
    """Make what was renamed or made in this folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock(path: Path) -> int | None:
    """Take a lock that ends with this process; None when another one has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def append(handle: int, content: bytes) -> None:
    """Append to a file, durably, on macOS through the disk's own cache; `FileFault` for a short write."""
    if os.write(handle, content) != len(content):
        raise FileFault("a short write")
    if hasattr(fcntl, "F_FULLFSYNC"):
        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(handle)


def file_hash(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_secret(path: Path, content: bytes) -> None:
    """Write a file only this account can read, whole or not at all, durably."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(handle)
    temporary.replace(path)
    sync_folder(path.parent)


def read_secret(path: Path) -> bytes:
    """Read a file only this account can read; `FileFault` when it is absent or others can read it."""
    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_mode & 0o077:
                raise FileFault(f"{path.name} can be read by others: chmod 600 it")
            return stream.read()
    except OSError as error:
        raise FileFault(f"{path.name} cannot be read: {error.strerror}") from error


def destroy(path: Path) -> None:
    """Overwrite a file with zeros, durably, and remove it; the disk itself may keep old blocks.

    A crash leaves it whole, or under a name nobody reads until the next call for it.
    """
    going = path.with_name(path.name + ".gone")
    if path.exists():
        path.replace(going)
    if going.exists():
        with going.open("r+b") as stream:
            stream.write(bytes(os.fstat(stream.fileno()).st_size))
            stream.flush()
            os.fsync(stream.fileno())
        going.unlink()
        sync_folder(path.parent)


class Watched:
    """A file held open for appending that must stay the file its path names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle = os.open(path, os.O_RDWR | os.O_APPEND)

    def check(self, size: int | None = None) -> None:
        """Raise `FileFault` when the file was deleted, replaced, or written to by somebody else."""
        ours = os.fstat(self.handle)
        try:
            there = self.path.stat()
        except OSError as error:
            raise FileFault(f"{self.path.name} is gone from its folder") from error
        if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino):
            raise FileFault(f"{self.path.name} was replaced")
        if size not in (None, ours.st_size):
            raise FileFault(f"{self.path.name} was changed underneath")

    def close(self) -> None:
        """Close it."""
        os.close(self.handle)
