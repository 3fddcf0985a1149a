"""Telephone numbers, compared in E.164."""

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse


def match_key(raw: str, region: str | None) -> str | None:
    """Print a number in E.164, a national one as of `region` (ISO 3166); None for what could not be called."""
    try:
        number = parse(raw, region)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None
