"""Opens through the socket: how many a second, how fast, how many bytes each, with how many people."""

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import disk, fill, homes, made_up
from bench.figures import Report, Spread, spread
from bench.load import Done, put_load

PEOPLE = 1_000
CLIENTS = (1, 16, 64)
RATE_AT_64, TIMES_ALONE, COMMITS, FLAT = 6_000, 5, 4, 0.7


@dataclass
class Level:
    """The repeats at one number of clients; ``commit_ms`` is that of a group as large, right after each."""

    clients: int
    runs: list[Done] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    group: list[float] = field(default_factory=list)
    commit_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> Spread:
        return spread(run.rate for run in self.runs)

    @property
    def p50(self) -> Spread:
        return spread(run.p50_ms for run in self.runs)

    @property
    def p95(self) -> Spread:
        return spread(run.p95_ms for run in self.runs)

    @property
    def commits(self) -> Spread:
        """The slowest of twenty, counted in commits."""
        return spread(run.p95_ms / commit for run, commit in zip(self.runs, self.commit_ms, strict=True))

    def put(self, keeper: homes.Running, token: str, **task: Any) -> None:  # noqa: ANN401 - fields of Task
        """Put the clients to work once."""
        groups, cpu, size = homes.Groups(keeper.home).count, keeper.cpu_s(), keeper.log_size()
        self.runs.append(put_load(keeper, token, clients=self.clients, **task))
        cpu, entries = keeper.cpu_s() - cpu, keeper.log_size() - size
        self.cpu_us.append(cpu / entries * 1e6)
        self.group.append(entries / (homes.Groups(keeper.home).count - groups))


def levels(home: Path, *, notes: int, seconds: float, repeats: int, slow_us: int = 0) -> list[Level]:
    """Put each number of clients to work in turn, and all of them again: noise meets every level alike."""
    found = [Level(clients) for clients in CLIENTS]
    with homes.running(home, slow_us) as keeper:
        token, file = keeper.token(), home / "notes"
        if notes:
            fill.seal_notes(keeper, token, PEOPLE, file, notes)
        for seed in range(repeats):
            for level in found:
                level.put(keeper, token, seconds=seconds, people=PEOPLE, notes=str(file) if notes else "", seed=seed)
                level.commit_ms.append(disk.commit_ms(round(level.group[-1]), notes, slow_us=slow_us))
    return found


def measure(*, report: Report, seconds: float, repeats: int, slowed_us: tuple[int, ...]) -> None:
    """Report opens a second, with the notes and without, and on slower disks."""
    report.title("Opens through the socket")
    report.say(
        f"{PEOPLE:,} people; one open gives identity, channels and {made_up.NOTES} notes of {made_up.NOTE_BYTES} "
        f"bytes, sealed and handed in. Keeper and clients share the machine's processors. A commit is the "
        f"keeper's own of a group as large, on an idle keeper right after each run."
    )
    for slow_us in (0, *(slowed_us if homes.can_be_slowed() else ())):
        home = fill.copy_of(PEOPLE, "opens")
        found = levels(home, notes=made_up.NOTES, seconds=seconds, repeats=repeats, slow_us=slow_us)
        _rows(report, found, f"{made_up.NOTES} notes", slow_us)
    home = fill.copy_of(PEOPLE, "opens")
    _rows(report, levels(home, notes=0, seconds=seconds, repeats=repeats), "no notes", 0)


def _rows(report: Report, found: list[Level], what: str, slow_us: int) -> None:
    where = f"{what}, " + (f"a disk {slow_us // 1000} ms a flush slower" if slow_us else "this disk")
    report.say(f"**{where.capitalize()}:**")
    kept = report.data.setdefault("opens", {}).setdefault(where, {})
    for level in found:
        kept[level.clients] = {
            "opens_per_s": level.rate, "p50_ms": level.p50, "p95_ms": level.p95, "commit_ms": spread(level.commit_ms),
            "p95_commits": level.commits, "group": spread(level.group), "keeper_cpu_us": spread(level.cpu_us),
        }  # fmt: skip
    report.table(
        ("clients", "opens/s", "p50 ms", "p95 ms", "commit ms", "p95 in commits", "group", "keeper CPU us/open"),
        [
            (level.clients, level.rate.text(), level.p50.text(2), level.p95.text(2), spread(level.commit_ms).text(2),
             level.commits.text(1), f"{spread(level.group).median:.1f}", spread(level.cpu_us).text())
            for level in found
        ],
    )  # fmt: skip
    alone, many = found[0], found[-1]
    if not slow_us:
        rate = many.rate.median
        report.target(f"{RATE_AT_64:,} opens/s at 64 ({where})", is_met=rate >= RATE_AT_64, found=f"{rate:,.0f}/s")
    times = spread(a.rate / b.rate for a, b in zip(many.runs, alone.runs, strict=True)).median
    report.target(
        f"at 64 at least {TIMES_ALONE} times the rate at 1 ({where})",
        is_met=times >= TIMES_ALONE, found=f"{times:.1f} times",
    )  # fmt: skip
    for level in found:
        commits = level.commits.median
        report.target(
            f"p95 within {COMMITS} commits at {level.clients} ({where})",
            is_met=commits <= COMMITS, found=f"{commits:.1f} commits",
        )  # fmt: skip
    report.say("")


def measure_bytes(*, report: Report, count: int) -> None:
    """Report by how much file and journal grow with each open."""
    report.title("Bytes of an open")
    rows = []
    for notes, clients in ((False, 64), (True, 64), (False, 1)):
        opens = count if clients > 1 else count // 10
        home = fill.copy_of(PEOPLE, "bytes")
        if notes:
            with homes.running(home) as keeper:
                fill.seal_notes(keeper, keeper.token(), PEOPLE, home / "notes")
        file, journal = homes.file_size(home), homes.Groups(home).size
        with homes.running(home) as keeper:
            written = keeper.written_bytes()
            put_load(
                keeper, keeper.token(), clients=clients, count=opens, people=PEOPLE,
                notes=str(home / "notes") if notes else "",
            )  # fmt: skip
            written = keeper.written_bytes() - written
        grew, added = homes.file_size(home) - file, homes.Groups(home).size - journal
        what = f"{made_up.NOTES} notes" if notes else "no notes"
        rows.append(
            (what, clients, f"{opens:,}", f"{grew / opens:,.0f}", f"{added / opens:,.0f}", f"{written / opens:,.0f}")
        )
        report.data.setdefault("bytes", {})[f"{what}, {clients} clients"] = {
            "file": grew / opens, "journal": added / opens, "written": written / opens,
        }  # fmt: skip
    report.table(("an open of", "clients", "opens", "file grows", "journal grows", "written to disk"), rows)


def measure_people(sizes: tuple[int, ...], *, report: Report, seconds: float, repeats: int) -> None:
    """Report what an open costs with more people in the home; anybody is as likely as anybody else."""
    report.title("Opens with more people")
    found = {people: Level(64) for people in sizes}
    with contextlib.ExitStack() as stack:
        keepers = {
            people: stack.enter_context(homes.running(fill.copy_of(people, f"people-{people}"))) for people in sizes
        }
        tokens = {people: keeper.token() for people, keeper in keepers.items()}
        for keeper in keepers.values():
            keeper.searchable()
        for seed in range(repeats):
            for people, keeper in keepers.items():
                found[people].put(keeper, tokens[people], seconds=seconds, people=people, seed=seed)
    report.table(
        ("people", "opens/s at 64", "p50 ms", "p95 ms", "keeper CPU us/open"),
        [
            (f"{people:,}", level.rate.text(), level.p50.text(2), level.p95.text(2), spread(level.cpu_us).text())
            for people, level in found.items()
        ],
    )
    for people, level in found.items():
        report.data.setdefault("people", {})[people] = {
            "opens_per_s": level.rate, "p95_ms": level.p95, "cpu_us": spread(level.cpu_us)
        }  # fmt: skip
    report.say(
        "No notes: identity and channels of a random person; the keepers in turn, so that noise meets all alike."
    )
    few, many = found[sizes[0]], found[sizes[-1]]
    share = spread(a.rate / b.rate for a, b in zip(many.runs, few.runs, strict=True)).median
    report.target(
        f"flat: with {sizes[-1]:,} people at least {FLAT:.0%} of the rate with {sizes[0]:,}",
        is_met=share >= FLAT, found=f"{share:.0%}",
    )  # fmt: skip
