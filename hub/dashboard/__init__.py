"""The dashboard: server-rendered pages, which work without JavaScript and are livelier with it."""

from __future__ import annotations

from flask import Flask

from hub.dashboard import blueprint, formats, languages, views


def init_app(app: Flask) -> None:
    """Add the dashboard to the web application."""
    views.load()
    blueprint.csrf.init_app(app)
    languages.init_app(app)
    formats.init_app(app)
    app.register_blueprint(blueprint.blueprint)
