"""What happened with a contact and what is to follow: when, how, by whom; what was said is sealed."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from crm.db import Code, Id

EMPTY = {"server_default": "{}"}
NEWEST_FIRST = text("occurred_at desc")


class Interaction(SQLModel, table=True):
    """One version of one interaction; `record` is the address its sealed text is bound to.

    The contact's id leads every key, so that the table can be distributed by it. Nothing is edited in place:
    a correction is a row with the next version, and `is_current` moves to it.
    """

    __tablename__ = "interaction"
    __table_args__ = (
        CheckConstraint("kind in ('call', 'email', 'meeting', 'chat', 'note')", name="kind"),
        CheckConstraint("direction in ('in', 'out', 'internal')", name="direction"),
        UniqueConstraint("contact", "record"),
        Index("ix_interaction_newest", "contact", NEWEST_FIRST, "id", postgresql_where=text("is_current")),
    )

    contact: str = Field(primary_key=True, sa_type=Id, sa_column_args=(ForeignKey("contact.id"),))
    id: str = Field(primary_key=True, sa_type=Id)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    record: str = Field(sa_type=Id)
    is_current: bool = Field(default=True)
    kind: str = Field(sa_type=Code)
    direction: str = Field(sa_type=Code)
    occurred_at: datetime = Field(sa_type=DateTime(timezone=True))
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    author: str = Field(sa_type=Id)
    product: str | None = Field(default=None, sa_type=Id)
    needs: list[str] = Field(default_factory=list, sa_type=ARRAY(Id), sa_column_kwargs=EMPTY)
    sealed: bytes = Field(sa_type=LargeBinary)
    log_index: int = Field(sa_type=BigInteger)


class FollowUp(SQLModel, table=True):
    """What somebody means to do for a contact; the title is sealed under the contact as `record`.

    The id alone is the key: a person's list and a link in it know no contact. `origin` is the sealed record of
    the interaction's version it was made with, and moves to another person with it.
    """

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_contact", "contact"),
        Index("ix_follow_up_open", "assignee", "due_at", "id", postgresql_where=text("done_at is null")),
    )

    id: str = Field(primary_key=True, sa_type=Id)
    contact: str = Field(sa_type=Id, sa_column_args=(ForeignKey("contact.id"),))
    record: str = Field(sa_type=Id)
    origin: str | None = Field(default=None, sa_type=Id)
    due_at: datetime = Field(sa_type=DateTime(timezone=True))
    assignee: str = Field(sa_type=Id)
    author: str = Field(sa_type=Id)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    done_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    version: int = Field(default=1)
    sealed: bytes = Field(sa_type=LargeBinary)
    # The entry of the last change, which a repeated one answers with.
    log_index: int = Field(sa_type=BigInteger)


class Draft(SQLModel, table=True):
    """What somebody has typed about a contact and not logged yet, sealed whole: one a person and contact."""

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_saved_at", "saved_at"),)

    contact: str = Field(primary_key=True, sa_type=Id, sa_column_args=(ForeignKey("contact.id"),))
    author: str = Field(primary_key=True, sa_type=Id)
    record: str = Field(sa_type=Id)
    saved_at: datetime = Field(sa_type=DateTime(timezone=True))
    sealed: bytes = Field(sa_type=LargeBinary)
    log_index: int = Field(sa_type=BigInteger)


class Attachment(SQLModel, table=True):
    """A file of an interaction. Its bytes are sealed as `record`, its name apart as `title`.

    A page of interactions opens names; the bytes are opened by whoever asks for the file, as an entry of its own.
    """

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_bytes"),
        Index("ix_attachment_interaction", "contact", "interaction"),
    )

    contact: str = Field(primary_key=True, sa_type=Id, sa_column_args=(ForeignKey("contact.id"),))
    id: str = Field(primary_key=True, sa_type=Id)
    interaction: str = Field(sa_type=Id)
    record: str = Field(sa_type=Id)
    title: str = Field(sa_type=Id)
    kind: str = Field(sa_type=Code)
    size_bytes: int = Field(sa_type=Integer)
    author: str = Field(sa_type=Id)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    sealed_title: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
    log_index: int = Field(sa_type=BigInteger)


class FormerRecord(SQLModel, table=True):
    """A sealed record that stood and was let go on purpose: replaced, deleted, moved to another person.

    Without this row the reconciler would take its entry for one whose row never came. It goes once the reconciler
    has passed `log_index`; where a record was moved it stays, so that moving again answers as the first time.
    """

    __tablename__ = "former_record"
    __table_args__ = (
        Index("ix_former_record_moved_to", "moved_to", postgresql_where=text("moved_to is not null")),
        Index("ix_former_record_log_index", "log_index", postgresql_where=text("moved_to is null")),
    )

    contact: str = Field(primary_key=True, sa_type=Id, sa_column_args=(ForeignKey("contact.id"),))
    record: str = Field(primary_key=True, sa_type=Id)
    moved_to: str | None = Field(default=None, sa_type=Id)
    log_index: int = Field(sa_type=BigInteger)
