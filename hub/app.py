"""The application: Flask, with the hub's parts connected."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hub import models, services
from hub.clock import SYSTEM
from hub.config import Config
from hub.database import opening
from hub.inbox import listener
from hub.outbound.guard import OutboundGuard
from hub.outbound.transport import Transports
from hub.plugins import Registry
from hub.queue.connection import connect
from hub.sdk.context import Clock
from hub.security.encryption import Keyring
from hub.services import Services


def create_app(
    config: Config | None = None,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> Flask:
    """The hub's application. Web, workers, sweeper and command line all run in one of these."""
    config = config or Config.from_environment()
    models.load()
    app = Flask("hub", static_folder=None)
    app.secret_key = config.secret_key
    guard = OutboundGuard(config.outbound_allow, config.outbound_deny)
    made = Services(
        config=config,
        clock=clock or SYSTEM,
        database=opening.open_for(app, config),
        redis=connect(config),
        guard=guard,
        transports=Transports(guard),
        registry=registry or Registry.discover(),
        keyring=Keyring(config.encryption_keys),
    )
    services.keep(app, made)
    app.register_blueprint(listener.blueprint)
    return app


def create_web_app(
    config: Config | None = None,
    registry: Registry | None = None,
    clock: Clock | None = None,
) -> Flask:
    """The application with what a web server adds to it: health, dashboard and API."""
    # Imported here: workers and sweepers need none of it, and their memory counts.
    from hub import (
        api,
        dashboard,
    )
    from hub.api import health
    from hub.security import headers
    from hub.security.cookies import CookieSessions

    app = create_app(config, registry, clock)
    config = services.of(app).config
    lifetimes = config.policies.lifetime
    https = config.public_url.startswith("https://")
    app.config.update(
        SESSION_COOKIE_NAME="__Host-hub" if https else "hub",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=lifetimes.idle,
        # The dashboard asks for it itself; webhooks and the API know no cookies.
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=int(lifetimes.form.total_seconds()),
    )
    app.session_interface = CookieSessions()
    if config.proxies:
        hops = config.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    headers.init_app(app, https=https)
    app.register_blueprint(health.blueprint)
    dashboard.init_app(app)
    api.init_app(app)
    return app
