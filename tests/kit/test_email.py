import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kit.email import mask, match_key
from crm.kit.mailbox import plausible


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.com",
        "a.b+tag@sub.example.co.uk",
        "o'brien@example.com",
        "zoë@example.com",
        "anna@straße.de",
        "anna@xn--strae-oqa.de",
        "anna@例え.jp",
        "a" * 64 + "@example.com",
    ],
)
def test_addresses_one_could_write_to(address: str) -> None:
    assert plausible(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@example.com",
        "anna@",
        "anna@example",
        "anna@@example.com",
        "anna@example..com",
        "anna@.example.com",
        "anna@example.com.",
        ".anna@example.com",
        "anna.@example.com",
        "an..na@example.com",
        "an na@example.com",
        "anna@exam ple.com",
        "anna@exa_mple.com",
        "anna@-example.com",
        "anna@example.1",
        "anna@127.0.0.1",
        '"anna"@example.com',
        "<anna@example.com>",
        "anna@example.com\n",
        "an\x00na@example.com",
        "anna\ud800@example.com",
        "a" * 65 + "@example.com",
        "anna@" + "a" * 64 + ".com",
        "anna@" + "a." * 125 + "com",
        "é" * 33 + "@example.com",
    ],
)
def test_typing_mistakes(address: str) -> None:
    assert not plausible(address)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("Anna.Smith+News@Example.COM", "anna.smith+news@example.com"),
        (" anna@straße.de ", "anna@xn--strae-oqa.de"),
        ("anna@XN--STRAE-OQA.de", "anna@xn--strae-oqa.de"),
        ("Zoë@example.com", "zoë@example.com"),
        ("Zoe\u0308@example.com", "zoë@example.com"),
        ("anna@EX ample", "anna@ex ample"),
        ("Anna", "anna"),
    ],
)
def test_spellings_of_one_mailbox_have_one_key(address: str, key: str) -> None:
    assert match_key(address) == key


def test_a_mask_tells_two_addresses_apart_and_gives_neither() -> None:
    assert mask("anna@example.com") == "a•••@e•••.com"
    assert mask("b@mail.example.co.uk") == "b•••@m•••.uk"


@given(st.text())
def test_anything_can_be_asked(text: str) -> None:
    mask(text)
    assert match_key(match_key(text)) == match_key(text)
    assert mask(text + "@example.com").count("•") in {3, 6}
