from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crm.kit.merkle import leaf_hash
from crm.kit.note import NoteError, Signer, sign_note
from crm.kit.signed import Checkpoint, Verifier, open_note, parse_checkpoint, strict_b64decode

# golang/mod sumdb/note/example_test.go
NEUMANN_SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
NEUMANN_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NEUMANN_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
NEUMANN_NOTE = NEUMANN_TEXT + "\n" + NEUMANN_LINE
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)

NEUMANN = Verifier.parse(NEUMANN_VKEY)
SIGNER = Signer("kept.example/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Signer("kept.example/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
VERIFIER = Verifier.parse(SIGNER.vkey)
ROOT = leaf_hash(b"hello world")
CHECKPOINT = Checkpoint("kept.example/log", 70_000, ROOT)


def test_the_published_note_comes_out_byte_for_byte() -> None:
    signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(NEUMANN_SEED))

    assert signer.vkey == NEUMANN_VKEY
    assert sign_note(NEUMANN_TEXT, signer) == NEUMANN_NOTE


def test_the_published_note_opens_and_unknown_signers_are_passed_over() -> None:
    assert open_note(NEUMANN_NOTE, [NEUMANN]) == (NEUMANN_TEXT, ["PeterNeumann"])
    assert open_note(NEUMANN_NOTE + ENOCH_LINE, [NEUMANN]) == (NEUMANN_TEXT, ["PeterNeumann"])


def test_the_published_second_signer_is_ours_too() -> None:
    enoch = Signer("EnochRoot", Ed25519PrivateKey.from_private_bytes(bytes(32)))

    assert enoch.sign(NEUMANN_TEXT) == ENOCH_LINE


def test_the_example_of_the_specification_opens() -> None:
    # C2SP signed-note v1.1.0, section "Verifier keys".
    verifier = Verifier.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = (
        "This is an example message.\n\n— example.com/foo "
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )

    assert open_note(note, [verifier]) == ("This is an example message.\n", ["example.com/foo"])


def test_a_witness_key_is_not_taken_for_a_log_key() -> None:
    # transparency-dev/formats note/note_cosigv1_test.go: type 0x04; and a key whose base64 holds a plus sign.
    with pytest.raises(NoteError, match="Ed25519"):
        Verifier.parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2")
    assert Verifier.parse("TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6").name == "TEST"


def test_the_published_leaf_of_hello_world() -> None:
    # golang/mod sumdb/tlog/note_test.go
    assert b64encode(ROOT) == b"TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0="


def test_two_keys_of_one_name_may_sign() -> None:
    note = sign_note(CHECKPOINT.text(), SIGNER, OTHER)

    assert open_note(note, [VERIFIER, Verifier.parse(OTHER.vkey)])[1] == ["kept.example/log"] * 2
    assert open_note(note, [VERIFIER])[1] == ["kept.example/log"]


def test_sixteen_and_a_hundred_signatures_are_read_and_no_more() -> None:
    line = SIGNER.sign(CHECKPOINT.text())

    assert open_note(CHECKPOINT.text() + "\n" + line * 100, [VERIFIER])[1] == ["kept.example/log"]
    with pytest.raises(NoteError, match="too many"):
        open_note(CHECKPOINT.text() + "\n" + line * 101, [VERIFIER])


def test_the_text_ends_at_the_last_blank_line() -> None:
    text = "one\n\ntwo\n"

    assert open_note(sign_note(text, SIGNER), [VERIFIER])[0] == text


def test_a_known_key_whose_signature_does_not_fit_spoils_the_note() -> None:
    note = sign_note(CHECKPOINT.text(), OTHER) + SIGNER.sign("something else\n")

    with pytest.raises(NoteError, match="does not fit"):
        open_note(note, [VERIFIER, Verifier.parse(OTHER.vkey)])


def test_a_note_nobody_known_signed_is_refused() -> None:
    with pytest.raises(NoteError, match="no signature"):
        open_note(sign_note(CHECKPOINT.text(), OTHER), [VERIFIER])


def test_no_bit_of_a_signed_checkpoint_may_change() -> None:
    note = sign_note(CHECKPOINT.text(), SIGNER).encode()

    for bit in range(len(note) * 8):
        changed = bytearray(note)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError):  # noqa: PT011 - no longer UTF-8, or a NoteError
            open_note(changed.decode(), [VERIFIER])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        NEUMANN_NOTE[:-1],
        NEUMANN_NOTE + "\n",
        NEUMANN_NOTE.replace("— ", "- "),
        NEUMANN_NOTE.replace("— ", "—  "),
        NEUMANN_NOTE.replace("\n—", "\n —"),
        NEUMANN_NOTE.replace("=\n", "= \n"),
        NEUMANN_NOTE.replace("AM=\n", "AN=\n"),  # the same bytes, spelt otherwise
        NEUMANN_NOTE.replace("AM=\n", "AM\n"),
        NEUMANN_NOTE.replace("If", "I\tf"),
        NEUMANN_NOTE.replace("\n", "\r\n"),
        NEUMANN_NOTE + "— a+b AAAAAAA=\n",
        NEUMANN_NOTE + "— a\u00a0b AAAAAAA=\n",
        NEUMANN_NOTE + "—  AAAAAAA=\n",
        NEUMANN_NOTE + "— short AAAAAA==\n",
        "x" * 1_000_000 + NEUMANN_NOTE,
    ],
)
def test_what_is_not_a_note_is_refused(note: str) -> None:
    with pytest.raises(NoteError):
        open_note(note, [NEUMANN])


@pytest.mark.parametrize("text", ["", "no line end", "a tab\t\n", "nul\0\n", "\r\n"])
def test_what_cannot_be_a_text_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign_note(text, SIGNER)


def test_a_note_needs_a_signer() -> None:
    with pytest.raises(NoteError):
        sign_note("text\n")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\0b"])
def test_names_that_would_break_the_format_are_refused(name: str) -> None:
    with pytest.raises(NoteError):
        Signer(name, Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+c74f20a3",
        NEUMANN_VKEY.replace("c74f20a3", "C74F20A3"),
        NEUMANN_VKEY.replace("c74f20a3", "c74f20a4"),
        NEUMANN_VKEY.replace("Peter", "Otto"),
        NEUMANN_VKEY + "\n",
        NEUMANN_VKEY[:-4],
        NEUMANN_VKEY + "AAAA",
        NEUMANN_VKEY.replace("+ARpc", "+BBpc"),
        NEUMANN_VKEY.replace("PeterNeumann", "Peter Neumann"),
        NEUMANN_VKEY.replace("+ARpc", "+A!pc"),
        NEUMANN_VKEY.replace("+ARpc", "+Aüpc"),
    ],
)
def test_what_is_not_a_key_of_ours_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(vkey)


def test_a_verifier_tells_its_name_and_id() -> None:
    assert (NEUMANN.name, NEUMANN.key_id.hex()) == ("PeterNeumann", "c74f20a3")
    assert not NEUMANN.verify(NEUMANN_TEXT, b"\0" * 64)
    assert not NEUMANN.verify(NEUMANN_TEXT, b"")


def test_a_checkpoint_has_three_lines() -> None:
    assert CHECKPOINT.text() == "kept.example/log\n70000\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"


@given(st.integers(0, 10**19 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_come_back(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("kept.example/log", size, root)

    assert parse_checkpoint(checkpoint.text()) == checkpoint


@given(st.text(alphabet="a0179+/= \n-" + b64encode(ROOT).decode(), max_size=60))
def test_what_is_read_as_a_checkpoint_is_printed_so(tail: str) -> None:
    for text in (tail, f"a\n1\n{b64encode(ROOT).decode()}\n" + tail, f"a\n{tail}\n{b64encode(ROOT).decode()}\n"):
        try:
            checkpoint = parse_checkpoint(text)
        except NoteError:
            continue
        assert checkpoint.text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        CHECKPOINT.text()[:-1],
        CHECKPOINT.text() + "\n",
        CHECKPOINT.text() + "extension\n",
        CHECKPOINT.text().replace("70000", "070000"),
        CHECKPOINT.text().replace("70000", "-1"),
        CHECKPOINT.text().replace("70000", "+1"),
        CHECKPOINT.text().replace("70000", "70_000"),
        CHECKPOINT.text().replace("70000", "٧"),
        CHECKPOINT.text().replace("70000", "1" + "0" * 19),
        CHECKPOINT.text().replace("kept.example/log", ""),
        CHECKPOINT.text().replace("kept.example/log", "a b"),
        CHECKPOINT.text().replace("Tszz", ""),
        CHECKPOINT.text().replace("b0=", "b1="),
    ],
)
def test_what_is_not_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


@pytest.mark.parametrize("text", ["AA", "AB==", "A A=", "AA==\n", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        strict_b64decode(text)
