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
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(default=1)
    log_index: int = Field(sa_type=BigInteger)
    merged_into: str | None = Field(default=None, sa_type=Id, sa_column_args=(ForeignKey("contact.id"),))
    erase_due_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


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
