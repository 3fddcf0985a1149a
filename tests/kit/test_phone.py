import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from crm.kit.phone import match_key


def told(raw: str, region: str | None = None) -> str | None:
    """Ask the library alone."""
    try:
        number = phonenumbers.parse(raw, region)
    except phonenumbers.NumberParseException:
        return None
    is_callable = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if is_callable else None


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


def test_numbers_are_told_as_the_library_tells_them() -> None:
    """Examples of every kind and region, whole and with digits changed, lost and added."""
    dice = random.Random(7)  # noqa: S311 - a fixed order
    numbers = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in PhoneNumberType.values():
            if (example := phonenumbers.example_number_for_type(region, kind)) is None:
                continue
            digits = phonenumbers.format_number(example, PhoneNumberFormat.E164)
            at = dice.randrange(2, len(digits))
            numbers += [digits, digits[:at] + dice.choice("0123456789") + digits[at + 1 :], digits[:-1], digits + "5"]
            numbers.append(phonenumbers.format_number(example, PhoneNumberFormat.INTERNATIONAL))

    assert len(numbers) > 2_000
    assert {number: match_key(number, None) for number in numbers} == {number: told(number) for number in numbers}


@given(st.text(st.sampled_from("+0123456789 ()-./xA\u00a0"), max_size=20), st.sampled_from([None, "DE", "US", "IT"]))
def test_whatever_is_typed_as_a_number_is_told_as_the_library_tells_it(raw: str, region: str | None) -> None:
    assert match_key(raw, region) == told(raw, region)


@given(st.integers(1, 999), st.from_regex(r"[0-9]{4,14}", fullmatch=True))
def test_a_number_of_any_country_code_is_told_as_the_library_tells_it(code: int, national: str) -> None:
    assert match_key(f"+{code}{national}", None) == told(f"+{code}{national}")


@pytest.mark.parametrize("number", ["+800 1234 5678", "+883 5100 0000 0000", "+39 06 698 12345", "+49 (0)30 1234000"])
def test_numbers_that_need_the_library(number: str) -> None:
    assert match_key(number, None) == told(number)
    assert phonenumbers.parse(number).country_code in {800, 883, 39, 49}
