import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crm.kit.text import fold, words


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Zoë", "zoe"),
        ("Łukasz", "lukasz"),
        ("Øystein", "oystein"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("GROẞ", "gross"),
        ("İstanbul", "istanbul"),
        ("ırmak", "irmak"),
        ("Đorđe", "dorde"),
        ("Æther Œuvre", "aether oeuvre"),
        ("Þórður", "thordur"),
        ("Nguyễn", "nguyen"),
        ("Ｆｕｌｌ", "full"),
        ("ﬁnn", "finn"),
        ("Müller", "muller"),
        ("Mu\u0308ller", "muller"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("Иван Йовчев", "иван иовчев"),
        ("हिन्दी", "हिनदी"),
        ("", ""),
        ("MÜLLER", "muller"),
        ("ANNA", "anna"),
    ],
)
def test_spellings_of_one_name_fold_to_one(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@given(st.text(st.characters(codec="utf-8")))
@example("ſ")
@example("ŉ")
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zoë van der Berg", ["zoe", "van", "der", "berg"]),
        ("O'Brien", ["obrien"]),
        ("O’Brien", ["obrien"]),
        ("Smith-Jones, Ltd.", ["smith", "jones", "ltd"]),
        ("Müller-Lüdenscheidt & Söhne", ["muller", "ludenscheidt", "sohne"]),
        ("  ", []),
        ("", []),
        ("snake_case", ["snake", "case"]),
        ("नमस्ते दुनिया", ["नमसते", "दुनिया"]),
        ("王小明", ["王小明"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text(st.characters(codec="utf-8")))
def test_words_hold_no_blanks_and_are_folded(text: str) -> None:
    for word in words(text):
        assert word
        assert word.split() == [word]
        assert fold(word) == word
