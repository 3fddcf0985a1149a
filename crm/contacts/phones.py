"""Telephone numbers of a whole file: the answer of `kit.phone`, for most numbers in a twentieth of its time.

The library parses a number that may be anything, asks for its region, then tries the patterns of each kind of
number. Of an international number written plainly the country code is known at sight, and one pattern a region,
made of the library's own, tells whether it could be called. Whatever needs more than that is left to the library.
"""

import re
from dataclasses import dataclass
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, REGION_CODE_FOR_NON_GEO_ENTITY, PhoneMetadata

from crm.kit import phone

_PLAIN = re.compile(r"\+[1-9][0-9 ().\-/\u00a0]{6,30}")
_BETWEEN = str.maketrans(dict.fromkeys(" ().-/\u00a0"))
_LONGEST_CODE = 3
_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
    "voicemail",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Region:
    """What tells the numbers of one region: their first digits where they share a code, and all they can be."""

    leading: re.Pattern[str] | None
    pattern: re.Pattern[str]


def match_key(raw: str, region: str | None) -> str | None:
    """Print a number as `kit.phone.match_key` does."""
    if _PLAIN.fullmatch(raw):
        digits = raw.translate(_BETWEEN)[1:]
        for length in range(1, _LONGEST_CODE + 1):
            if (code := int(digits[:length])) in COUNTRY_CODE_TO_REGION_CODE:
                if _is_callable(code, digits[length:]):
                    return f"+{digits}"
                break
    return phone.match_key(raw, region)


def _is_callable(code: int, national: str) -> bool:
    """Say yes where the library surely would; a no is not known to be one."""
    prefix, regions = _plan(code)
    if national[:1] in {"0", ""} or (prefix and prefix.match(national)):
        return False
    for one in regions:
        if one.leading is None:
            if one.pattern.fullmatch(national):
                return True
        elif one.leading.match(national):
            return one.pattern.fullmatch(national) is not None
    return False


@cache
def _plan(code: int) -> tuple[re.Pattern[str] | None, list[_Region]]:
    """Make the patterns of one country code: what it begins with inside the country, and each region's numbers."""
    names = COUNTRY_CODE_TO_REGION_CODE[code]
    if names == (REGION_CODE_FOR_NON_GEO_ENTITY,):
        found = [PhoneMetadata.metadata_for_nongeo_region(code)]
    else:
        found = [PhoneMetadata.metadata_for_region(name) for name in names]
    regions = []
    for one in filter(None, found):
        kinds = (getattr(one, kind) for kind in _KINDS)
        patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
        general = one.general_desc and one.general_desc.national_number_pattern
        pattern = re.compile(rf"(?=(?:{general})\Z)(?:{'|'.join(f'(?:{pattern})' for pattern in patterns)})")
        regions.append(_Region(re.compile(one.leading_digits) if one.leading_digits else None, pattern))
    prefix = found[0] and found[0].national_prefix_for_parsing
    return re.compile(prefix) if prefix else None, regions
