"""From Chatwoot's words to LeadSquared's: pure functions."""
