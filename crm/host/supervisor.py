"""Keeps services up, and takes them down in order."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

from crm.host.child import Child

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
STABLE_S = 60.0
# The keeper's own words: it ended because a write failed, or it refuses what it found.
REFUSALS = {os.EX_IOERR: "stopped because a write failed", os.EX_TEMPFAIL: "refuses to start"}


class StartFailed(Exception):
    """Raised when a service ends before it is ready; ``code`` is its exit status."""

    def __init__(self, words: str, code: int = 1) -> None:
        super().__init__(words)
        self.code = code


class Service(Protocol):
    """What can be kept up."""

    name: str

    async def start(self) -> None:
        """Return when it is ready.

        Raises:
            StartFailed: it ended before.
        """

    async def wait(self) -> int:
        """Wait for its end; returns the exit status."""

    async def stop(self) -> None:
        """End it, also in the middle of its start."""


class ChildService:
    """A child that prints the line ``ready`` when it is; what else it prints is passed on."""

    def __init__(self, name: str, spawn: Callable[[], Awaitable[Child]]) -> None:
        self.name = name
        self._spawn = spawn
        self._child: Child | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id of the child that is there, or was."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start the child and wait for its line.

        Raises:
            StartFailed: it ended before, with its last words.
        """
        child = self._child = await self._spawn()
        async for line in child.stdout:
            if line.strip() == b"ready":
                self._reading = asyncio.create_task(_pass_on(child.stdout))
                return
            _print(line)
        code = await child.wait()
        raise StartFailed("\n".join(list(child.last_words)[-1:]) or described(code), code)

    async def wait(self) -> int:
        """Wait for the child's end."""
        assert self._child is not None  # noqa: S101 - started before it is waited for
        return await self._child.wait()

    async def stop(self) -> None:
        """Ask the child to end."""
        if self._child is not None:
            await self._child.stop(signal.SIGTERM)


async def _pass_on(stream: asyncio.StreamReader) -> None:
    async for line in stream:
        _print(line)


def _print(line: bytes) -> None:
    sys.stdout.write(line.decode(errors="replace"))
    sys.stdout.flush()


def described(code: int) -> str:
    """Say an exit status in words."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return REFUSALS.get(code, f"ended with status {code}")


class Supervisor:
    """The services of one launcher."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._ending = asyncio.Event()
        self._kept: list[tuple[Service, asyncio.Task[None]]] = []

    async def up(self, *services: Service, is_needed: bool = False) -> None:
        """Start services, each kept up from then on; returns when each is ready or has failed once.

        Raises:
            StartFailed: one that is needed did not start.
        """
        firsts = []
        for service in services:
            first: asyncio.Future[StartFailed | None] = asyncio.get_running_loop().create_future()
            self._kept.append((service, asyncio.create_task(self._keep(service, first))))
            firsts.append(first)
        failed = [failure for failure in await asyncio.gather(*firsts) if failure is not None]
        if is_needed and failed:
            raise failed[0]

    async def down(self) -> None:
        """End every service, the last one up first."""
        self._ending.set()
        for service, task in reversed(self._kept):
            await service.stop()
            await asyncio.wait([task])

    async def _keep(self, service: Service, first: "asyncio.Future[StartFailed | None]") -> None:
        pause = FIRST_PAUSE_S
        clock = asyncio.get_running_loop().time
        while not self._ending.is_set():
            began = clock()
            end = await self._once(service, first)
            if self._ending.is_set():
                break
            if clock() - began > STABLE_S:
                pause = FIRST_PAUSE_S
            if end.code in REFUSALS:
                pause = LONGEST_PAUSE_S
            self._say(f"{service.name}: {end}; it is started again in {pause:g} s.")
            await self._rest(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
        _settle(first, StartFailed("stopped"))

    async def _once(self, service: Service, first: "asyncio.Future[StartFailed | None]") -> StartFailed:
        """Run a service from its start to its end, and return how it ended."""
        try:
            await service.start()
            _settle(first, None)
            code = await service.wait()
        except StartFailed as error:
            _settle(first, error)
            return error
        return StartFailed(described(code), code)

    async def _rest(self, seconds: float) -> None:
        ending = asyncio.create_task(self._ending.wait())
        await asyncio.wait([ending], timeout=seconds)
        ending.cancel()


def _settle(first: "asyncio.Future[StartFailed | None]", outcome: StartFailed | None) -> None:
    if not first.done():
        first.set_result(outcome)
