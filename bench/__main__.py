"""``python -m bench [--size small|full] [--only PART ...]``: measure, print Markdown, write ``build/bench.json``."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import disk, imports, opens, pages, rest, search, staff, verify
from bench.figures import Report, machine
from bench.homes import REPOSITORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How long and how large: ``small`` finds what is broken, ``full`` is what the figures are taken from."""

    seconds: float
    repeats: int
    slowed_us: tuple[int, ...]
    rest_clients: tuple[int, ...]
    cards: tuple[int, ...]
    classes: tuple[str, ...]
    entries: int
    opens: int
    people: tuple[int, ...]
    staffed: int
    shift_s: float
    imported: tuple[int, ...]


SMALL = Size(
    seconds=0.4, repeats=3, slowed_us=(2_000,), rest_clients=(16,), cards=(5_000,), classes=("whole name", "mixed"),
    entries=10_000, opens=2_000, people=(1_000, 5_000), staffed=5_000, shift_s=10.0, imported=(3_000,),
)  # fmt: skip
FULL = Size(
    seconds=4.0, repeats=5, slowed_us=(2_000, 8_000), rest_clients=(1, 16, 64), cards=(200_000, 1_000_000),
    classes=search.CLASSES, entries=200_000, opens=50_000, people=(1_000, 100_000, 1_000_000),
    staffed=200_000, shift_s=staff.SHIFT_S, imported=(100_000, 1_000_000),
)  # fmt: skip


def parts(size: Size) -> dict[str, Callable[..., None]]:
    """Return the parts by name, in their order."""
    return {
        "disk": disk.measure,
        "opens": partial(opens.measure, seconds=size.seconds, repeats=size.repeats, slowed_us=size.slowed_us),
        "rest": partial(rest.measure, size.rest_clients, seconds=size.seconds, repeats=size.repeats),
        "search": partial(search.measure, size.cards, size.classes, seconds=size.seconds / 2, repeats=size.repeats),
        "verify": partial(verify.measure, size.entries, repeats=size.repeats),
        "bytes": partial(opens.measure_bytes, count=size.opens),
        "staff": partial(staff.measure, size.staffed, seconds=size.shift_s),
        "pages": partial(pages.measure, size.staffed, seconds=size.seconds, rush_s=size.shift_s / 10),
        "imports": partial(imports.measure, size.imported, repeats=size.repeats),
        "people": partial(opens.measure_people, size.people, seconds=size.seconds, repeats=size.repeats),
    }


def main() -> int:
    """Run the parts asked for; 1 when a target is missed at full size."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--only", nargs="+", choices=list(parts(SMALL)), default=list(parts(SMALL)))
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "bench.json")
    options = parser.parse_args()
    report = Report()
    about = machine()
    report.lines += ["# Kept, measured", "", "; ".join(f"{name} {value}" for name, value in about.items()) + "."]
    report.data |= {"machine": about, "size": options.size}
    printed = 0
    for name, part in parts(FULL if options.size == "full" else SMALL).items():
        if name in options.only:
            began = time.perf_counter()
            part(report=report)
            report.say(f"(Took {time.perf_counter() - began:.0f} s.)")
            print("\n".join(report.lines[printed:]), flush=True)
            printed = len(report.lines)
            report.write(options.out)
    report.lines += ["", "## Missed", ""] + ([f"- {one}" for one in report.missed] or ["Nothing."])
    print("\n".join(report.lines[printed:]))
    return int(bool(report.missed) and options.size == "full")


if __name__ == "__main__":
    sys.exit(main())
