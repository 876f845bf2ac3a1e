"""What this plugin says about itself."""

from __future__ import annotations

from hub.sdk import EVENT_NAMES, Plugin
from hub_webhook import __version__
from hub_webhook.locale import catalogues
from hub_webhook.processor import WebhookProcessor
from hub_webhook.settings import WebhookSettings
from hub_webhook.setup import WebhookSetup

plugin = Plugin(
    id="webhook",
    name="Webhook",
    version=__version__,
    description="Sends signed events to any HTTPS endpoint: n8n, Zapier, your own code.",
    package="hub_webhook",
    settings=WebhookSettings,
    setup=WebhookSetup,
    processor=WebhookProcessor,
    events=frozenset(EVENT_NAMES),
    logo="logo.svg",
    allow_multiple_hooks=True,
    translations=catalogues(),
)
