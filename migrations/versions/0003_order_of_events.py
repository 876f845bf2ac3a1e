"""Where an event stands in its lane, and until when it waits.

What the version before writes has none of it: the order of arrival, at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("message_id", sa.String(length=100), nullable=True))
    op.add_column("events", sa.Column("ordered_at", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("settled_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in ("settled_at", "ordered_at", "message_id"):
        op.drop_column("events", name)
