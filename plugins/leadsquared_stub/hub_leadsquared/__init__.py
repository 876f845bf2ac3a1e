"""LeadSquared for the CRM Hub. Declared, so that it is listed; not usable yet."""

from __future__ import annotations

from hub.sdk import (
    CONTACT_UPDATED,
    Done,
    Event,
    Plugin,
    Processor,
    SettingsSchema,
    SetupFailed,
    SetupResult,
    SetupService,
    Skip,
)
from hub.sdk.settings import secret

__version__ = "0.1.0"

_NOT_READY = "The LeadSquared plugin is only declared so far."


class LeadSquaredSettings(SettingsSchema):
    """The keys of an administrator's account."""

    access_key = secret("Access key", required=True)
    secret_key = secret("Secret key", required=True)


class LeadSquaredSetup(SetupService):
    """Refuses: the hub does not install a plugin that is not ready."""

    def run(self) -> SetupResult:
        """Always fails, with the reason."""
        raise SetupFailed(_NOT_READY)


class LeadSquaredProcessor(Processor):
    """Has nothing to do yet."""

    def handle_contact_updated(self, event: Event) -> Done:
        """Skips, with the reason."""
        raise Skip(_NOT_READY)


plugin = Plugin(
    id="leadsquared",
    name="LeadSquared",
    version=__version__,
    description="Contacts become leads, conversations become activities.",
    package="hub_leadsquared",
    settings=LeadSquaredSettings,
    setup=LeadSquaredSetup,
    processor=LeadSquaredProcessor,
    events=frozenset({CONTACT_UPDATED}),
    not_ready=_NOT_READY,
)
