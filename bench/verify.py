"""How fast a whole log is verified from its pinned key."""

import tempfile
from pathlib import Path

from bench import fill, homes
from bench.figures import Report, spread
from bench.load import put_load
from crm.audit.service import verify_home

PEOPLE, RATE = 1_000, 100_000


def measure(entries: int, *, report: Report, repeats: int) -> None:
    """Report entries a second."""
    report.title("Verifying the log")
    home = fill.copy_of(PEOPLE, "verify")
    with homes.running(home) as keeper:
        put_load(keeper, keeper.token(), clients=64, count=entries, people=PEOPLE)
    key = (home / "log.vkey").read_text().strip()
    rates, size = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(repeats):
            proved = verify_home(home, key, Path(folder) / f"{repeat}.json")
            size = proved.checkpoint.size
            rates.append(size / proved.duration_ms * 1000)
    rate = spread(rates)
    report.data["verify"] = {"entries": size, "entries_per_s": rate}
    report.say(
        f"{size:,} entries, each compared with the journal, hashed anew, its canonical form and time checked, all "
        f"tiles and signed roots compared: {rate.text()} entries/s on one processor."
    )
    report.target(f"{RATE:,} entries/s verified", is_met=rate.median >= RATE, found=f"{rate.median:,.0f}/s")
