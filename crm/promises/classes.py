"""The class of every route: the most of people that one answer of it may hold, and every way to ask for them.

One table, and a route that is not in it breaks the promise. What a route is for, and whose, it declares itself.
"""

from collections.abc import Mapping
from typing import NamedTuple

JSON, TEXT, BYTES = "application/json", "text/plain", "application/octet-stream"
HTML, STATIC = "text/html", frozenset({"text/css", "text/javascript", "font/woff2", "image/svg+xml"})
# The kinds of body that leave at all: no table, no address book, no archive, nothing that streams rows.
MEDIA = frozenset({JSON, TEXT, BYTES, HTML}) | STATIC
PROBLEM = "application/problem+json"

# What the contract lets any one answer hold.
MOST_PEOPLE = 2
MOST_LABELS = 20
# A page of one's own follow-ups names whom each is about; the day's first page has those and one's recent people.
MOST_OF = {("GET", "/v1/follow-ups"): 50, ("GET", "/today"): 70, ("POST", "/follow-ups/{follow_up}"): 70}


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
PAGE_OF_NOBODY = Class(media=HTML)
PAGE = _asked("after", "limit")  # of entries of the log, which name people by id alone

_INTERACTION = "/v1/contacts/{contact}/interactions/{interaction}"

REST: Mapping[tuple[str, str], Class] = {
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

# What a page shows is what the calls above answer.
PAGES: Mapping[tuple[str, str], Class] = {
    ("GET", "/"): PAGE_OF_NOBODY,
    ("GET", "/static/{name}"): NOTHING,
    ("GET", "/sign-in"): Class(query=_asked("next"), media=HTML),
    ("POST", "/sign-in"): PAGE_OF_NOBODY,
    ("POST", "/sign-out"): PAGE_OF_NOBODY,
    ("POST", "/look"): PAGE_OF_NOBODY,
    ("GET", "/today"): Class(labels=70, query=_asked("after"), media=HTML),
    ("POST", "/follow-ups/{follow_up}/done"): PAGE_OF_NOBODY,
    ("GET", "/contacts"): Class(labels=20, media=HTML),
    ("POST", "/contacts/search"): Class(labels=8, media=HTML),
    ("GET", "/contacts/{contact}"): Class(people=1, query=_asked("reason"), media=HTML),
    ("GET", "/contacts/{contact}/interactions"): Class(people=1, query=_asked("before"), media=HTML),
    ("POST", "/contacts/{contact}/interactions"): PAGE_OF_NOBODY,
    # auditors' pages, which name people by id alone
    ("GET", "/log"): Class(
        query=_asked("actor", "act", "purpose", "subject", "outcome", "from", "to", "before"), media=HTML
    ),
    ("GET", "/log/tree"): PAGE_OF_NOBODY,
    ("GET", "/log/entries/{index}"): PAGE_OF_NOBODY,
    ("GET", "/log/entries/{index}/proof"): Class(media=TEXT),
    ("GET", "/reports"): PAGE_OF_NOBODY,
    ("POST", "/reports/subject"): PAGE_OF_NOBODY,
    ("GET", "/reports/people/{contact}"): PAGE_OF_NOBODY,
    ("GET", "/reports/colleagues"): Class(query=_asked("person", "from", "to", "before"), media=HTML),
    ("GET", "/reports/refusals"): Class(query=_asked("from", "to", "before"), media=HTML),
    ("GET", "/reports/week"): Class(query=_asked("week"), media=HTML),
    ("GET", "/alerts"): Class(query=_asked("state", "after"), media=HTML),
    ("POST", "/alerts/{alert}/acknowledge"): PAGE_OF_NOBODY,
    ("GET", "/alerts/canaries"): PAGE_OF_NOBODY,
    ("POST", "/alerts/canaries"): PAGE_OF_NOBODY,
    ("GET", "/decisions"): PAGE_OF_NOBODY,
    ("POST", "/decisions/{decision}"): PAGE_OF_NOBODY,
    ("POST", "/sign-in/options"): NOTHING,
    ("POST", "/sign-in/passkey"): PAGE_OF_NOBODY,
    ("POST", "/me/passkeys/options"): NOTHING,
    ("POST", "/me/passkeys"): PAGE_OF_NOBODY,
    ("POST", "/me/passkeys/{passkey}/remove"): PAGE_OF_NOBODY,
    ("GET", "/invitation"): PAGE_OF_NOBODY,
    ("POST", "/invitation"): PAGE_OF_NOBODY,
    ("GET", "/me"): Class(query=_asked("done"), media=HTML),
    ("GET", "/me/log"): Class(query=_asked("after"), media=HTML),
    ("POST", "/me/password"): PAGE_OF_NOBODY,
    ("POST", "/me/lift"): PAGE_OF_NOBODY,
    ("GET", "/me/factor"): PAGE_OF_NOBODY,
    ("POST", "/me/factor"): PAGE_OF_NOBODY,
    ("POST", "/me/factor/confirm"): PAGE_OF_NOBODY,
    ("GET", "/people"): PAGE_OF_NOBODY,
    ("POST", "/people"): PAGE_OF_NOBODY,
    ("GET", "/people/{person}"): Class(query=_asked("done"), media=HTML),
    ("POST", "/people/{person}/roles"): PAGE_OF_NOBODY,
    ("POST", "/people/{person}/reset"): PAGE_OF_NOBODY,
    ("POST", "/people/{person}/end"): PAGE_OF_NOBODY,
    ("POST", "/people/{person}/hand-over"): PAGE_OF_NOBODY,
    ("GET", "/vocabulary"): PAGE_OF_NOBODY,
    ("GET", "/vocabulary/{kind}"): PAGE_OF_NOBODY,
    ("POST", "/vocabulary/{kind}"): PAGE_OF_NOBODY,
    ("POST", "/vocabulary/{kind}/{term}"): PAGE_OF_NOBODY,
    ("GET", "/status"): PAGE_OF_NOBODY,
    ("POST", "/contacts/{contact}/draft"): PAGE_OF_NOBODY,
    ("POST", "/contacts/{contact}/draft/drop"): PAGE_OF_NOBODY,
    ("GET", "/contacts/{contact}/interactions/{interaction}"): Class(people=1, media=HTML),
    ("POST", "/contacts/{contact}/interactions/{interaction}"): Class(people=1, media=HTML),
    ("GET", "/contacts/{contact}/interactions/{interaction}/move"): Class(labels=1, media=HTML),
    ("POST", "/contacts/{contact}/interactions/{interaction}/move"): PAGE_OF_NOBODY,
    ("POST", "/contacts/{contact}/interactions/{interaction}/move/search"): Class(labels=9, media=HTML),
    ("POST", "/contacts/{contact}/interactions/{interaction}/attachments"): PAGE_OF_NOBODY,
    ("GET", "/contacts/{contact}/interactions/{interaction}/attachments/{attachment}"): Class(people=1, media=BYTES),
    ("GET", "/contacts/new"): Class(labels=1, query=_asked("company"), media=HTML),
    ("POST", "/contacts/new"): Class(labels=9, media=HTML),
    ("GET", "/contacts/{contact}/consents"): Class(labels=1, media=HTML),
    ("POST", "/contacts/{contact}/consents"): Class(labels=1, media=HTML),
    ("GET", "/contacts/{contact}/erase"): Class(labels=1, media=HTML),
    ("POST", "/contacts/{contact}/erase"): Class(labels=1, media=HTML),
    ("GET", "/contacts/{contact}/erase/cancel"): PAGE_OF_NOBODY,
    ("POST", "/contacts/{contact}/erase/cancel"): PAGE_OF_NOBODY,
    ("GET", "/contacts/{contact}/merge"): Class(people=2, labels=1, query=_asked("with"), media=HTML),
    ("POST", "/contacts/{contact}/merge"): PAGE_OF_NOBODY,
    ("POST", "/contacts/{contact}/merge/search"): Class(labels=9, media=HTML),
    ("GET", "/contacts/{contact}/merged"): Class(query=_asked("with"), media=HTML),
    ("POST", "/contacts/{contact}/merge/undo"): PAGE_OF_NOBODY,
    ("GET", "/import"): PAGE_OF_NOBODY,
    ("POST", "/import"): PAGE_OF_NOBODY,
    ("GET", "/import/{job}"): PAGE_OF_NOBODY,
    ("POST", "/follow-ups/{follow_up}"): Class(labels=70, media=HTML),
    ("GET", "/contacts/counts"): Class(
        query=_asked("stage", "product", "tag", "country", "owner", "quiet"), media=HTML
    ),
    ("GET", "/companies"): PAGE_OF_NOBODY,
    ("POST", "/companies/search"): Class(labels=8, media=HTML),
    ("GET", "/companies/{company}"): Class(people=1, labels=8, media=HTML),
    ("GET", "/companies/new"): PAGE_OF_NOBODY,
    ("POST", "/companies/new"): Class(labels=8, media=HTML),
    ("GET", "/contacts/{contact}/edit"): Class(people=1, labels=1, media=HTML),
    ("POST", "/contacts/{contact}/edit"): Class(people=1, labels=1, media=HTML),
    ("GET", "/companies/{company}/edit"): Class(people=1, labels=8, media=HTML),
    ("POST", "/companies/{company}/edit"): Class(people=1, labels=8, media=HTML),
}

CLASSES = {**REST, **PAGES}
