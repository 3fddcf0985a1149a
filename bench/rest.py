"""Opens through REST, against the same handler on plaintext rows."""

import msgpack

from bench import fill, homes, made_up, plaintext_app, stack
from bench.figures import Report, Spread, spread
from bench.http_load import INSTALL, Answered, get_contacts, has_wrk

PEOPLE = 1_000
SHARE, FROM, SMALL_RATE = 0.6, 16, 800


class Side:
    """One of the two servers, and what was seen of it at each number of clients."""

    def __init__(self, server: stack.Server, token: str) -> None:
        self.server = server
        self.token = token
        self.runs: dict[tuple[bool, int], list[Answered]] = {}
        self.cpu_us: dict[tuple[bool, int], list[float]] = {}

    def ask(self, *, small: bool, clients: int, seconds: float, seed: int) -> None:
        who = stack.ids(PEOPLE, 2 * PEOPLE) if small else stack.ids(0, PEOPLE)
        cpu = homes.cpu_s(self.server.pid)
        # The warm-up's share of the processor time is the same on both sides.
        answered = get_contacts(self.server.port, self.token, who, clients=clients, seconds=seconds, seed=seed)
        if answered.errors:
            raise RuntimeError(f"{answered.errors} of {answered.count} answers were errors")
        cpu = homes.cpu_s(self.server.pid) - cpu
        self.runs.setdefault((small, clients), []).append(answered)
        share = answered.seconds / (answered.seconds + 1)
        self.cpu_us.setdefault((small, clients), []).append(cpu * share / answered.count * 1e6)

    def rate(self, key: tuple[bool, int]) -> Spread:
        return spread(run.rate for run in self.runs[key])

    def p95(self, key: tuple[bool, int]) -> Spread:
        return spread(run.p95_ms for run in self.runs[key])


def measure(levels: tuple[int, ...], *, report: Report, seconds: float, repeats: int) -> None:
    """Report both, alternating, so that noise meets both alike."""
    report.title("Opens through REST")
    tool = "wrk" if has_wrk() else f"a client of this bench's own (for wrk: {INSTALL})"
    report.say(
        f"One web worker (uvicorn, uvloop, httptools), PostgreSQL, keeper and load ({tool}) on this machine. "
        f"*Plaintext* is the same handler and the same answer without a keeper (bench/plaintext_app.py)."
    )
    home = fill.copy_of(2 * PEOPLE, "rest")
    with homes.running(home) as keeper, stack.postgres() as dsns:
        token = keeper.token()
        fill.seal_notes(keeper, token, PEOPLE, home / "notes")
        sealed = msgpack.unpackb((home / "notes").read_bytes(), strict_map_key=False)
        stack.fill_tables(dsns, sealed, 2 * PEOPLE)
        with stack.web(dsns, "crm.host.web", keeper) as ours, stack.web(dsns, "bench.plaintext_app", keeper) as theirs:
            sides = Side(ours, token), Side(theirs, plaintext_app.TOKEN)
            for repeat in range(repeats):
                for small in (False, True):
                    for clients in levels:
                        for side in sides:
                            side.ask(small=small, clients=clients, seconds=seconds, seed=repeat)
    _rows(report, *sides)


def _rows(report: Report, ours: Side, theirs: Side) -> None:
    rows = []
    for key in sorted(ours.runs, key=lambda key: (key[0], key[1])):
        small, clients = key
        what = "no notes" if small else f"{made_up.NOTES} notes"
        shares = spread(mine.rate / other.rate for mine, other in zip(ours.runs[key], theirs.runs[key], strict=True))
        cpu = spread(ours.cpu_us[key]), spread(theirs.cpu_us[key])
        rows.append(
            (what, clients, ours.rate(key).text(), ours.p95(key).text(1), theirs.rate(key).text(),
             theirs.p95(key).text(1), shares.text(2), f"{cpu[0].median:,.0f}", f"{cpu[1].median:,.0f}")
        )  # fmt: skip
        report.data.setdefault("rest", {})[f"{what}, {clients}"] = {
            "opens_per_s": ours.rate(key), "p95_ms": ours.p95(key), "plain_per_s": theirs.rate(key),
            "plain_p95_ms": theirs.p95(key), "share": shares, "web_cpu_us": cpu[0], "plain_cpu_us": cpu[1],
        }  # fmt: skip
        if clients >= FROM:
            report.target(
                f"at least {SHARE:.0%} of plaintext at {clients} ({what})",
                is_met=shares.median >= SHARE, found=f"{shares.median:.0%}",
            )  # fmt: skip
        if small and clients == FROM:
            rate = ours.rate(key).median
            report.target(
                f"{SMALL_RATE}/s a web worker with a small payload at {clients}",
                is_met=rate >= SMALL_RATE, found=f"{rate:,.0f}/s",
            )  # fmt: skip
    report.say("")
    report.table(
        (
            "payload",
            "clients",
            "kept req/s",
            "p95 ms",
            "plaintext req/s",
            "p95 ms",
            "share",
            "web CPU us",
            "plain CPU us",
        ),
        rows,
    )
