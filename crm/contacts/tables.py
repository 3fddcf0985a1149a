"""Reads tables as programs export them: any usual delimiter and encoding, quoted line breaks, `sep=;` before it all.

What a file does not say is found out: the encoding from its bytes, the delimiter by which of them makes headings
that mean something. Cells are text whatever they look like; nothing is taken for a number, a date or a formula.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from typing_extensions import override

Data = bytes | bytearray
Row = list[str]
DELIMITERS = ",;\t|"
CHUNK = 1 << 20
# A line of nothing but delimiters would be made into a cell for each of them.
LONGEST_LINE = 1 << 20
# A row that is mended is read again from its second line: a file made of open quotes is not read for hours.
MOST_MENDED = 100
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_MULTIBYTE = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})[\x80-\xbf]")
_HIGH = re.compile(rb"[\x80-\xff]")
_WINDOWS = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]
_END = "\0the end of the file\n"
_END_ROW = [_END.rstrip()]


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Decode what is not of the encoding, byte by byte, as the commonest of those without a mark."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - registered for decoding
    return "".join(_WINDOWS[byte] for byte in error.object[error.start : error.end]), error.end


codecs.register_error("as-windows", _as_windows)


class BrokenRowError(ValueError):
    """A row that cannot be read; the message is a reason and nothing of the row."""


class Table:
    """A table in memory: its headings, and its rows one at a time."""

    def __init__(self, data: Data, encoding: str, delimiter: str, skipped: int = 0) -> None:
        self._data = data
        self.encoding = encoding
        self.delimiter = delimiter
        self._skipped = skipped
        self.headings: Row = []
        _, first = next(self._records(), (0, []))
        self.headings = first if isinstance(first, list) else []

    def rows(self) -> Iterator[tuple[int, Row | BrokenRowError]]:
        """Give each row that is not blank with the number of its first line; a broken one costs itself only."""
        records = self._records()
        next(records)
        width = len(self.headings)
        for line, row in records:
            if isinstance(row, list) and _spills(row, width):
                yield line, BrokenRowError("more cells than headings")
            else:
                yield line, row

    def _records(self) -> Iterator[tuple[int, Row | BrokenRowError]]:
        """Give what is not blank, headings first."""
        lines = _Lines(chain(_text(self._data, self.encoding), [_END]), self._skipped)
        reader = csv.reader(lines, delimiter=self.delimiter)
        mended = 0
        while True:
            at = lines.begin()
            try:
                # An open quote that is no longer mended takes the mark of the end in, and ends there.
                row = next(reader, _END_ROW)
            except csv.Error:
                row, is_whole = [], False
            else:
                if row == _END_ROW:
                    return
                is_whole = len(lines.taken) == 1 or self._is_whole(row, lines.taken)
            if not is_whole:
                if mended < MOST_MENDED:
                    mended += 1
                    lines.give_back()
                yield at, BrokenRowError("a quote is not closed, or a cell is too large")
            elif any(map(str.strip, row)):
                yield at, row

    def _is_whole(self, row: Row, lines: list[str]) -> bool:
        """Tell a cell of several lines from a quote that is not closed, which takes the rows behind it in."""
        try:
            next(csv.reader(lines, delimiter=self.delimiter, strict=True))
        except csv.Error:
            return False
        return not (self.headings and _spills(row, len(self.headings)))


class _Lines:
    """Lines and their numbers; all but the first that a record took can be given back."""

    def __init__(self, lines: Iterator[str], skipped: int) -> None:
        for _ in range(skipped):
            next(lines)
        self._lines = lines
        self._again: deque[str] = deque()
        self._number = skipped
        self.taken: list[str] = []

    def begin(self) -> int:
        """Begin a record; returns the number of its first line."""
        self._number += len(self.taken)
        self.taken = []
        return self._number + 1

    def give_back(self) -> None:
        """Let the lines behind the first be read again."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        if len(line) > LONGEST_LINE:
            raise csv.Error
        return line


class _View(io.RawIOBase):
    """Bytes as a stream that does not copy them."""

    def __init__(self, data: Data) -> None:
        self._rest = memoryview(data)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)


def find(data: Data, heads: Callable[[Row], int]) -> Table | None:
    """Find the table a file is: the reading that gives the most headings of a meaning, as `heads` counts them.

    The answer is None where no reading gives any.
    """
    encoding = _encoding(data)
    first = next(_text(data[:CHUNK], encoding), "")
    if said := _SEPARATOR.fullmatch(first):
        found = Table(data, encoding, said[1], skipped=1)
    else:
        tables = [Table(data, encoding, delimiter) for delimiter in DELIMITERS]
        found = max(tables, key=lambda table: (heads(table.headings), len(table.headings)))
    return found if heads(found.headings) else None


def _spills(row: Row, width: int) -> bool:
    return len(row) > width and any(map(str.strip, row[width:]))


def _text(data: Data, encoding: str) -> Iterator[str]:
    """Decode line by line, line ends and all."""
    errors = "replace" if encoding == "utf-16" else "as-windows"
    return io.TextIOWrapper(io.BufferedReader(_View(data), CHUNK), encoding, errors, newline="")


def _encoding(data: Data) -> str:
    """Tell the encoding by its mark; without one it is UTF-8, or what Windows writes where that does not fit."""
    for mark, name in _BOMS.items():
        if data.startswith(mark):
            return name
    decoder = codecs.getincrementaldecoder("utf-8")()
    for at in range(0, len(data), CHUNK):
        try:
            decoder.decode(data[at : at + CHUNK], final=at + CHUNK >= len(data))
        except UnicodeDecodeError:
            # A cut-off end or one odd byte makes no other encoding of a file that is UTF-8 everywhere else.
            some = bytes(data[max(at - CHUNK, 0) : at + CHUNK])
            fitting = sum(len(found[0]) for found in _MULTIBYTE.finditer(some))
            return "utf-8" if 2 * fitting > len(_HIGH.findall(some)) else "cp1252"
    return "utf-8"
