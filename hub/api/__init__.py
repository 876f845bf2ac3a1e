"""The REST API, version 1. One declaration of each operation drives its route, the validation of
what is sent, the form of what is answered, and the OpenAPI document."""

from __future__ import annotations

from flask import Flask

from hub.api import docs, problems
from hub.api.operations import blueprint
from hub.api.views import load


def init_app(app: Flask) -> None:
    """Add the API to the web application."""
    load()
    problems.init_app(app)
    app.register_blueprint(blueprint)
    app.register_blueprint(docs.blueprint)
