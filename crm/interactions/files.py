"""Which kinds of file are taken: those that say what they are, and begin as such a file does.

Nothing is unpacked or parsed. What a file is called plays no part, and it is given out as bytes to be saved.
"""

import re
from collections.abc import Callable, Mapping

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
DECLARED: Mapping[str, str] = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "text/plain": "txt",
    f"{_OFFICE}wordprocessingml.document": "docx",
    f"{_OFFICE}spreadsheetml.sheet": "xlsx",
    f"{_OFFICE}presentationml.presentation": "pptx",
    f"{_OPEN}text": "odt",
    f"{_OPEN}spreadsheet": "ods",
    f"{_OPEN}presentation": "odp",
}
_ZIP = b"PK\x03\x04"
# An OpenDocument file begins with a stored entry of this name that holds its type, and the next entry.
_NAME_AT, _NAME = 30, b"mimetype"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")


def _begins(*magic: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(magic)


def _is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _is_text(data: bytes) -> bool:
    try:
        return not _CONTROL.search(data.decode())
    except UnicodeDecodeError:
        return False


def _is_office(main: bytes) -> Callable[[bytes], bool]:
    """Look for the parts by name, which stand uncompressed in the directory at the end; macros are refused."""

    def is_such(data: bytes) -> bool:
        has_parts = all(name in data for name in (b"[Content_Types].xml", main))
        return data.startswith(_ZIP) and has_parts and b"vbaProject.bin" not in data

    return is_such


def _is_open(kind: str) -> Callable[[bytes], bool]:
    start = _NAME + _OPEN.encode() + kind.encode() + b"PK"
    return lambda data: data.startswith(_ZIP) and data.startswith(start, _NAME_AT)


_LOOKS: Mapping[str, Callable[[bytes], bool]] = {
    "pdf": _begins(b"%PDF-"),
    "png": _begins(b"\x89PNG\r\n\x1a\n"),
    "jpg": _begins(b"\xff\xd8\xff"),
    "webp": _is_webp,
    "gif": _begins(b"GIF87a", b"GIF89a"),
    "txt": _is_text,
    "docx": _is_office(b"word/document.xml"),
    "xlsx": _is_office(b"xl/workbook.xml"),
    "pptx": _is_office(b"ppt/presentation.xml"),
    "odt": _is_open("text"),
    "ods": _is_open("spreadsheet"),
    "odp": _is_open("presentation"),
}


def kind_of(data: bytes, declared: str) -> str | None:
    """Return the kind of a file by what it says it is and how it looks; None unless both agree on one taken here."""
    kind = DECLARED.get(declared.partition(";")[0].strip().lower())
    return kind if kind and data and _LOOKS[kind](data) else None
