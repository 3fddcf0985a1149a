"""What happened with a contact: when, how, by whom; what was said is sealed."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
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
