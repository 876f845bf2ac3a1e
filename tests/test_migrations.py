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


def test_indexes_of_few_rows_have_the_same_conditions_on_both_databases(make_app):
    """The models name SQLite's only."""
    with make_app().app_context():
        found = inspect(db.engine)
        for table in db.metadata.tables.values():
            dialect = db.engine.dialect.name
            stored = {
                index["name"]: str(index.get("dialect_options", {}).get(f"{dialect}_where", ""))
                for index in found.get_indexes(table.name)
            }
            for index in table.indexes:
                said = index.dialect_options["sqlite"]["where"]
                column = str(said).partition(" ")[0] if said is not None else ""
                assert column in stored[index.name], index.name
                assert bool(column) == bool(stored[index.name]), index.name


def test_they_go_down_and_up_again(make_app):
    with make_app().app_context():
        migrations.downgrade(db.engine, "base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        migrations.upgrade(db.engine)
        assert "deliveries" in inspect(db.engine).get_table_names()
        migrations.upgrade(db.engine)


def test_they_are_one_line():
    """Two that were written at the same time would both follow the same one."""
    written = sorted(path.name[:4] for path in (migrations.FOLDER / "versions").glob("0*.py"))
    assert written == [f"{number:04}" for number in range(1, len(written) + 1)]
