"""The verifier by itself, and over a home's files: each way of bending them is seen, and named."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgpack
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crm.audit.memory import Doubt, Seen
from crm.audit.service import verify_home
from crm.audit.verify import Verifier
from crm.kit import canonical, journal
from crm.kit.clock import rfc3339
from crm.kit.merkle import leaf_hash, root_of
from crm.kit.note import Signer, sign_note
from crm.kit.signed import Checkpoint, parse_checkpoint
from tests.audit import logs
from tests.audit.logs import ORIGIN, SIGNER, Log, write_home

SMALL = logs.make(300, group=7)
OTHER = logs.make(300, group=7, seed=2)


def checked(log: Log, entries: list[bytes], before: Seen | None = None) -> None:
    """Feed entries to a verifier that is told what was published and signed of a log."""
    verifier = Verifier(log.tile, before)
    verifier.add(entries, {size: parse_checkpoint(note.split("\n\n")[0] + "\n").root for _, size, note in log.groups})
    verifier.finish(Checkpoint(ORIGIN, len(log.entries), root_of(log.hashes)))


def doubted(log: Log, entries: list[bytes], before: Seen | None = None) -> Doubt:
    with pytest.raises(Doubt) as caught:
        checked(log, entries, before)
    return caught.value


def test_a_log_as_signed_is_accepted() -> None:
    checked(SMALL, SMALL.entries)


@given(st.integers(0, 299), st.integers(0, 10_000))
def test_one_flipped_bit_is_found_and_named(index: int, bit: int) -> None:
    entry = bytearray(SMALL.entries[index])
    entry[bit // 8 % len(entry)] ^= 1 << bit % 8

    doubt = doubted(SMALL, [*SMALL.entries[:index], bytes(entry), *SMALL.entries[index + 1 :]])

    assert doubt.index == index


@given(st.integers(0, 299), st.integers(0, 299))
def test_an_entry_taken_twice_or_left_out_is_found(index: int, other: int) -> None:
    entries = [*SMALL.entries]
    entries.insert(index, entries.pop(other))
    if entries == SMALL.entries:
        entries.pop(other)

    assert doubted(SMALL, entries).index == min(index, other)


def test_too_few_and_too_many_are_found() -> None:
    assert doubted(SMALL, SMALL.entries[:-1]).index == 299
    assert doubted(SMALL, [*SMALL.entries, OTHER.entries[-1]]).index == 300


def test_the_entry_named_is_the_first_bad_one_even_if_a_later_one_is_noticed_first() -> None:
    entries = [*SMALL.entries]
    entries[20] = OTHER.entries[20]
    entries[30] = b"not canonical"

    assert doubted(SMALL, entries).index == 20


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (b"", "canonical"),
        (b'{"at": 1}', "canonical"),
        (b"[]", "no time"),
        (b'"at"', "no time"),
        (b"{}", "no time"),
        (b'{"at":1}', "no time"),
        (b'{"at":""}', "no time"),
        (b'{"at":"yesterday"}', "no time"),
        (canonical.encode({"at": rfc3339(logs.START_MS - 1)}), "ahead of it"),
    ],
)
def test_an_entry_that_was_signed_and_is_none_is_found(entry: bytes, said: str) -> None:
    log = logs.sign([*logs.make(300).entries, entry])

    doubt = doubted(log, log.entries)

    assert said in str(doubt)
    assert doubt.index == 300


def test_entries_of_one_moment_are_in_order() -> None:
    log = logs.sign([SMALL.entries[0]] * 600)

    checked(log, log.entries)


def test_without_tiles_a_changed_entry_is_placed_after_the_last_root_that_fits() -> None:
    log = logs.sign([*SMALL.entries], group=50)
    entries = [*SMALL.entries]
    entries[120] = OTHER.entries[120]
    bent = logs.sign(entries)
    verifier = Verifier(bent.tile)

    with pytest.raises(Doubt) as caught:
        verifier.add(entries, {100: root_of(log.hashes[:100]), 150: root_of(log.hashes[:150])})

    assert caught.value.index == 100


@pytest.mark.parametrize("at", [100, 256, 300])
def test_what_was_seen_before_must_be_the_beginning(at: int) -> None:
    checked(SMALL, SMALL.entries, Seen(ORIGIN, at, root_of(SMALL.hashes[:at]), rfc3339(0)))

    doubt = doubted(SMALL, SMALL.entries, Seen(ORIGIN, at, root_of(OTHER.hashes[:at]), rfc3339(0)))

    assert "rewritten" in str(doubt)


def whole(log: Log, verifier: Verifier) -> None:
    verifier.add(log.entries, {})
    verifier.finish(Checkpoint(ORIGIN, len(log.entries), root_of(log.hashes)))


def test_a_tile_that_is_short_or_wrong_is_found() -> None:
    log = logs.make(70_000 // 100)
    for level, n, at, index in [(0, 1, 255, 511), (0, 2, 0, 512), (1, 0, 1, 256)]:

        def bent(asked: int, number: int, width: int, tile: tuple[int, int, int] = (level, n, at)) -> list[bytes]:
            hashes = log.tile(asked, number, width)
            return hashes[: tile[2]] if (asked, number) == tile[:2] else hashes

        with pytest.raises(Doubt) as caught:
            whole(log, Verifier(bent))
        assert caught.value.index == index


def test_hashes_of_the_third_level_are_compared() -> None:
    log = logs.sign([SMALL.entries[0]] * (65_536 + 300), group=70_000)
    asked = set()

    def tile(level: int, n: int, width: int) -> list[bytes]:
        asked.add((level, n, width))
        return log.tile(level, n, width)

    whole(log, Verifier(tile))

    assert {(1, 0, 256), (1, 1, 1), (2, 0, 1), (0, 256, 256), (0, 257, 44)} <= asked


# A home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_home(tmp_path / "home", SMALL, segment=10)
    return tmp_path / "home"


def look(home: Path, vkey: str = SIGNER.vkey) -> None:
    verify_home(home, vkey, home.parent / "seen.json")


def doubt_of(home: Path, vkey: str = SIGNER.vkey) -> Doubt:
    with pytest.raises(Doubt) as caught:
        look(home, vkey)
    return caught.value


def change(home: Path, query: str, *values: object) -> None:
    with closing(sqlite3.connect(home / "keeper" / "keeper.db")) as db, db:
        db.execute(query, values)


def test_a_home_is_verified_and_left_as_it_was(home: Path) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    proved = verify_home(home, SIGNER.vkey, home.parent / "seen.json")

    assert (proved.checkpoint.size, proved.before) == (300, None)
    assert (proved.first_at, proved.last_at) == (rfc3339(logs.START_MS), rfc3339(logs.START_MS + 7 * 299))
    assert proved.findings == ["the journal holds the same entries, from 0 on"]
    assert before == {path: path.read_bytes() for path in before}


def test_a_log_that_grew_is_verified_against_what_was_seen(home: Path, tmp_path: Path) -> None:
    look(home)
    write_home(tmp_path / "grown", logs.make(700, first=SMALL.entries))

    proved = verify_home(tmp_path / "grown", SIGNER.vkey, tmp_path / "seen.json")

    assert proved.before is not None
    assert (proved.before.size, proved.checkpoint.size) == (300, 700)


def test_a_whole_home_put_back_is_seen(home: Path, tmp_path: Path) -> None:
    look(home)
    write_home(tmp_path / "yesterday", logs.sign(SMALL.entries[:200]))

    doubt = doubt_of(tmp_path / "yesterday")

    assert "had 300" in str(doubt)
    assert doubt.index == 200


def test_a_whole_home_written_anew_is_seen(home: Path, tmp_path: Path) -> None:
    look(home)
    write_home(tmp_path / "anew", logs.make(700, seed=5))

    assert "rewritten" in str(doubt_of(tmp_path / "anew"))


def test_doubt_changes_nothing_of_what_was_seen(home: Path, tmp_path: Path) -> None:
    look(home)
    seen = (tmp_path / "seen.json").read_bytes()
    change(home, "UPDATE entry SET body = ? WHERE idx = 5", OTHER.entries[5])

    doubt_of(home)

    assert (tmp_path / "seen.json").read_bytes() == seen


@pytest.mark.parametrize(
    ("query", "values", "index"),
    [
        ("UPDATE entry SET body = ? WHERE idx = 77", [OTHER.entries[77]], 77),
        ("UPDATE entry SET body = '{}' WHERE idx = 77", [], 77),
        ("UPDATE entry SET hash = ? WHERE idx = 77", [OTHER.hashes[77]], 77),
        ("UPDATE node SET hash = ? WHERE level = 1", [OTHER.hashes[77]], 0),
        ("DELETE FROM node", [], 0),
        ("DELETE FROM entry WHERE idx = 0", [], 0),
        ("DELETE FROM entry WHERE idx = 77", [], 77),
        ("DELETE FROM entry WHERE idx = 299", [], 299),
        ("DELETE FROM entry WHERE idx > 100", [], 101),
        ("DROP TABLE entry", [], None),
        ("DELETE FROM meta", [], None),
        ("UPDATE meta SET value = ''", [], None),
        ("UPDATE meta SET value = x'ff'", [], None),
        ("UPDATE meta SET value = replace(value, '300', '299')", [], None),
    ],
)
def test_a_bent_file_is_seen(query: str, values: list[bytes], index: int | None, home: Path) -> None:
    change(home, query, *values)

    assert doubt_of(home).index == index


def test_a_file_and_a_journal_bent_alike_are_seen(tmp_path: Path) -> None:
    entries = [*SMALL.entries]
    entries[77] = OTHER.entries[77]
    bent = logs.sign(entries, 7, Signer(ORIGIN, Ed25519PrivateKey.generate()))
    write_home(tmp_path / "bent", bent)

    assert "does not hold" in str(doubt_of(tmp_path / "bent"))

    # With the true checkpoint put over it, the entries do not give the root.
    change(tmp_path / "bent", "UPDATE meta SET value = ?", SMALL.checkpoint)
    assert "not what was signed" in str(doubt_of(tmp_path / "bent"))


def test_a_checkpoint_of_another_log_is_refused(home: Path) -> None:
    text = Checkpoint("other.example/kept", 300, root_of(SMALL.hashes)).text()
    change(home, "UPDATE meta SET value = ?", sign_note(text, SIGNER))

    assert "another log" in str(doubt_of(home))


def test_only_the_pinned_key_counts(home: Path) -> None:
    other = Signer(ORIGIN, Ed25519PrivateKey.generate())

    assert "no signature by a known key" in str(doubt_of(home, other.vkey))
    assert "not a verifier key" in str(doubt_of(home, "kept"))


def segments(home: Path) -> list[Path]:
    return sorted((home / "journal").glob("*.kj"))


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("bend", "index"),
    [
        (lambda home: flip(segments(home)[2], 500), 140),  # 2 segments of 10 groups of 7
        (lambda home: flip(segments(home)[2], 3), 140),
        (lambda home: flip(segments(home)[2], 20), 140),
        (lambda home: segments(home)[2].write_bytes(b""), 140),
        (lambda home: segments(home)[2].write_bytes(segments(home)[2].read_bytes()[:-1]), 203),
        (lambda home: segments(home)[2].unlink(), 140),
        (lambda home: segments(home)[-1].unlink(), 280),
        (lambda home: segments(home)[-1].write_bytes(segments(home)[-1].read_bytes()[:-1]), 294),
        (lambda home: shutil.rmtree(home / "journal"), 0),
    ],
)
def test_a_bent_journal_is_seen(bend: Callable[[Path], object], index: int, home: Path) -> None:
    bend(home)

    assert doubt_of(home).index == index


def test_no_byte_of_the_journal_may_change(home: Path) -> None:
    path = segments(home)[1]
    whole = path.read_bytes()
    for at in random.Random(1).sample(range(len(whole)), 40):  # noqa: S311
        path.write_bytes(whole)
        flip(path, at)
        doubt_of(home)
    path.write_bytes(whole)
    look(home)


def test_a_journal_of_other_entries_is_seen(home: Path) -> None:
    for path in segments(home):
        path.unlink()
    entries = [*SMALL.entries]
    entries[200] = OTHER.entries[200]
    logs.write_journal(home, logs.sign(entries, 7))

    doubt = doubt_of(home)

    assert (doubt.index, doubt.args) == (200, ("entry 200: the file and the journal differ",))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        msgpack.packb(1),
        msgpack.packb([1, 0, [], []]),
        msgpack.packb([1, 0, [], [], "no checkpoint"]),
        msgpack.packb([1, 0, [], [], 7]),
        msgpack.packb([1, 0, 7, [], SMALL.checkpoint]),
        msgpack.packb([1, "0", [], [], SMALL.checkpoint]),
        msgpack.packb([1, 0, [b""], [], SMALL.checkpoint]),
        msgpack.packb([1, None, [b""], [], SMALL.checkpoint]),
        msgpack.packb([1, 290, [b""] * 10, [], SMALL.checkpoint]),  # the first record
    ],
)
def test_a_record_that_is_none_is_seen(payload: bytes, home: Path) -> None:
    for path in segments(home):
        path.unlink()
    first, chain = journal.frame(journal.START, msgpack.packb([1, 0, SMALL.entries[:7], [], SMALL.groups[0][2]]))
    record, _ = journal.frame(chain, payload)
    (home / "journal" / "000000000000-000000000000.kj").write_bytes(journal.header(journal.START) + first + record)

    assert doubt_of(home).index in {None, 7}


def test_a_journal_whose_beginning_went_into_a_snapshot_is_compared_from_there(tmp_path: Path) -> None:
    log = logs.make(9000, group=100)
    write_home(tmp_path / "home", log, segment=5, journal_from=4500)

    proved = verify_home(tmp_path / "home", SIGNER.vkey, tmp_path / "seen.json")

    # Segments of 500 entries; the one that ended at 5,000 was kept.
    assert proved.findings == ["the journal holds the same entries, from 4500 on"]


def test_a_journal_on_another_volume_is_read_there(home: Path, tmp_path: Path) -> None:
    (home / "journal").rename(tmp_path / "volume")

    assert "in the file, but not in the journal" in str(doubt_of(home))
    assert verify_home(home, SIGNER.vkey, tmp_path / "seen.json", journal=tmp_path / "volume").checkpoint.size == 300


def test_a_write_under_way_is_not_a_doubt(home: Path) -> None:
    for path in segments(home):
        path.unlink()
    logs.write_journal(home, logs.make(320, group=7, first=SMALL.entries), segment=10)
    with segments(home)[-1].open("ab") as stream:
        stream.write(b"\0\0\1\0half a record")

    proved = verify_home(home, SIGNER.vkey, home.parent / "seen.json")

    assert proved.checkpoint.size == 300
    assert proved.findings[1].startswith("the journal is 20 entries ahead")


def test_an_empty_log_is_verified(tmp_path: Path) -> None:
    write_home(tmp_path / "home", logs.EMPTY)

    for _ in range(2):
        proved = verify_home(tmp_path / "home", SIGNER.vkey, tmp_path / "seen.json")
        assert (proved.checkpoint.size, proved.last_at) == (0, "")


@pytest.mark.parametrize("bend", [lambda file: file.unlink(), lambda file: file.write_bytes(b"no database" * 100)])
def test_a_file_that_is_none_is_a_doubt(bend: Callable[[Path], object], home: Path) -> None:
    bend(home / "keeper" / "keeper.db")

    assert doubt_of(home).index is None


def test_a_leaf_hash_is_that_of_the_kit() -> None:
    assert SMALL.hashes[3] == leaf_hash(SMALL.entries[3])
