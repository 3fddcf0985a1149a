"""Finding people: labels from the index cards, whole addresses and numbers by fingerprint."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from crm.keeper import policy
from crm.keeper.engine import Call, Effect, Engine, Invalid, Refused
from crm.keeper.subjects import Subjects
from crm.kit import clock, ids
from crm.kit.cards import Card, Cards
from crm.kit.log import ACTED

QUERY_LIMIT = 200
RECENT, RECENT_MS, LOOKED_AT = 20, 14 * policy.DAY_MS, 500
CARDS_AT_ONCE = 100


@dataclass
class Finding:
    """The finding part of the keeper. What it shows is an entry; what was typed never is."""

    engine: Engine
    cards: Cards
    subjects: Subjects
    is_ready: bool = False

    def search(self, call: Call) -> Effect:
        """Find by the beginnings of words."""
        try:
            cards, more = self._ready().search(call.args["q"][:QUERY_LIMIT], call.args.get("kind", "contact"))
        except ValueError as error:
            raise Invalid("Type at least three characters.", "/q") from error
        return self._show(call, cards, {"matches": cards, "more": more})

    def labels(self, call: Call) -> Effect:
        """Label known people."""
        cards = self._found(call.args["subjects"])
        return self._show(call, cards, {"matches": cards, "more": False})

    def match(self, call: Call) -> Effect:
        """Find who holds a whole address or number; at most one label."""
        cards = self._found(self._holders(call))
        return self._show(call, cards, cards[0] if cards else None)

    def recent(self, call: Call) -> Effect:
        """Label the people the caller opened lately: no entry of its own, the opens are in the log."""
        log, before = self.engine.log, self.engine.clock.wall_ms() - RECENT_MS
        found: dict[str, None] = {}
        for index in log.mentions(call.staff, ACTED, 0, log.size, -LOOKED_AT):
            entry = log.entry(index)
            if len(found) >= RECENT or clock.parse_rfc3339(entry["at"]) < before:
                break
            # Whoever was merged away stands under somebody the caller may never have opened.
            who = entry["subjects"][0] if entry["act"] == "open" and entry["purpose"] != "agenda" else ""
            found |= {who: None} if who and self.subjects.canonical(who) == who else {}
        return Effect(answer={"matches": self._found(found), "more": False})

    def subject(self, call: Call) -> Effect:
        """Tell an auditor the id behind an address or number: no name."""
        found = self._holders(call)
        self.engine.spend(call, found or [ids.new_id()])
        return Effect([{"subjects": found}], answer={"id": found[0] if found else None})

    async def build(self) -> None:
        """Write the cards of everybody, a few in each group that is built, so that requests are answered between."""
        after = ""
        while after := await self.engine.write(functools.partial(self._build_after, after)):
            pass
        await self.engine.write(lambda: Effect([{"act": "cards_built"}]))
        self.is_ready = True

    def _build_after(self, subject: str) -> Effect:
        next_ones = "SELECT id FROM subject WHERE id>? ORDER BY id LIMIT ?"
        rows = self.engine.store.all(next_ones, subject, CARDS_AT_ONCE)
        with self.cards.db:
            for (one,) in rows:
                self.subjects.write_card(one)
        return Effect(answer=rows[-1][0] if rows else "")

    def _ready(self) -> Cards:
        if not self.is_ready:
            raise Refused("keeper-unavailable", "The index cards are being built; try again shortly.")
        return self.cards

    def _found(self, subjects: Iterable[str]) -> list[Card]:
        cards = map(self._ready().card, dict.fromkeys(map(self.subjects.canonical, subjects)))
        return [card for card in cards if card]

    def _holders(self, call: Call) -> list[str]:
        kind, value = call.args["kind"], str(call.args["value"])
        if kind not in {"email", "phone"}:
            raise Invalid("Match an email or a phone.", "/kind")
        print_ = self.subjects.fingerprint(kind, value)
        row = self.engine.store.one("SELECT subject FROM fingerprint WHERE print=? LIMIT 1", print_)
        return [self.subjects.canonical(row[0])] if row else []

    def _show(self, call: Call, cards: list[Card], answer: object) -> Effect:
        shown = [card.subject for card in cards]
        self.engine.spend(call, shown or [ids.new_id()])
        return Effect([{"subjects": shown, "count": len(shown)}], answer=answer)
