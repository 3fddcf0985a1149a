"""A file of contacts, whatever it is written in: what is in it, one person at a time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress, count
from typing import Any, Protocol

from crm.contacts import tables, vcard
from crm.contacts.layout import Column, Layout, heads
from crm.contacts.tables import BrokenRowError, Data, Table
from crm.contacts.vcard import NotACardError


@dataclass(slots=True)
class Entry:
    """One person of a file: the line they begin at, their fields, or why there are none; what else is to be said."""

    line: int
    fields: dict[str, Any]
    refused: str = ""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file holds: so many people, and for each column in how many rows it says anything."""

    total: int
    filled: list[int]


class Source(Protocol):
    """A file of contacts in memory, read as often as it is asked for."""

    columns: list[Column]

    def survey(self) -> Survey:
        """Count without taking anything in."""

    def entries(self) -> Iterator[Entry]:
        """Give one person at a time, those who cannot be read among them."""


class CardSource:
    """A file of vCards."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self.columns: list[Column] = []

    def survey(self) -> Survey:
        """Count the cards."""
        return Survey(vcard.count(self._data), [])

    def entries(self) -> Iterator[Entry]:
        """Read card by card."""
        for card in vcard.cards(self._data):
            try:
                yield Entry(card.at, vcard.read(card))
            except NotACardError as error:
                yield Entry(card.at, {}, str(error))


class TableSource:
    """A table with headings."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._layout = Layout(table.headings)
        self.columns = self._layout.columns

    def survey(self) -> Survey:
        """Count the rows that are not blank, and what stands in their columns."""
        filled: Counter[int] = Counter()
        total = 0
        for _, row in self._table.rows():
            total += 1
            if not isinstance(row, BrokenRowError):
                filled.update(compress(count(), row))
        return Survey(total, [filled[at] for at in range(len(self.columns))])

    def entries(self) -> Iterator[Entry]:
        """Read row by row."""
        for line, row in self._table.rows():
            if isinstance(row, BrokenRowError):
                yield Entry(line, {}, str(row))
            else:
                fields, warnings = self._layout.read(row)
                yield Entry(line, fields, "", warnings)


def find(data: Data) -> Source:
    """Tell what a file is written in; what is no table with headings is taken for vCards, of which it may hold none."""
    table = tables.find(data, heads)
    return TableSource(table) if table else CardSource(data)
