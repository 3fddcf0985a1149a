"""A company: a subject of its own, with the people who are linked to it.

Making, changing, merging and erasing it are those of a contact (`service`); only its page is its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crm.contacts import group_queries, queries
from crm.contacts.answers import company_out, labels_out
from crm.contacts.caller import Caller
from crm.contacts.schemas import SECTIONS, print_version
from crm.contacts.vocabulary import Kind, Vocabulary
from crm.db import ReadSession
from crm.errors import NotFound
from crm.keeper_client import Keeper, Labels
from crm.kit.ids import ContactId

MOST_PEOPLE = 8


@dataclass(frozen=True, slots=True)
class Page:
    """An opened company: what is printed, and its entity tag."""

    document: dict[str, Any]
    etag: str


async def open_company(
    reads: ReadSession,
    keeper: Keeper,
    caller: Caller,
    company: ContactId,
    *,
    reason: str,
    ref: str | None,
    vocabulary: Vocabulary,
) -> Page:
    """Open one company and label the people linked to it who changed last; how many there are is told in tens.

    Raises:
        NotFound: unknown, erased, merged away, or no company.
    """
    row = await queries.find(reads, company, "company")
    if row is None:
        raise NotFound
    token = caller.token
    opened = await keeper.open(token, "serve", subjects=[company], fields=list(SECTIONS), reason=reason, ref=ref)
    terms = await vocabulary.texts_of(
        token, [(Kind.STAGE, row["stage"]), (Kind.PRODUCT, row["product"]), *((Kind.TAG, tag) for tag in row["tags"])]
    )
    document = company_out(row, opened, terms)
    document["people"] = await list_group(reads, keeper, token, "company", company, most=MOST_PEOPLE)
    return Page(document, print_version(row["version"], opened.versions[company]))


async def among(reads: ReadSession, ids: Iterable[str]) -> set[str]:
    """Tell which of some subjects are companies; nothing is opened."""
    return {one for one in ids if await queries.find(reads, one, "company")}


async def list_group(
    reads: ReadSession, keeper: Keeper, token: str, group: str, value: str, *, most: int
) -> dict[str, Any]:
    """Label the people of a group who changed last, at most so many, and count them all."""
    ids, count = await group_queries.first_of(reads, group, value, most)
    labels = await keeper.labels(token, ids) if ids else Labels([], more=False)
    return labels_out(labels, count)
