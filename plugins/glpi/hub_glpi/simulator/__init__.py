"""A GLPI that runs in memory: its REST API, held to answers recorded from real servers.

``tests/test_simulator_transcripts.py`` replays the recordings against it.
"""

from hub_glpi.simulator.faults import (
    SERVER_STATES,
    ServerState,
    database_down,
    maintenance,
    php_fatal,
    session_expired,
)
from hub_glpi.simulator.releases import RELEASES
from hub_glpi.simulator.server import APP_TOKEN, USER_TOKEN, GlpiSimulator

__all__ = [
    "APP_TOKEN",
    "RELEASES",
    "SERVER_STATES",
    "USER_TOKEN",
    "GlpiSimulator",
    "ServerState",
    "database_down",
    "maintenance",
    "php_fatal",
    "session_expired",
]
