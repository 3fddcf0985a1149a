"""Contacts, interactions, imports, upkeep; and what each process's role may do with them."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(length=32, collation="C")
TIME = sa.DateTime(timezone=True)

# What a process does not need it does not get. Rows are deleted where an erasure has fallen due, so
# there is no DELETE on jobs and upkeep; sender and inbound have no work here before outreach.
GRANTS = (
    "grant usage on schema public to kept_web, kept_web_read",
    "grant select on contact, interaction, import_job, upkeep to kept_web_read",
    "grant select, insert, update, delete on contact, interaction to kept_web",
    "grant select, insert, update on import_job, upkeep to kept_web",
)


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("stage", ID, nullable=True),
        sa.Column("product", ID, nullable=True),
        sa.Column("tags", sa.ARRAY(ID), server_default="{}", nullable=False),
        sa.Column("language", sa.String(length=35), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("owner", ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", ID, nullable=True),
        sa.Column("erase_due_at", TIME, nullable=True),
        sa.CheckConstraint("kind in ('contact', 'company')", name=op.f("ck_contact_kind")),
        sa.ForeignKeyConstraint(["merged_into"], ["contact.id"], name=op.f("fk_contact_merged_into")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_index(
        "ix_contact_erase_due_at",
        "contact",
        ["erase_due_at"],
        unique=False,
        postgresql_where=sa.text("erase_due_at is not null"),
    )
    op.create_index(
        "ix_contact_merged_into",
        "contact",
        ["merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_index(
        "ix_contact_owner", "contact", ["owner"], unique=False, postgresql_where=sa.text("owner is not null")
    )
    op.create_table(
        "import_job",
        sa.Column("id", ID, nullable=False),
        sa.Column("owner", ID, nullable=False),
        sa.Column("state", ID, nullable=False),
        sa.Column("reason", ID, nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("stored", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("rejects", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.CheckConstraint("state in ('running', 'done', 'failed')", name=op.f("ck_import_job_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
    )
    op.create_table(
        "upkeep",
        sa.Column("task", ID, nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="-1", nullable=False),
        sa.Column("claimed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_upkeep")),
    )
    op.create_table(
        "interaction",
        sa.Column("contact", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record", ID, nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("direction", ID, nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("product", ID, nullable=True),
        sa.Column("needs", sa.ARRAY(ID), server_default="{}", nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("direction in ('in', 'out', 'internal')", name=op.f("ck_interaction_direction")),
        sa.CheckConstraint("kind in ('call', 'email', 'meeting', 'chat', 'note')", name=op.f("ck_interaction_kind")),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f("fk_interaction_contact")),
        sa.PrimaryKeyConstraint("contact", "id", "version", name=op.f("pk_interaction")),
        sa.UniqueConstraint("contact", "record", name=op.f("uq_interaction_contact_record")),
    )
    op.create_index(
        "ix_interaction_newest",
        "interaction",
        ["contact", sa.literal_column("occurred_at desc"), "id"],
        unique=False,
        postgresql_where=sa.text("is_current"),
    )
    for grant in GRANTS:
        op.execute(grant)


def downgrade() -> None:
    op.drop_index("ix_interaction_newest", table_name="interaction", postgresql_where=sa.text("is_current"))
    op.drop_table("interaction")
    op.drop_table("upkeep")
    op.drop_table("import_job")
    op.drop_index("ix_contact_owner", table_name="contact", postgresql_where=sa.text("owner is not null"))
    op.drop_index("ix_contact_merged_into", table_name="contact", postgresql_where=sa.text("merged_into is not null"))
    op.drop_index("ix_contact_erase_due_at", table_name="contact", postgresql_where=sa.text("erase_due_at is not null"))
    op.drop_table("contact")
