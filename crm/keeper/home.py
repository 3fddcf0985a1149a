"""A home: where its parts are, and how what is stored there is opened and checked."""

import sqlite3
from pathlib import Path

from crm.keeper import policy
from crm.keeper.keys import Keyring, read_root
from crm.keeper.tables import TABLES
from crm.kit import note
from crm.kit.log import Log
from crm.kit.store import Fatal, Store


class Home:
    """The places of a home; the journal, below it unless it is given, may be on a volume of its own."""

    def __init__(self, path: Path, journal: Path | None = None) -> None:
        self.path = path.absolute()
        self.journal = journal.absolute() if journal else self.path / "journal"
        self.file = self.path / "keeper" / "keeper.db"
        self.keys = self.path / "keys"
        self.run = self.path / "run"

    def escrow(self, epoch: int) -> Path:
        """An epoch's escrow."""
        return self.keys / "escrow" / f"epoch-{epoch}.age"


def open_home(home: Home, passphrase: str | None) -> tuple[Store, Keyring, Log, int]:
    """Open keys, file, journal and log, check them against each other, and apply what the journal has ahead.

    Returns them and how many groups were applied again. ``Refuse`` and ``KeyFault`` say what is missing or
    does not fit; ``Fatal`` that a write failed.
    """
    store = Store(TABLES, home.file, home.journal)
    try:
        ring = Keyring(home.keys, read_root(home.keys, passphrase), str(store.meta("tenant")))
        log = Log(store, note.Signer(str(store.meta("origin")), ring.log), policy.SHOWING)
        log.check()
        replayed = 0
        for replayed, group in enumerate(store.ahead(), 1):  # noqa: B007 - the count is the result
            store.begin()
            log.replay(group)
            store.finish(group.checkpoint)
        log.last_ms = log.time_of(log.size - 1) if log.size else 0
    except BaseException as error:
        store.close()
        if isinstance(error, OSError | sqlite3.OperationalError):
            raise Fatal(f"a write failed: {error}") from error
        raise
    return store, ring, log, replayed
