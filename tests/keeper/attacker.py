"""What code that has taken over the web process can try: run in the web's account, with the web's service key.

One request a line on standard input, ``{"try": NAME, ...}``; one answer a line on standard output. It knows
the product's source, has the client, and may do to this machine whatever its account may.
"""

import asyncio
import ctypes
import errno
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from crm.errors import CrmError
from crm.keeper_client import Keeper
from tests.keeper.raw import Raw

PRELOAD = ("msgpack.*",)
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
PIDFD_OPEN, PIDFD_GETFD = 434, 438


class Attacker:
    """The code that runs now instead of the web process's own."""

    def __init__(self, home: Path, keeper: int) -> None:
        self.home = home
        self.keeper = keeper
        self.client: Keeper | None = None

    def whoami(self) -> dict[str, Any]:
        """Say which account this is."""
        return {"uid": os.getresuid(), "groups": os.getgroups()}

    def read(self, paths: list[str]) -> dict[str, str]:
        """Read files and list folders."""

        def one(path: Path) -> str:
            return str(list(path.iterdir())) if path.is_dir() else repr(path.read_bytes()[:64])

        return {path: _attempt(partial(one, Path(path))) for path in paths}

    def change(self, folders: list[str], files: list[str]) -> dict[str, str]:
        """Put files beside others', and take others' away, over or along."""
        found = {}
        for folder in map(Path, folders):
            found[f"create in {folder}"] = _attempt(partial((folder / "planted").write_text, "x"))
            found[f"rename {folder}"] = _attempt(partial(folder.rename, f"{folder}.away"))
        for file in map(Path, files):
            found[f"append to {file}"] = _attempt(partial(file.open, "ab"))
            found[f"remove {file}"] = _attempt(file.unlink)
            found[f"link {file}"] = _attempt(partial(os.link, file, "/tmp/planted-link"))
            found[f"chmod {file}"] = _attempt(partial(file.chmod, 0o666))
        return found

    def process(self) -> dict[str, str]:
        """Look into the keeper's process, take hold of it, end it."""
        libc = ctypes.CDLL(None, use_errno=True)

        def call(function: Callable[[], int]) -> int:
            answer = function()
            if answer < 0:
                number = ctypes.get_errno()
                raise OSError(number, errno.errorcode[number])
            return answer

        def from_its_memory() -> int:
            """``process_vm_readv`` of eight bytes anywhere."""
            buffer = ctypes.create_string_buffer(8)
            local = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8)
            remote = (ctypes.c_size_t * 2)(0x400000, 8)
            return int(libc.process_vm_readv(self.keeper, local, 1, remote, 1, 0))

        proc = Path("/proc") / str(self.keeper)
        found = {
            f"/proc/{name}": _attempt((proc / name).read_bytes)
            for name in ("mem", "environ", "maps", "stack", "syscall", "auxv", "io")
        }
        found["/proc/fd"] = _attempt(lambda: list((proc / "fd").iterdir()))
        found["/proc/root"] = _attempt(lambda: list((proc / "root").iterdir()))
        found["/proc/cwd"] = _attempt((proc / "cwd").readlink)
        for name, request in (("attach", PTRACE_ATTACH), ("seize", PTRACE_SEIZE)):
            found[f"ptrace {name}"] = _attempt(partial(call, partial(libc.ptrace, request, self.keeper, None, None)))
        found["process_vm_readv"] = _attempt(lambda: call(from_its_memory))
        found["pidfd_getfd"] = _attempt(
            lambda: call(
                lambda: libc.syscall(PIDFD_GETFD, call(lambda: libc.syscall(PIDFD_OPEN, self.keeper, 0)), 4, 0)
            )
        )
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGUSR1):
            found[number.name] = _attempt(partial(os.kill, self.keeper, number))
        return found

    async def knock(self, principal: str, key: str, as_whom: str) -> str:
        """Connect to a socket and greet with a key; says how far it came."""
        try:
            raw = await Raw.connect(self.home / "run" / f"{principal}.sock")
        except OSError as error:
            return f"no socket: {error.strerror}"
        try:
            await raw.greet(bytes.fromhex(key), as_whom)
            await raw.send([1, "status", {}])
            return f"served: {await raw.receive()}"
        except asyncio.IncompleteReadError:
            return "closed"
        except ConnectionError:
            return "closed"
        finally:
            raw.close()

    async def call(self, verb: str, arguments: dict[str, Any]) -> list[Any]:
        """Call a verb as the product would."""
        if self.client is None:
            self.client = await Keeper.connect(self.home / "run" / "web.sock", self.home / "services" / "web.key")
        try:
            return ["ok", await self.client.call(verb, **arguments)]
        except CrmError as refused:
            return [refused.code, refused.detail]


def _attempt(act: Callable[[], object]) -> str:
    """Say ``refused`` with the error, or what came of it."""
    try:
        return f"DONE: {act()!r}"
    except OSError as error:
        return f"refused: {errno.errorcode.get(error.errno or 0, type(error).__name__)}"


def _out(value: object) -> object:
    return {"hex": value.hex()} if isinstance(value, bytes) else repr(value)


def _in(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["hex"]) if set(value) == {"hex"} else value


async def _serve(attacker: Attacker) -> None:
    while line := sys.stdin.readline():
        request = json.loads(line, object_hook=_in)
        what: Callable[..., Any] = getattr(attacker, request.pop("try"))
        answer = what(**request)
        if isinstance(answer, Awaitable):
            answer = await answer
        sys.stdout.write(json.dumps(answer, default=_out) + "\n")
        sys.stdout.flush()
    if attacker.client:
        await attacker.client.close()


def main(arguments: Sequence[str]) -> int:
    """Serve requests about a home and the process id of its keeper, until the input ends."""
    asyncio.run(_serve(Attacker(Path(arguments[0]), int(arguments[1]))))
    return 0
