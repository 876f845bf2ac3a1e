"""LeadSquared stands the kit that every plugin must stand."""

from hub_leadsquared.conformance import TestLeadSquared

__all__ = ["TestLeadSquared"]
