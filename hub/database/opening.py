"""Opening the database that the configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from hub.config import Config
from hub.database import postgresql, sqlite
from hub.database.engine import Database
from hub.database.group_commit import Group, commit_all
from hub.database.types import Base, to_json

if TYPE_CHECKING:
    from flask import Flask


def open_for(app: Flask, config: Config) -> Database:
    """The database of a Flask application. Flask-SQLAlchemy makes and keeps its engine."""
    # Imported here: a command that only looks (``open_alone``) loads no Flask.
    from flask_sqlalchemy import SQLAlchemy

    app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = _options(config)
    extension = SQLAlchemy(metadata=Base.metadata)
    extension.init_app(app)
    with app.app_context():
        return _database(config, extension.engine)


def open_alone(config: Config) -> Database:
    """The database for a command that needs no Flask application."""
    return _database(config, create_engine(config.database_url, **_options(config)))


def _options(config: Config) -> dict[str, Any]:
    kind = sqlite if _is_sqlite(config) else postgresql
    return {
        "json_serializer": to_json,
        "pool_size": 10,
        "max_overflow": 40,
        # Errors are logged. Parameters hold customers' data and digests of secrets.
        "hide_parameters": True,
        **kind.OPTIONS,
    }


def _database(config: Config, engine: Engine) -> Database:
    if _is_sqlite(config):
        return sqlite.Sqlite(engine, Group(commit_all))
    return postgresql.Postgresql(engine)


def _is_sqlite(config: Config) -> bool:
    return config.database_url.startswith("sqlite")
