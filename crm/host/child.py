"""One child process of the launcher: how it is started, waited for and ended."""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from crm.host import accounts
from crm.host.home import Home

_PROJECT = Path(__file__).resolve().parents[2]
_LAST_LINES = 20
# Where this machine's services have their sockets: a resolver behind one of them would carry names out.
_SERVICES = "/run"


def command(
    home: Home, role: str, what: Sequence[str], *, network: bool = False, program: bool = False, end: str = "TERM"
) -> list[str]:
    """Return the command line that starts ``what`` in the role's account with no way out."""
    account = accounts.of_role(role)
    return [
        sys.executable, "-m", "crm.host.enter",
        *(["--account", account.name] if account else ["--one-account"]),
        *([] if network else ["--no-network", "--hide", _SERVICES]),
        *home.show_arguments(),
        "--with-parent", end,
        *(["--exec", "--"] if program else []),
        *what,
    ]  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a child: the launcher's, without what would let it act as the launcher."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith(("PG", "LISTEN_", "XDG_", "SUDO_"))
    }
    # The program may run from a clone that is not installed.
    path = [str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(path)} | more


class Child:
    """A running child; its last words on stderr are kept for the message when it fails."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.last_words: deque[str] = deque(maxlen=_LAST_LINES)
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        line: Sequence[str],
        *,
        environ: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        quiet: bool = False,
        stdout: int | None = None,
    ) -> Self:
        """Start a process; ``quiet`` keeps what it says on stderr instead of passing it on."""
        process = await asyncio.create_subprocess_exec(
            *line,
            env=dict(environ),
            pass_fds=tuple(pass_fds),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C is for the launcher alone, which ends its children in order.
            process_group=0,
        )
        child = cls(process)
        child._listening = asyncio.create_task(child._listen(quiet=quiet))
        return child

    async def _listen(self, *, quiet: bool) -> None:
        assert self._process.stderr is not None  # noqa: S101 - asked for above
        async for line in self._process.stderr:
            text = line.decode(errors="replace").rstrip()
            self.last_words.append(text)
            if not quiet:
                sys.stderr.write(text + "\n")
                sys.stderr.flush()

    @property
    def pid(self) -> int:
        """Return the process id; ``enter`` keeps it through to the program."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Return the exit status, negative for a signal, or nothing while it runs."""
        return self._process.returncode

    @property
    def stdout(self) -> asyncio.StreamReader:
        """Return what the child prints, when it was started with a pipe."""
        assert self._process.stdout is not None  # noqa: S101 - the caller asked for it
        return self._process.stdout

    async def wait(self) -> int:
        """Wait for the end, and for its last words."""
        code = await self._process.wait()
        if self._listening is not None:
            # A grandchild may hold the pipe open; its words are not waited for.
            await asyncio.wait([self._listening], timeout=1)
        return code

    async def stop(self, number: signal.Signals = signal.SIGTERM, patience_s: float = 30) -> int:
        """Ask for the end, and insist when it does not come; returns the exit status."""
        self.send(number)
        try:
            async with asyncio.timeout(patience_s):
                return await self.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            return await self.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to a child that is still there."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)
