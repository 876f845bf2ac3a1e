"""Web applications that several tests use one after the other."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from hub import services
from hub.app import create_web_app
from hub.config import Config
from hub.inbox.inbox import Inbox
from hub.plugins import Registry
from hub.sdk import Plugin
from tests.support.clock import StoppableClock, clock_of


@dataclass(frozen=True)
class WebApps:
    """A web application for each database. To compile its routes and templates costs more than
    most tests do with it, so only what it remembers is made new.
    """

    #: Of them all: an application keeps its configuration.
    data_dir: Path
    _plugins: dict[str, Plugin] = field(default_factory=dict)
    _apps: dict[str, Flask] = field(default_factory=dict)

    def empty(self) -> None:
        """Leave nothing in the data dir."""
        shutil.rmtree(self.data_dir)
        self.data_dir.mkdir()

    def of(self, config: Config, plugin: Plugin) -> Flask:
        """The application of this configuration, as if it were new, with this plugin only."""
        self._plugins.clear()
        self._plugins[plugin.id] = plugin
        app = self._apps.get(config.database_url)
        if app is None:
            app = create_web_app(config, Registry(self._plugins, ()), StoppableClock())
            self._apps[config.database_url] = app
        assert services.of(app).config == config
        services.of(app).single(Inbox).sources.forget()
        clock_of(app).go_on()
        return app


def close(app: Flask) -> None:
    """Close the application's connections; it opens others if it is used again."""
    services.of(app).close()
