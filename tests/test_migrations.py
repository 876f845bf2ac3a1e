"""The schema on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.types import TypeDecorator

import migrations
from hub.database import db


def same_type(context, column, own_column, own, wanted):
    """The hub's own types are stored as what they decorate."""
    return False if isinstance(wanted, TypeDecorator) else None


def test_the_migrations_make_what_the_models_say(make_app):
    with make_app().app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": same_type})
        assert compare_metadata(context, db.metadata) == []
        assert migrations.current(db.engine) == migrations.newest()


def test_they_go_down_and_up_again(make_app):
    with make_app().app_context():
        migrations.downgrade(db.engine, "base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        migrations.upgrade(db.engine)
        assert "deliveries" in inspect(db.engine).get_table_names()
        migrations.upgrade(db.engine)
