"""Telephone numbers, compared in E.164: most by one pattern of their country, where the library takes 40 us for all."""

import re
from functools import cache

import phonenumbers as library

_PLAIN = re.compile(r"\+[1-9][0-9 ().\-/\u00a0]{6,30}")
_BETWEEN = str.maketrans(dict.fromkeys(" ().-/\u00a0"))
_KINDS = ("general_desc", "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "uan")


def match_key(raw: str, region: str | None) -> str | None:
    """Print a number in E.164, a national one as of `region` (ISO 3166); None for what could not be called."""
    digits = raw.translate(_BETWEEN)
    if _PLAIN.fullmatch(raw) and any(_numbers(digits[1:end]).fullmatch(digits, end) for end in (2, 3, 4)):
        return digits
    try:
        number = library.parse(raw, region)
    except library.NumberParseException:
        return None
    return library.format_number(number, library.PhoneNumberFormat.E164) if library.is_valid_number(number) else None


@cache
def _numbers(code: str) -> re.Pattern[str]:
    """Return what surely can be called behind a country code: of its first region, and without a national prefix."""
    plan = library.PhoneMetadata.metadata_for_region(library.region_code_for_country_code(int(code)))
    if plan is None or plan.leading_digits:
        return re.compile("(?!)")
    general, *kinds = (f"(?:{one.national_number_pattern})" for name in _KINDS if (one := getattr(plan, name)))
    return re.compile(rf"(?!0|{plan.national_prefix_for_parsing or 0})(?={general}\Z)(?:{'|'.join(kinds)})")
