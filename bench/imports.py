"""People a second through an import: a table through REST to its end, beside a plain COPY of the same rows."""

import asyncio
import csv
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench import homes, made_up, stack
from bench.figures import Report, spread
from bench.homes import FOLDER
from crm.contacts.commands import Client

HEADINGS = (
    "First Name", "Last Name", "Company", "Job Title", "E-mail Address", "Mobile Phone", "Business Street",
    "Business City", "Business Postal Code", "Business Country", "Notes",
)  # fmt: skip
BATCH = 1_000
# What an import may have at most is 64 MB; more people come in several files.
PART = 400_000
POINTS = 5
RATE = 5_000
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """An import: its length, and the processor time of each process in it."""

    seconds: float
    keeper_s: float
    web_s: float
    postgres_s: float

    @property
    def cpu_s(self) -> float:
        return self.keeper_s + self.web_s + self.postgres_s


def measure(sizes: Sequence[int], *, report: Report, repeats: int) -> None:
    """Report imports of several sizes, those beyond one file once."""
    for people in sizes:
        _measure(people, report=report, repeats=repeats if people <= PART else 1)


def _measure(people: int, *, report: Report, repeats: int) -> None:
    """Report an import into an empty home, the same again, and the COPY."""
    report.title(f"Imports of {people:,}")
    report.say(
        f"A table of {people:,} made-up people, ten columns filled, given to one web worker; told apart, sealed, "
        "fingerprinted, carded, logged, and committed in PostgreSQL. *A core* divides by all processor time that was "
        "used, whoever used it. COPY is the same rows in plain text into one table with a primary key."
    )
    files = [FOLDER / f"people-{start}.csv" for start in range(0, people, PART)]
    for start, file in zip(range(0, people, PART), files, strict=True):
        write(file, start, min(people, start + PART))
    first, again, copies = list[Run](), list[Run](), list[float]()
    for repeat in range(repeats):
        home = FOLDER / "imports"
        homes.make(home)
        with homes.running(home) as keeper, stack.postgres() as dsns:
            keeper.token()
            asyncio.run(_empty(dsns))
            with stack.web(dsns, "crm.host.web", keeper) as web:
                memory = [(0, *_memory_mb(web, keeper))]
                first.append(_import(keeper, web, files, is_new=True, memory=memory))
                most = _most_mb(web.pid)
                again.append(_import(keeper, web, files, is_new=False, memory=[]))
            copies.append(people / asyncio.run(_copy(dsns, people)))
        report.say(f"(Run {repeat + 1}: {people / first[-1].seconds:,.0f}/s.)")
    _report(report, people, {"first": first, "the same again": again}, copies)
    size = max(file.stat().st_size for file in files) / 2**20
    report.say(f"Files: {len(files)}, the largest of {size:.0f} MB; the web worker never had more than {most:.0f} MB.")
    report.table(("people stored", "web MB", "keeper MB"), [(f"{n:,}", f"{a:.0f}", f"{b:.0f}") for n, a, b in memory])
    report.data.setdefault("imports_memory_mb", {})[people] = {"points": memory, "most": most, "file": size}


def _report(report: Report, people: int, runs: dict[str, list[Run]], copies: list[float]) -> None:
    rows = []
    for name, some in runs.items():
        rate, a_core = (
            spread(people / seconds for seconds in (getattr(run, of) for run in some)) for of in ("seconds", "cpu_s")
        )
        shares = [spread(getattr(run, of) / people * 1e6 for run in some) for of in ("keeper_s", "web_s", "postgres_s")]
        rows.append((name, rate.text(), a_core.text(), *(share.text() for share in shares)))
        report.data.setdefault("imports", {})[f"{people} {name}"] = {
            "per_s": rate, "per_core_s": a_core, "cpu_us": shares
        }  # fmt: skip
    rows.append(("COPY", spread(copies).text(), "", "", "", ""))
    report.table(("", "people/s", "a core", "keeper CPU us", "web CPU us", "PostgreSQL CPU us"), rows)
    rate = report.data["imports"][f"{people} first"]["per_core_s"].median
    report.target(f"{RATE:,} people/s a core", is_met=rate >= RATE, found=f"{rate:,.0f}/s")


def _import(
    keeper: homes.Running, web: stack.Server, files: list[Path], *, is_new: bool, memory: list[tuple[int, float, float]]
) -> Run:
    """Give files one after the other; ``memory`` gets the sizes of web and keeper at some points of each."""
    postgres = _postgres()

    def used() -> tuple[float, float, float]:
        return keeper.cpu_s(), homes.cpu_s(web.pid), sum(map(homes.cpu_s, _family(postgres)))

    with Client(f"http://127.0.0.1:{web.port}") as client:
        client.sign_in(homes.NAMES["staff"], homes.PASSWORD.reveal())
        before, began, earlier = used(), time.perf_counter(), 0
        for file in files:
            point = 1
            for state in client.follow(client.send_file(file)):
                if state["read"] * POINTS >= point * state["total"]:
                    memory.append((earlier + state["read"], *_memory_mb(web, keeper)))
                    point += 1
            if (state["state"], state["stored"]) != ("done", state["total"] if is_new else 0):
                raise RuntimeError(f"the import is {state['state']}: {state['stored']} of {state['total']}")
            earlier += state["total"]
        seconds, after = time.perf_counter() - began, used()
    return Run(seconds, *(end - start for start, end in zip(before, after, strict=True)))


def _memory_mb(web: stack.Server, keeper: homes.Running) -> tuple[float, float]:
    return homes.memory_mb(web.pid)["VmRSS"], keeper.memory_mb()["VmRSS"]


def _most_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def _postgres() -> int:
    return int((FOLDER / "database" / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def _family(parent: int) -> Iterator[int]:
    """Give a process and its children."""
    yield parent
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            yield int(entry.parent.name)


def _rows(first: int, end: int) -> Iterator[Row]:
    population = made_up.Population()
    for start in range(first, end, BATCH):
        for _, identity, channels in population.people(start, min(BATCH, end - start)):
            (address,) = channels["addresses"]
            yield (
                identity["given_name"], identity["family_name"], identity.get("company", ""), identity["job_title"],
                channels["emails"][0], channels["phones"][0], address["street"], address["city"], address["postcode"],
                "Germany", "Met at the fair, wants a call back",
            )  # fmt: skip


def write(file: Path, first: int, end: int) -> None:
    """Write a table of some people."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        writer.writerows(_rows(first, end))
        stream.flush()
        os.fsync(stream.fileno())


async def _empty(dsns: Path) -> None:
    owner = await asyncpg.connect((dsns / "kept_owner.dsn").read_text().strip())
    await owner.execute("truncate contact, interaction, import_job, upkeep cascade")
    await owner.execute("insert into upkeep values ('reconcile', $1, null)", 1 << 40)
    await owner.close()


async def _copy(dsns: Path, people: int) -> float:
    """Copy the rows in plain text; returns the seconds that took."""
    owner = await asyncpg.connect((dsns / "kept_owner.dsn").read_text().strip())
    await owner.execute("drop table if exists bench_people")
    columns = [f"c{number}" for number in range(len(HEADINGS))]
    await owner.execute(
        f"create table bench_people (id int primary key, {', '.join(f'{one} text' for one in columns)})"
    )
    numbered = [(number, *row) for number, row in enumerate(_rows(0, people))]
    began = time.perf_counter()
    await owner.copy_records_to_table("bench_people", records=numbered, columns=["id", *columns])
    took = time.perf_counter() - began
    await owner.execute("drop table bench_people")
    await owner.close()
    return took
