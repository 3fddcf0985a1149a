"""When in doubt nothing opens: a clock that was set, a disk nearly full, keys that do not fit, a second keeper."""

import os
import subprocess
from collections.abc import Awaitable, Iterator
from pathlib import Path

import pytest

from crm.errors import CrmError, KeeperSealed, Unauthenticated
from crm.keeper_client import Keeper
from crm.kit.clock import parse_rfc3339
from crm.kit.ids import new_id
from crm.kit.pii import Pii
from tests.conftest import Need
from tests.keeper.conftest import MakeHome
from tests.keeper.home import PASSWORD, KeeperHome, gather_cast, item
from tests.keeper.talk import contact, entries, last, sign_in

MINUTE, HOUR, YEAR = 60_000, 3_600_000, 365 * 24 * 3_600_000
ROOM = 300 * 2**20


def doings(home: KeeperHome, web: Keeper, subject: str) -> dict[str, Awaitable[object]]:
    """Return what a person does all day."""
    staff = home.token("staff")
    return {
        "open": web.open(staff, "serve", subjects=[subject], fields=["identity"], reason="call"),
        "put": web.put(staff, "intake", item(new_id(), identity={})),
        "seal": web.seal(staff, "serve", [{"subject": subject, "record": new_id(), "fields": {}}]),
        "search": web.search(staff, Pii("lovelace")),
        "labels": web.labels(staff, [subject]),
        "match": web.match(staff, "email", Pii("ada@lovelace.example")),
        "record": web.record(staff, "owner", [subject]),
        "merge": web.merge(staff, subject, subject),
        "invite": web.invite(home.token("admin"), "Pat", ["product"]),
        "sign_in": web.sign_in("staff2", Pii(PASSWORD)),
    }


async def nothing_is_done(home: KeeperHome, web: Keeper, subject: str, why: str) -> None:
    """Every doing is refused with the reason, nothing is written, and the log can be read."""
    size = len(home.entries())
    for what, doing in doings(home, web, subject).items():
        with pytest.raises(KeeperSealed) as refused:
            await doing
        assert why in refused.value.reason, what
    assert len(home.entries()) == size
    status = await web.status()
    assert (status["state"], why in status["reason"], status["size"]) == ("sealed", True, size)
    assert (await web.me(home.token("staff")))["name"] == "staff"
    assert (await web.entries(home.token("auditor")))["entries"]
    assert home.signed(await web.checkpoint()).size == size


@pytest.mark.parametrize("by", [-3 * MINUTE, -HOUR, -YEAR])
async def test_a_clock_set_back_seals_until_it_is_right(make_home: MakeHome, by: int) -> None:
    home = await make_home(clock=True)
    web = await home.client()
    await home.searchable(web)
    ada = await contact(home, web)
    assert home.clock

    home.clock.set(by, 0)
    await nothing_is_done(home, web, ada, "set back")
    home.clock.set(0, 0)

    await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason="call")


@pytest.mark.parametrize("by", [3 * MINUTE, HOUR])
async def test_a_clock_set_forward_seals_and_leaves_no_trace(make_home: MakeHome, by: int) -> None:
    """Entries written meanwhile must not be of the future: setting the clock right would look like setting it back."""
    home = await make_home(clock=True)
    web = await home.client()
    await home.searchable(web)
    ada = await contact(home, web)
    assert home.clock

    home.clock.set(by, 0)
    await nothing_is_done(home, web, ada, "set forward")
    with pytest.raises(Unauthenticated):
        await web.me("not a token")
    with pytest.raises(CrmError):
        await web.entries(home.token("staff"))
    assert parse_rfc3339(last(home)["at"]) - parse_rfc3339(entries(home, "put")[-1]["at"]) <= 3 * MINUTE
    home.clock.set(0, 0)

    await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason="call")


async def test_a_year_forward_ends_sessions_and_seals(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    web = await home.client()
    assert home.clock

    home.clock.set(YEAR, 0)
    with pytest.raises(Unauthenticated):
        await web.me(home.token("staff"))
    with pytest.raises(KeeperSealed):
        await web.sign_in("staff", Pii(PASSWORD))
    home.clock.set(0, 0)

    assert await web.me(home.token("staff"))


@pytest.mark.parametrize("by", [-90_000, 90_000])
async def test_a_clock_put_right_by_a_little_is_no_news(make_home: MakeHome, by: int) -> None:
    home = await make_home(clock=True)
    web = await home.client()
    ada = await contact(home, web)
    assert home.clock

    home.clock.set(by, 0)
    await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason="call")

    times = [parse_rfc3339(entry["at"]) for entry in entries(home)]
    assert times == sorted(times)


async def test_a_keeper_started_with_a_clock_behind_its_log_is_sealed(make_home: MakeHome) -> None:
    home = await make_home(clock=True)
    home.stop()
    assert home.clock
    home.clock.set(-HOUR, -HOUR)

    home.start()

    web = await home.client()
    assert "set back" in (await web.status())["reason"]
    home.clock.set(0, -HOUR)
    assert "set forward" in (await web.status())["reason"], "it jumped: what it says is believed at the next start"
    home.stop()
    home.start()
    assert (await (await home.client()).status())["state"] == "open"


@pytest.fixture
def small_disk(tmp_path: Path, need: Need) -> Iterator[Path]:
    """Mount a disk that is nearly full as soon as a part of it is used."""
    need(os.geteuid() == 0, "a small disk can be mounted as root only")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", disk], check=False, capture_output=True, text=True
    )
    need(mounted.returncode == 0, f"mounting a tmpfs: {mounted.stderr}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


async def test_a_disk_nearly_full_leaves_erasing_and_signing_out(tmp_path: Path, small_disk: Path) -> None:
    home = KeeperHome(tmp_path / "home", journal_folder=small_disk / "journal")
    home.init()
    assert home.start(), home.stderr()
    await gather_cast(home, second_factor="optional")
    web, staff = await home.client(), home.token("staff")
    await home.searchable(web)
    ada, eve = await contact(home, web), await contact(home, web)
    asked = await web.ask_lift(staff)
    other = await sign_in(web, "staff")
    ballast = small_disk / "ballast"
    with ballast.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, ROOM // 5)

    await nothing_is_done(home, web, ada, "nearly full")
    await web.erase(staff, ada, "request")
    await web.cancel_erase(home.token("staff2"), ada)
    await web.decide(home.token("auditor"), asked["decision"], "refuse")
    await web.sign_out(other)
    with pytest.raises(Unauthenticated):
        await web.me(other)
    ballast.unlink()

    assert (await web.status())["state"] == "open"
    await web.open(staff, "serve", subjects=[eve], fields=["identity"], reason="call")
    assert home.stop() == 0
    await home.aclose()


async def sealed(home: KeeperHome, why: str, *options: str, stdin: str | None = None) -> None:
    """The keeper starts, tells why nothing opens, refuses everything, and ends with the status that says so."""
    assert home.start(*options, stdin=stdin), home.stderr()
    web = await home.client()
    status = await web.status()
    assert status["state"] == "sealed"
    assert why in status["reason"]
    for attempt in (web.sign_in("staff", Pii(PASSWORD)), web.checkpoint(), web.made(0), web.me("x")):
        with pytest.raises(KeeperSealed) as refused:
            await attempt
        assert why in refused.value.reason
    await home.disconnect()
    assert home.stop() == 75
    assert f"sealed: {status['reason']}" in home.stderr()


async def test_a_root_key_from_a_passphrase(tmp_path: Path) -> None:
    home = KeeperHome(tmp_path / "home")
    done = home.call("init", "--origin", "x.example/log", "--passphrase-stdin", stdin="open sesame\n")
    assert done.returncode == 0, done.stderr
    assert b"open sesame" not in b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())

    assert home.start("--passphrase-stdin", stdin="open sesame\n")
    assert (await (await home.client()).status())["state"] == "open"
    await home.disconnect()
    assert home.stop() == 0

    await sealed(home, "the passphrase is not the one", "--passphrase-stdin", stdin="open barley\n")
    await sealed(home, "start the keeper with --passphrase-stdin")


@pytest.mark.parametrize("name", ["root", "log", "index", "session", "epoch-1"])
async def test_a_key_that_is_missing_open_or_another_one(make_home: MakeHome, name: str) -> None:
    home = await make_home(start=False)
    key = home.path / "keys" / f"{name}.key"
    right = key.read_bytes()

    key.chmod(0o644)
    await sealed(home, f"{name}.key can be read by others")
    key.unlink()
    await sealed(home, "no epoch key" if name == "epoch-1" else f"{name}.key cannot be read")
    key.touch(0o600)
    key.write_bytes(b"key " + b"0" * 64 if name == "root" else right[:-1] + bytes([right[-1] ^ 1]))
    await sealed(home, "does not open")
    key.write_bytes(right)

    assert home.start()
    assert (await (await home.client()).status())["state"] == "open"


async def test_a_home_without_its_file_is_sealed(make_home: MakeHome) -> None:
    home = await make_home(start=False)
    home.file.rename(home.file.with_suffix(".away"))

    await sealed(home, "restore")


def test_a_folder_that_is_no_home_is_refused(tmp_path: Path) -> None:
    home = KeeperHome(tmp_path / "home")
    (home.path / "keeper").mkdir(parents=True)

    assert not home.start()

    assert home.wait() == 75
    assert "sealed:" in home.stderr()


def test_a_home_is_made_once(tmp_path: Path) -> None:
    home = KeeperHome(tmp_path / "home")
    home.init()
    before = home.file.read_bytes(), home.vkey

    done = home.call("init", "--origin", "other.example/log")

    assert done.returncode == 75
    assert (home.file.read_bytes(), home.vkey) == before


async def test_a_second_keeper_does_not_take_the_sockets(home: KeeperHome) -> None:
    second = KeeperHome(home.path)
    second.log_file = home.path.with_name("second.stderr")

    is_listening = second.start()
    status = second.stop() if is_listening else second.wait()

    assert (is_listening, status) == (False, 75)
    assert "another keeper is running" in second.stderr()
    web = await home.client()
    assert (await web.status())["state"] == "open"


async def test_a_stop_answers_what_was_asked_before_it(home: KeeperHome) -> None:
    web, ada = await home.client(), await contact(home, await home.client())
    await web.open(home.token("staff"), "serve", subjects=[ada], fields=["identity"], reason="call")

    assert home.stop() == 0

    assert [entry["act"] for entry in entries(home)][-2:] == ["open", "stop"]
    assert home.checkpoint_in_file == home.checkpoint_in_journal
