"""The kernel's own locks on one process, by ctypes: no package has all of these, and each is one call.

Every function returns whether the kernel granted the lock; what is missing is told, never assumed. They
hold for the calling thread and what it starts, so they are called while there is only one.

Why three locks on the way out, and not one. An empty network namespace leaves nothing to send through, but
a socket that was made outside and inherited still lives in the old one: connect(AF_UNSPEC) turns a
listening socket back into a fresh one. Landlock refuses its next connect(). What Landlock does not see,
TCP Fast Open's sendto() that connects on the way, and AF_VSOCK, which no namespace covers, the system call
filter refuses.
"""

import ctypes
import errno
import os
import platform
import resource
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_SLAVE = 0x2, 0x4, 0x1000, 0x4000, 0x80000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_PR_SET_MDWE = 65
_SECCOMP_MODE_FILTER = 2
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_LANDLOCK_VERSION_FLAG = 1
_LANDLOCK_NET = 0b11  # bind and connect, TCP
_LANDLOCK_SCOPES = 0b11  # abstract unix sockets, signals
_CAPABILITY_V3 = 0x20080522
_IS_LINUX = sys.platform == "linux"


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _did(result: int) -> bool:
    return result == 0


def _prctl(option: int, *values: int) -> bool:
    if not _IS_LINUX:
        return False
    words = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return _did(_libc().prctl(option, *words))


def unshare(flags: int) -> bool:
    """Leave the namespaces named by ``flags`` for fresh ones."""
    return _IS_LINUX and _did(_libc().unshare(flags))


def empty_network(*, is_one_account: bool) -> bool:
    """Move to a network namespace with nothing in it.

    Without the right to, there is a way through a user namespace. In there is no account but this one, and peers
    of another cannot be told apart: a way only for processes that all share one.
    """
    if unshare(CLONE_NEWNET):
        return True
    uid, gid = os.geteuid(), os.getegid()
    if not is_one_account or not unshare(CLONE_NEWUSER | CLONE_NEWNET):
        return False
    # The same numbers inside as outside: peers go on to see who this is.
    for name, content in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - one write, no buffer games
            file.write(content)
    return True


def closed_folder(path: Path) -> Path | None:
    """Return the outermost folder on the way to ``path`` that other accounts cannot walk through."""
    for part in (*reversed(path.parents), path):
        if not part.stat().st_mode & stat.S_IXOTH:
            return part
    return None


def narrow(paths: Iterable[Path], hidden: Iterable[Path] = ()) -> bool:
    """Make the way to ``paths`` walkable, and hide other folders, for this process and its children alone.

    Over each closed folder on the way, and over each hidden one, lies an empty one with nothing in it but the
    way. A folder that is closed itself stays closed.
    """
    ways: dict[Path, list[Path]] = {path.resolve(): [] for path in hidden if path.is_dir()}
    for path in sorted({path.resolve() for path in paths}, key=lambda path: len(path.parts)):
        closed = next(filter(path.is_relative_to, ways), None) or closed_folder(path)
        is_inside = any(path.is_relative_to(shown) for found in ways.values() for shown in found)
        if closed is not None and closed != path and not is_inside:
            ways.setdefault(closed, []).append(path)
    return not ways or (_own_mounts() and all(_lay_over(closed, found) for closed, found in ways.items()))


def _own_mounts() -> bool:
    # Slave, not private: a volume that is unmounted outside must not be held busy in here.
    return unshare(CLONE_NEWNS) and _mount("none", "/", "", _MS_REC | _MS_SLAVE, "")


def _lay_over(closed: Path, ways: list[Path]) -> bool:
    # By their handles: the names lead to the empty folder soon.
    handles = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in ways]
    try:
        return _mount("tmpfs", str(closed), "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0711,size=1m") and all(
            _lay_way(closed, path, handle) for path, handle in zip(ways, handles, strict=True)
        )
    finally:
        for handle in handles:
            os.close(handle)


def _lay_way(closed: Path, path: Path, handle: int) -> bool:
    way = path.relative_to(closed)
    for part in (*reversed(way.parents), way):
        (closed / part).mkdir(exist_ok=True)
        (closed / part).chmod(0o711)
    return _mount(f"/proc/self/fd/{handle}", str(path), "", _MS_BIND | _MS_REC, "")


def _mount(source: str, target: str, kind: str, flags: int, data: str) -> bool:
    words = [os.fsencode(word) for word in (source, target, kind, data)]
    return _did(_libc().mount(words[0], words[1], words[2] or None, ctypes.c_ulong(flags), words[3] or None))


def become(uid: int, gid: int) -> None:
    """Give root away for good."""
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def drop_capabilities() -> bool:
    """Give up what a user namespace granted inside itself."""
    header = struct.pack("=Ii", _CAPABILITY_V3, 0)
    return _IS_LINUX and _did(_libc().capset(header, bytes(24)))


def no_new_privileges() -> bool:
    """Make set-uid programs powerless; Landlock and the filter ask for it."""
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def no_new_code() -> bool:
    """Refuse memory that is written and then run."""
    return _prctl(_PR_SET_MDWE, 1)


def die_with_parent(signal: int) -> bool:
    """Be sent a signal when the thread that started this process ends; a change of account resets it."""
    return _prctl(_PR_SET_PDEATHSIG, signal)


def close_to_debuggers() -> bool:
    """Leave no core file, and let nobody of the same account attach or read the memory."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return _prctl(_PR_SET_DUMPABLE, 0)


def landlock() -> bool:
    """Refuse TCP connect and bind, on inherited sockets too; from ABI 6 signals to outsiders as well."""
    if not _IS_LINUX:
        return False
    libc = _libc()
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), _LANDLOCK_VERSION_FLAG)
    if version < 4:  # noqa: PLR2004 - the first with network rules
        return False
    ruleset = struct.pack("=QQ", 0, _LANDLOCK_NET)
    if version >= 6:  # noqa: PLR2004 - the first with scopes
        ruleset += struct.pack("=Q", _LANDLOCK_SCOPES)
    handle = libc.syscall(_LANDLOCK_CREATE, ruleset, ctypes.c_size_t(len(ruleset)), 0)
    if handle < 0:
        return False
    try:
        return _did(libc.syscall(_LANDLOCK_RESTRICT, handle, 0))
    finally:
        os.close(handle)


# The system call filter: classic BPF over struct seccomp_data {int nr; u32 arch; u64 ip; u64 args[6]}.
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_MSG_FASTOPEN = 0x20000000
_X32 = 0x40000000
_AF_UNIX = 1
_NUMBERS = {  # architecture, socket, sendto, sendmsg, sendmmsg; io_uring_setup is 425 everywhere
    "x86_64": (0xC000003E, 41, 44, 46, 307),
    "aarch64": (0xC00000B7, 198, 206, 211, 269),
}
_IO_URING_SETUP = 425


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _argument(number: int) -> int:
    """Return where the low half of a system call's argument stands (little endian)."""
    return 16 + 8 * number


def _program(machine: str) -> bytes:
    architecture, socket, sendto, sendmsg, sendmmsg = _NUMBERS[machine]
    refuse = _step(_RETURN, _REFUSE | errno.EPERM)
    allow = _step(_RETURN, _ALLOW)

    def on_call(number: int, *steps: bytes) -> bytes:
        return _step(_EQUAL, number, 0, len(steps)) + b"".join(steps)

    def no_fast_open(number: int, flags: int) -> bytes:
        return on_call(number, _step(_LOAD, _argument(flags)), _step(_ANY_BIT, _MSG_FASTOPEN, 0, 1), refuse, allow)

    return b"".join([
        # Another architecture's numbers mean other calls: none of them.
        _step(_LOAD, 4), _step(_EQUAL, architecture, 1, 0), refuse,
        _step(_LOAD, 0), _step(_AT_LEAST, _X32, 0, 1), refuse,
        on_call(
            socket, _step(_LOAD, _argument(0)), _step(_EQUAL, _AF_UNIX, 1, 0),
            _step(_RETURN, _REFUSE | errno.EAFNOSUPPORT), allow,
        ),
        no_fast_open(sendto, 3), no_fast_open(sendmsg, 2), no_fast_open(sendmmsg, 3),
        # Its requests run in the kernel, past this filter.
        on_call(_IO_URING_SETUP, refuse),
        allow,
    ])  # fmt: skip


def filter_calls() -> bool:
    """Let no socket be made but a unix one, nothing be sent that connects, and no io_uring."""
    machine = platform.machine()
    if not _IS_LINUX or machine not in _NUMBERS:
        return False
    program = ctypes.create_string_buffer(_program(machine))
    length = len(program.raw) // 8
    header = ctypes.create_string_buffer(struct.pack("@HP", length, ctypes.addressof(program)))
    return _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))
