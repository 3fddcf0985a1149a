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
SESSION = {"id": OTHER[:16], "made_at": AT, "factors": "password totp", "is_current": True}
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
            "language": "en", "country": "GB", "time_zone": "Europe/London", "owner": STAFF,
            "created_at": AT, "updated_at": AT,
            "identity": {"given_name": "Ada", "family_name": "Lovelace"}, "channels": {"emails": ["ada@example.org"]},
            "profile": {}, "interactions": [INTERACTION], "next": None, "log_index": 4711,
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
        {"looks": [{"index": 4711, "at": AT, "actor": STAFF, "name": "Ann", "act": "open", "reason": "call",
                    "purpose": "serve"}]}
    ),
    ("GET", "/v1/contacts/{contact}/interactions"): Example({"interactions": [INTERACTION], "next": None, **INDEX}),
    ("POST", "/v1/contacts/{contact}/interactions"): Example(
        {"id": OTHER, "version": 1, "log_index": 4712},
        {"kind": "call", "direction": "in", "occurred_at": AT, "summary": "Asked about delivery",
         "notes": "Before Friday"},
    ),
    ("POST", "/v1/imports"): Example({"id": ID}),
    ("GET", "/v1/imports/{job}"): Example(
        {"id": ID, "state": "done", "reason": None, "total": 3, "read": 3, "stored": 1, "known": 1, "repeated": 0,
         "rejected": 1, "per_second": 3000, "rejects": [{"line": 7, "reason": "nobody"}], "started_at": AT,
         "seen_at": AT}
    ),
    ("POST", "/v1/sessions"): Example(
        {"token": TOKEN, "expires_at": LATER, "person": PERSON, "second_factor": "ok"},
        {"name": "Ann", "password": "correct horse battery", "totp": "123456"},
        ("unauthenticated", "second-factor-required"),
    ),
    ("GET", "/v1/sessions"): Example({"sessions": [SESSION]}),
    ("DELETE", "/v1/sessions"): Example(),
    ("DELETE", "/v1/sessions/current"): Example(),
    ("POST", "/v1/invitations"): Example(
        {"id": STAFF, "name": "Ann"}, {"code": "GpWXtS-Awaqeoric-2", "password": "correct horse battery"},
        ("unauthenticated",),
    ),
    ("GET", "/v1/me"): Example({**PERSON, "factors": ["password", "totp"], "budget": BUDGET}),
    ("GET", "/v1/me/recent"): Example({"people": [LABEL]}),
    ("GET", "/v1/me/log"): Example({"entries": [ENTRY], "next": 4711}),
    ("POST", "/v1/me/password"): Example(body={"old": "correct horse battery", "new": "longer horse battery"}),
    ("POST", "/v1/me/totp"): Example({"secret": "JBSWY3DPEHPK3PXP", "uri": "otpauth://totp/Kept?secret=JBSWY3DPEHPK3PXP"}),
    ("PUT", "/v1/me/totp"): Example(body={"code": "123456"}, refusals=("stale",)),
    ("POST", "/v1/me/lift"): Example({"decision": OTHER}),
    ("GET", "/v1/colleagues"): Example({"colleagues": [{"id": STAFF, "name": "Ann"}]}),
    ("GET", "/v1/people"): Example({"people": [{**PERSON, "state": "active", "second_factor": True}]}),
    ("POST", "/v1/people"): Example(
        {"id": STAFF, "decision": OTHER, "code": None}, {"name": "Ann", "roles": ["staff"]}, ("roles-conflict", "stale")
    ),
    ("PATCH", "/v1/people/{person}"): Example(
        {"decision": OTHER}, {"roles": ["staff", "privacy"]}, ("roles-conflict",)
    ),
    ("GET", "/v1/decisions"): Example({"decisions": [DECISION]}),
    ("POST", "/v1/decisions/{decision}"): Example(
        {"outcome": "approve", "code": "GpWXtS-Awaqeoric-2"}, {"verdict": "approve"}, ("stale", "roles-conflict")
    ),
    ("GET", "/v1/vocabulary/{kind}"): Example({"terms": [{"id": TERM, "term": "customer"}]}),
    ("POST", "/v1/vocabulary/{kind}"): Example({"id": TERM, **INDEX}, {"term": "customer"}, ("stale",)),
    ("GET", "/v1/log/entries"): Example({"entries": [ENTRY], "next": 4711}),
    ("POST", "/v1/log/subject"): Example({"id": ID}, {"email": "ada@example.org"}),
    ("GET", "/v1/log/entries/{index}/proof"): Example(f"c2sp.org/tlog-proof@v1\nindex 3\n{ROOT}\n\n{CHECKPOINT}"),
    ("GET", "/log/checkpoint"): Example(CHECKPOINT, refusals=("not-found",)),
    ("GET", "/log/tile/entries/{path:path}"): Example(),
    ("GET", "/log/tile/{path:path}"): Example(),
}  # fmt: skip
