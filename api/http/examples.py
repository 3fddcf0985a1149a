"""What a call of each route carries and what it is answered, for the schema; and the refusals that only it has.

What any route may answer follows from its declaration and its parameters (`openapi.py`); only the rest stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ID, OTHER, STAFF = (
    "6f1ed002ab5595859014ebf0951522d9",
    "b7ad6b7169203331f4e3a4bd12cd52f6",
    "0af7651916cd43dd8448eb211c80319c",
)
TERM = "4bf92f3577b34da6a3ce929d0e0e4736"
AT, LATER = "2026-11-23T19:41:57.123Z", "2026-11-24T07:41:57.123Z"
TOKEN = "example-of-43-characters-that-opens-nothing"  # noqa: S105 - says so
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
CHECKPOINT = f"example.org/kept\n21\n{ROOT}\n\n\N{EM DASH} example.org/kept 8bXFHw...\n"
LABEL = {"id": ID, "name": "Ada Lovelace", "company": "Analytical Engines", "email_masked": "a•••@e•••.org"}
PERSON = {"id": STAFF, "name": "Ann", "roles": ["staff"]}
BUDGET = {
    "people": {"used": 3, "limit": 150},
    "labels": {"used": 12, "limit": 600},
    "intake": {"used": 0, "limit": 300},
}
INDEX = {"log_index": 4711}
ENTRY = {
    "index": 4711, "at": AT, "actor": STAFF, "role": "staff", "act": "open", "purpose": "serve", "reason": "call",
    "subjects": [ID], "fields": ["identity", "channels", "profile"], "outcome": "ok",
}  # fmt: skip
INTERACTION = {
    "id": OTHER, "version": 1, "kind": "call", "direction": "in", "occurred_at": AT, "created_at": AT, "author": STAFF,
    "product": "Difference engine", "needs": ["faster delivery"], "summary": "Asked about delivery",
    "notes": "Before Friday", "log_index": 4712,
}  # fmt: skip
_INTERACTION = "/v1/contacts/{contact}/interactions/{interaction}"
FILE = {"id": TERM, "type": "application/pdf", "size_bytes": 48_213, "name": "quote.pdf", "created_at": AT}
VERSION = {"id": OTHER, "version": 2, "log_index": 4712}
SAVED = {"saved_at": AT, "expires_at": LATER}
SAID = {
    "id": OTHER, "state": "given", "topic": "news", "channel": "email",
    "wording": {"version": TERM, "text": "You may write to me about news."}, "source": "form", "at": AT,
    "recorded_at": AT, "author": STAFF, **INDEX,
}  # fmt: skip
IDENTITY = {"given_name": "Ada", "family_name": "Lovelace"}
COLUMN = {"number": 1, "heading": "First Name", "field": "given_name", "filled": 3}
IMPORTED = {
    "total": 3, "stored": 1, "known": 1, "repeated": 0, "rejected": 1, "warned": 1,
    "rejects": [{"line": 7, "reason": "nobody"}], "warnings": [{"line": 3, "reason": "phones: not a number to call"}],
    "columns": [COLUMN], "unknown_columns": ["Shoe size"],
}  # fmt: skip
ALERT = {
    "id": OTHER, "kind": "budget_exhausted", "severity": "warning", "first_index": 4711, "last_index": 4711, "at": AT,
    "last_at": AT, "actor": STAFF, "about": None, "subjects": [], "count": 1, "evidence": [4711], "acknowledged": None,
}  # fmt: skip
SESSION = {"id": OTHER[:16], "made_at": AT, "seen_at": AT, "factors": "password+totp", "is_current": True}
_SIGNED = {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "authenticatorData": "SZYN5Q", "signature": "MEUCIQ"}
_MADE = {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2NmbXRkbm9uZQ"}
PASSKEY = {"id": "7x9Q", "rawId": "7x9Q", "type": "public-key", "response": _SIGNED}
OPTIONS = {"challenge": "TWFkZSBieSB0aGUga2VlcGVy", "rpId": "example.org", "timeout": 300_000, "allowCredentials": [],
           "userVerification": "required"}  # fmt: skip
DECISION = {
    "id": OTHER, "what": "person", "about": STAFF, "body": {"roles": "staff"}, "asked_by": TERM, "asked_at": AT,
    "verdict": None, "decided_by": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A body and an answer, as JSON or as text; and the codes of refusals that nothing else would tell."""

    answer: Any = None
    body: Any = None
    refusals: tuple[str, ...] = ()


EXAMPLES: Mapping[tuple[str, str], Example] = {
    ("GET", "/health"): Example(
        {
            "web": "ok",
            "database": "ok",
            "keeper": {"state": "open", "reason": "", "size": 4713, "search": "ready"},
            "isolation": "an account for each process",
            "egress": "closed",
        }
    ),
    ("GET", "/v1/promises"): Example(
        {
            "checked_at": AT,
            "verdict": "not yet",
            "clauses": [
                {
                    "id": "C1",
                    "text": "We will not give, rent, loan or sell personally-identifiable information ...",
                    "control": "no export exists; ...",
                    "verdict": "kept",
                    "checks": [
                        {
                            "name": "egress",
                            "control": "the web process cannot connect to anything outside",
                            "verdict": "kept",
                            "evidence": "TCP and UDP, IPv4 and IPv6: refused by the kernel from inside",
                        }
                    ],
                }
            ],
        }
    ),
    ("GET", "/v1/contacts/{contact}"): Example(
        {
            "id": ID, "kind": "contact", "stage": "customer", "product": "Difference engine", "tags": ["newsletter"],
            "language": "en", "country": "GB", "time_zone": "Europe/London", "owner": STAFF, "company_id": None,
            "created_at": AT, "updated_at": AT,
            "identity": {"given_name": "Ada", "family_name": "Lovelace"}, "channels": {"emails": ["ada@example.org"]},
            "profile": {}, "interactions": [{**INTERACTION, "attachments": [FILE]}], "next": None, "log_index": 4711,
        }
    ),
    ("POST", "/v1/contacts/search"): Example({"matches": [LABEL], "more": False}, {"q": "ada lov"}),
    ("POST", "/v1/contacts"): Example(
        {"id": ID, **INDEX},
        {"given_name": "Ada", "family_name": "Lovelace", "emails": ["ada@example.org"], "phones": ["+44 20 7946 0018"],
         "language": "en", "country": "GB"},
        ("duplicate",),
    ),
    ("PATCH", "/v1/contacts/{contact}"): Example({"id": ID, **INDEX}, {"job_title": "Countess", "phones": None}),
    ("DELETE", "/v1/contacts/{contact}"): Example({**INDEX, "due_at": LATER}),
    ("POST", "/v1/contacts/{contact}/erase/cancel"): Example(INDEX),
    ("POST", "/v1/contacts/{contact}/merge"): Example(INDEX, {"into": OTHER, "keep": ["phones"]}),
    ("POST", "/v1/contacts/{contact}/merge/undo"): Example(INDEX),
    ("GET", "/v1/contacts/{contact}/looks"): Example(
        {"looks": [{"index": 4711, "at": AT, "actor": STAFF, "name": "Ann", "role": "staff", "act": "open",
                    "reason": "call", "purpose": "serve"}]}
    ),
    ("PUT", "/v1/contacts/{contact}/restriction"): Example(INDEX),
    ("DELETE", "/v1/contacts/{contact}/restriction"): Example(INDEX),
    ("POST", "/v1/contacts/compare"): Example(
        {"people": [{"id": one, "identity": IDENTITY, "channels": {}, "profile": {}} for one in (ID, OTHER)],
         "differs": ["family_name"], **INDEX},
        {"ids": [ID, OTHER]}, ("not-found",),
    ),
    ("GET", "/v1/contacts"): Example({"matches": [LABEL], "count": 40}),
    ("POST", "/v1/contacts/count"): Example({"count": "fewer than 10"}, {"country": "GB", "quiet_since": "2026-01-01"}),
    ("GET", "/v1/contacts/{contact}/consents"): Example(
        {"consents": [SAID], "standing": [{"topic": "news", "channel": "email", "state": "given", "at": AT}],
         "objected_at": None}
    ),
    ("POST", "/v1/contacts/{contact}/consents"): Example(
        {"id": OTHER, **INDEX},
        {"topic": "news", "channel": "email", "state": "given", "wording": "You may write to me about news.",
         "source": "form"},
    ),
    ("POST", "/v1/contacts/{contact}/keep"): Example({"keep_until": LATER, **INDEX}, {"until": "2027-11-24"}),
    ("GET", "/v1/retention"): Example({"matches": [LABEL], "count": "fewer than 10"}),
    ("POST", "/v1/people/{person}/hand-over"): Example(
        {"id": OTHER, "count": 40, **INDEX}, {"to": STAFF, "kind": "leaver"}
    ),
    ("GET", "/v1/companies/{company}"): Example(
        {"id": ID, "name": "Analytical Engines", "channels": {"emails": ["desk@example.org"]}, "profile": {},
         "stage": "customer", "product": None, "tags": [], "language": "en", "country": "GB",
         "time_zone": "Europe/London", "owner": STAFF, "created_at": AT, "updated_at": AT,
         "people": {"matches": [LABEL], "count": "fewer than 10"}, **INDEX}
    ),
    ("POST", "/v1/companies/search"): Example(
        {"matches": [{"id": ID, "name": "Analytical Engines", "email_masked": "d•••@e•••.org"}], "more": False},
        {"q": "analytical"},
    ),
    ("POST", "/v1/companies"): Example(
        {"id": ID, **INDEX}, {"name": "Analytical Engines", "emails": ["desk@example.org"], "country": "GB"},
        ("duplicate",),
    ),
    ("PATCH", "/v1/companies/{company}"): Example({"id": ID, **INDEX}, {"name": "Analytical Engines Ltd"}),
    ("DELETE", "/v1/companies/{company}"): Example({**INDEX, "due_at": LATER}),
    ("POST", "/v1/companies/{company}/erase/cancel"): Example(INDEX),
    ("POST", "/v1/companies/{company}/merge"): Example(INDEX, {"into": OTHER}),
    ("POST", "/v1/companies/{company}/merge/undo"): Example(INDEX),
    ("GET", f"{_INTERACTION}/versions"): Example({"versions": [INTERACTION], **INDEX}),
    ("POST", f"{_INTERACTION}/versions"): Example(
        VERSION,
        {"version": 1, "kind": "call", "direction": "in", "occurred_at": AT, "summary": "Asked about delivery",
         "notes": "Before Thursday"},
        ("stale",),
    ),
    ("POST", f"{_INTERACTION}/move"): Example(
        {"id": OTHER, "contact": ID, "log_index": 4712}, {"to": ID}, ("stale", "duplicate")
    ),
    ("POST", f"{_INTERACTION}/attachments"): Example(
        {"id": TERM, "type": "application/pdf", "size_bytes": 48_213, "log_index": 4712}, refusals=("duplicate",)
    ),
    ("GET", f"{_INTERACTION}/attachments/{{attachment}}"): Example(),
    ("PUT", "/v1/contacts/{contact}/draft"): Example({**SAVED, **INDEX}, {"summary": "Asked about deli"}),
    ("GET", "/v1/contacts/{contact}/draft"): Example({"draft": {"summary": "Asked about deli"}, **SAVED, **INDEX}),
    ("DELETE", "/v1/contacts/{contact}/draft"): Example(),
    ("GET", "/v1/follow-ups"): Example(
        {"follow_ups": [{"id": OTHER, "version": 1, "due": LATER, "title": "Call again", "assignee": STAFF,
                         "author": STAFF, "created_at": AT, "contact": LABEL}], "next": None, **INDEX}
    ),
    ("POST", "/v1/follow-ups"): Example(
        {"id": OTHER, "version": 1, "log_index": 4712}, {"contact": ID, "due": LATER, "title": "Call again"},
        ("not-found", "duplicate"),
    ),
    ("PATCH", "/v1/follow-ups/{follow_up}"): Example(VERSION, {"due": LATER}),
    ("POST", "/v1/follow-ups/{follow_up}/done"): Example(VERSION),
    ("GET", "/v1/contacts/{contact}/interactions"): Example(
        {"interactions": [{**INTERACTION, "attachments": [FILE]}], "next": None, **INDEX}
    ),
    ("POST", "/v1/contacts/{contact}/interactions"): Example(
        {"id": OTHER, "version": 1, "log_index": 4712},
        {"kind": "call", "direction": "in", "occurred_at": AT, "summary": "Asked about delivery",
         "notes": "Before Friday"},
    ),
    ("POST", "/v1/imports"): Example({"id": ID}),
    ("GET", "/v1/imports/{job}"): Example(
        {"id": ID, "state": "done", "reason": None, "read": 3, **IMPORTED, "known_addresses": "fewer than 10",
         "per_second": 3000, "started_at": AT, "seen_at": AT}
    ),
    ("POST", "/v1/sessions"): Example(
        {"token": TOKEN, "expires_at": LATER, "person": PERSON, "second_factor": "ok"},
        {"name": "Ann", "password": "correct horse battery", "totp": "123456"},
        ("unauthenticated", "second-factor-required"),
    ),
    ("POST", "/v1/sessions/options"): Example(OPTIONS),
    ("POST", "/v1/sessions/current/proof"): Example(body={"passkey": PASSKEY}, refusals=("invalid",)),
    ("POST", "/v1/passkeys/options"): Example(OPTIONS, {"ceremony": "prove"}),
    ("POST", "/v1/passkeys"): Example(
        {"id": OTHER}, {"passkey": {**PASSKEY, "response": _MADE}}, ("proof-required", "stale", "too-large")
    ),
    ("GET", "/v1/passkeys"): Example({"passkeys": [{"id": OTHER, "made_at": AT}]}),
    ("DELETE", "/v1/passkeys/{passkey}"): Example(refusals=("proof-required", "stale")),
    ("GET", "/v1/sessions"): Example({"sessions": [SESSION]}),
    ("DELETE", "/v1/sessions"): Example(),
    ("DELETE", "/v1/sessions/current"): Example(),
    ("POST", "/v1/invitations"): Example(
        {"id": STAFF, "name": "Ann"}, {"code": "one-half-of-two.the-other-half", "password": "correct horse battery"},
        ("unauthenticated",),
    ),
    ("GET", "/v1/me"): Example({**PERSON, "factors": ["password", "totp"], "budget": BUDGET}),
    ("GET", "/v1/me/recent"): Example({"people": [LABEL]}),
    ("GET", "/v1/me/log"): Example({"entries": [ENTRY], "next": 4711}),
    ("POST", "/v1/me/password"): Example(body={"old": "correct horse battery", "new": "longer horse battery"}),
    ("POST", "/v1/me/totp"): Example(
        {"secret": "JBSWY3DPEHPK3PXP", "uri": "otpauth://totp/Kept?secret=JBSWY3DPEHPK3PXP"},
        refusals=("proof-required",),
    ),
    ("PUT", "/v1/me/totp"): Example(body={"code": "123456"}, refusals=("stale",)),
    ("POST", "/v1/me/lift"): Example({"decision": OTHER}),
    ("GET", "/v1/colleagues"): Example({"colleagues": [{"id": STAFF, "name": "Ann"}]}),
    ("GET", "/v1/people"): Example({"people": [{**PERSON, "state": "active", "second_factor": True}]}),
    ("POST", "/v1/people"): Example(
        {"id": STAFF, "decision": OTHER, "code": "one-half-of-two"}, {"name": "Ann", "roles": ["staff"]},
        ("roles-conflict", "stale", "proof-required"),
    ),
    ("PATCH", "/v1/people/{person}"): Example(
        {"decision": OTHER}, {"roles": ["staff", "privacy"]}, ("roles-conflict", "proof-required")
    ),
    ("POST", "/v1/people/{person}/recovery"): Example(
        {"decision": OTHER, "code": "one-half-of-two"}, refusals=("proof-required",)
    ),
    ("GET", "/v1/decisions"): Example({"decisions": [DECISION]}),
    ("POST", "/v1/decisions/{decision}"): Example(
        {"outcome": "approve", "code": "the-other-half"}, {"verdict": "approve"},
        ("stale", "roles-conflict", "proof-required"),
    ),
    ("GET", "/v1/vocabulary/{kind}"): Example({"terms": [{"id": TERM, "term": "customer", "retired": False}]}),
    ("PATCH", "/v1/vocabulary/{kind}/{term}"): Example({"id": TERM, **INDEX}, {"retired": True}, ("stale",)),
    ("POST", "/v1/vocabulary/{kind}"): Example({"id": TERM, **INDEX}, {"term": "customer"}, ("stale",)),
    ("GET", "/v1/alerts"): Example(
        {"alerts": [ALERT], "next": None, "conditions": [], "read": 4713, "size": 4713}
    ),
    ("POST", "/v1/alerts/{alert}/acknowledge"): Example(
        {**ALERT, "acknowledged": {"by": STAFF, "at": AT, "note_code": "followed_up", **INDEX}},
        {"note_code": "followed_up"},
    ),
    ("GET", "/v1/canaries"): Example(
        {"canaries": [{"id": ID, "made_at": AT, "made_by": STAFF, **INDEX, "touched_at": None, "touched_by": None,
                       "touched_index": None, "first_at": None, "first_by": None, "first_index": None}],
         "read": 4713, "size": 4713}
    ),
    ("POST", "/v1/canaries"): Example({"id": ID, **INDEX}, {"given_name": "Maud", "family_name": "Ryder"}),
    ("GET", "/v1/log/entries"): Example({"entries": [ENTRY], "next": 4711}),
    ("POST", "/v1/log/subject"): Example({"id": ID}, {"email": "ada@example.org"}),
    ("GET", "/v1/log/entries/{index}/proof"): Example(f"c2sp.org/tlog-proof@v1\nindex 3\n{ROOT}\n\n{CHECKPOINT}"),
    ("GET", "/log/checkpoint"): Example(CHECKPOINT, refusals=("not-found",)),
    ("GET", "/log/tile/entries/{path:path}"): Example(),
    ("GET", "/log/tile/{path:path}"): Example(),
}  # fmt: skip
