"""The hosts inside that a connection may call. NULL: it was made before, and keeps what it had."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("hooks", "sources"):
        op.add_column(table, sa.Column("doors", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in ("hooks", "sources"):
        op.drop_column(table, "doors")
