import socket
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from crm.audit.http_source import HttpSource
from crm.audit.memory import Doubt
from crm.audit.service import verify_url
from crm.kit.pii import Pii
from tests.audit import logs
from tests.audit.logs import SIGNER, Change, serve

LOG = logs.make(600)
AUDITOR = {"name": "auditor", "password": "correct horse"}


def nobody(what: str) -> Pii[str]:
    raise AssertionError(f"asked for {what}")


def typed(*answers: str) -> tuple[list[str], Callable[[str], Pii[str]]]:
    """Answers in order, and what was asked."""
    asked: list[str] = []

    def ask(what: str) -> Pii[str]:
        asked.append(what)
        return Pii(answers[len(asked) - 1])

    return asked, ask


def test_an_auditor_signs_in_verifies_and_signs_out(tmp_path: Path) -> None:
    asked, ask = typed("correct horse")

    with serve(LOG, auditor=AUDITOR) as served:
        proved = verify_url(served.url + "/", SIGNER.vkey, tmp_path / "seen.json", name="auditor", ask=ask)

    assert proved.checkpoint.size == 600
    assert asked == ["Password"]
    assert served.asked[0] == "POST /v1/sessions"
    assert served.asked[-1] == "DELETE /v1/sessions/current Bearer good"


def test_a_code_is_asked_for_when_it_is_wanted(tmp_path: Path) -> None:
    asked, ask = typed("correct horse", "123456")

    with serve(LOG, auditor={**AUDITOR, "totp": "123456"}) as served:
        verify_url(served.url, SIGNER.vkey, tmp_path / "seen.json", name="auditor", ask=ask)

    assert asked == ["Password", "Code"]


@pytest.mark.parametrize(
    ("auditor", "answers"), [(AUDITOR, ["wrong"]), ({**AUDITOR, "totp": "123456"}, ["correct horse", "654321"])]
)
def test_a_wrong_password_or_code_is_told(auditor: dict[str, str], answers: list[str], tmp_path: Path) -> None:
    with serve(LOG, auditor=auditor) as served, pytest.raises(Doubt, match="not signed in"):
        verify_url(served.url, SIGNER.vkey, tmp_path / "seen.json", name="auditor", ask=typed(*answers)[1])


def test_bundles_need_a_session(tmp_path: Path) -> None:
    with serve(LOG, auditor=AUDITOR) as served, pytest.raises(Doubt, match="401: an auditor"):
        verify_url(served.url, SIGNER.vkey, tmp_path / "seen.json", ask=nobody)


def test_the_session_ends_when_there_is_doubt(tmp_path: Path) -> None:
    with (
        serve(LOG, lambda path, body: body[1:] if path == "tile/1/000.p/2" else body, AUDITOR) as served,
        pytest.raises(Doubt),
    ):
        verify_url(served.url, SIGNER.vkey, tmp_path / "s.json", name="auditor", ask=typed("correct horse")[1])

    assert served.asked[-1].startswith("DELETE")


@pytest.mark.parametrize("url", ["http://192.0.2.1", "http://kept.example", "http://127.0.0.1.kept.example/x"])
def test_a_password_does_not_travel_in_the_clear(url: str) -> None:
    with HttpSource(url) as source, pytest.raises(Doubt, match="https only"):
        source.sign_in("auditor", Pii("correct horse"))


@pytest.mark.parametrize("url", ["https://kept.example", "http://localhost:1", "http://[::1]:1", "http://127.9.9.9"])
def test_a_password_may_go_over_https_or_to_this_machine(url: str) -> None:
    with HttpSource(url) as source:
        assert source.is_private


@pytest.mark.parametrize("url", ["", "kept.example", "ftp://kept.example", "https://", "https://a/?b", "https://a/#b"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Doubt, match="not the address"):
        HttpSource(url)


def test_https_is_spoken_where_it_is_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            peer, _ = server.accept()
            with peer:
                heard.append(peer.recv(3))

        heard: list[bytes] = []
        thread = Thread(target=greet)
        thread.start()
        with HttpSource(f"https://127.0.0.1:{server.getsockname()[1]}") as source, pytest.raises(Doubt):
            source.checkpoint()
        thread.join()

    assert heard == [b"\x16\x03\x01"]  # a TLS handshake


def test_nobody_there_is_a_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with HttpSource(f"http://127.0.0.1:{port}") as source, pytest.raises(Doubt, match="ConnectionRefusedError"):
        source.checkpoint()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path, body: b"\xff" if path == "checkpoint" else body, "not text"),
        (lambda path, body: b"x" * 1_000_001 if path == "checkpoint" else body, "longer than it can be"),
        (lambda path, body: body + b"\0" if path == "tile/0/001" else body, "longer than it can be"),
        (lambda path, body: b"moved" if path == "checkpoint" else body, "answers 302"),
        (lambda path, body: body[:5] if path == "tile/entries/001" else body, "ends within"),
        (lambda path, body: b"" if path == "tile/entries/001" else body, "holds 0 entries"),
    ],
)
def test_answers_that_are_none(change: Change, said: str, tmp_path: Path) -> None:
    with serve(LOG, change) as served, pytest.raises(Doubt, match=said):
        verify_url(served.url, SIGNER.vkey, tmp_path / "seen.json", ask=nobody)


def test_an_answer_to_signing_in_that_is_none_is_a_refusal(tmp_path: Path) -> None:
    for bent in (b"", b"[]", b'{"token":7}'):

        def change(_: str, body: bytes, bent: bytes = bent) -> bytes:
            return bent if body.startswith(b'{"token"') else body

        with serve(LOG, change, AUDITOR) as served, pytest.raises(Doubt, match="not signed in"):
            verify_url(served.url, SIGNER.vkey, tmp_path / "s.json", name="auditor", ask=typed("correct horse")[1])


def test_a_connection_the_server_hung_up_on_is_made_anew() -> None:
    """An answer that says keep-alive, after which the server closes all the same."""
    served = 0
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_thrice() -> None:
            nonlocal served
            for _ in range(3):
                peer, _ = server.accept()
                with peer:
                    peer.recv(1000)
                    served += 1
                    if served < 3:
                        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        thread = Thread(target=serve_thrice)
        thread.start()
        with HttpSource(f"http://127.0.0.1:{server.getsockname()[1]}") as source:
            assert source.checkpoint() == "hi"
            assert source.checkpoint() == "hi"
            with pytest.raises(Doubt, match="RemoteDisconnected"):
                source.checkpoint()
        thread.join()


def test_what_does_not_speak_http_is_a_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(b"220 mail.example ESMTP\r\n")

        thread = Thread(target=babble)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        with HttpSource(address) as source, pytest.raises(Doubt, match="BadStatusLine"):
            source.checkpoint()
        thread.join()


def test_a_tile_that_was_not_fetched_with_its_bundle_is_fetched() -> None:
    with serve(LOG) as served, HttpSource(served.url) as source:
        assert source.tile(0, 1, 3) == LOG.hashes[256:259]
