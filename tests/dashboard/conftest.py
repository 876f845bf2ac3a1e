"""A web application with an account where things have happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from hub.app import create_web_app
from hub.config import Config
from hub.database import db
from hub.plugins import Registry
from hub.sdk import Plugin
from tests.support.crm import Crm, make_plugin

MakeWeb = Callable[..., Flask]


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def web(config: Config, crm: Crm) -> Iterator[Flask]:
    """The web application with the small CRM's plugin."""
    plugin: Plugin = make_plugin(crm)
    app = create_web_app(config, Registry({plugin.id: plugin}, ()))
    yield app
    with app.app_context():
        db.engine.dispose()
    app.extensions["hub.redis"].close()
