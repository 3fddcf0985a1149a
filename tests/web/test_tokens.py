"""The colours: every pair of ink and ground in use is readable in both themes (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re

import pytest

from web.assets import STATIC

TOKEN = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
THEMES = {"light": 0, "dark": 1}
COLOURS = {name: (light, dark) for name, light, dark in TOKEN.findall((STATIC / "css" / "tokens.css").read_text())}
OURS, ROLES = ("base", "frame", "parts"), ("staff", "audit", "admin")
GROUNDS = ("panel", "canvas", "fill", "press")
TEXTS = [(ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in GROUNDS] + [
    ("on-accent", "accent"), ("panel", "accent-ink"), ("accent-ink", "accent-soft"), ("accent-ink", "panel"),
    *((name, f"{name}-soft") for name in ("ok", "warn", "bad", "info", "plum", "rose")),
    *((name, ground) for name in ("ok", "warn", "bad", "info") for ground in ("panel", "canvas")),
    ("panel", "ink"),
]  # fmt: skip
# What is no text: borders of controls, the ring of the focus, marks of charts.
SHAPES = [(name, ground) for name in ("line-2", "focus", "chart-1") for ground in ("panel", "canvas")]


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("ink", "ground", "least"), [(*pair, 4.5) for pair in TEXTS] + [(*pair, 3.0) for pair in SHAPES]
)
def test_it_is_readable(ink: str, ground: str, least: float, theme: str) -> None:
    place = THEMES[theme]

    assert contrast(COLOURS[ink][place], COLOURS[ground][place]) >= least


def test_no_colour_stands_outside_of_the_tokens() -> None:
    for file in (STATIC / "css").glob("*.css"):
        if file.name != "tokens.css":
            written = re.sub(r"rgb\(0 0 0 / \.\d+\)|rgb\(10 14 13 / \.45\)|#fff;", "", file.read_text())
            assert not re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(|hsl\(", written), file.name


def test_every_token_that_is_used_is_there() -> None:
    named = set(re.findall(r"--([a-z0-9-]+):", (STATIC / "css" / "tokens.css").read_text()))
    styles = "".join(file.read_text() for file in (STATIC / "css").glob("*.css"))
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", styles))

    assert used <= named


def test_a_class_is_styled_by_one_role_alone() -> None:
    """Two of one name would meet on a page, and no tool but the eye would notice."""
    shared = set(re.findall(r"\.([a-z][\w-]*)", "".join((STATIC / "css" / f"{name}.css").read_text() for name in OURS)))
    named = [set(re.findall(r"\.([a-z][\w-]*)", (STATIC / "css" / f"{name}.css").read_text())) for name in ROLES]

    for place, one in enumerate(named):
        for other in named[place + 1 :]:
            assert (one & other) - shared == set()
