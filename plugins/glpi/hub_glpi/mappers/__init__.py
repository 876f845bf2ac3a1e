"""From Chatwoot's words to GLPI's: pure functions."""
