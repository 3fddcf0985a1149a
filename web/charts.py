"""Charts as SVG, drawn here: no script, no inline style, in the page's own colours, and printable.

Each mark has a `<title>`; the whole has a summary for who does not see it.
"""

from collections.abc import Sequence

from markupsafe import Markup

Bar = tuple[str, int]


def sparkline(bars: Sequence[Bar], summary: str, height: int = 32) -> Markup:
    """Draw one narrow column for each day; a day of nothing is a dash on the ground."""
    return _columns(bars, summary, width=8, gap=2, height=height, css="spark")


def columns(bars: Sequence[Bar], summary: str, height: int = 96) -> Markup:
    """Draw one column for each part of a day."""
    return _columns(bars, summary, width=22, gap=6, height=height, css="columns")


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
