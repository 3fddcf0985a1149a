"""A home's folders, its short name, and the accounts; all of it next to people who would like to be in between."""

import contextlib
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import msgpack
import pyrage
import pytest

from crm.config import ONE_ACCOUNT
from crm.host import accounts, admin, demo, keeper_home
from crm.host import home as homes
from crm.host.home import HomeRefused
from crm.host.keeper_home import KeeperRefused, hand_over
from tests.conftest import Need

LONG = "x" * 120


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_owners_and_modes_are_as_drawn(folder: Path) -> None:
    home = homes.prepare(folder / "new" / "home")
    is_root = os.geteuid() == 0
    assert _mode(home.root) == (0o711 if is_root else 0o700)
    for name in ("keeper", "keys", "journal", "backups", "postgres/log"):
        assert _mode(home.root / name) == 0o700
    keeper = accounts.of_role("keeper")
    assert (home.root / "keys").stat().st_uid == (keeper.uid if keeper else os.geteuid())
    assert (home.root / "services").stat().st_uid == os.geteuid()


def test_what_was_changed_is_put_right(folder: Path) -> None:
    home = homes.prepare(folder / "home")
    (home.root / "keys").chmod(0o777)
    homes.prepare(folder / "home")
    assert _mode(home.root / "keys") == 0o700


def test_link_in_place_of_a_folder_is_not_followed(folder: Path) -> None:
    home = homes.prepare(folder / "home")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (home.root / "backups").rmdir()
    (home.root / "backups").symlink_to(elsewhere)
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        homes.prepare(folder / "home")
    assert _mode(elsewhere) == 0o755


def test_file_is_no_home(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(HomeRefused, match="not a folder"):
        homes.prepare(folder / "file")


def test_home_of_somebody_else_is_refused(folder: Path, need: Need) -> None:
    need(os.geteuid() == 0, "root, to make a folder of somebody else's")
    (folder / "theirs").mkdir()
    shutil.chown(folder / "theirs", "nobody")
    with pytest.raises(HomeRefused, match="another account"):
        homes.prepare(folder / "theirs")


def test_default_home_is_the_systems_or_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "is_root", lambda: True)
    assert homes.default() == Path("/var/lib/kept")
    monkeypatch.setattr(accounts, "is_root", lambda: False)
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert homes.default(demo=True) == Path("/data/kept-demo")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert homes.default() == Path("/home/ada/.local/share/kept")


def test_short_plain_path_is_its_own_name(folder: Path) -> None:
    home = homes.prepare(folder / "home")
    assert home.path == home.root


def test_long_path_gets_the_same_short_name_each_time(folder: Path) -> None:
    home = homes.prepare(folder / LONG)
    assert homes.names_of(folder / LONG) == home
    assert len(str(home.path)) < 64
    assert home.path.samefile(home.root)
    assert ["--show", str(home.path.parent)] == home.show_arguments()[2:]
    # A link that leads elsewhere, as after a folder was moved, is set anew.
    home.path.unlink()
    home.path.symlink_to(folder)
    assert homes.names_of(folder / LONG).path.samefile(home.root)


def test_name_that_others_could_have_made_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = folder / "tmp"
    base.mkdir()
    monkeypatch.setattr(homes, "_bases", lambda: [base])
    first = homes.prepare(folder / LONG).path.parent
    shutil.rmtree(first)
    # Writable by others, then a link, then somebody else's: each is passed over.
    first.mkdir(mode=0o777)
    first.chmod(0o777)
    second = first.with_name(f"{first.name}-1")
    second.symlink_to(folder)
    assert homes.names_of(folder / LONG).path.parent == first.with_name(f"{first.name}-2")
    for number in range(2, 10):
        taken = first.with_name(f"{first.name}-{number}")
        shutil.rmtree(taken, ignore_errors=True)
        taken.symlink_to(folder)
    with pytest.raises(HomeRefused, match="too long"):
        homes.names_of(folder / LONG)


def test_base_that_cannot_be_written_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "_bases", lambda: [folder / "missing", folder])
    assert homes.prepare(folder / LONG).path.parent.parent == folder


def test_bases_are_the_systems_or_the_users_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "is_root", lambda: True)
    assert homes._bases() == [Path("/run"), Path("/tmp")]
    monkeypatch.setattr(accounts, "is_root", lambda: False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    assert homes._bases() == [Path("/run/user/1000"), Path("/tmp")]
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / LONG))
    assert homes._bases() == [Path("/tmp")]


def test_secret_is_whole_or_absent(folder: Path) -> None:
    file = folder / "secret"
    homes.write_for(file, "first", None)
    with pytest.raises(UnicodeEncodeError):
        homes.write_for(file, "half \ud800", None)
    assert file.read_text() == "first"
    assert _mode(file) == 0o600
    assert list(folder.iterdir()) == [file]


def test_restored_home_is_handed_over_but_planted_links_are_not(folder: Path, need: Need) -> None:
    need(os.geteuid() == 0, "root, to give files away")
    home = homes.prepare(folder / "home")
    victim = folder / "victim"
    victim.touch(mode=0o600)
    os.link(victim, home.root / "keys" / "planted")
    (home.root / "keys" / "root.key").touch()
    (home.root / "keys" / "deep").mkdir()
    for principal in homes.PRINCIPALS:
        home.service_key(principal).touch(mode=0o600)
    journal = folder / "journal"
    journal.mkdir()
    (journal / "1.kj").touch()
    (home.root / "keeper" / "keeper.db").touch()
    hand_over(home, journal)
    keeper, web = accounts.of_role("keeper"), accounts.of_role("web")
    assert keeper is not None
    assert web is not None
    for path in ("keys/root.key", "keys/deep", "keeper/keeper.db"):
        assert (home.root / path).stat().st_uid == keeper.uid
    assert journal.stat().st_uid == (journal / "1.kj").stat().st_uid == keeper.uid
    assert home.service_key("web").stat().st_uid == web.uid
    assert home.service_key("admin").stat().st_uid == 0
    assert victim.stat().st_uid == 0
    # From now on nothing there is root's business.
    (home.root / "keys" / "later").touch()
    hand_over(home, journal)
    assert (home.root / "keys" / "later").stat().st_uid == 0


def test_accounts_are_made_when_missing_or_the_line_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "is_root", lambda: True)
    monkeypatch.setattr(accounts, "_PAUSE_S", 0)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(accounts.AccountMissing, match=r"Type: useradd --system .* kept-nobody-knows"):
        accounts.of_role("nobody-knows")
    program = folder / "useradd"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(accounts.AccountMissing, match="could not be made"):
        accounts.of_role("nobody-knows")
    found = iter([None, None, accounts.Account("kept-late", 1, 1), accounts.Account("kept-late", 1, 1)])
    monkeypatch.setattr(accounts, "find", lambda _: next(found))
    assert accounts.of_role("late") == accounts.Account("kept-late", 1, 1)
    monkeypatch.setattr(accounts, "is_root", lambda: False)
    assert accounts.of_role("nobody-knows") is None
    assert accounts.isolation() == ONE_ACCOUNT


def test_account_is_found_by_name() -> None:
    found = accounts.find("root")
    assert found == accounts.Account("root", 0, 0)
    assert accounts.find("kept-nobody-knows") is None


def test_half_made_home_is_nobodys_yet(folder: Path) -> None:
    hand_over(homes.prepare(folder / "home"), None)


async def test_home_that_the_keeper_refuses_to_make_is_said(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(KeeperRefused):
        await keeper_home.ensure(
            homes.prepare(folder / "home"), origin="o", is_second_factor_required=True, journal=folder / "file" / "in"
        )


async def test_each_recovery_recipient_can_open_the_escrow(folder: Path) -> None:
    home, both = homes.prepare(folder / "home"), [pyrage.x25519.Identity.generate() for _ in range(2)]
    recovery = [str(identity.to_public()) for identity in both]

    assert await keeper_home.ensure(home, origin="o", is_second_factor_required=True, journal=None, recovery=recovery)

    (escrow,) = (home.root / "keys" / "escrow").iterdir()
    assert pyrage.decrypt(escrow.read_bytes(), both[:1]) == pyrage.decrypt(escrow.read_bytes(), both[1:])


@pytest.mark.parametrize(
    ("sites", "rp_id", "expected"),
    [
        ((), None, ("localhost", ["http://localhost:8000"])),
        (("http://localhost:8137",), None, ("localhost", ["http://localhost:8137"])),
        (("https://crm.example.org",), None, ("crm.example.org", ["https://crm.example.org"])),
        (
            ("https://crm.example.org", "https://approve.example.org"), "example.org",
            ("example.org", ["https://crm.example.org", "https://approve.example.org"]),
        ),
    ],
)  # fmt: skip
async def test_passkeys_are_made_for_the_domain_of_the_sites(
    folder: Path, sites: tuple[str, ...], rp_id: str | None, expected: tuple[str, list[str]]
) -> None:
    home = homes.prepare(folder / "home")

    await keeper_home.ensure(home, origin="o", is_second_factor_required=True, journal=None, sites=sites, rp_id=rp_id)

    with contextlib.closing(sqlite3.connect(home.root / "keeper" / "keeper.db")) as db:
        (packed,) = db.execute("SELECT value FROM meta WHERE key='settings'").fetchone()
    settings = msgpack.unpackb(packed)
    assert (settings["rp_id"], settings["origins"]) == expected


async def test_pages_that_share_no_domain_are_refused(folder: Path) -> None:
    home, sites = homes.prepare(folder / "home"), ("https://crm.example.org", "https://approve.example.org")

    with pytest.raises(KeeperRefused, match="a web origin is"):
        await keeper_home.ensure(home, origin="o", is_second_factor_required=True, journal=None, sites=sites)


async def test_what_is_no_recovery_recipient_is_said(folder: Path) -> None:
    home = homes.prepare(folder / "home")

    with pytest.raises(KeeperRefused, match="age public key"):
        await keeper_home.ensure(home, origin="o", is_second_factor_required=True, journal=None, recovery=["me"])

    assert not any(home.root.glob("keys/*"))


def test_command_for_a_home_without_a_name_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(homes, "_bases", list)
    with pytest.raises(admin.AdminRefused, match="too long"):
        admin.ask(folder / LONG, "status")


def test_demo_of_a_keeper_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(demo.DemoFailed, match="does not answer"):
        demo.furnish(homes.prepare(folder / "home"), "http://127.0.0.1:1")
