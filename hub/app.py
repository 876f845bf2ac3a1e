"""The application: Flask, with the hub's parts connected."""

from __future__ import annotations

from flask import Flask

from hub import database, health
from hub.config import Config
from hub.delivery.transport import Transports
from hub.inbox import listener
from hub.plugins import Registry
from hub.queue.connection import connect
from hub.security.encryption import Keyring
from hub.security.outbound import OutboundGuard


def create_app(config: Config | None = None, registry: Registry | None = None) -> Flask:
    """The hub's application. Web, workers, sweeper and command line all run in one of these."""
    config = config or Config.from_environment()
    app = Flask("hub")
    app.secret_key = config.secret_key
    guard = OutboundGuard(config.outbound_allow, config.outbound_deny)
    app.extensions["hub.config"] = config
    app.extensions["hub.outbound"] = guard
    app.extensions["hub.transports"] = Transports(guard)
    app.extensions["hub.policy.retry"] = config.policies.retry
    app.extensions["hub.policy.breaker"] = config.policies.breaker
    app.extensions["hub.policy.lease"] = config.policies.lease
    app.extensions["hub.redis"] = connect(config)
    Keyring(config.encryption_keys).init_app(app)
    (registry or Registry.discover()).init_app(app)
    database.init_app(app, config)
    listener.init_app(app)
    app.register_blueprint(health.blueprint)
    return app
