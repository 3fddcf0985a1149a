from pathlib import Path

import pytest
from typer.testing import CliRunner

from crm.audit import commands
from crm.audit.commands import log
from tests.audit import logs
from tests.audit.logs import SIGNER, serve, write_home

LOG = logs.make(600)
AUDITOR = {"name": "auditor", "password": "correct horse"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_home(tmp_path / "home", LOG)
    (tmp_path / "home" / "log.vkey").write_text(SIGNER.vkey + "\n")
    return tmp_path / "home"


def run(*args: str | Path, typed: str | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(log, [str(arg) for arg in args], input=typed)
    return done.exit_code, done.stdout, done.stderr


def test_a_home_is_verified_in_plain_words(home: Path) -> None:
    state = home.parent / "seen.json"
    status, first, _ = run("verify", "--home", home, "--key", SIGNER.vkey, "--state", state)
    _, second, _ = run("verify", "--home", home, "--key", SIGNER.vkey, "--state", state)

    assert status == 0
    assert "Verified: test.example/kept, 600 entries" in first
    assert "2026-11-23T19:41:57.000Z to 2026-11-23T19:42:01.193Z" in first
    assert "this is the first look" in first
    assert "entries/s" in first
    assert "the log begins with the 600 entries seen on" in second
    assert "this is the first look" not in second


def test_an_empty_log_has_no_dates(tmp_path: Path) -> None:
    write_home(tmp_path / "home", logs.EMPTY)

    _, said, _ = run("verify", "--home", tmp_path / "home", "--key", SIGNER.vkey, "--state", tmp_path / "s")

    assert "none is dated before the one ahead\n" in said


def test_doubt_ends_with_status_1_and_the_entry(home: Path) -> None:
    for segment in (home / "journal").iterdir():
        segment.unlink()
    logs.write_journal(home, logs.make(600, seed=2))

    status, said, complained = run("verify", "--home", home, "--key", SIGNER.vkey, "--state", home / "s")

    assert (status, said) == (1, "")
    assert complained == "NOT VERIFIED. entry 0: the file and the journal differ\n"


def test_an_auditor_types_the_password_on_standard_input(tmp_path: Path) -> None:
    with serve(LOG, auditor=AUDITOR) as served:
        args: list[str | Path] = [
            "verify",
            "--url",
            served.url,
            "--as",
            "auditor",
            "--key",
            SIGNER.vkey,
            "--state",
            tmp_path / "s",
        ]
        status, said, _ = run(*args, typed="correct horse\n")
        refused, _, complained = run(*args, typed="wrong\n")

    assert status == 0
    assert "600 entries" in said
    assert refused == 1
    assert complained == "NOT VERIFIED. not signed in: Sign in first.\n"


def test_a_password_typed_at_a_terminal_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not commands._is_typed()
    monkeypatch.setattr(commands, "_is_typed", lambda: True)

    with serve(LOG, auditor=AUDITOR) as served:
        args: list[str | Path] = ["verify", "--url", served.url, "--as", "auditor", "--key", SIGNER.vkey]
        status, said, _ = run(*args, "--state", tmp_path / "s", typed="correct horse\n")

    assert status == 0
    assert said.startswith("Password:")
    assert "horse" not in said


@pytest.mark.parametrize("args", [[], ["--home", "a", "--url", "http://b"]])
def test_one_place_is_verified_at_a_time(args: list[str]) -> None:
    status, _, complained = run("verify", "--key", SIGNER.vkey, *args)

    assert status == 2
    assert "either --home or --url" in complained


def test_the_key_to_pin_is_printed(home: Path) -> None:
    assert run("key", "--home", home) == (0, SIGNER.vkey + "\n", "")


@pytest.mark.parametrize("content", [None, "", "not a key"])
def test_what_is_no_key_is_not_printed(content: str | None, home: Path) -> None:
    (home / "log.vkey").unlink()
    if content is not None:
        (home / "log.vkey").write_text(content)

    status, said, complained = run("key", "--home", home)

    assert (status, said) == (1, "")
    assert complained.startswith(f"No key in {home}")
