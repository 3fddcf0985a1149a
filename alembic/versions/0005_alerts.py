"""Alerts, and how far the log was read for them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(length=32, collation="C")
TIME = sa.DateTime(timezone=True)
NEWEST_FIRST = ["log", sa.literal_column("first_index desc"), "id"]

# Nobody deletes an alert.
GRANTS = (
    "grant select on alert, alert_fold to kept_web_read",
    "grant select, insert, update on alert, alert_fold to kept_web",
)


def upgrade() -> None:
    op.create_table(
        "alert_fold",
        sa.Column("log", ID, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("tip", ID, nullable=False),
        sa.Column("state", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_alert_fold")),
    )
    op.create_table(
        "alert",
        sa.Column("id", ID, nullable=False),
        sa.Column("log", ID, nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("severity", ID, nullable=False),
        sa.Column("first_index", sa.BigInteger(), nullable=False),
        sa.Column("last_index", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("actor", ID, nullable=True),
        sa.Column("about", ID, nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("acknowledged_by", ID, nullable=True),
        sa.Column("note_code", ID, nullable=True),
        sa.Column("acknowledged_at", TIME, nullable=True),
        sa.Column("acknowledged_index", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("severity in ('notice', 'warning', 'critical')", name=op.f("ck_alert_severity")),
        sa.CheckConstraint(
            "note_code in ('acknowledged', 'false_alarm', 'followed_up', 'escalated')", name=op.f("ck_alert_note_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_newest", "alert", NEWEST_FIRST, unique=False)
    op.create_index(
        "ix_alert_open", "alert", NEWEST_FIRST, unique=False, postgresql_where=sa.text("acknowledged_index is null")
    )
    for grant in GRANTS:
        op.execute(grant)


def downgrade() -> None:
    op.drop_table("alert")
    op.drop_table("alert_fold")
