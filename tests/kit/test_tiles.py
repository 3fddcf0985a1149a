from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kit.proofs import (
    MAX_ENTRY_BYTES,
    Level,
    bundle,
    parse_proof,
    parse_tile_path,
    proof_text,
    split_bundle,
    tile_path,
)

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=5)


# C2SP tlog-tiles, and Tessera api/layout/paths_test.go.
@pytest.mark.parametrize(
    ("level", "n", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 255, 256, "tile/0/255"),
        (1, 0, 17, "tile/1/000.p/17"),
        (2, 0, 1, "tile/2/000.p/1"),
        (0, 273, 112, "tile/0/273.p/112"),
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        ("entries", 1234067, 8, "tile/entries/x001/x234/067.p/8"),
        (63, 1000, 255, "tile/63/x001/000.p/255"),
        ("entries", 0, 256, "tile/entries/000"),
    ],
)
def test_tiles_lie_where_the_format_says(level: Level, n: int, width: int, path: str) -> None:
    assert tile_path(level, n, width) == path
    assert parse_tile_path(path) == (level, n, width)


@given(st.just("entries") | st.integers(0, 63), st.integers(0, 10**18 - 1), st.integers(1, 256))
def test_paths_come_back(level: Level, n: int, width: int) -> None:
    assert parse_tile_path(tile_path(level, n, width)) == (level, n, width)


@given(st.text(alphabet="x0123456789/.p", max_size=20))
def test_what_is_read_as_a_path_is_printed_so(tail: str) -> None:
    for path in ("tile/" + tail, "tile/0/" + tail, "tile/entries/" + tail, "tile/0/001.p/" + tail):
        try:
            parsed = parse_tile_path(path)
        except ValueError:
            continue
        assert tile_path(*parsed) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/00/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/data/001",
        "tile/8/0/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/01",
        "tile/0/001.p/300",
        "tile/0/001.p/",
        "tile/0/001/",
        "/tile/0/001",
        "tile/0/001\n",
        "tile/0/٠٠١",
        "tile/0/../001",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path of a tile"):
        parse_tile_path(path)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_come_back(entries: list[bytes]) -> None:
    assert split_bundle(bundle(entries)) == entries


def test_an_entry_has_at_most_65535_bytes() -> None:
    longest = bytes(MAX_ENTRY_BYTES)

    assert split_bundle(bundle([longest, b""])) == [longest, b""]
    with pytest.raises(OverflowError):
        bundle([longest + b"\0"])


@pytest.mark.parametrize("data", [b"\0", b"\0\2a", b"\0\1a\0", b"\0\1a\0\1"])
def test_a_bundle_that_ends_within_an_entry_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="ends within"):
        split_bundle(data)


@given(st.integers(0, 2**63 - 1), HASHES, st.text())
def test_receipts_come_back(index: int, hashes: list[bytes], note: str) -> None:
    assert parse_proof(proof_text(index, hashes, note)) == (index, hashes, note)


def test_a_receipt_looks_as_the_format_says() -> None:
    one = b64encode(bytes(32)).decode()

    assert proof_text(7, [bytes(32)], "note\n") == f"c2sp.org/tlog-proof@v1\nindex 7\n{one}\n\nnote\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 7\n",
        "c2sp.org/tlog-proof@v2\nindex 7\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 07\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex -7\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 7 \n\nnote",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 7\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 7\nAAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 7\n" + "A" * 42 + "B=\n\nnote",
    ],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - ours, or base64's
        parse_proof(text)
