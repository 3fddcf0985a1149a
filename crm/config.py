"""The settings of one process, read once by its entry point from a home and from files.

A secret is always a file: an environment variable is seen by `ps e` and inherited by every child.

    HOME/run/web.sock                  KEPT_KEEPER_SOCKET           the keeper, as the web's principal
    HOME/services/web.key              KEPT_SERVICE_KEY_FILE        64 hex digits
    HOME/services/kept_web.dsn         KEPT_DATABASE_URL_FILE       the role that writes
    HOME/services/kept_web_read.dsn    KEPT_READ_DATABASE_URL_FILE  the role that cannot
    HOME/log.vkey                      KEPT_LOG_KEY_FILE            public: what the log is checked against
                                       KEPT_TIME_ZONE               where people work, as IANA names it; UTC
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from crm.kit.pii import Pii

MOST_DAYS = 36_500
UTC_ZONE = ZoneInfo("UTC")
ONE_ACCOUNT = "one account: separated by process, not by file rights"
REQUESTS_PER_MINUTE = 3000


class MisconfiguredError(Exception):
    """Raised at start, with the name of the setting and what is wrong; never with its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the web process is told; `Pii` keeps the passwords in the DSNs out of every print."""

    keeper_socket: Path
    service_key_file: Path
    database_url: Pii[str]
    read_database_url: Pii[str]
    isolation: str = ONE_ACCOUNT
    egress: str = "open"
    phone_region: str | None = None
    retention_days: int | None = None
    log_key: str | None = None
    requests_per_minute: int = REQUESTS_PER_MINUTE
    time_zone: ZoneInfo = UTC_ZONE


def load(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings of the web process.

    Raises:
        MisconfiguredError: a file is missing, unreadable or empty, or a number is none.
    """
    base = home or _home(environ)
    services = base / "services"
    return Settings(
        keeper_socket=Path(environ.get("KEPT_KEEPER_SOCKET") or base / "run" / "web.sock"),
        service_key_file=Path(environ.get("KEPT_SERVICE_KEY_FILE") or services / "web.key"),
        database_url=_secret("KEPT_DATABASE_URL_FILE", services / "kept_web.dsn", environ),
        read_database_url=_secret("KEPT_READ_DATABASE_URL_FILE", services / "kept_web_read.dsn", environ),
        isolation=environ.get("KEPT_ISOLATION") or ONE_ACCOUNT,
        egress=environ.get("KEPT_EGRESS") or "open",
        phone_region=environ.get("KEPT_PHONE_REGION") or None,
        retention_days=_days("KEPT_RETENTION_DAYS", environ),
        log_key=_public(Path(environ.get("KEPT_LOG_KEY_FILE") or base / "log.vkey")),
        requests_per_minute=_count("KEPT_REQUESTS_PER_MINUTE", REQUESTS_PER_MINUTE, environ),
        time_zone=_zone(environ),
    )


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("KEPT_HOME")
    if not home:
        raise MisconfiguredError("KEPT_HOME is not set and no home was given")
    return Path(home)


def _days(name: str, environ: Mapping[str, str]) -> int | None:
    """Read a number of days; not given, or 0, is off."""
    text = environ.get(name) or "0"
    if not (text.isascii() and text.isdigit()) or int(text) > MOST_DAYS:
        raise MisconfiguredError(f"{name}: not a number of days up to {MOST_DAYS}")
    return int(text) or None


def _public(file: Path) -> str | None:
    """Read a file that may be missing."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _count(name: str, default: int, environ: Mapping[str, str]) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise MisconfiguredError(f"{name}: not a number above zero")
    return int(text)


def _zone(environ: Mapping[str, str]) -> ZoneInfo:
    """Read where the installation works: what a night and a weekend are."""
    try:
        return ZoneInfo(environ.get("KEPT_TIME_ZONE") or UTC_ZONE.key)
    except (OSError, ValueError, LookupError) as error:
        raise MisconfiguredError("KEPT_TIME_ZONE: not a time zone of the IANA list") from error


def _secret(name: str, default: Path, environ: Mapping[str, str]) -> Pii[str]:
    """Read one file; the name of the setting is what the message may say."""
    try:
        text = Path(environ.get(name) or default).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MisconfiguredError(f"{name}: the file cannot be read") from error
    if not text:
        raise MisconfiguredError(f"{name}: the file is empty")
    return Pii(text)
