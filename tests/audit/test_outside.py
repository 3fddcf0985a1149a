"""A log over HTTP, verified by ourselves and by a program that shares nothing with us."""

import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crm.audit.memory import Doubt
from crm.audit.service import verify_url
from crm.kit.note import Signer, sign_note
from crm.kit.pii import Pii
from crm.kit.proofs import bundle, split_bundle
from tests.audit import logs
from tests.audit.logs import SIGNER, Change, Log, serve


def outside(govet: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([govet, url, SIGNER.vkey], capture_output=True, text=True, timeout=120, check=False)


def nobody(what: str) -> Pii[str]:
    raise AssertionError(f"asked for {what}")


def flip(path: str, at: int) -> Change:
    """Change one bit of what lies at a path."""

    def change(asked: str, body: bytes) -> bytes:
        if asked != path:
            return body
        where = at % len(body)
        return body[:where] + bytes([body[where] ^ 1]) + body[where + 1 :]

    return change


def replace(path: str, old: bytes, new: bytes) -> Change:
    def change(asked: str, body: bytes) -> bytes:
        assert asked != path or old in body
        return body.replace(old, new, 1) if asked == path else body

    return change


def swap(asked: str, body: bytes) -> bytes:
    """Give two entries of a bundle in the other order."""
    if asked != "tile/entries/003":
        return body
    entries = split_bundle(body)
    entries[7], entries[8] = entries[8], entries[7]
    return bundle(entries)


def other_key(asked: str, body: bytes) -> bytes:
    """Give the same checkpoint, signed by another key of the same name."""
    if asked != "checkpoint":
        return body
    signer = Signer(logs.ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    return sign_note(body.decode().split("\n\n")[0] + "\n", signer).encode()


CHANGES = {
    "a byte of an entry": (replace("tile/entries/005", b'"purpose":"serve"', b'"purpose":"serwe"'), 5 * 256),
    "a bit of an entry": (flip("tile/entries/038", 40), 38 * 256),
    "a bit of the last entry": (flip("tile/entries/039.p/16", -20), 9999),
    "two entries swapped": (swap, 3 * 256 + 7),
    "a bundle cut short": (lambda path, body: body[:-1] if path == "tile/entries/007" else body, 7 * 256),
    "an entry taken away": (
        lambda path, body: bundle(split_bundle(body)[:-1]) if path == "tile/entries/007" else body,
        7 * 256 + 255,
    ),
    "an entry added": (lambda path, body: body + b"\0\2{}" if path == "tile/entries/007" else body, 8 * 256),
    "a bit of a leaf tile": (flip("tile/0/020", 32 * 9 + 3), 20 * 256 + 9),
    "a bit of the last leaf tile": (flip("tile/0/039.p/16", 0), 39 * 256),
    "a bit of a tile above": (flip("tile/1/000.p/39", 32 * 30), 30 * 256),
    "the size": (replace("checkpoint", b"\n10000\n", b"\n10001\n"), None),
    "a smaller size": (replace("checkpoint", b"\n10000\n", b"\n9999\n"), None),
    "the root": (flip("checkpoint", len(logs.ORIGIN) + 8), None),
    "the signature": (flip("checkpoint", -20), None),
    "the key": (other_key, None),
}


def test_both_accept_the_log(govet: Path, big_log: Log, tmp_path: Path) -> None:
    with serve(big_log) as served:
        done = outside(govet, served.url)
        proved = verify_url(served.url, SIGNER.vkey, tmp_path / "seen.json", ask=nobody)

    root = b64encode(proved.checkpoint.root).decode()
    assert (done.returncode, done.stdout) == (0, f"ACCEPTED: 10000 entries, root {root}\n")
    assert proved.checkpoint.size == 10_000


@pytest.mark.parametrize("name", CHANGES)
def test_both_reject(name: str, govet: Path, big_log: Log, tmp_path: Path) -> None:
    change, index = CHANGES[name]

    with serve(big_log, change) as served:
        done = outside(govet, served.url)
        with pytest.raises(Doubt) as doubt:
            verify_url(served.url, SIGNER.vkey, tmp_path / "seen.json", ask=nobody)

    assert done.returncode == 1, done
    assert done.stdout.startswith("REJECTED: ")
    assert doubt.value.index == index
    assert not (tmp_path / "seen.json").exists()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 65_536, 65_793])
def test_both_accept_sizes_around_full_tiles(size: int, govet: Path, tmp_path: Path) -> None:
    if size > 1000:
        entry = logs.make(1).entries[0]
        log = logs.sign([entry] * size, group=size)
    else:
        log = logs.make(size)

    with serve(log) as served:
        done = outside(govet, served.url)
        proved = verify_url(served.url, SIGNER.vkey, tmp_path / "seen.json", ask=nobody)

    assert done.returncode == 0, done
    assert proved.checkpoint.size == size
