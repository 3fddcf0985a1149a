import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kit.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash, root_of
from crm.kit.proofs import ProofError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion

# Leaves and roots of the Certificate Transparency tests (transparency-dev/merkle testonly/constants.go).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
MANY = [leaf_hash(bytes([i])) for i in range(130)]


def subtree_of(hashes: list[bytes]) -> Callable[[int, int], bytes]:
    """Hash of perfect subtrees, refusing a range that is not one."""
    cache: dict[tuple[int, int], bytes] = {}

    def subtree(start: int, end: int) -> bytes:
        width = end - start
        assert width.bit_count() == 1
        assert start % width == 0
        assert end <= len(hashes)
        if (start, end) not in cache:
            middle = start + width // 2
            cache[start, end] = hashes[start] if width == 1 else node_hash(subtree(start, middle), subtree(middle, end))
        return cache[start, end]

    return subtree


MANY_SUBTREE = subtree_of(MANY)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_published(size: int) -> None:
    assert root_of(HASHES[:size]).hex() == ROOTS[size]


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == ROOTS[0]
    assert Frontier().root() == EMPTY_ROOT


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [
        (0, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
        (5, 8, ["bc1a0643", "ca854ea1", "d37ee418"]),
        (1, 5, ["6e340b9c", "5f083f0a", "bc1a0643"]),
        (0, 1, []),
    ],
)
def test_inclusion_proofs_are_those_published(index: int, size: int, proof: list[str]) -> None:
    assert [one.hex()[:8] for one in inclusion_proof(index, size, subtree_of(HASHES))] == proof


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [
        (6, 8, ["0ebc5d34", "ca854ea1", "d37ee418"]),
        (2, 5, ["5f083f0a", "bc1a0643"]),
        (8, 8, []),
        (1, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
    ],
)
def test_consistency_proofs_are_those_published(old: int, new: int, proof: list[str]) -> None:
    assert [one.hex()[:8] for one in consistency_proof(old, new, subtree_of(HASHES))] == proof


def valid_subtrees(first_end: int) -> list[tuple[int, int]]:
    """All [start, end) below 131 where start is a multiple of the length rounded up to a power of two."""
    return [
        (start, end)
        for end in range(first_end, 131)
        for start in range(end + (1 - first_end))
        if start % (1 << (max(end - start, 1) - 1).bit_length()) == 0
    ]


# Rolling vectors of draft-ietf-plants-merkle-tree-certs; the first counts empty ranges, as earlier drafts do.
@pytest.mark.parametrize(
    ("first_end", "digest"),
    [
        (0, "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"),
        (1, "94a95384a8c69acea9b50d035a58285b3a777cb7a724005faa5e1f1e1190007f"),
    ],
)
def test_hashes_of_all_subtrees_to_130_leaves_are_those_published(first_end: int, digest: str) -> None:
    rolling = sha256()
    for start, end in valid_subtrees(first_end):
        rolling.update(f"[{start}, {end}) {root_of(MANY[start:end]).hex()}\n".encode())
    assert rolling.hexdigest() == digest


def test_inclusion_proofs_in_all_subtrees_to_130_leaves_are_those_published() -> None:
    rolling = sha256()
    for start, end in valid_subtrees(1):

        def shifted(low: int, high: int, start: int = start) -> bytes:
            return MANY_SUBTREE(start + low, start + high)

        for index in range(start, end):
            proof = inclusion_proof(index - start, end - start, shifted)
            line = "".join(f" {one.hex()}" for one in proof)
            rolling.update(f"{index} [{start}, {end}){line}\n".encode())
    assert rolling.hexdigest() == "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"


def refused(check: Callable[..., None], *args: Any) -> bool:
    try:
        check(*args)
    except ProofError:
        return True
    return False


def read(shared_data: Path, kind: str) -> list[dict[str, Any]]:
    probes: list[dict[str, Any]] = json.loads((shared_data / "merkle" / f"{kind}.json").read_text())
    assert len(probes) == 98
    return probes


def test_the_98_published_inclusion_probes(shared_data: Path) -> None:
    for probe in read(shared_data, "inclusion"):
        leaf, root = b64decode(probe["leafHash"] or ""), b64decode(probe["root"] or "")
        proof = [b64decode(one) for one in probe["proof"] or []]
        got = refused(verify_inclusion, probe["leafIdx"], probe["treeSize"], leaf, proof, root)
        assert got == probe["wantErr"], probe["case"]


def test_the_98_published_consistency_probes(shared_data: Path) -> None:
    for probe in read(shared_data, "consistency"):
        old_root, new_root = b64decode(probe["root1"] or ""), b64decode(probe["root2"] or "")
        proof = [b64decode(one) for one in probe["proof"] or []]
        got = refused(verify_consistency, probe["size1"], probe["size2"], proof, old_root, new_root)
        assert got == probe["wantErr"], probe["case"]


def flips(data: bytes) -> list[bytes]:
    """All byte strings that differ in one bit."""
    number = int.from_bytes(data, "big")
    return [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(len(data) * 8)]


def broken(proof: list[bytes]) -> list[list[bytes]]:
    """All that differs from the proof in one bit, or in one hash more, less or shorter."""
    other = [[*proof[:i], bad, *proof[i + 1 :]] for i, one in enumerate(proof) for bad in flips(one)]
    other += [[*proof[:i], one[:-1], *proof[i + 1 :]] for i, one in enumerate(proof)]
    other += [proof[:i] + proof[i + 1 :] for i in range(len(proof))]
    return [*other, [*proof, EMPTY_ROOT], [EMPTY_ROOT, *proof]]


@pytest.mark.parametrize("size", range(1, 41))
def test_every_inclusion_proof_holds_and_no_bit_of_it_may_change(size: int) -> None:
    root = root_of(MANY[:size])
    for index in range(size):
        leaf, proof = MANY[index], inclusion_proof(index, size, MANY_SUBTREE)

        verify_inclusion(index, size, leaf, proof, root)

        for bad in broken(proof):
            assert refused(verify_inclusion, index, size, leaf, bad, root)
        for bad_hash in flips(leaf):
            assert refused(verify_inclusion, index, size, bad_hash, proof, root)
        for bad_hash in flips(root):
            assert refused(verify_inclusion, index, size, leaf, proof, bad_hash)
        for bit in range(65):
            assert refused(verify_inclusion, index ^ 1 << bit, size, leaf, proof, root)


@pytest.mark.parametrize("new", range(1, 41))
def test_every_consistency_proof_holds_and_no_bit_of_it_may_change(new: int) -> None:
    new_root = root_of(MANY[:new])
    for old in range(1, new + 1):
        old_root, proof = root_of(MANY[:old]), consistency_proof(old, new, MANY_SUBTREE)

        verify_consistency(old, new, proof, old_root, new_root)

        for bad in broken(proof):
            assert refused(verify_consistency, old, new, bad, old_root, new_root)
        for bad_root in flips(old_root):
            assert refused(verify_consistency, old, new, proof, bad_root, new_root)
        for bad_root in flips(new_root):
            assert refused(verify_consistency, old, new, proof, old_root, bad_root)
        for other in range(old):
            assert refused(verify_consistency, other, new, proof, old_root, new_root)


@pytest.mark.parametrize("size", range(1, 41))
def test_a_size_is_bound_to_its_root(size: int) -> None:
    # A root does not say how many leaves it has, so a proof may fit another size under the same root (leaf 0
    # of 7 and of 8 have paths of one shape). The checkpoint signs sizes: size and root change together.
    for other in range(1, 66):
        if other == size:
            continue
        other_root = root_of(MANY[:other])
        for index in range(size):
            proof = inclusion_proof(index, size, MANY_SUBTREE)
            assert refused(verify_inclusion, index, other, MANY[index], proof, other_root)
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, MANY_SUBTREE)
            assert old == other or refused(verify_consistency, old, other, proof, root_of(MANY[:old]), other_root)


@given(st.integers(1, 3000), st.data())
def test_proofs_hold_in_larger_trees(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(i.to_bytes(2, "big")) for i in range(size)]
    subtree = subtree_of(hashes)
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root = root_of(hashes)

    verify_inclusion(index, size, hashes[index], inclusion_proof(index, size, subtree), root)
    verify_consistency(old, size, consistency_proof(old, size, subtree), root_of(hashes[:old]), root)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=70), st.integers(0, 70))
def test_a_stored_frontier_goes_on_where_it_was(hashes: list[bytes], cut: int) -> None:
    first = Frontier()
    for one in hashes[:cut]:
        first.append(one)
    before = first.root()
    second = Frontier(first.size, first.stack)

    for one in hashes[cut:]:
        second.append(one)

    assert second.root() == root_of(hashes)
    assert first.root() == before


@pytest.mark.parametrize(("size", "stack"), [(1, []), (0, [EMPTY_ROOT]), (3, [EMPTY_ROOT]), (-1, [EMPTY_ROOT])])
def test_a_frontier_of_another_size_is_refused(size: int, stack: list[bytes]) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier(size, stack)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        inclusion_proof(index, size, MANY_SUBTREE)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_between_sizes_out_of_order(old: int, new: int) -> None:
    with pytest.raises(ProofError):
        consistency_proof(old, new, MANY_SUBTREE)
    assert refused(verify_consistency, old, new, [], EMPTY_ROOT, EMPTY_ROOT)


def test_one_size_has_one_root() -> None:
    assert refused(verify_consistency, 3, 3, [], root_of(MANY[:3]), root_of(MANY[1:4]))
