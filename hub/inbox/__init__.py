"""The inbox: takes webhooks from sources, and stores their events before it answers."""
