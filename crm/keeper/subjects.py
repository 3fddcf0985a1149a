"""The people the records are about: what is stored of them, opened, merged and erased.

A subject is live, restricted (kept, and opened for its own request alone), erasing (nothing opens; the key
dies when due) or erased (a tombstone without a key). A merged-away subject is an alias: the set is opened,
found and counted as the one it points to.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgpack

from crm.keeper import policy
from crm.keeper.engine import Call, Effect, Engine, Invalid, Refused, logger
from crm.keeper.keys import Keyring
from crm.kit import clock, email, ids, phone
from crm.kit.cards import Cards
from crm.kit.log import ABOUT
from crm.kit.sealing import Seal
from crm.kit.store import Op

LIVE, ERASING, RESTRICTED = "live", "erasing", "restricted"
KINDS = frozenset({"contact", "company", "house"})
SECTION_LIMIT, RECORD_LIMIT = 256 * 1024, 8 * 1024 * 1024
ERASED_AT_ONCE = 200
HELD = "SELECT 1 FROM fingerprint WHERE print=? AND subject<>? LIMIT 1"
REFERENCE = re.compile(r"([a-z]+):([0-9a-f]{32})")

Sections = dict[str, dict[str, Any]]


class Subject(NamedTuple):
    """One subject, as stored."""

    id: str
    kind: str
    state: str
    wrapped: bytes
    due_at: int | None
    asked_by: str | None


class Writing(NamedTuple):
    """One subject within a put: its key, whether it is made there, and what is written of it."""

    seal: Seal
    is_new: bool
    sections: Sections


class Subjects:
    """The subjects part of the keeper."""

    def __init__(self, engine: Engine, keys: Keyring, cards: Cards, region: str) -> None:
        self._engine = engine
        self._store = engine.store
        self._keys = keys
        self._cards = cards
        self._region = region or None
        self._aliases: dict[str, str] = {}
        self._merged: defaultdict[str, list[str]] = defaultdict(list)
        for row in engine.store.all("SELECT * FROM alias"):
            self.follow(("alias", *row))

    def follow(self, op: Op) -> None:
        """Keep aliases and cards equal to the store."""
        change, subject, *to = op
        if change == "alias":
            self._aliases[subject] = to[0]
            self._merged[to[0]].append(subject)
        elif change == "alias-" and (kept := self._aliases.pop(subject, "")):
            self._merged[kept].remove(subject)
        if change in {"alias", "alias-", "state"}:
            self.write_card(subject)

    # Who is meant

    def canonical(self, subject: str) -> str:
        """Follow merges to the subject that stands for the set."""
        while subject in self._aliases:
            subject = self._aliases[subject]
        return subject

    def members(self, subject: str) -> list[str]:
        """List the set a canonical subject stands for, itself first."""
        found = [subject]
        for one in found:
            found += self._merged.get(one, ())
        return found

    def standing(self, subject: str) -> dict[str, Any]:
        """Say, in ids and times only, what a subject was merged into and when its key dies: 0 when it has died."""
        found = self.find(subject)
        return {"into": self._aliases.get(subject), "due": found.due_at if found and found.wrapped else 0}

    def find(self, subject: str) -> Subject | None:
        """Return a subject in whatever state."""
        row = self._store.one("SELECT id, kind, state, wrapped, due_at, asked_by FROM subject WHERE id=?", subject)
        return Subject(*row) if row else None

    def _live(self, subject: str, *states: str, house: bool = False) -> Subject:
        """Return one in one of the states (live) and nobody's alias; all others and the unknown are one answer."""
        found = self.find(subject) if ids.is_id(subject) and subject not in self._aliases else None
        if found is None or found.state not in (states or (LIVE,)) or (found.kind == "house") != house:
            raise Refused("not-found")
        return found

    def _whole(self, call: Call, *states: str) -> tuple[list[str], dict[str, Any]]:
        """Return the set a call is about, paid for, and what its entry says of it."""
        everyone = self.members(self._live(call.args["subject"], *states).id)
        self._engine.spend(call, everyone[:1])
        return everyone, _about(everyone[:1], everyone[1:])

    # Writing

    def put(self, call: Call) -> Effect:
        """Store sections, all or none; creating what exists already writes nothing and answers as the first time."""
        writing: dict[str, Writing] = {}
        versions, ops = list[int](), list[Op]()
        for item in call.args["items"]:
            subject, name = item["subject"], item["section"]
            if name not in call.rule.sections:
                raise Refused("purpose-not-yours")
            one = writing[subject] = writing.get(subject) or self._begin(call, item, ops)
            version, is_due = self._version(call, one, item)
            versions.append(version)
            if is_due:
                fields = one.sections[name] = item["fields"]
                sealed = one.seal.seal(name, version, _packed(fields, SECTION_LIMIT))
                ops.append(("section", subject, name, version, sealed))
                # Whoever is made here has no fingerprints that could be taken back.
                ops += self._prints(subject, fields)[one.is_new :] if name == "channels" else []
        written = {subject: one for subject, one in writing.items() if one.sections}
        if not written:
            (first,) = self._engine.log.mentions(next(iter(writing)), ABOUT, 0, self._engine.log.size, 1)
            return Effect(answer={"index": first, "versions": versions, "held": 0})
        self._engine.spend(call, list(written))
        places = {subject: place for place, subject in enumerate(written)}
        writes = [f"{places[op[1]]}/{op[2]}/{op[3]}" for op in ops if op[0] == "section"]

        def refresh() -> None:
            with self._cards.db:
                for subject, one in written.items():
                    self.write_card(subject, one.sections if one.is_new else None)

        entry = {"subjects": list(written), "writes": writes}
        # Of an import: how many are at an address or number of somebody who is there already; not whose.
        prints = [op[1:] for op in ops if op[0] == "fingerprint" and call.purpose == "import"]
        held = len({who for print_, who in prints if self._store.one(HELD, print_, who)})
        return Effect([entry], ops, lambda index: {"index": index, "versions": versions, "held": held}, then=refresh)

    def _begin(self, call: Call, item: dict[str, Any], ops: list[Op]) -> Writing:
        """Return a subject's key; the first write makes it."""
        subject, kind, is_house = item["subject"], item["kind"], call.purpose == "house"
        standing = self.find(subject)
        is_other = kind not in KINDS or (kind == "house") != is_house or (standing and standing.kind != kind)
        if not ids.is_id(subject) or is_other:
            raise Invalid("A subject has a 32-digit id and a kind.", "/items")
        if int(item["expected"]) or standing:
            known = self._live(subject, house=is_house)
            return Writing(self._keys.subject(subject, known.wrapped), is_new=False, sections={})
        seal, wrapped = self._keys.new_subject(subject)
        ops.append(("subject", subject, kind, wrapped))
        return Writing(seal, is_new=True, sections={})

    def _version(self, call: Call, one: Writing, item: dict[str, Any]) -> tuple[int, bool]:
        """Return the version an item ends at, and whether it has to be written for that."""
        subject, name, expected = item["subject"], item["section"], int(item["expected"])
        version = "SELECT coalesce(max(version), 0) FROM section WHERE subject=? AND name=?"
        standing = 0 if one.is_new else int(self._store.one(version, subject, name)[0])
        if name in one.sections:
            raise Invalid("Each section of a subject once.", "/items")
        if standing and not expected:
            return standing, False
        if expected != standing:
            raise Refused("stale", "This was changed meanwhile.", version=standing)
        if call.purpose in {"import", "canary"} and not one.is_new:
            raise Refused("purpose-not-yours", "This creates; it changes nobody.")
        return standing + 1, True

    def _prints(self, subject: str, channels: dict[str, Any]) -> list[Op]:
        """Return the changes that keep the fingerprints of every address and number that can be matched whole."""
        found = [(kind, str(value)) for kind in ("email", "phone") for value in channels.get(f"{kind}s") or []]
        kept = [print_ for kind, value in found if (print_ := self.fingerprint(kind, value))]
        return [("fingerprints-", subject), *(("fingerprint", print_, subject) for print_ in kept)]

    def fingerprint(self, kind: str, value: str) -> bytes | None:
        """Return what stands for an address or number, however it is spelt; None for what is no number."""
        key = email.match_key(value) if kind == "email" else phone.match_key(value, self._region)
        return self._keys.fingerprint(kind, key) if key else None

    def seal(self, call: Call) -> Effect:
        """Seal records for PostgreSQL to keep; the entry holds their SHA-256."""
        blobs, records = dict[str, bytes](), list[str]()
        seals: dict[str, Seal] = {}
        for item in call.args["items"]:
            subject, record = item["subject"], item["record"]
            if not ids.is_id(record):
                raise Invalid("A record has a 32-digit id.", "/items")
            if subject not in seals:
                seals[subject] = self._keys.subject(subject, self._live(subject).wrapped)
            blobs[record] = seals[subject].seal(f"record:{record}", 0, _packed(item["fields"], RECORD_LIMIT))
            records.append(f"{list(seals).index(subject)}/{record}/{hashlib.sha256(blobs[record]).hexdigest()}")
        self._engine.spend(call, list(blobs))
        entry = {"subjects": list(seals), "records": records}
        return Effect([entry], answer=lambda index: {"index": index, "blobs": blobs})

    # Opening

    def open(self, call: Call) -> Effect:
        """Authorise an open; fields are decrypted only when the entry is durable and signed."""
        args, is_house = call.args, call.purpose == "house"
        wanted = _fields(args["fields"], call.rule.sections)
        states = (LIVE, RESTRICTED) if call.purpose == "subject_request" else ()
        heads = {one: self._live(one, *states, house=is_house).wrapped for one in args["subjects"]}
        self._engine.spend(call, list(heads))
        merged = [one for head in heads for one in self.members(head)[1:]]
        keys = heads | {one: self._store.one("SELECT wrapped FROM subject WHERE id=?", one)[0] for one in merged}
        records: dict[str, dict[str, bytes]] = args["records"]
        if not records.keys() <= keys.keys():
            raise Refused("not-found")
        named = [record for some in records.values() for record in some]
        are_bytes = {bytes}.issuperset(type(sealed) for some in records.values() for sealed in some.values())
        if call.purpose == "agenda" and not all(record.startswith(ids.TITLE) for record in named):
            raise Refused("purpose-not-yours")
        if not (are_bytes and ids.are_ids(named)) or (named and is_house):
            raise Invalid("A record has a 32-digit id and its sealed bytes.", "/records")
        everything = "SELECT name, version, sealed FROM section WHERE subject=?"
        sections = {subject: self._store.all(everything, subject) for subject in (keys if wanted else ())}
        entry = _about(heads, merged) | {"fields": list(args["fields"])} | _why(args, needs_reason=call.rule.reason)
        if named:
            entry["records"] = named
        return Effect([entry], answer=lambda index: {"index": index, **self._decrypt(keys, sections, wanted, records)})

    def _decrypt(
        self,
        keys: dict[str, bytes],
        sections: dict[str, list[tuple[str, int, bytes]]],
        wanted: dict[str, set[str]],
        records: dict[str, dict[str, bytes]],
    ) -> dict[str, Any]:
        """Return sections and records as MessagePack, which the keeper need not read, unless parts are asked for."""
        seals = {subject: self._keys.subject(subject, wrapped) for subject, wrapped in keys.items()}
        people: dict[str, dict[str, bytes]] = {subject: {} for subject in sections}
        versions: dict[str, dict[str, int]] = {subject: {} for subject in sections}
        texts: dict[str, bytes] = {}
        for subject, seal in seals.items():
            for name, version, sealed in sections.get(subject, ()):
                if name in wanted:
                    people[subject][name] = _only(wanted[name], seal.unseal(name, version, sealed))
                    versions[subject][name] = version
            for record, sealed in records.get(subject, {}).items():
                texts[record] = seal.unseal("record:" + record, 0, sealed)
        return {"people": people, "versions": versions, "records": texts}

    # Merging

    def merge(self, call: Call) -> Effect:
        """Make one subject an alias of another of its kind."""
        gone, kept = self._live(call.args["subject"]), self._live(call.args["into"])
        if gone.id == kept.id or gone.kind != kept.kind:
            raise Invalid("Two records of one kind can be merged.", "/into")
        if len(self.members(gone.id)) + len(self.members(kept.id)) > policy.SET_MOST:
            raise Refused("too-large", f"At most {policy.SET_MOST} are merged into one.")
        self._engine.spend(call, [gone.id, kept.id])
        return Effect([{"subjects": [gone.id, kept.id]}], [("alias", gone.id, kept.id, self._engine.clock.wall_ms())])

    def unmerge(self, call: Call) -> Effect:
        """Undo a merge within its 30 days."""
        subject = call.args["subject"]
        row = self._store.one("SELECT target, at FROM alias WHERE subject=?", subject)
        if row is None or row[1] < self._engine.clock.wall_ms() - policy.UNMERGE_WITHIN_MS:
            raise Refused("not-found")
        self._engine.spend(call, [subject])
        return Effect([{"subjects": [subject, row[0]]}], [("alias-", subject)])

    def object(self, call: Call) -> Effect:
        """Record an objection to outreach, of the whole set: it outlives the merge."""
        everyone, entry = self._whole(call, LIVE)
        return Effect([entry], [("objection", one) for one in everyone])

    def restrict(self, call: Call) -> Effect:
        """Keep the set from everything but its own request, or ``lift`` that again (GDPR article 18)."""
        after, *before = (LIVE, RESTRICTED) if call.args.get("lift") else (RESTRICTED, LIVE, RESTRICTED)
        everyone, entry = self._whole(call, *before)
        return Effect([entry | {"state": after}], [("state", one, after, None, None) for one in everyone])

    # Erasing

    def erase(self, call: Call) -> Effect:
        """Stop every open of the set at once; the keys die when due."""
        everyone, entry = self._whole(call, LIVE)
        if call.args["ground"] not in policy.GROUNDS:
            raise Invalid("Give a ground of the list.", "/ground")
        due = self._engine.clock.wall_ms() + policy.ERASE_AFTER_MS
        entry |= {"ground": call.args["ground"], "due": clock.rfc3339(due)}
        ops: list[Op] = [("state", one, ERASING, due, call.staff) for one in everyone]
        ops += [("fingerprints-", one) for one in everyone]
        return Effect([entry], ops, lambda index: {"index": index, "due_at": entry["due"]})

    def cancel_erase(self, call: Call) -> Effect:
        """Cancel a scheduled erasure, as another person than the one who asked."""
        if self._live(call.args["subject"], ERASING).asked_by == call.staff:
            raise Refused("purpose-not-yours", "It takes a second person.")
        (everyone, entry), ops = self._whole(call, ERASING), list[Op]()
        for one in everyone:
            ops += [("state", one, LIVE, None, None), *self._prints(one, self._sections(one).get("channels", {}))]
        return Effect([entry], ops)

    def due(self) -> list[Effect]:
        """Return what erases the subjects that are due."""
        overdue = "SELECT id FROM subject WHERE due_at IS NOT NULL AND due_at<=? LIMIT ?"
        dead = [row[0] for row in self._store.all(overdue, self._engine.clock.wall_ms(), ERASED_AT_ONCE)]
        ops = [(change, one) for one in dead for change in ("erased", "fingerprints-", "sections-", "alias-")]
        return [Effect([{"act": "erased", "subjects": dead}], list[Op](ops))] if dead else []

    def record(self, call: Call) -> Effect:
        """Log an act that opens nothing, in words of a list."""
        act, detail = call.args["act"], call.args.get("detail") or {}
        subjects = [self.canonical(subject) for subject in call.args["subjects"]]
        if act not in policy.ACTS or not all(map(ids.is_id, subjects)):
            raise Invalid("Only listed acts about known ids are logged.", "/act")
        words = [word for key, v in detail.items() for word in (key, *([] if isinstance(v, int) else v.split(".")))]
        if not all(word in policy.WORDS or ids.is_id(word) for word in words):
            raise Invalid("A detail is a number, an id, or words of the list.", "/detail")
        self._engine.spend(call, subjects)
        entry = {"what": act, "subjects": subjects, **_why(call.args, needs_reason=False)}
        return Effect([entry | {"detail": detail} if detail else entry])

    # Cards

    def write_card(self, subject: str, sections: Sections | None = None) -> None:
        """Write one subject's card anew, from the store unless all its sections are given; or only take it out."""
        self._cards.remove(subject)
        found = self.find(subject)
        try:
            if found and found.state == LIVE and found.kind != "house" and subject not in self._aliases:
                self._cards.write(subject, found.kind, sections or self._sections(subject))
        except Exception as error:  # noqa: BLE001 - who cannot be read or shown is not found, and ends nothing else
            logger.warning("a card could not be written: %s", type(error).__name__)

    def _sections(self, subject: str) -> Sections:
        (wrapped,) = self._store.one("SELECT wrapped FROM subject WHERE id=?", subject)
        seal = self._keys.subject(subject, wrapped)
        rows = self._store.all("SELECT name, version, sealed FROM section WHERE subject=?", subject)
        return {name: msgpack.unpackb(seal.unseal(name, version, sealed)) for name, version, sealed in rows}


def _about(heads: Iterable[str], merged: Sequence[str]) -> dict[str, Any]:
    """Say whom an entry is about; whoever was merged into them stands at the end and does not count."""
    return {"subjects": [*heads, *merged], **({"merged": len(merged)} if merged else {})}


def _packed(fields: object, limit: int) -> bytes:
    if not isinstance(fields, dict) or not {str}.issuperset(map(type, fields)):
        raise Invalid("Fields are a map.", "/items")
    if len(packed := bytes(msgpack.packb(fields))) > limit:
        raise Refused("too-large", "A section or record is over its limit.")
    return packed


def _fields(asked: list[str], allowed: frozenset[str]) -> dict[str, set[str]]:
    """Return the fields by section, an empty set for the whole of it; refuse a section the purpose lacks."""
    wanted: dict[str, set[str]] = {}
    for path in sorted(asked):
        name, _, part = path.partition(".")
        if name not in allowed or (part and part not in policy.WORDS):
            raise Refused("purpose-not-yours")
        if not part:
            wanted[name] = set()
        elif wanted.setdefault(name, {part}):
            wanted[name].add(part)
    return wanted


def _only(parts: set[str], packed: bytes) -> bytes:
    if not parts:
        return packed
    return bytes(msgpack.packb({key: value for key, value in msgpack.unpackb(packed).items() if key in parts}))


def _why(args: dict[str, Any], *, needs_reason: bool) -> dict[str, str]:
    """Return reason and reference as the entry holds them: from short lists, never free text."""
    if needs_reason and args.get("reason") not in policy.REASONS:
        raise Invalid("Give a reason of the list.", "/reason")
    why = {"reason": args["reason"]} if needs_reason else {}
    if ref := args.get("ref"):
        found = REFERENCE.fullmatch(ref)
        if found is None or found[1] not in policy.REFERENCES:
            raise Invalid("A reference is a kind and an id.", "/ref")
        why["ref"] = ref
    return why
