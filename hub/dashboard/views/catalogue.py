"""The catalogue: which plugins are installed, and how to install another."""

from __future__ import annotations

from flask import Response, abort, render_template

from hub.access.gate import needs
from hub.access.permissions import Permission
from hub.accounts import hooks
from hub.dashboard.blueprint import account, blueprint
from hub.services import registry


@blueprint.get("/accounts/<int:account_id>/catalogue")
@needs(Permission.LOOK)
def catalogue(account_id: int) -> str:
    """The plugins of this installation, as far as the account may use them."""
    present = account()
    plugins = [
        plugin
        for plugin in registry().plugins.values()
        if not plugin.feature_flag or plugin.feature_flag in present.features
    ]
    return render_template(
        "catalogue.html",
        section="catalogue",
        plugins=sorted(plugins, key=lambda plugin: plugin.name),
        broken=registry().broken,
        installed={hook.plugin_id for hook in hooks.listed(present)},
    )


@blueprint.get("/accounts/<int:account_id>/plugins/<plugin_id>/logo.svg")
@needs(Permission.LOOK)
def plugin_logo(account_id: int, plugin_id: str) -> Response:
    """A plugin's logo."""
    plugin = registry().plugins.get(plugin_id)
    logo = plugin.logo_bytes() if plugin else None
    if logo is None:
        abort(404)
    answer = Response(logo, mimetype="image/svg+xml")
    # A picture from a plugin runs nothing, whoever opens it by itself.
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
