"""``python -m bench.commit HOME ENTRIES RECORDS``: commit groups with the keeper's own store, and time each.

This is the time below which no open can be answered: entries encoded and put into the tree, the checkpoint
signed, journal and file flushed.
"""

import json
import sys
import time
from pathlib import Path

from bench.figures import percentile
from crm.keeper.home import Home, open_home
from crm.kit.ids import new_id
from crm.kit.store import Group

GROUPS, WARM_UP = 60, 10


def main(home: Path, entries: int, records: int) -> None:
    store, _, log, _ = open_home(Home(home), None)
    actor, took = new_id(), list[float]()
    for _ in range(GROUPS + WARM_UP):
        made = [_entry(actor, records) for _ in range(entries)]
        began = time.perf_counter()
        store.begin()
        first, bodies = log.size, []
        for entry in made:
            body = log.encode(entry, time.time_ns() // 1_000_000, 0)
            log.append(body, entry)
            bodies.append(body)
        store.write(Group(store.head.seq + 1, first, bodies, [], log.sign()))
        took.append((time.perf_counter() - began) * 1000)
    store.close()
    print(json.dumps({"p50_ms": percentile(sorted(took[WARM_UP:]), 0.5)}))


def _entry(actor: str, records: int) -> dict[str, object]:
    entry: dict[str, object] = {
        "act": "open", "actor": actor, "by": "web", "fields": ["identity", "channels"], "outcome": "ok",
        "purpose": "serve", "reason": "call", "role": "staff", "session": actor[:16], "subjects": [new_id()],
    }  # fmt: skip
    return entry | ({"records": [new_id() for _ in range(records)]} if records else {})


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
