"""What an auditor does with a log: verify it where it lies, or as it is published."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crm.audit.home_source import HomeSource
from crm.audit.http_source import HttpSource, SecondFactorAsked
from crm.audit.memory import Doubt, Memory
from crm.audit.verify import Proved, verify
from crm.kit.clock import Clock
from crm.kit.note import NoteError
from crm.kit.pii import Pii
from crm.kit.signed import Verifier

Ask = Callable[[str], Pii[str]]


def verify_home(home: Path, vkey: str, state: Path | None = None, *, journal: Path | None = None) -> Proved:
    """Recompute the log of a home from its file and its journal, which is below it unless it is given.

    Raises:
        Doubt: it is not what the pinned key signed.
    """
    key = _key(vkey)
    with HomeSource(home, journal or home / "journal") as source:
        return verify(source, key, Memory(state), Clock())


def verify_url(url: str, vkey: str, state: Path | None = None, *, name: str | None = None, ask: Ask) -> Proved:
    """Recompute a log as an installation publishes it; with a name, in a session of its own.

    Raises:
        Doubt: it is not what the pinned key signed, or cannot be read.
    """
    key = _key(vkey)
    with HttpSource(url) as source:
        if name is None:
            return verify(source, key, Memory(state), Clock())
        password = ask("Password")
        try:
            source.sign_in(name, password)
        except SecondFactorAsked:
            source.sign_in(name, password, ask("Code"))
        try:
            return verify(source, key, Memory(state), Clock())
        finally:
            with suppress(Doubt):  # the session ends by itself
                source.sign_out()


def _key(vkey: str) -> Verifier:
    try:
        return Verifier.parse(vkey)
    except NoteError as error:
        raise Doubt(str(error)) from error
