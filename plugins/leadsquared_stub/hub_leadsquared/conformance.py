"""LeadSquared, as the hub's conformance kit tries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.sdk.testing.conformance import Conformance
from hub_leadsquared import plugin
from hub_leadsquared.simulator import ACCESS_KEY, SECRET_KEY, LeadSquaredSimulator


class TestLeadSquared(Conformance):
    plugin = plugin
    simulator = LeadSquaredSimulator

    def settings(self, url: str) -> Mapping[str, Any]:
        keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
        switched_on = {"enable_conversation_activity": True, "enable_transcript_activity": True}
        return {"api_url": url, **keys, **switched_on, "calls_per_second": 25}

    def remote(self, state: Mapping[str, Any]) -> Any:
        leads = [{k: v for k, v in lead.items() if k != "ProspectID"} for lead in state["leads"]]
        notes = [(row["EventName"], row["Note"]) for row in state["activities"]]
        return leads, notes

    def converged(self, state: Mapping[str, Any]) -> Any:
        """What a transcript says depends on what was said before the end."""
        leads, notes = self.remote(state)
        return sorted(leads, key=str), sorted({name for name, _ in notes})
