"""Contacts as PostgreSQL knows them: ids, terms of vocabularies by random id, standards, times.

Nothing here names anybody. `stage`, `product` and `tags` hold ids whose texts live in the keeper.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from crm.db import Code, Id

EMPTY = {"server_default": "{}"}
NO_ITEMS = {"server_default": "[]"}


class Contact(SQLModel, table=True):
    """One person or company; `version` counts the changes of this row."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("kind in ('contact', 'company')", name="kind"),
        Index("ix_contact_owner", "owner", postgresql_where=text("owner is not null")),
        Index("ix_contact_company_id", "company_id", postgresql_where=text("company_id is not null")),
        Index("ix_contact_hand_over", "hand_over", postgresql_where=text("hand_over is not null")),
        Index("ix_contact_proposed_at", "proposed_at", postgresql_where=text("proposed_at is not null")),
        Index("ix_contact_merged_into", "merged_into", postgresql_where=text("merged_into is not null")),
        Index("ix_contact_erase_due_at", "erase_due_at", postgresql_where=text("erase_due_at is not null")),
    )

    id: str = Field(primary_key=True, sa_type=Id)
    kind: str = Field(sa_type=Code)
    stage: str | None = Field(default=None, sa_type=Id)
    product: str | None = Field(default=None, sa_type=Id)
    # An array and no table of pairs: read with the row in one statement, replaced whole like every list.
    tags: list[str] = Field(default_factory=list, sa_type=ARRAY(Id), sa_column_kwargs=EMPTY)
    language: str | None = Field(default=None, sa_type=String(35))
    country: str | None = Field(default=None, sa_type=String(2))
    time_zone: str | None = Field(default=None, sa_type=String(64))
    owner: str | None = Field(default=None, sa_type=Id)
    # The hand-over that lent this to its owner for a time; nothing once somebody else decided who owns it.
    hand_over: str | None = Field(default=None, sa_type=Id, sa_column_args=(ForeignKey("hand_over.id"),))
    company_id: str | None = Field(
        default=None, sa_type=Id, sa_column_args=(ForeignKey("contact.id", ondelete="SET NULL"),)
    )
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(default=1)
    log_index: int = Field(sa_type=BigInteger)
    merged_into: str | None = Field(default=None, sa_type=Id, sa_column_args=(ForeignKey("contact.id"),))
    erase_due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    # Since when it is proposed for erasure, and until when somebody decided to keep it all the same.
    proposed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    keep_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Consent(SQLModel, table=True):
    """One thing a person said about being written to; rows are added and never changed.

    They go with the contact's row, by the foreign key: no process may delete one by itself. An objection is
    written for everybody of a merged set, so that it outlives the merge.
    """

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("state in ('given', 'withdrawn', 'objected')", name="state"),
        CheckConstraint("channel in ('email', 'phone', 'post', 'sms')", name="channel"),
        CheckConstraint("state = 'objected' or (topic is not null and channel is not null)", name="about"),
        CheckConstraint("state <> 'given' or wording is not null", name="wording"),
    )

    contact: str = Field(primary_key=True, sa_type=Id, sa_column_args=(ForeignKey("contact.id", ondelete="CASCADE"),))
    id: str = Field(primary_key=True, sa_type=Id)
    state: str = Field(sa_type=Code)
    topic: str | None = Field(default=None, sa_type=Id)
    channel: str | None = Field(default=None, sa_type=Code)
    # A term of the vocabulary of wordings, which are never reworded: its id is the version that was shown.
    wording: str | None = Field(default=None, sa_type=Id)
    source: str = Field(sa_type=Code)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
    author: str = Field(sa_type=Id)
    log_index: int = Field(sa_type=BigInteger)


class HandOver(SQLModel, table=True):
    """What one colleague owned, given to another: for good, or for a holiday that has not `ended_at` yet."""

    __tablename__ = "hand_over"
    __table_args__ = (
        CheckConstraint("kind in ('leaver', 'holiday')", name="kind"),
        CheckConstraint("(kind = 'holiday') = (until is not null)", name="until"),
        Index("ix_hand_over_until", "until", postgresql_where=text("ended_at is null")),
    )

    id: str = Field(primary_key=True, sa_type=Id)
    kind: str = Field(sa_type=Code)
    giver: str = Field(sa_type=Id)
    taker: str = Field(sa_type=Id)
    until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    count: int = Field(default=0)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    author: str = Field(sa_type=Id)
    log_index: int = Field(sa_type=BigInteger)
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class ImportJob(SQLModel, table=True):
    """One given file: counts, and by line and reason what was rejected or is worth a look.

    No value and no digest of the file; of each column its field and how often it is filled, for a heading may name
    somebody.
    """

    __tablename__ = "import_job"
    __table_args__ = (CheckConstraint("state in ('running', 'done', 'failed')", name="state"),)

    id: str = Field(primary_key=True, sa_type=Id)
    owner: str = Field(sa_type=Id)
    state: str = Field(default="running", sa_type=Code)
    reason: str | None = Field(default=None, sa_type=Code)
    total: int = Field(default=0)
    stored: int = Field(default=0)
    known: int = Field(default=0)
    repeated: int = Field(default=0)
    rejected: int = Field(default=0)
    # Who was stored though somebody else holds one of their e-mail addresses; nothing where the keeper does not say.
    held: int | None = Field(default=None)
    warned: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    rejects: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs=NO_ITEMS)
    warnings: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSONB, sa_column_kwargs=NO_ITEMS)
    fields: list[str | None] = Field(default_factory=list, sa_type=ARRAY(Code), sa_column_kwargs=EMPTY)
    filled: list[int] = Field(default_factory=list, sa_type=ARRAY(Integer), sa_column_kwargs=EMPTY)
    started_at: datetime = Field(sa_type=DateTime(timezone=True))
    # Written with every batch: a job that runs and has not been seen for a while was interrupted.
    seen_at: datetime = Field(sa_type=DateTime(timezone=True))


class Upkeep(SQLModel, table=True):
    """How far a recurring task has come, and since when a process works on it."""

    __tablename__ = "upkeep"

    task: str = Field(primary_key=True, sa_type=Code)
    position: int = Field(default=-1, sa_type=BigInteger, sa_column_kwargs={"server_default": "-1"})
    claimed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
