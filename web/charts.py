"""Charts as SVG, drawn here: no script, no inline style, in the page's own colours, and printable.

Each mark has a `<title>`; the whole has a summary for who does not see it.
"""

from collections.abc import Sequence

import segno
from markupsafe import Markup

Bar = tuple[str, int]


def sparkline(bars: Sequence[Bar], summary: str, height: int = 32) -> Markup:
    """Draw one narrow column for each day; a day of nothing is a dash on the ground."""
    return _columns(bars, summary, width=8, gap=2, height=height, css="spark")


def columns(bars: Sequence[Bar], summary: str, height: int = 96) -> Markup:
    """Draw one column for each part of a day."""
    return _columns(bars, summary, width=22, gap=6, height=height, css="columns")


def bar(used: int, most: int, summary: str) -> Markup:
    """Draw how much of something is used."""
    width = min(round(100 * used / most), 100) if most else 0
    return Markup(
        '<svg class="chart-left" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<rect class="chart-none" width="100" height="6"/><rect class="chart-bar" width="{}" height="6"/></svg>'
    ).format(summary, max(width, 1) if used else 0)


def qr(text: str, summary: str) -> Markup:
    """Draw a QR code, dark on light whatever the theme: cameras read no other."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    marks = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return Markup(
        '<svg class="chart-qr" viewBox="0 0 {0} {0}" role="img" aria-label="{1}"><rect width="{0}" height="{0}"/>'
        '<path d="{2}"/></svg>'
    ).format(len(rows), summary, marks)


def _columns(bars: Sequence[Bar], summary: str, *, width: int, gap: int, height: int, css: str) -> Markup:
    most = max((count for _, count in bars), default=0) or 1
    step = width + gap
    marks = Markup("")
    for place, (name, count) in enumerate(bars):
        tall = max(round(height * count / most), 3) if count else 1
        marks += Markup(
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="{}"><title>{}: {}</title></rect>'
        ).format(
            "chart-bar" if count else "chart-none", place * step, height - tall, width, tall, min(2, tall // 2), name,
            count,
        )  # fmt: skip
    return Markup('<svg class="chart chart-{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        css, max(len(bars) * step - gap, 1), height, summary, marks
    )
