"""What a flush costs here, and what one group's commit costs the keeper: the measure for everything else."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.figures import Report, percentile, spread
from bench.homes import FOLDER, REPOSITORY, environment, make

FLUSHES, REPEATS = 1_000, 3
SIZES = {"a page": 4_096, "a group of 64 opens": 22_000, "the same with 20 notes each": 68_000}


def fdatasync_ms(folder: Path, size: int, count: int = FLUSHES) -> list[float]:
    """Append and flush ``size`` bytes many times; the milliseconds of each, in order of size."""
    path = folder / "flush"
    data, took = os.urandom(size), list[float]()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for _ in range(count):
            os.write(handle, data)
            began = time.perf_counter()
            os.fdatasync(handle)
            took.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(handle)
        path.unlink()
    return sorted(took)


def measure(report: Report) -> None:
    """Report the disk."""
    report.title("The disk")
    FOLDER.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, size in SIZES.items():
        runs = [fdatasync_ms(FOLDER, size) for _ in range(REPEATS)]
        middle, slow = (spread(percentile(run, share) for run in runs) for share in (0.5, 0.99))
        rows.append((name, f"{size:,}", middle.text(2), slow.text(2)))
        report.data.setdefault("disk", {})[name] = {"bytes": size, "p50_ms": middle, "p99_ms": slow}
    report.table(("fdatasync after appending", "bytes", "p50 ms", "p99 ms"), rows)


def commit_ms(entries: int, records: int, *, slow_us: int = 0) -> float:
    """Return the median milliseconds of one group's commit on an otherwise idle keeper's store."""
    home = FOLDER / "home-commit"
    if not home.exists():
        make(home)
    ran = subprocess.run(
        [sys.executable, "-m", "bench.commit", str(home), str(entries), str(records)],
        check=True, capture_output=True, text=True, cwd=REPOSITORY, env=environment(slow_us),
    )  # fmt: skip
    return float(json.loads(ran.stdout)["p50_ms"])
