"""Follow-ups, drafts, attachments, and the sealed records that were let go."""

import sqlalchemy as sa

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.String(length=32, collation="C")
TIME = sa.DateTime(timezone=True)

# An attachment is never changed: it is moved as a new row. Everything here is deleted where an erasure falls due.
GRANTS = (
    "grant select on follow_up, draft, attachment, former_record to kept_web_read",
    "grant select, insert, update, delete on follow_up, draft, former_record to kept_web",
    "grant select, insert, delete on attachment to kept_web",
)


def _of_contact(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["contact"], ["contact.id"], name=op.f(f"fk_{table}_contact"))


def upgrade() -> None:
    op.create_table(
        "follow_up",
        sa.Column("id", ID, nullable=False),
        sa.Column("contact", ID, nullable=False),
        sa.Column("record", ID, nullable=False),
        sa.Column("origin", ID, nullable=True),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("assignee", ID, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        _of_contact("follow_up"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
    )
    op.create_index("ix_follow_up_contact", "follow_up", ["contact"], unique=False)
    op.create_index(
        "ix_follow_up_open",
        "follow_up",
        ["assignee", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("done_at is null"),
    )
    op.create_table(
        "draft",
        sa.Column("contact", ID, nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("record", ID, nullable=False),
        sa.Column("saved_at", TIME, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        _of_contact("draft"),
        sa.PrimaryKeyConstraint("contact", "author", name=op.f("pk_draft")),
    )
    op.create_index("ix_draft_saved_at", "draft", ["saved_at"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("contact", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("interaction", ID, nullable=False),
        sa.Column("record", ID, nullable=False),
        sa.Column("title", ID, nullable=False),
        sa.Column("kind", ID, nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("author", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sealed_title", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name=op.f("ck_attachment_size_bytes")),
        _of_contact("attachment"),
        sa.PrimaryKeyConstraint("contact", "id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_interaction", "attachment", ["contact", "interaction"], unique=False)
    # Ciphertext does not compress: trying costs time for every file.
    op.execute("alter table attachment alter column sealed set storage external")
    op.create_table(
        "former_record",
        sa.Column("contact", ID, nullable=False),
        sa.Column("record", ID, nullable=False),
        sa.Column("moved_to", ID, nullable=True),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        _of_contact("former_record"),
        sa.PrimaryKeyConstraint("contact", "record", name=op.f("pk_former_record")),
    )
    op.create_index(
        "ix_former_record_log_index",
        "former_record",
        ["log_index"],
        unique=False,
        postgresql_where=sa.text("moved_to is null"),
    )
    op.create_index(
        "ix_former_record_moved_to",
        "former_record",
        ["moved_to"],
        unique=False,
        postgresql_where=sa.text("moved_to is not null"),
    )
    for grant in GRANTS:
        op.execute(grant)


def downgrade() -> None:
    for table in ("former_record", "attachment", "draft", "follow_up"):
        op.drop_table(table)
