import pytest

from crm.kit.phone import match_key


@pytest.mark.parametrize(
    ("raw", "region", "key"),
    [
        ("030 123456", "DE", "+4930123456"),
        ("+49 (30) 12 34 56", None, "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("(020) 7946 0018", "GB", "+442079460018"),
        ("+1 650-253-0000", "DE", "+16502530000"),
        ("+1 650-253-0000 ext. 12", None, "+16502530000"),
    ],
)
def test_spellings_of_one_number_have_one_key(raw: str, region: str | None, key: str) -> None:
    assert match_key(raw, region) == key


@pytest.mark.parametrize(
    ("raw", "region"),
    [("", "DE"), ("hello", "DE"), ("030 123456", None), ("12", "DE"), ("+1 650", None), ("9" * 400, "DE"), ("1", "ZZ")],
)
def test_what_cannot_be_called_has_none(raw: str, region: str | None) -> None:
    assert match_key(raw, region) is None
