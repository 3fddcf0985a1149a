"""The log's check over logs of any size: what is whole is kept, and one bit anywhere is seen."""

import asyncio
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crm.errors import KeeperUnavailable
from crm.kit.clock import Clock
from crm.kit.merkle import HASH_BYTES, WIDTH, leaf_hash, root_of
from crm.kit.note import Signer, sign_note
from crm.kit.signed import Checkpoint, Verifier
from crm.promises.tree import NEWEST, Remembered, judge_log
from crm.promises.verdict import Finding, Verdict

ORIGIN = "log.example/one"
SIGNER = Signer(ORIGIN, Ed25519PrivateKey.generate())
KEY = Verifier.parse(SIGNER.vkey)
LEAVES = [leaf_hash(str(index).encode()) for index in range(66_000)]
SIZES = st.integers(1, 700)
LARGE = (65_535, 65_536, 65_537, 65_799)


class Log:
    """A log in memory, as it would be published; ``flipped`` changes a bit of the tiles it hands out."""

    def __init__(self, leaves: Sequence[bytes], *, flipped: tuple[int, int] | None = None) -> None:
        self.levels = [list(leaves)]
        while len(self.levels[-1]) >= WIDTH:
            below = self.levels[-1]
            self.levels.append([root_of(below[i : i + WIDTH]) for i in range(0, len(below) // WIDTH * WIDTH, WIDTH)])
        self.size = len(leaves)
        self.root = root_of(leaves)
        self.flipped = flipped
        self.asked: list[tuple[int, int, int]] = []

    async def checkpoint(self) -> str:
        return sign_note(Checkpoint(ORIGIN, self.size, self.root).text(), SIGNER)

    async def tile(self, level: int, n: int, width: int) -> bytes:
        self.asked.append((level, n, width))
        data = bytearray(b"".join(self.levels[level][n * WIDTH : n * WIDTH + width]))
        if self.flipped and len(self.asked) == self.flipped[0]:
            data[self.flipped[1] % len(data)] ^= 1
        return bytes(data)


def judged(log: Log, memory: Remembered | None = None) -> Finding:
    return asyncio.run(judge_log(log, KEY, memory or Remembered(), Clock()))


@given(SIZES, st.integers(0, 400))
def test_a_log_that_grows_is_kept_and_costs_few_tiles(size: int, more: int) -> None:
    memory = Remembered()
    old, new = Log(LEAVES[:size]), Log(LEAVES[: size + more])

    first, second = judged(old, memory), judged(new, memory)

    assert (first.verdict, second.verdict) == (Verdict.KEPT, Verdict.KEPT)
    assert f"the newest {min(size, NEWEST)} are in it; the first look" in first.evidence
    assert f"goes on from the {size} seen on " in second.evidence
    assert len(new.asked) == len(set(new.asked)) <= 3 * len(new.levels) + 3


@given(SIZES, st.integers(0, 400), st.data())
def test_a_bit_of_any_hash_it_reads_is_seen(size: int, more: int, data: st.DataObject) -> None:
    memory = Remembered()
    judged(Log(LEAVES[:size]), memory)
    seen = memory.recall(ORIGIN)
    assert seen
    whole = Log(LEAVES[: size + more])
    judged(whole, memory)
    number = data.draw(st.integers(1, len(whole.asked)))
    at = data.draw(st.integers(0, whole.asked[number - 1][2] * HASH_BYTES - 1))

    memory.remember(seen)
    assert judged(Log(LEAVES[: size + more], flipped=(number, at)), memory).verdict is Verdict.BROKEN


@pytest.mark.parametrize("size", LARGE)
def test_three_levels_of_tiles(size: int) -> None:
    memory = Remembered()
    judged(Log(LEAVES[:300]), memory)
    whole = Log(LEAVES[:size])
    seen = memory.recall(ORIGIN)
    assert seen

    assert judged(whole, memory).verdict is Verdict.KEPT
    for number, (_, _, width) in enumerate(whole.asked, 1):
        for at in (0, width * HASH_BYTES - 1):
            memory.remember(seen)
            forged = Log([], flipped=(number, at))
            forged.levels, forged.size, forged.root = whole.levels, whole.size, whole.root
            assert judged(forged, memory).verdict is Verdict.BROKEN, (number, at)


@given(st.integers(2, 700), st.integers(1, 700))
def test_a_log_put_back_is_seen(size: int, less: int) -> None:
    memory = Remembered()
    judged(Log(LEAVES[:size]), memory)

    finding = judged(Log(LEAVES[: max(1, size - less)]), memory)

    assert finding.verdict is Verdict.BROKEN
    assert "it was put back" in finding.evidence
    assert memory.recall(ORIGIN), "what was seen stays remembered"


@given(st.integers(1, 700), st.integers(0, 300), st.data())
def test_a_log_whose_past_was_rewritten_is_seen(size: int, more: int, data: st.DataObject) -> None:
    memory = Remembered()
    judged(Log(LEAVES[:size]), memory)
    forged = LEAVES[: size + more]
    forged[data.draw(st.integers(0, size - 1))] = leaf_hash(b"another")

    assert judged(Log(forged), memory).verdict is Verdict.BROKEN
    assert judged(Log(LEAVES[: size + more]), memory).verdict is Verdict.KEPT


def test_a_log_of_nothing_is_kept_and_remembered() -> None:
    memory = Remembered()

    assert judged(Log([]), memory).verdict is Verdict.KEPT
    assert judged(Log(LEAVES[:3]), memory).verdict is Verdict.KEPT


def test_a_tile_that_is_cut_short_is_seen() -> None:
    log = Log(LEAVES[:20])
    log.levels[0] = log.levels[0][:19]

    assert judged(log).evidence == "a tile has another length than its width"


def test_a_log_that_does_not_answer_is_no_broken_one() -> None:
    class Silent(Log):
        async def checkpoint(self) -> str:
            raise KeeperUnavailable

    with pytest.raises(KeeperUnavailable):
        judged(Silent([]))
