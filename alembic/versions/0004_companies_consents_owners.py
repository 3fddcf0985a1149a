"""Links to companies, consents, hand-overs, proposals for erasure; and what the web's roles may do with them."""

import sqlalchemy as sa

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.String(length=32, collation="C")
TIME = sa.DateTime(timezone=True)

# Consents are added, never changed. They are deleted by the foreign key alone, which acts for the owner of the
# table: with the contact, when its erasure has fallen due.
GRANTS = (
    "grant select on consent, hand_over to kept_web_read",
    "grant select, insert on consent to kept_web",
    "grant select, insert, update on hand_over to kept_web",
)
PARTIAL = (
    ("ix_contact_company_id", "contact", "company_id", "company_id is not null"),
    ("ix_contact_hand_over", "contact", "hand_over", "hand_over is not null"),
    ("ix_contact_proposed_at", "contact", "proposed_at", "proposed_at is not null"),
    ("ix_hand_over_until", "hand_over", "until", "ended_at is null"),
)


def upgrade() -> None:
    op.create_table(
        "hand_over",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("giver", ID, nullable=False),
        sa.Column("taker", ID, nullable=False),
        sa.Column("until", TIME, nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.CheckConstraint("kind in ('leaver', 'holiday')", name=op.f("ck_hand_over_kind")),
        sa.CheckConstraint("(kind = 'holiday') = (until is not null)", name=op.f("ck_hand_over_until")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
    )
    op.create_table(
        "consent",
        sa.Column("contact", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("state", ID, nullable=False),
        sa.Column("topic", ID, nullable=True),
        sa.Column("channel", ID, nullable=True),
        sa.Column("wording", ID, nullable=True),
        sa.Column("source", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state in ('given', 'withdrawn', 'objected')", name=op.f("ck_consent_state")),
        sa.CheckConstraint("channel in ('email', 'phone', 'post', 'sms')", name=op.f("ck_consent_channel")),
        sa.CheckConstraint(
            "state = 'objected' or (topic is not null and channel is not null)", name=op.f("ck_consent_about")
        ),
        sa.CheckConstraint("state <> 'given' or wording is not null", name=op.f("ck_consent_wording")),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_consent_contact"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("contact", "id", name=op.f("pk_consent")),
    )
    op.add_column("contact", sa.Column("hand_over", ID, nullable=True))
    op.add_column("contact", sa.Column("company_id", ID, nullable=True))
    op.add_column("contact", sa.Column("proposed_at", TIME, nullable=True))
    op.add_column("contact", sa.Column("keep_until", TIME, nullable=True))
    op.create_foreign_key(op.f("fk_contact_hand_over"), "contact", "hand_over", ["hand_over"], ["id"])
    op.create_foreign_key(
        op.f("fk_contact_company_id"), "contact", "contact", ["company_id"], ["id"], ondelete="SET NULL"
    )
    for name, table, column, where in PARTIAL:
        op.create_index(name, table, [column], unique=False, postgresql_where=sa.text(where))
    for grant in GRANTS:
        op.execute(grant)


def downgrade() -> None:
    for name, table, _, where in reversed(PARTIAL):
        op.drop_index(name, table_name=table, postgresql_where=sa.text(where))
    op.drop_constraint(op.f("fk_contact_company_id"), "contact", type_="foreignkey")
    op.drop_constraint(op.f("fk_contact_hand_over"), "contact", type_="foreignkey")
    for column in ("keep_until", "proposed_at", "company_id", "hand_over"):
        op.drop_column("contact", column)
    op.drop_table("consent")
    op.drop_table("hand_over")
