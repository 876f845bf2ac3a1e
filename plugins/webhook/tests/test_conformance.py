"""Webhooks stand the kit that every plugin must stand."""

from hub_webhook.conformance import TestWebhook

__all__ = ["TestWebhook"]
