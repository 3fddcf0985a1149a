"""Which kinds of file are taken."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.interactions.files import DECLARED, kind_of

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."


def packed(*names: str, stored: str = "") -> bytes:
    """Make an archive with these entries; `stored` is what a first entry named mimetype says."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        if stored:
            archive.writestr("mimetype", stored, zipfile.ZIP_STORED)
        for name in names:
            archive.writestr(name, "<x/>")
    return stream.getvalue()


SAMPLES = {
    "application/pdf": b"%PDF-1.7\n",
    "image/png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "image/gif": b"GIF89a\1\0\1\0",
    "text/plain": "Grüße,\r\n\tZoë 🙂\n".encode(),
    f"{OFFICE}wordprocessingml.document": packed("[Content_Types].xml", "word/document.xml"),
    f"{OFFICE}spreadsheetml.sheet": packed("[Content_Types].xml", "xl/workbook.xml"),
    f"{OFFICE}presentationml.presentation": packed("[Content_Types].xml", "ppt/presentation.xml"),
    f"{OPEN}text": packed("content.xml", stored=f"{OPEN}text"),
    f"{OPEN}spreadsheet": packed("content.xml", stored=f"{OPEN}spreadsheet"),
    f"{OPEN}presentation": packed("content.xml", stored=f"{OPEN}presentation"),
}


def test_every_kind_has_a_sample() -> None:
    assert set(SAMPLES) == set(DECLARED)


@pytest.mark.parametrize("declared", SAMPLES)
def test_what_says_what_it_is_and_looks_so_is_taken(declared: str) -> None:
    assert kind_of(SAMPLES[declared], declared) == DECLARED[declared]
    assert kind_of(SAMPLES[declared], f" {declared.upper()} ; charset=utf-8") == DECLARED[declared]


@pytest.mark.parametrize("declared", SAMPLES)
def test_nothing_is_taken_for_another_kind(declared: str) -> None:
    others = {other: data for other, data in SAMPLES.items() if other != declared}

    assert [other for other, data in others.items() if kind_of(data, declared)] == [
        # A portable document of this size is text as well; it is given out as bytes whatever it is called.
        *(["application/pdf"] if declared == "text/plain" else [])
    ]


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        (b"", "text/plain"),
        (b"\xff\xfeh\0", "text/plain"),
        (b"a\0b", "text/plain"),
        (b"a\x1b[31mb", "text/plain"),
        (b"<html>", "text/html"),
        (b"<svg/>", "image/svg+xml"),
        (b"MZ\x90\0", "application/octet-stream"),
        (b"MZ\x90\0", "application/pdf"),
        (b" %PDF-1.7", "application/pdf"),
        (b"RIFF\x24\0\0\0WAVE", "image/webp"),
        (packed("a.txt"), f"{OFFICE}wordprocessingml.document"),
        (packed("a.txt"), "application/zip"),
        (
            packed("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"),
            f"{OFFICE}wordprocessingml.document",
        ),
        (packed("content.xml", stored=f"{OPEN}text-template"), f"{OPEN}text"),
        (b"[Content_Types].xml word/document.xml", f"{OFFICE}wordprocessingml.document"),
        (b"%PDF-1.7", ""),
    ],
)
def test_what_is_refused(data: bytes, declared: str) -> None:
    assert kind_of(data, declared) is None


@given(st.binary(max_size=200), st.sampled_from(sorted(DECLARED)))
def test_any_bytes_are_looked_at_without_an_error(data: bytes, declared: str) -> None:
    assert kind_of(data, declared) in {None, DECLARED[declared]}
