"""What is known of the log outside it: how far it was looked through for alerts, and the alerts.

All of it can be worked out again from the log. No row names somebody the records are about: whom an alert
concerns is read from the log when an auditor asks, so that a dump does not tell a canary from a customer.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, DateTime, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from crm.db import Code, Id

NEWEST_FIRST = text("first_index desc")


class AlertFold(SQLModel, table=True):
    """How far one log was read (`position`, an index; `tip`, the digest of that entry) and what is carried on."""

    __tablename__ = "alert_fold"

    log: str = Field(primary_key=True, sa_type=Id)
    position: int = Field(sa_type=BigInteger)
    tip: str = Field(sa_type=Id)
    state: dict[str, Any] = Field(sa_type=JSONB)


class AlertRow(SQLModel, table=True):
    """One alert; `actor` and `about` are staff, `evidence` are the first indexes of the log it rests on."""

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("severity in ('notice', 'warning', 'critical')", name="severity"),
        CheckConstraint("note_code in ('acknowledged', 'false_alarm', 'followed_up', 'escalated')", name="note_code"),
        Index("ix_alert_newest", "log", NEWEST_FIRST, "id"),
        Index("ix_alert_open", "log", NEWEST_FIRST, "id", postgresql_where=text("acknowledged_index is null")),
    )

    id: str = Field(primary_key=True, sa_type=Id)
    log: str = Field(sa_type=Id)
    kind: str = Field(sa_type=Code)
    severity: str = Field(sa_type=Code)
    first_index: int = Field(sa_type=BigInteger)
    last_index: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    last_at: datetime = Field(sa_type=DateTime(timezone=True))
    actor: str | None = Field(default=None, sa_type=Id)
    about: str | None = Field(default=None, sa_type=Id)
    count: int = Field(sa_type=BigInteger)
    evidence: list[int] = Field(sa_type=ARRAY(BigInteger))
    # Who acknowledged an alert owns it.
    acknowledged_by: str | None = Field(default=None, sa_type=Id)
    note_code: str | None = Field(default=None, sa_type=Code)
    acknowledged_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    acknowledged_index: int | None = Field(default=None, sa_type=BigInteger)
