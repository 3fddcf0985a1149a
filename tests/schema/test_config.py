"""Settings from a home and from files."""

from pathlib import Path

import pytest

from crm.config import ONE_ACCOUNT, REQUESTS_PER_MINUTE, MisconfiguredError, load


@pytest.fixture
def home(tmp_path: Path) -> Path:
    services = tmp_path / "services"
    services.mkdir()
    for role in ("kept_web", "kept_web_read"):
        (services / f"{role}.dsn").write_text(f"postgresql://{role}:secret@/kept\n")
    return tmp_path


def test_a_home_says_everything(home: Path) -> None:
    settings = load(home, {})

    assert settings.keeper_socket == home / "run" / "web.sock"
    assert settings.service_key_file == home / "services" / "web.key"
    assert settings.database_url.reveal() == "postgresql://kept_web:secret@/kept"
    assert settings.read_database_url.reveal() == "postgresql://kept_web_read:secret@/kept"
    assert (settings.isolation, settings.egress) == (ONE_ACCOUNT, "open")
    assert settings.time_zone.key == "UTC"


def test_the_environment_names_other_files(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.dsn"
    other.write_text("postgresql://elsewhere/kept")

    settings = load(
        None,
        {
            "KEPT_HOME": str(home), "KEPT_KEEPER_SOCKET": "/run/k.sock", "KEPT_SERVICE_KEY_FILE": "/run/k.key",
            "KEPT_DATABASE_URL_FILE": str(other), "KEPT_ISOLATION": "own accounts", "KEPT_EGRESS": "closed",
            "KEPT_TIME_ZONE": "Europe/Zurich",
        },
    )  # fmt: skip

    assert (str(settings.keeper_socket), str(settings.service_key_file)) == ("/run/k.sock", "/run/k.key")
    assert settings.database_url.reveal() == "postgresql://elsewhere/kept"
    assert (settings.isolation, settings.egress) == ("own accounts", "closed")
    assert settings.time_zone.key == "Europe/Zurich"


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", "Europe", "\0"])
def test_a_zone_nobody_lives_in(home: Path, zone: str) -> None:
    with pytest.raises(MisconfiguredError, match="KEPT_TIME_ZONE"):
        load(home, {"KEPT_TIME_ZONE": zone})


def test_no_print_of_the_settings_has_a_password(home: Path) -> None:
    settings = load(home, {})

    assert "secret" not in repr(settings) + str(settings) + f"{settings.database_url}"


def test_what_is_missing_is_named_and_not_shown(home: Path) -> None:
    with pytest.raises(MisconfiguredError, match="KEPT_HOME"):
        load(None, {})
    (home / "services" / "kept_web.dsn").write_text(" \n")
    with pytest.raises(MisconfiguredError, match="KEPT_DATABASE_URL_FILE: the file is empty"):
        load(home, {})
    (home / "services" / "kept_web.dsn").unlink()
    with pytest.raises(MisconfiguredError, match="KEPT_DATABASE_URL_FILE: the file cannot be read"):
        load(home, {})


def test_the_log_key_is_read_where_it_is_and_requests_are_counted(home: Path, tmp_path: Path) -> None:
    assert (load(home, {}).log_key, load(home, {}).requests_per_minute) == (None, REQUESTS_PER_MINUTE)
    (home / "log.vkey").write_text("one\n")
    (tmp_path / "other.vkey").write_text("other\n")

    settings = load(home, {"KEPT_LOG_KEY_FILE": str(tmp_path / "other.vkey"), "KEPT_REQUESTS_PER_MINUTE": "17"})

    assert (load(home, {}).log_key, settings.log_key, settings.requests_per_minute) == ("one", "other", 17)
    for wrong in ("0", "-1", "many", "1.5", "\u0663"):
        with pytest.raises(MisconfiguredError, match="KEPT_REQUESTS_PER_MINUTE: not a number above zero"):
            load(home, {"KEPT_REQUESTS_PER_MINUTE": wrong})
