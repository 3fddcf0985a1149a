"""Index cards: who can be found by name, in memory only.

Search tokens in a database leak names even when keyed (docs/security-model.md), so nothing searchable is
ever on disk: the cards are rebuilt from the sealed sections at every start. FTS5 over ``:memory:`` answers
in well under a millisecond at 200,000 cards.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple

from crm.kit import email, text

MOST = 8
LEAST_CHARACTERS = 3


class Card(NamedTuple):
    """What a label shows."""

    subject: str
    name: str
    company: str
    email_masked: str


class Cards:
    """The cards of every live subject that has a name. Many written within ``db`` cost half of their price alone."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.executescript(
            "CREATE TABLE card(id INTEGER PRIMARY KEY, subject TEXT UNIQUE, kind TEXT, name TEXT, company TEXT,"
            " email TEXT, words TEXT);"
            "CREATE VIRTUAL TABLE find USING fts5(words, content='', detail=none, columnsize=0, prefix='3 4',"
            " tokenize=\"unicode61 remove_diacritics 0 categories 'L* M* N* Co'\");"
        )

    def write(self, subject: str, kind: str, sections: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the card of one who has none, from ``identity`` and ``channels``."""
        identity, channels = sections.get("identity", {}), sections.get("channels", {})
        given, family, company = (str(identity.get(part) or "") for part in ("given_name", "family_name", "company"))
        name = f"{given} {family}".strip()
        addresses = [str(address) for address in channels.get("emails") or []]
        mail = email.mask(addresses[0]) if addresses else ""
        words = " ".join(dict.fromkeys(text.words(f"{name} {company}")))
        card = "INSERT INTO card VALUES(NULL,?,?,?,?,?,?)"
        number = self.db.execute(card, (subject, kind, name, company, mail, words)).lastrowid
        self.db.execute("INSERT INTO find(rowid, words) VALUES(?,?)", (number, words))

    def remove(self, subject: str) -> None:
        """Take a card out."""
        row = self.db.execute("SELECT id, words FROM card WHERE subject=?", (subject,)).fetchone()
        if row:
            self.db.execute("INSERT INTO find(find, rowid, words) VALUES('delete',?,?)", row)
            self.db.execute("DELETE FROM card WHERE id=?", row[:1])

    def search(self, typed: str, kind: str) -> tuple[list[Card], bool]:
        """Find cards whose words begin with each typed word; whole words first; and whether there are more.

        Raises:
            ValueError: fewer than three characters to go by.
        """
        words = text.words(typed)
        if sum(map(len, words)) < LEAST_CHARACTERS:
            raise ValueError("too short")
        found: dict[str, Card] = {}
        for rest in ("", "*"):
            query = " AND ".join(f'"{word}"{rest}' for word in words)
            rows = self.db.execute(
                "SELECT subject, name, company, email FROM card JOIN find ON card.id=find.rowid"
                " WHERE find MATCH ? AND kind=? LIMIT ?",
                (query, kind, MOST + 1),
            )
            found |= {row[0]: Card(*row) for row in rows if row[0] not in found}
            if len(found) > MOST:
                break
        return list(found.values())[:MOST], len(found) > MOST

    def card(self, subject: str) -> Card | None:
        """Return one card."""
        row = self.db.execute("SELECT subject, name, company, email FROM card WHERE subject=?", (subject,)).fetchone()
        return Card(*row) if row else None
