"""The standards that plain attributes are taken from, so that none of them can carry a name."""

import re
import zoneinfo

from phonenumbers import SUPPORTED_REGIONS

# ISO 639-1, and the ISO 639-3 languages that have locales but no two letters.
_LANGUAGES = """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz
    ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln
    lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi
    pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti
    tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu agq asa ast bas bem bez
    brx ceb cgg chr ckb dav dje dsb dua dyo ebu ewo fil fur gsw guz haw hsb jgo jmc kab kam kde kea
    khq kkj kln kok ksb ksf ksh lag lkt lrc luo luy mai mas mer mfe mgh mgo mua mzn naq nds nmg nnh
    nus nyn pcm rof rwk sah saq sat sbp seh ses shi smn szl teo twq tzm vai vun wae xog yav yue zgh
"""
LANGUAGES = frozenset(_LANGUAGES.split())
# ISO 3166 places without a telephone region of their own.
COUNTRIES = frozenset(SUPPORTED_REGIONS) | {"AQ", "BV", "GS", "HM", "PN", "TF", "UM"}
_SCRIPTS = """
    Adlm Arab Armn Beng Cans Cher Cyrl Deva Ethi Geor Grek Gujr Guru Hans Hant Hebr Jpan Khmr Knda
    Kore Laoo Latn Mlym Mong Mymr Olck Orya Sinh Taml Telu Tfng Thaa Thai Tibt Vaii
"""
SCRIPTS = frozenset(_SCRIPTS.split())
# Read at import: later this process may run under an account that cannot reach the files of its packages.
TIME_ZONES = frozenset(zoneinfo.available_timezones())
_TAG = re.compile(r"([a-z]{2,3})(?:-([A-Z][a-z]{3}))?(?:-([A-Z]{2}|419|150|001))?")


def language(tag: str) -> str:
    """Take a BCP 47 tag of language, script and region; private parts could say anything and are refused.

    Raises:
        ValueError: not such a tag, or a part is not registered.
    """
    parts = tag.strip().replace("_", "-").split("-")
    tidy = [parts[0].lower()]
    tidy += [part.title() if len(part) == 4 else part.upper() for part in parts[1:]]  # noqa: PLR2004 - a script
    found = _TAG.fullmatch("-".join(tidy))
    if found is None or found[1] not in LANGUAGES or (found[2] or "Latn") not in SCRIPTS:
        raise ValueError("not a language tag of BCP 47")
    if found[3] and found[3].isalpha() and found[3] not in COUNTRIES:
        raise ValueError("not a language tag of BCP 47")
    return found[0]


def country(code: str) -> str:
    """Take an ISO 3166 alpha-2 code.

    Raises:
        ValueError: no such country.
    """
    tidy = code.strip().upper()
    if tidy not in COUNTRIES:
        raise ValueError("not a country code of ISO 3166")
    return tidy


def time_zone(name: str) -> str:
    """Take an IANA time zone.

    Raises:
        ValueError: no such zone.
    """
    if name not in TIME_ZONES:
        raise ValueError("not a time zone of the IANA list")
    return name
