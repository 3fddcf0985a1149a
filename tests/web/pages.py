"""Every page and whom it is for, written down a second time: what the code declares has to agree with this."""

from dataclasses import dataclass, field

from crm.kit.ids import new_id
from tests.keeper.home import CAST

OURS = {"sec-fetch-site": "same-origin"}
ALL = frozenset(CAST)


def of(*roles: str) -> frozenset[str]:
    """Return who of the cast holds one of the roles."""
    return frozenset(name for name, held in CAST.items() if set(roles) & set(held))


STAFF, CARE, AUDITOR, ADMIN = of("staff"), of("staff", "privacy"), of("auditor"), of("admin")
DECIDE = of("auditor", "privacy")


@dataclass(frozen=True, slots=True)
class Page:
    """A page, who of the cast may see it, and the least its form holds."""

    method: str
    path: str
    who: frozenset[str]
    form: dict[str, str] = field(default_factory=dict)

    def url(self) -> str:
        """Return an address of it at which nothing is."""
        steps = [new_id() if step.startswith("{") else step for step in self.path.split("/")]
        return "/".join(steps)


ROWS = [
    Page("GET", "/", ALL),
    Page("POST", "/sign-out", ALL),
    Page("GET", "/today", STAFF),
    Page("POST", "/follow-ups/{follow_up}/done", STAFF),
    Page("GET", "/contacts", STAFF),
    Page("POST", "/contacts/search", STAFF, {"q": "nobody is called so"}),
    Page("GET", "/contacts/{contact}", CARE),
    Page("GET", "/contacts/{contact}/interactions", CARE),
    Page("POST", "/contacts/{contact}/interactions", STAFF),
    Page("GET", "/me", ALL),
    Page("GET", "/me/log", ALL),
    Page("POST", "/me/password", ALL, {"old": "not the one", "new": "another long password", "again": "not the same"}),
    Page("POST", "/me/lift", STAFF),
    Page("GET", "/me/factor", ALL),
    Page("POST", "/me/factor", ALL),
    Page("POST", "/me/factor/confirm", ALL, {"code": "000000"}),
    Page("POST", "/me/passkeys/options", ALL, {"ceremony": "enrol"}),
    Page("POST", "/me/passkeys", ALL, {"passkey": "{}"}),
    Page("POST", "/me/passkeys/{passkey}/remove", ALL),
    Page("GET", "/people", ADMIN | AUDITOR),
    Page("POST", "/people", ADMIN, {"name": "", "roles": "staff"}),
    Page("GET", "/people/{person}", ADMIN | AUDITOR),
    Page("POST", "/people/{person}/roles", ADMIN, {"roles": "staff"}),
    Page("POST", "/people/{person}/reset", ADMIN),
    Page("POST", "/people/{person}/end", ADMIN),
    Page("POST", "/people/{person}/hand-over", ADMIN, {"to": "nobody"}),
    Page("GET", "/vocabulary", ADMIN),
    Page("GET", "/vocabulary/{kind}", ADMIN),
    Page("POST", "/vocabulary/{kind}", ADMIN, {"term": "x"}),
    Page("POST", "/vocabulary/{kind}/{term}", ADMIN, {"term": "x"}),
    Page("GET", "/status", ADMIN),
    Page("POST", "/contacts/{contact}/draft", STAFF, {"kind": "call", "summary": "x"}),
    Page("POST", "/contacts/{contact}/draft/drop", STAFF),
    Page("GET", "/contacts/{contact}/interactions/{interaction}", CARE),
    Page("POST", "/contacts/{contact}/interactions/{interaction}", STAFF, {"version": "1"}),
    Page("GET", "/contacts/{contact}/interactions/{interaction}/move", STAFF),
    Page("POST", "/contacts/{contact}/interactions/{interaction}/move", STAFF, {"to": new_id()}),
    Page("POST", "/contacts/{contact}/interactions/{interaction}/move/search", STAFF),
    Page("POST", "/contacts/{contact}/interactions/{interaction}/attachments", STAFF),
    Page("GET", "/contacts/{contact}/interactions/{interaction}/attachments/{attachment}", CARE),
    Page("GET", "/contacts/new", STAFF),
    Page("POST", "/contacts/new", STAFF),
    Page("GET", "/contacts/counts", STAFF),
    Page("GET", "/contacts/{contact}/edit", STAFF),
    Page("POST", "/contacts/{contact}/edit", STAFF, {"given_name": "x"}),
    Page("GET", "/contacts/{contact}/consents", CARE),
    Page("POST", "/contacts/{contact}/consents", CARE, {"state": "objected", "source": "call"}),
    Page("GET", "/contacts/{contact}/erase", CARE),
    Page("POST", "/contacts/{contact}/erase", CARE, {"ground": "request"}),
    Page("GET", "/contacts/{contact}/erase/cancel", CARE),
    Page("POST", "/contacts/{contact}/erase/cancel", CARE),
    Page("GET", "/contacts/{contact}/merge", STAFF),
    Page("POST", "/contacts/{contact}/merge", STAFF, {"with": new_id()}),
    Page("POST", "/contacts/{contact}/merge/search", STAFF),
    Page("POST", "/contacts/{contact}/merge/undo", STAFF),
    Page("GET", "/contacts/{contact}/merged", STAFF),
    Page("GET", "/companies", STAFF),
    Page("POST", "/companies/search", STAFF, {"q": "nobody is called so"}),
    Page("GET", "/companies/new", STAFF),
    Page("POST", "/companies/new", STAFF),
    Page("GET", "/companies/{company}", STAFF),
    Page("GET", "/companies/{company}/edit", STAFF),
    Page("POST", "/companies/{company}/edit", STAFF, {"company": "x"}),
    Page("GET", "/import", STAFF),
    Page("POST", "/import", STAFF),
    Page("GET", "/import/{job}", STAFF),
    Page("POST", "/follow-ups/{follow_up}", STAFF),
    Page("GET", "/log", AUDITOR),
    Page("GET", "/log/tree", AUDITOR),
    Page("GET", "/log/entries/{index}", AUDITOR),
    Page("GET", "/log/entries/{index}/proof", AUDITOR),
    Page("GET", "/reports", AUDITOR),
    Page("POST", "/reports/subject", AUDITOR, {"email": "nobody@example.org"}),
    Page("GET", "/reports/people/{contact}", AUDITOR),
    Page("GET", "/reports/colleagues", AUDITOR),
    Page("GET", "/reports/refusals", AUDITOR),
    Page("GET", "/reports/week", AUDITOR),
    Page("GET", "/alerts", AUDITOR),
    Page("POST", "/alerts/{alert}/acknowledge", AUDITOR, {"note_code": "followed_up"}),
    Page("GET", "/alerts/canaries", AUDITOR),
    Page("POST", "/alerts/canaries", AUDITOR, {"emails": "none"}),
    Page("GET", "/decisions", DECIDE),
    Page("POST", "/decisions/{decision}", DECIDE, {"verdict": "refuse"}),
]
NAMES = [f"{row.method} {row.path}" for row in ROWS]
