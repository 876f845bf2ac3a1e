"""LeadSquared's REST API (``/v2``), typed.

``LeadSquared`` is the way in::

    leadsquared = LeadSquared(context, "https://api-in21.leadsquared.com/v2")
    leadsquared.leads.update(lead_id, {"FirstName": "Ann"})
"""

from __future__ import annotations

from hub.sdk import CallContext
from hub_leadsquared.api.account import Account
from hub_leadsquared.api.activities import Activities
from hub_leadsquared.api.activity_types import ActivityTypes
from hub_leadsquared.api.connection import Connection
from hub_leadsquared.api.leads import Leads


class LeadSquared:
    """All of LeadSquared that this plugin speaks to. ``endpoint_url`` ends in ``/v2``."""

    def __init__(self, context: CallContext, endpoint_url: str) -> None:
        connection = Connection(context, endpoint_url)
        self.account = Account(connection)
        self.leads = Leads(connection)
        self.activities = Activities(connection)
        self.activity_types = ActivityTypes(connection)


__all__ = ["LeadSquared"]
