"""What this plugin says about itself."""

from __future__ import annotations

from hub.sdk import EVENT_NAMES, Plugin
from hub_glpi import __version__
from hub_glpi.locale import catalogues
from hub_glpi.processor import GlpiProcessor
from hub_glpi.sessions import GlpiSessions
from hub_glpi.settings import GlpiSettings
from hub_glpi.setup import GlpiSetup

plugin = Plugin(
    id="glpi",
    name="GLPI",
    version=__version__,
    description="Contacts become users, conversations tickets, and messages followups.",
    package="hub_glpi",
    settings=GlpiSettings,
    setup=GlpiSetup,
    processor=GlpiProcessor,
    events=frozenset(EVENT_NAMES),
    logo="logo.svg",
    session_driver=GlpiSessions(),
    translations=catalogues(),
)
