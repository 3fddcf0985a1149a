"""Imports: what is worth a look apart from what is rejected, and the columns of a table by field."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_job", sa.Column("warned", sa.Integer(), server_default="0", nullable=False))
    op.add_column("import_job", sa.Column("held", sa.Integer(), nullable=True))
    kind = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("import_job", sa.Column("warnings", kind, server_default="[]", nullable=False))
    fields = sa.ARRAY(sa.String(length=32, collation="C"))
    op.add_column("import_job", sa.Column("fields", fields, server_default="{}", nullable=False))
    op.add_column("import_job", sa.Column("filled", sa.ARRAY(sa.Integer()), server_default="{}", nullable=False))


def downgrade() -> None:
    for name in ("filled", "fields", "warnings", "held", "warned"):
        op.drop_column("import_job", name)
