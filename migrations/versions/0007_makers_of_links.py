"""Who made a one-time link, so that it ends with the right to make it. NULL: the command line, or
before; such links end by themselves within three days."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("invitations", sa.Column("made_by", number, nullable=True))


def downgrade() -> None:
    op.drop_column("invitations", "made_by")
