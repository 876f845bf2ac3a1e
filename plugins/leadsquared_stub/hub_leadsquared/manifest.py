"""What this plugin says about itself."""

from __future__ import annotations

from hub.sdk import (
    CONTACT_CREATED,
    CONTACT_UPDATED,
    CONVERSATION_CREATED,
    CONVERSATION_RESOLVED,
    MESSAGE_CREATED,
    MESSAGE_UPDATED,
    Plugin,
)
from hub_leadsquared import __version__
from hub_leadsquared.locale import catalogues
from hub_leadsquared.processor import LeadSquaredProcessor
from hub_leadsquared.settings import CALLS_PER_SECOND, LeadSquaredSettings
from hub_leadsquared.setup import LeadSquaredSetup

plugin = Plugin(
    id="leadsquared",
    name="LeadSquared",
    version=__version__,
    description="Contacts become leads, and conversations become activities of the lead.",
    package="hub_leadsquared",
    settings=LeadSquaredSettings,
    setup=LeadSquaredSetup,
    processor=LeadSquaredProcessor,
    events=frozenset(
        {
            CONTACT_CREATED,
            CONTACT_UPDATED,
            CONVERSATION_CREATED,
            CONVERSATION_RESOLVED,
            MESSAGE_CREATED,
            MESSAGE_UPDATED,
        }
    ),
    logo="logo.svg",
    # More at once would only wait for their turn: the rate limit allows about two calls a second.
    concurrency=4,
    calls_per_second=CALLS_PER_SECOND,
    translations=catalogues(),
)
