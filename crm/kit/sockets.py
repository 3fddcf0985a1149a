"""Unix sockets: bound by whatever path, and who is at the other end."""

import contextlib
import os
import socket
import struct
from pathlib import Path


def bind(path: Path) -> socket.socket:
    """Bind by a name relative to the folder: a path may be longer than the 107 bytes a socket's may be."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)
        sock.bind(path.name)
        # Every account may knock; who is let in is decided by peer account and key.
        path.chmod(0o666)
    finally:
        with contextlib.suppress(OSError):
            os.fchdir(here)
        os.close(here)
    return sock


def is_peer(sock: socket.socket, uid: int) -> bool:
    """Say whether the other end runs under an account (Linux; elsewhere the key alone decides)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    peer = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
    return bool(peer == uid)
