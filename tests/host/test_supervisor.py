"""What dies is started again, more slowly each time; what refuses is said once a minute; down goes in order."""

import asyncio
import signal
import sys

import pytest

from crm.host import supervisor
from crm.host.child import Child, environment
from crm.host.supervisor import ChildService, StartFailed, Supervisor


class Scripted:
    """A service that follows a script: a code ends it at once, a failure stops its start, None lets it run."""

    def __init__(self, name: str, *script: int | StartFailed | None, order: list[str] | None = None) -> None:
        self.name = name
        self._script = list(script)
        self._order = order if order is not None else []
        self._end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1
        self._next = self._script.pop(0) if self._script else None
        if isinstance(self._next, StartFailed):
            raise self._next

    async def wait(self) -> int:
        return self._next if isinstance(self._next, int) else await self._end

    async def stop(self) -> None:
        self._order.append(self.name)
        if not self._end.done():
            self._end.set_result(0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.001)


async def _until(service: Scripted, starts: int) -> None:
    while service.starts < starts:
        await asyncio.sleep(0.001)


@pytest.mark.usefixtures("quick")
async def test_what_dies_is_started_again_more_slowly_each_time() -> None:
    said: list[str] = []
    keeps = Supervisor(said.append)
    service = Scripted("web", 1, -signal.SIGKILL, StartFailed("no socket"), None)
    await keeps.up(service)
    await _until(service, 4)
    await keeps.down()
    assert said == [
        "web: ended with status 1; it is started again in 0.001 s.",
        "web: was ended by SIGKILL; it is started again in 0.002 s.",
        "web: no socket; it is started again in 0.004 s.",
    ]


async def test_what_refuses_is_not_hammered_and_does_not_hold_up_the_rest() -> None:
    said: list[str] = []
    keeps = Supervisor(said.append)
    service = Scripted("keeper", StartFailed("sealed: the journal is behind", 75))
    await keeps.up(service)
    assert service.starts == 1
    assert said == ["keeper: sealed: the journal is behind; it is started again in 60 s."]
    await keeps.down()
    assert service.starts == 1


@pytest.mark.usefixtures("quick")
async def test_pause_begins_anew_after_a_good_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STABLE_S", -1)
    said: list[str] = []
    keeps = Supervisor(said.append)
    service = Scripted("web", 1, 1, None)
    await keeps.up(service)
    await _until(service, 3)
    await keeps.down()
    assert [line.rpartition(" in ")[2] for line in said] == ["0.001 s.", "0.001 s."]


async def test_what_is_needed_and_does_not_start_ends_it() -> None:
    keeps = Supervisor(lambda _: None)
    with pytest.raises(StartFailed, match="no disk"):
        await keeps.up(Scripted("PostgreSQL", StartFailed("no disk")), is_needed=True)
    await keeps.down()


async def test_down_goes_the_last_one_first() -> None:
    order: list[str] = []
    keeps = Supervisor(lambda _: None)
    for name in ("PostgreSQL", "keeper", "web"):
        await keeps.up(Scripted(name, order=order))
    await keeps.down()
    assert order == ["web", "keeper", "PostgreSQL"]


async def test_stopped_in_the_middle_of_its_start() -> None:
    keeps = Supervisor(lambda _: None)
    slow = _python("slow", "import time; time.sleep(600)")
    coming = asyncio.create_task(keeps.up(slow, is_needed=True))
    while slow.pid is None:
        await asyncio.sleep(0.01)
    await keeps.down()
    with pytest.raises(StartFailed):
        await coming


def _python(name: str, script: str) -> ChildService:
    async def spawn() -> Child:
        line = [sys.executable, "-u", "-c", script]
        return await Child.start(line, environ=environment(), stdout=asyncio.subprocess.PIPE)

    return ChildService(name, spawn)


async def test_child_is_ready_when_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    child = _python("talker", "print('hello'); print('ready'); print('more'); import time; time.sleep(600)")
    await child.stop()
    await child.start()
    while "more" not in (said := capsys.readouterr().out):
        await asyncio.sleep(0.01)
    assert "ready" not in said
    assert child.pid is not None
    await child.stop()
    assert await child.wait() == -signal.SIGTERM


async def test_last_words_of_a_child_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    child = _python("failing", "import sys; print('early'); sys.stderr.write('no such file\\n'); sys.exit(75)")
    with pytest.raises(StartFailed, match="no such file") as failed:
        await child.start()
    assert failed.value.code == 75
    silent = _python("silent", "import sys; sys.exit(75)")
    with pytest.raises(StartFailed, match="refuses to start"):
        await silent.start()
    assert "no such file" in capsys.readouterr().err


async def test_child_that_does_not_listen_is_ended_all_the_same() -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(600)"
    line = [sys.executable, "-u", "-c", script]
    child = await Child.start(line, environ=environment(), stdout=asyncio.subprocess.PIPE)
    assert (await child.stdout.readline()).strip() == b"ready"
    assert await child.stop(patience_s=0.1) == -signal.SIGKILL
    child.send(signal.SIGTERM)


def test_environment_of_a_child_has_no_way_to_be_the_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://super:secret@/kept")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    given = environment(KEPT_ISOLATION="x")
    assert "secret" not in " ".join(given.values())
    assert given["KEPT_ISOLATION"] == "x"
    assert given["PYTHONPATH"].endswith(":/elsewhere")
