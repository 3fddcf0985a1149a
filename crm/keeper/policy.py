"""Who may do what: the whole policy, on one page.

A call is allowed when a row exists for its verb and purpose, the socket it came in on is one of the row's
principals, the signed-in person holds one of the row's roles (no roles: no session is needed), the sections
asked for are among the row's, and the budget is not used up. There is no other way to be allowed, and no
role that sees everything. ``docs/security-model.md`` shows this page as a table; a test keeps them equal.
"""

import hashlib
from typing import NamedTuple

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

ROLES = frozenset({"staff", "marketing", "auditor", "counsel", "privacy", "product", "admin"})
OPENERS = frozenset({"staff", "privacy", "counsel"})
BLIND = frozenset({"admin", "auditor", "product"})  # never together with a role that opens
SOLE = frozenset({"product"})  # sees counts: the only role an admin gives without an auditor
LASTING = frozenset({"admin", "auditor"})  # somebody active always holds each: only these two together make others

PERSON = frozenset({"identity", "channels", "profile"})
REASONS = frozenset({"call", "email", "follow_up", "complaint", "order", "correction", "other"})
GROUNDS = frozenset({"request", "objection", "retention", "mistake"})
ACTS = frozenset({"alert", "attributes", "consent", "follow_up", "import", "interaction_moved", "owner", "vocabulary"})
# Every word others may have put into an entry: names of fields, and what a recorded act was like. Never free text.
_WORDS = """
    given_name family_name company job_title emails phones addresses nickname birthday websites note company_id
    fields stage product tags language country time_zone owner nobody cards count kind from to until keep_until
    hand_over leaver holiday topic wording channel email phone post sms state given withdrawn objected
    source form call meeting letter link import other id change due_at assignee done
    acknowledged false_alarm followed_up escalated
"""
WORDS = frozenset(_WORDS.split())
REFERENCES = frozenset({"case", "order", "interaction", "campaign", "import", "request", "decision", "form"})

# A budget: how many, within how long, counted for each person or for the whole installation. The values are
# set when the keeper is initialised; a lift multiplies a person's by LIFT for an hour; none can be switched off.
BUDGETS = {
    "people": (150, DAY_MS),
    "labels": (600, DAY_MS),
    "intake": (300, DAY_MS),
    "import": (2_000_000, DAY_MS),
    "records": (5_000, DAY_MS),
    "requests": (20, DAY_MS),
    "erasures": (20, DAY_MS),
    "subjects": (20, DAY_MS),
    "acts": (5_000, DAY_MS),
    "installation": (1_000, HOUR_MS),
}
LIFT = 3
IDLE_MS = 30 * 60_000
SESSION_MS = 12 * HOUR_MS
ERASE_AFTER_MS = 72 * HOUR_MS
UNMERGE_WITHIN_MS = 30 * DAY_MS
SET_MOST = 10  # people in a merged set, which is opened and counted as one
INVITATION_MS = 72 * HOUR_MS
PROOF_MS = 10 * 60_000
CEREMONY_MS = 5 * 60_000
PASSKEYS = 10  # of one person

SHOWING = frozenset({"open", "search", "labels", "match", "subject"})  # verbs whose entries are looks at somebody
WEB = frozenset({"web"})
HOST = frozenset({"admin"})
NOBODY: frozenset[str] = frozenset()
ANY = frozenset({"web", "sender", "inbound", "approve", "admin"})


class Rule(NamedTuple):
    """One row: sockets, roles (any of them), sections, subjects in one call, budget, and what is due."""

    principals: frozenset[str]
    roles: frozenset[str]
    sections: frozenset[str] = NOBODY
    most: int = 1
    budget: str = ""
    reason: bool = False
    proof: bool = False  # again, on this session, of who is there


NOTHING = Rule(NOBODY, NOBODY, most=0)
STAFF = frozenset({"staff"})
PRIVACY = frozenset({"privacy"})
CARE = frozenset({"staff", "privacy"})
AUDITOR = frozenset({"auditor"})
ADMIN = frozenset({"admin"})

RULES: dict[tuple[str, str], Rule] = {
    # what opens
    ("open", "serve"): Rule(WEB, STAFF, PERSON, 1, "people", reason=True),
    ("open", "compare"): Rule(WEB, STAFF, PERSON, 2, "people"),
    ("open", "subject_request"): Rule(WEB, PRIVACY, PERSON, 1, "requests"),
    ("open", "house"): Rule(WEB, ROLES, frozenset({"vocabulary"}), 1),
    ("open", "agenda"): Rule(WEB, STAFF, most=50, budget="labels"),  # titles of one's own follow-ups
    ("search", "serve"): Rule(WEB, STAFF, most=8, budget="labels"),
    ("labels", "serve"): Rule(WEB, STAFF, most=20, budget="labels"),
    ("match", "serve"): Rule(WEB, STAFF, budget="labels"),
    ("recent", ""): Rule(WEB, STAFF),
    ("subject", "audit"): Rule(WEB, AUDITOR, budget="subjects"),
    # what writes
    ("put", "intake"): Rule(WEB, STAFF, PERSON, 200, "intake"),
    ("put", "import"): Rule(WEB, STAFF, PERSON, 200, "import"),
    ("put", "canary"): Rule(WEB, AUDITOR, PERSON, 1, "intake"),
    ("put", "house"): Rule(WEB, ADMIN, frozenset({"vocabulary"}), 1),
    ("seal", "serve"): Rule(WEB, STAFF, most=200, budget="records"),
    ("seal", "intake"): Rule(frozenset({"inbound"}), NOBODY, most=200, budget="records"),
    ("merge", "serve"): Rule(WEB, STAFF, most=2, budget="people"),
    ("unmerge", "serve"): Rule(WEB, STAFF, budget="intake"),
    ("object", "serve"): Rule(WEB, CARE, budget="intake"),
    ("restrict", "serve"): Rule(WEB, PRIVACY, budget="erasures"),
    ("record", ""): Rule(WEB, ROLES, most=200, budget="acts"),
    # what destroys
    ("erase", "serve"): Rule(WEB, CARE, budget="erasures"),
    ("cancel_erase", "serve"): Rule(WEB, CARE, budget="erasures"),
    # who is who
    ("sign_in", ""): Rule(WEB, NOBODY),
    ("sign_out", ""): Rule(WEB, ROLES),
    ("sessions", ""): Rule(WEB, ROLES),
    ("me", ""): Rule(WEB, ROLES),
    ("my_log", ""): Rule(WEB, ROLES),
    ("prove", ""): Rule(WEB, ROLES),
    ("change_password", ""): Rule(WEB, ROLES),
    ("enrol_totp", ""): Rule(WEB, ROLES, proof=True),
    ("confirm_totp", ""): Rule(WEB, ROLES),
    ("challenge", "sign_in"): Rule(WEB, NOBODY),
    ("challenge", ""): Rule(WEB, ROLES),
    ("passkeys", ""): Rule(WEB, ROLES),
    ("passkey_add", ""): Rule(WEB, ROLES, proof=True),
    ("passkey_remove", ""): Rule(WEB, ROLES, proof=True),
    ("accept", ""): Rule(WEB, NOBODY),
    ("colleagues", ""): Rule(WEB, ROLES),
    ("people", ""): Rule(WEB, ADMIN | AUDITOR),
    ("invite", ""): Rule(WEB, ADMIN, proof=True),
    ("change_person", ""): Rule(WEB, ADMIN, proof=True),
    ("recover", ""): Rule(WEB, ADMIN | AUDITOR, proof=True),
    ("decisions", ""): Rule(WEB, ADMIN | AUDITOR | PRIVACY | STAFF),
    ("ask_lift", ""): Rule(WEB, STAFF),
    ("decide", ""): Rule(WEB, AUDITOR | PRIVACY, proof=True),
    # the log
    ("checkpoint", ""): Rule(ANY, NOBODY),
    ("tile", ""): Rule(ANY, NOBODY),
    ("entries", ""): Rule(WEB, AUDITOR),
    ("looks", ""): Rule(WEB, CARE | AUDITOR),
    ("status", ""): Rule(ANY, NOBODY),
    # upkeep: ids only, nothing is opened
    ("made", ""): Rule(WEB, NOBODY),
    ("orphan", ""): Rule(WEB, NOBODY, most=1000),
    ("people_add", ""): Rule(HOST, NOBODY),
    ("backup", ""): Rule(HOST, NOBODY),
    ("rotate", ""): Rule(HOST, NOBODY),
}

# What a person who still has to enrol a second factor may do.
_ENROLMENT = "enrol_totp confirm_totp challenge passkey_add prove me sign_out change_password"
ENROLMENT = frozenset(_ENROLMENT.split())

# What goes on while the clock is doubted (nothing is written), and while the disk is nearly full.
WHEN_UNSAFE = frozenset({"status", "checkpoint", "tile", "entries", "looks", "my_log", "me"})
WHEN_FULL = WHEN_UNSAFE | {"erase", "cancel_erase", "sign_out", "decide"}

# Which decisions who may ask for, still when they are made; and whom they wait for, who is never the asker.
ASKERS = {"person": ADMIN, "roles": ADMIN, "reset": ADMIN, "recover": ADMIN | AUDITOR, "lift": STAFF}
DECIDERS = dict.fromkeys(("person", "roles", "reset"), AUDITOR) | dict.fromkeys(("recover", "lift"), AUDITOR | PRIVACY)


def conflict(roles: frozenset[str]) -> bool:
    """Say whether roles may not go together: whoever runs, audits or counts never opens; nor audits what they run."""
    return bool(roles & BLIND and roles & OPENERS) or {"admin", "auditor"} <= roles


def digest() -> str:
    """Return a hash of this page, which every start writes into the log."""
    rows = [
        (key, [sorted(part) if isinstance(part, frozenset) else part for part in rule]) for key, rule in RULES.items()
    ]
    return hashlib.sha256(repr((sorted(rows), sorted(BUDGETS.items()), LIFT)).encode()).hexdigest()
