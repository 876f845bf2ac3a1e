"""Deliveries that are kept back until it is known whose they are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_deliveries",
        sa.Column(
            "delivery_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hook_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact", sa.String(length=200), nullable=True),
        sa.Column("conversation", sa.String(length=200), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column(
            "home_lane_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
            name=op.f("fk_kept_deliveries_delivery_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["hook_id"], ["hooks.id"], name=op.f("fk_kept_deliveries_hook_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_kept_deliveries")),
    )
    op.create_index("ix_kept_deliveries_contact", "kept_deliveries", ["hook_id", "contact"])
    op.create_index(
        "ix_kept_deliveries_conversation", "kept_deliveries", ["hook_id", "conversation"]
    )
    op.create_index("ix_kept_deliveries_until", "kept_deliveries", ["hook_id", "until"])
    op.add_column(
        "deliveries",
        sa.Column("known_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    op.add_column("deliveries", sa.Column("insisted", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "insisted")
    op.drop_column("deliveries", "known_by")
    op.drop_index("ix_kept_deliveries_until", table_name="kept_deliveries")
    op.drop_index("ix_kept_deliveries_conversation", table_name="kept_deliveries")
    op.drop_index("ix_kept_deliveries_contact", table_name="kept_deliveries")
    op.drop_table("kept_deliveries")
