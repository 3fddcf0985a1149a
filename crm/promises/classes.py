"""The class of every route: the most of people that one answer of it may hold, and every way to ask for them.

One table, and a route that is not in it breaks the promise. What a route is for, and whose, it declares itself.
"""

from collections.abc import Mapping
from typing import NamedTuple

JSON, TEXT, BYTES = "application/json", "text/plain", "application/octet-stream"
# The kinds of body that leave at all: no table, no address book, no archive, nothing that streams rows.
MEDIA = frozenset({JSON, TEXT, BYTES})
PROBLEM = "application/problem+json"

# What the contract lets any one answer hold.
MOST_PEOPLE = 2
MOST_LABELS = 20
MOST_OF = {("GET", "/v1/follow-ups"): 50}  # a page of one's own follow-ups names whom each is about


class Class(NamedTuple):
    """At most so many people opened, so many labels of people, in this kind of body, asked for by these parameters.

    ``labels`` are id, name, company and masked address; ``people`` is everything a purpose opens. A parameter of
    the query that is not named here would be one that widens the answer.
    """

    people: int = 0
    labels: int = 0
    query: frozenset[str] = frozenset()
    media: str = JSON


def _asked(*names: str) -> frozenset[str]:
    return frozenset(names)


NOTHING = Class()
PAGE = _asked("after", "limit")  # of entries of the log, which name people by id alone

_INTERACTION = "/v1/contacts/{contact}/interactions/{interaction}"

CLASSES: Mapping[tuple[str, str], Class] = {
    ("GET", "/openapi.json"): NOTHING,
    ("GET", "/health"): NOTHING,
    ("GET", "/v1/promises"): NOTHING,
    # contacts
    ("GET", "/v1/contacts/{contact}"): Class(people=1, query=_asked("purpose", "reason", "ref")),
    ("POST", "/v1/contacts/search"): Class(labels=8),
    ("POST", "/v1/contacts"): Class(labels=8),  # the warning of a duplicate
    ("PATCH", "/v1/contacts/{contact}"): NOTHING,
    ("DELETE", "/v1/contacts/{contact}"): Class(query=_asked("ground")),
    ("POST", "/v1/contacts/{contact}/erase/cancel"): NOTHING,
    ("POST", "/v1/contacts/{contact}/merge"): NOTHING,
    ("POST", "/v1/contacts/{contact}/merge/undo"): NOTHING,
    ("GET", "/v1/contacts/{contact}/looks"): NOTHING,
    ("PUT", "/v1/contacts/{contact}/restriction"): NOTHING,
    ("DELETE", "/v1/contacts/{contact}/restriction"): NOTHING,
    ("POST", "/v1/contacts/compare"): Class(people=2),
    ("GET", "/v1/contacts"): Class(labels=20, query=_asked("owner")),
    ("POST", "/v1/contacts/count"): NOTHING,
    ("GET", "/v1/contacts/{contact}/consents"): NOTHING,
    ("POST", "/v1/contacts/{contact}/consents"): NOTHING,
    ("POST", "/v1/contacts/{contact}/keep"): NOTHING,
    ("GET", "/v1/retention"): Class(labels=8),
    ("POST", "/v1/people/{person}/hand-over"): NOTHING,
    # companies
    ("GET", "/v1/companies/{company}"): Class(people=1, labels=8, query=_asked("reason", "ref")),
    ("POST", "/v1/companies/search"): Class(labels=8),
    ("POST", "/v1/companies"): Class(labels=8),
    ("PATCH", "/v1/companies/{company}"): NOTHING,
    ("DELETE", "/v1/companies/{company}"): Class(query=_asked("ground")),
    ("POST", "/v1/companies/{company}/erase/cancel"): NOTHING,
    ("POST", "/v1/companies/{company}/merge"): NOTHING,
    ("POST", "/v1/companies/{company}/merge/undo"): NOTHING,
    # interactions
    ("GET", "/v1/contacts/{contact}/interactions"): Class(people=1, query=_asked("purpose", "reason", "before")),
    ("POST", "/v1/contacts/{contact}/interactions"): NOTHING,
    ("GET", f"{_INTERACTION}/versions"): Class(people=1, query=_asked("purpose", "reason")),
    ("POST", f"{_INTERACTION}/versions"): NOTHING,
    ("POST", f"{_INTERACTION}/move"): NOTHING,
    ("POST", f"{_INTERACTION}/attachments"): NOTHING,
    ("GET", f"{_INTERACTION}/attachments/{{attachment}}"): Class(
        people=1, query=_asked("purpose", "reason"), media=BYTES
    ),
    ("PUT", "/v1/contacts/{contact}/draft"): NOTHING,
    ("GET", "/v1/contacts/{contact}/draft"): Class(people=1, query=_asked("reason")),
    ("DELETE", "/v1/contacts/{contact}/draft"): NOTHING,
    ("GET", "/v1/follow-ups"): Class(labels=50, query=_asked("due", "zone", "after")),
    ("POST", "/v1/follow-ups"): NOTHING,
    ("PATCH", "/v1/follow-ups/{follow_up}"): NOTHING,
    ("POST", "/v1/follow-ups/{follow_up}/done"): NOTHING,
    # files that come in
    ("POST", "/v1/imports"): Class(query=_asked("dry_run")),
    ("GET", "/v1/imports/{job}"): NOTHING,
    # sessions, me, who works here
    ("POST", "/v1/sessions"): NOTHING,
    ("POST", "/v1/sessions/options"): NOTHING,
    ("POST", "/v1/sessions/current/proof"): NOTHING,
    ("POST", "/v1/passkeys/options"): NOTHING,
    ("POST", "/v1/passkeys"): NOTHING,
    ("GET", "/v1/passkeys"): NOTHING,
    ("DELETE", "/v1/passkeys/{passkey}"): NOTHING,
    ("GET", "/v1/sessions"): NOTHING,
    ("DELETE", "/v1/sessions"): NOTHING,
    ("DELETE", "/v1/sessions/current"): NOTHING,
    ("POST", "/v1/invitations"): NOTHING,
    ("GET", "/v1/me"): NOTHING,
    ("GET", "/v1/me/recent"): Class(labels=20),
    ("GET", "/v1/me/log"): Class(query=PAGE),
    ("POST", "/v1/me/password"): NOTHING,
    ("POST", "/v1/me/totp"): NOTHING,
    ("PUT", "/v1/me/totp"): NOTHING,
    ("POST", "/v1/me/lift"): NOTHING,
    ("GET", "/v1/colleagues"): NOTHING,
    ("GET", "/v1/people"): NOTHING,
    ("POST", "/v1/people"): NOTHING,
    ("PATCH", "/v1/people/{person}"): NOTHING,
    ("POST", "/v1/people/{person}/recovery"): NOTHING,
    ("GET", "/v1/decisions"): NOTHING,
    ("POST", "/v1/decisions/{decision}"): NOTHING,
    # vocabularies
    ("GET", "/v1/vocabulary/{kind}"): NOTHING,
    ("POST", "/v1/vocabulary/{kind}"): NOTHING,
    ("PATCH", "/v1/vocabulary/{kind}/{term}"): NOTHING,
    # alerts, which name people by id alone
    ("GET", "/v1/alerts"): Class(query=_asked("state", "after")),
    ("POST", "/v1/alerts/{alert}/acknowledge"): NOTHING,
    ("GET", "/v1/canaries"): NOTHING,
    ("POST", "/v1/canaries"): NOTHING,
    # the log, which names people by id alone
    ("GET", "/v1/log/entries"): Class(query=PAGE | {"actor", "act", "purpose", "subject", "outcome", "from", "to"}),
    ("POST", "/v1/log/subject"): NOTHING,
    ("GET", "/v1/log/entries/{index}/proof"): Class(media=TEXT),
    ("GET", "/log/checkpoint"): Class(media=TEXT),
    ("GET", "/log/tile/entries/{path:path}"): Class(media=BYTES),
    ("GET", "/log/tile/{path:path}"): Class(media=BYTES),
}
