"""What the keeper does for its operator: snapshots, rotation of the epoch key, the ends of escrow."""

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.keeper import policy
from crm.keeper.engine import Call, Effect, Engine
from crm.keeper.home import Home
from crm.keeper.keys import Keyring
from crm.keeper.people import People
from crm.kit import note
from crm.kit.files import destroy
from crm.kit.store import Op, snapshot

ESCROW_MS = 35 * policy.DAY_MS
REWRAP_AT_ONCE = 500

Done = tuple[dict[str, Any], dict[str, Any]]  # what the entry says, and what the operator is told


@dataclass
class Upkeep:
    """The upkeep part of the keeper."""

    engine: Engine
    ring: Keyring
    home: Home
    people: People
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "upkeep"))

    def due(self) -> list[Effect]:
        """Return what ends: the escrows of epochs retired 35 days ago."""
        before = self.engine.clock.wall_ms() - ESCROW_MS
        retired = "SELECT key FROM meta WHERE key>='retired:' AND key<'retired;' AND value<=?"
        effects = []
        for (key,) in self.engine.store.all(retired, before):
            number = int(key.partition(":")[2])
            destroy(self.home.escrow(number))
            effects.append(Effect([{"act": "escrow_destroyed", "epoch": number}], [("meta-", key)]))
        return effects

    async def before_backup(self, call: Call) -> Done:
        """Write a consistent, signed snapshot; the journal goes on in a new segment behind it."""
        folder = Path(call.args.get("to") or self.home.path / "backups")
        signer = note.Signer(self.engine.log.origin, self.ring.log)
        work = asyncio.get_running_loop().run_in_executor
        path, size = await work(self.thread, snapshot, self.home.file, folder, signer)
        return {"size": size}, {"snapshot": str(path), "size": size}

    async def before_rotate(self, call: Call) -> Done:
        """Wrap every key under a new epoch, take a snapshot, destroy the old epoch's key.

        A crash at any step leaves every key openable: the old epoch's key goes last.
        """
        new, done = self.ring.new_epoch(), list[str]()
        while rewrapped := await self.engine.write(functools.partial(self._rewrap, done)):
            done += rewrapped
        await self.engine.write(lambda: self._retire(new))
        entry, body = await self.before_backup(call)
        self.ring.destroy_epochs_before(new)
        return entry | {"epoch": new, "count": len(done)}, body | {"epoch": new, "rewrapped": len(done)}

    def backup(self, call: Call) -> Effect:
        """Log what was done."""
        entry, body = call.proof
        return Effect([entry], [("meta", "segment", entry["size"])], body)

    rotate = backup

    def _rewrap(self, done: list[str]) -> Effect:
        some = "SELECT id, wrapped FROM subject WHERE id>? AND wrapped IS NOT NULL ORDER BY id LIMIT ?"
        rows = self.engine.store.all(some, done[-1] if done else "", REWRAP_AT_ONCE)
        again = self.ring.rewrap
        ops: list[Op] = [("rewrap", one, again(wrapped, b"subject", one.encode())) for one, wrapped in rows]
        return Effect(ops=ops, answer=[one for one, _ in rows])

    def _retire(self, new: int) -> Effect:
        """Wrap what the store holds of staff; the old escrows' days are counted from the first time on."""
        known = [(staff, staff.totp) for staff in self.people.staff.values() if staff.totp]
        again = self.ring.rewrap
        ops: list[Op] = [
            ("staff", *staff._replace(totp=again(secret, b"totp", staff.id.encode()))) for staff, secret in known
        ]
        old = [key for key in range(1, new) if self.home.escrow(key).exists()]
        marks = [f"retired:{key}" for key in old if not self.engine.store.meta(f"retired:{key}")]
        return Effect(ops=[*ops, *(("meta", mark, self.engine.clock.wall_ms()) for mark in marks)])
